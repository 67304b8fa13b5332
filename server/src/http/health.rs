//! `/health`: the process lives. `/ready`: it can take work.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::db;
use crate::state::App;

/// A database that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/health`, `/ready`.
pub fn router() -> Router<App> {
    Router::new().route("/health", get(health)).route("/ready", get(ready))
}

async fn health(State(app): State<App>) -> Response {
    Json(json!({"status": "ok", "uptime_s": app.uptime_s(), "version": crate::VERSION})).into_response()
}

async fn ready(State(app): State<App>) -> Response {
    let database = matches!(tokio::time::timeout(PATIENCE, db::status::answers(&app.pool)).await, Ok(true));
    let depth = app.intake.depth();
    let queue = depth < app.config.queue_events.value;
    let status = if database && queue { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if status == StatusCode::OK { "ready" } else { "not ready" };
    (status, Json(json!({"status": word, "database": database, "queue_has_room": queue, "queue_events": depth})))
        .into_response()
}
