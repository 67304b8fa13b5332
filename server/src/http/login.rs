//! Logging in with a browser: the key is pasted once, a session cookie stands for it from then on.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Extension, Form, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::access::COOKIE_NAME;
use super::secret;
use crate::db::key::Scope;
use crate::error::ApiError;
use crate::state::App;

/// `/login`, `/logout`.
pub fn router() -> Router<App> {
    Router::new().route("/login", get(form).post(login)).route("/logout", post(logout)).route("/login.css", get(style))
}

#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Login {
    key: String,
    #[serde(default)]
    next: String,
}

async fn form(Query(Target { next }): Query<Target>) -> Response {
    page(StatusCode::OK, &next, "")
}

async fn login(
    State(app): State<App>,
    Extension(peer): Extension<SocketAddr>,
    Form(Login { key, next }): Form<Login>,
) -> Result<Response, ApiError> {
    if !app.access.may_try(peer.ip()) {
        return Ok(page(StatusCode::TOO_MANY_REQUESTS, &next, "Too many attempts. Wait a minute, then try again."));
    }
    let hash = secret::hash(&key);
    let known = match hash {
        Some(hash) => app.access.by_hash(hash).await?,
        None => None,
    };
    let (Some(hash), Some(known)) = (hash, known) else {
        return Ok(page(StatusCode::UNAUTHORIZED, &next, "This key is not known, or it was revoked."));
    };
    if !known.scope.allows(Scope::Read) {
        return Ok(page(
            StatusCode::FORBIDDEN,
            &next,
            "This key may only send events. Use one with scope read or admin.",
        ));
    }
    let mut response = Redirect::to(&local(&next)).into_response();
    set_cookie(&mut response, &app.access.session(known.id, &hash), 7 * 24 * 3_600, app.access.is_https());
    Ok(response)
}

async fn logout(State(app): State<App>) -> Response {
    let mut response = Redirect::to("/login").into_response();
    set_cookie(&mut response, "", 0, app.access.is_https());
    response
}

fn set_cookie(response: &mut Response, value: &str, max_age_s: i64, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}

/// A path on this server, never another site.
fn local(next: &str) -> String {
    let tame = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    if tame && next.bytes().all(|b| b.is_ascii_graphic()) { next.to_owned() } else { "/".to_owned() }
}

fn page(status: StatusCode, next: &str, problem: &str) -> Response {
    let next = local(next).replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let problem = if problem.is_empty() { String::new() } else { format!("<p role=\"alert\">{problem}</p>") };
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Log in · Towngauge</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"/login.css\"></head><body><main><h1>Towngauge</h1>{problem}\
         <form method=\"post\" action=\"/login\"><label for=\"key\">Key</label>\
         <input id=\"key\" name=\"key\" type=\"password\" autocomplete=\"current-password\" required autofocus>\
         <input type=\"hidden\" name=\"next\" value=\"{next}\"><button>Log in</button></form>\
         <p>A key with scope read or admin; on the server, <code>towngauge key create --scope read NAME</code> \
         makes one.</p></main></body></html>"
    );
    (status, [(CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

async fn style() -> Response {
    const CSS: &str = ":root{color-scheme:light dark;font:14px/1.5 system-ui,sans-serif}\
        main{max-width:24rem;margin:20vh auto;padding:0 16px}h1{font-size:20px;font-weight:600}\
        form{display:grid;gap:8px}input,button{font:inherit;padding:8px 12px;border-radius:6px;border:1px solid #8888}\
        button{cursor:pointer}[role=alert]{color:#d33}code{font-size:12px}";
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")], CSS).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_sent_back_to_this_server_only() {
        let check = |next: &str, want: &str| assert_eq!(local(next), want, "{next}");
        check("/t/home?window=1h", "/t/home?window=1h");
        check("//evil.example", "/");
        check("/\\evil.example", "/");
        check("https://evil.example", "/");
        check("/a\r\nSet-Cookie: x", "/");
    }
}
