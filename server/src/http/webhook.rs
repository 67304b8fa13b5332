//! `GET /api/webhooks`: which there are and what came of what they were told; `POST /api/webhooks/test` tries them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use model::alert::{AlertKind, WebhooksView};
use serde::Deserialize;
use serde_json::json;

use crate::alert::{Body, Hook};
use crate::db::webhook;
use crate::error::ApiError;
use crate::state::App;

/// `/api/webhooks…`; needs scope "admin".
pub fn router() -> Router<App> {
    Router::new().route("/api/webhooks", get(list)).route("/api/webhooks/test", post(test))
}

async fn list(State(app): State<App>) -> Result<Json<WebhooksView>, ApiError> {
    Ok(Json(app.reader.read_webhooks(&app.hooks).await?))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// One webhook; none: all.
    webhook: Option<String>,
}

async fn test(State(app): State<App>, wanted: Option<Json<Wanted>>) -> Result<Response, ApiError> {
    let wanted = wanted.map(|Json(wanted)| wanted.webhook).unwrap_or_default();
    let hooks: Vec<&Hook> = match &wanted {
        Some(id) => app.hooks.find(id).into_iter().collect(),
        None => app.hooks.all().iter().collect(),
    };
    if hooks.is_empty() {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "there is no such webhook",
            "GET /api/webhooks lists them; they are made as [[webhook]] in towngauge.toml",
        ));
    }
    let town = &app.config.town.value;
    let key = app.reader.town_key(town).await?;
    let data = json!({"note": "somebody tries whether this webhook works"});
    let now = app.clock.now();
    let bodies: Vec<Body<'_>> =
        hooks.into_iter().map(|hook| Body::new(hook, AlertKind::Test, town, now, &data)).collect();
    webhook::add(&app.pool, key, &bodies.iter().map(Body::delivery).collect::<Vec<_>>()).await?;
    app.hooks.wake();
    let ids: Vec<_> = bodies.iter().map(Body::id).collect();
    Ok((StatusCode::ACCEPTED, Json(json!({"status": "waiting", "deliveries": ids}))).into_response())
}
