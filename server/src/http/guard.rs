//! Every request passes here first: host, origin, key; and every answer gets its security headers here last.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::access::{Access, Mode, needed};
use super::hook::{Begun, is_hook};
use crate::error::ApiError;
use crate::state::App;

/// How long a hook waits for the word on its key: an agent waits for it.
const HOOK_PATIENCE: Duration = Duration::from_millis(300);

/// Refuses what must not pass, and finishes what may.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    app.counters.requests.fetch_add(1, Ordering::Relaxed);
    let (mut head, body) = request.into_parts();
    if is_hook(head.uri.path()) {
        // What passes here counts against its second.
        head.extensions.insert(Begun::now());
    }
    let mut response = match admit(&app.access, &head).await {
        Ok(()) => next.run(Request::from_parts(head, body)).await,
        Err(Refusal::Error(error)) => error.into_response(),
        Err(Refusal::Login(target)) => Redirect::to(&target).into_response(),
    };
    if response.status().is_server_error() {
        app.counters.failures.fetch_add(1, Ordering::Relaxed);
    }
    harden(response.headers_mut());
    response
}

enum Refusal {
    Error(ApiError),
    /// A browser without a session.
    Login(String),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

async fn admit(access: &Access, head: &Parts) -> Result<(), Refusal> {
    let Parts { method, uri, headers, .. } = head;
    check_host(access, headers)?;
    check_origin(access, method, uri, headers)?;
    if access.mode() == Mode::Loopback {
        return Ok(());
    }
    let Some(needed) = needed(method, uri) else { return Ok(()) };
    let known = if is_hook(uri.path()) {
        access.known_within(headers, HOOK_PATIENCE).await?
    } else {
        access.known(headers).await.map_err(ApiError::from)?
    };
    match known {
        Some(known) if known.scope.allows(needed) => Ok(()),
        Some(_) => Err(Refusal::Error(ApiError::new(
            StatusCode::FORBIDDEN,
            format!("this key may not do that; it takes scope \"{}\"", needed.name()),
            format!("make another key with: towngauge key create --scope {} NAME", needed.name()),
        ))),
        None if is_page(method, uri, headers) => {
            Err(Refusal::Login(format!("/login?next={}", escaped(uri.path_and_query().map_or("/", |p| p.as_str())))))
        }
        None => Err(Refusal::Error(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "a key is needed",
            "send it as \"Authorization: Bearer tg_…\"; towngauge key create makes one",
        ))),
    }
}

fn check_host(access: &Access, headers: &HeaderMap) -> Result<(), ApiError> {
    let host = header(headers, &HOST).unwrap_or_default();
    if access.allows_host(host) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::MISDIRECTED_REQUEST,
        format!("this server does not answer for \"{}\"", host.chars().take(100).collect::<String>()),
        "use localhost or 127.0.0.1, or start with --allow-host NAME",
    ))
}

/// A page of another site must not read from or write to this server through its visitor's browser. Senders that are
/// not browsers have neither header.
fn check_origin(access: &Access, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let refused = || {
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "this request comes from a page of another site",
            "open the page on this server itself; if it is behind a proxy, start with --public-url",
        ))
    };
    let host = header(headers, &HOST).unwrap_or_default();
    if let Some(origin) = headers.get(ORIGIN) {
        let own = origin.to_str().is_ok_and(|origin| access.is_own_origin(origin, host));
        if !own {
            return refused();
        }
    }
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        // A link from elsewhere may open a page, and nothing else.
        Some(_) if is_navigation(method, uri, headers) => Ok(()),
        Some(_) => refused(),
    }
}

fn is_navigation(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &[u8]| headers.get(name).is_some_and(|v| v.as_bytes() == value);
    method == Method::GET && !is_machine(uri) && is("sec-fetch-mode", b"navigate") && is("sec-fetch-dest", b"document")
}

fn is_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    method == Method::GET && !is_machine(uri) && header(headers, &ACCEPT).is_some_and(|a| a.contains("text/html"))
}

fn is_machine(uri: &Uri) -> bool {
    let path = uri.path();
    ["/api/", "/live", "/pkg/", "/metrics", "/health", "/ready"].iter().any(|prefix| path.starts_with(prefix))
        || is_hook(path)
        || super::otlp::is_export(path)
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What every answer carries. Pages bring their own policy with their nonce; everything else may load nothing.
fn harden(headers: &mut HeaderMap) {
    const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
                           style-src 'self'";
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let fixed = [
        ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// Percent-encoding of everything that is not plain.
pub(super) fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
