//! `GET /live?town=`: the handshake of the WebSocket. After it, the socket belongs to the hub.

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tungstenite::handshake::derive_accept_key;

use super::town::town_name;
use crate::error::ApiError;
use crate::state::App;

/// `/live`.
pub fn router() -> Router<App> {
    Router::new().route("/live", get(live))
}

#[derive(Deserialize)]
struct Target {
    town: Option<String>,
}

async fn live(
    State(app): State<App>,
    Query(target): Query<Target>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let accept = accept_key(request.headers())?;
    let town = target.town.as_deref().map_or_else(|| Ok(app.config.town.value.clone()), town_name)?;
    if app.hub.snapshot(&town).await.is_none() {
        return Err(ApiError::unknown_town(town.as_str()));
    }
    let Some(permit) = app.hub.admit() else {
        return Err(ApiError::unavailable("all places for viewers are taken", 10));
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let hub = app.hub.clone();
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => hub.join(town, parts.io.into_inner(), parts.read_buf, permit).await,
            Err(_) => tracing::error!("a viewer's connection is not a TCP stream"),
        }
    });
    let headers = [
        (CONNECTION, HeaderValue::from_static("upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

/// Checks the request (RFC 6455, section 4.2.1) and derives the answer to its key.
fn accept_key(headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    let lists = |name: &HeaderName, token: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.into_iter().flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    if !lists(&CONNECTION, "upgrade") || !lists(&UPGRADE, "websocket") {
        let mut error = ApiError::bad_request("this is a WebSocket", "connect with ws:// or wss://");
        error.status = StatusCode::UPGRADE_REQUIRED;
        return Err(error);
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != b"13") {
        return Err(ApiError::bad_request("only version 13 of WebSocket is spoken here", "use a newer client"));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if key.len() != 24 {
        return Err(ApiError::bad_request("Sec-WebSocket-Key is missing or too short", "use a WebSocket client"));
    }
    HeaderValue::from_str(&derive_accept_key(key))
        .map_err(|_| ApiError::bad_request("Sec-WebSocket-Key cannot be used", "use a WebSocket client"))
}
