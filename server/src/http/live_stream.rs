//! `GET /api/live/stream`: a town's events as Server-Sent Events, in the order of their commits.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream;
use serde::Deserialize;

use super::live_stats::zone;
use super::town::town_name;
use crate::db::feed::Cursor;
use crate::error::ApiError;
use crate::feed::{Asked, Listener};
use crate::state::App;

/// Where a client stopped; browsers send it by themselves when they connect again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// `/api/live/stream`.
pub fn router() -> Router<App> {
    Router::new().route("/api/live/stream", get(stream))
}

#[derive(Deserialize)]
struct Target {
    town: Option<String>,
    tz: Option<String>,
    /// As the header, for who cannot set one.
    last_event_id: Option<String>,
}

async fn stream(
    State(app): State<App>,
    Query(target): Query<Target>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let town = target.town.as_deref().map_or_else(|| Ok(app.config.town.value.clone()), town_name)?;
    let (zone, zone_name) = zone(target.tz.as_deref())?;
    let header = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let last = match header.or(target.last_event_id.as_deref()).filter(|raw| !raw.is_empty()) {
        Some(raw) => Some(Cursor::parse(raw).ok_or_else(|| {
            let shown: String = raw.chars().take(40).collect();
            let error = format!("\"{shown}\" is no id of this stream");
            ApiError::bad_request(error, "send back the id of the last message, or none to begin now")
        })?),
        None => None,
    };
    let key = app.reader.town_key(&town).await?;
    let Some(place) = app.feeds.admit() else {
        return Err(ApiError::unavailable("all places for streams are taken", 10));
    };
    let asked = Asked { town, key, last, zone, zone_name };
    let (feeds, reader) = (app.feeds.clone(), std::sync::Arc::clone(&app.reader));
    let listener = Listener::begin(feeds, reader, asked, app.clock.now(), place).await?;
    let bytes = stream::unfold(listener, |mut listener| async move {
        let bytes = listener.next().await?;
        Some((Ok::<_, Infallible>(bytes), listener))
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // A proxy that collects answers would hold messages back.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(bytes)).into_response())
}
