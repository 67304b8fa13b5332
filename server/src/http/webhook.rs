//! `GET /api/webhooks`: which there are and what came of what they were told; `POST /api/webhooks/test` tries them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use model::alert::{AlertKind, DeliveryView, WebhookView, WebhooksView};
use serde::Deserialize;
use serde_json::json;

use crate::alert::{Body, Hook};
use crate::db::DbError;
use crate::db::webhook::{self, Listed};
use crate::error::ApiError;
use crate::state::{App, AppState};

/// Deliveries listed of each webhook.
const LISTED: i64 = 20;

/// `/api/webhooks…`; needs scope "admin".
pub fn router() -> Router<App> {
    Router::new().route("/api/webhooks", get(list)).route("/api/webhooks/test", post(test))
}

async fn list(State(app): State<App>) -> Result<Json<WebhooksView>, ApiError> {
    Ok(Json(read(&app).await?))
}

/// What pages and the API say of the webhooks.
pub(super) async fn read(app: &AppState) -> Result<WebhooksView, DbError> {
    let mut view = WebhooksView { at: app.clock.now(), webhooks: Vec::new() };
    for hook in app.hooks.all() {
        let listed = webhook::newest(&app.pool, &hook.id, LISTED).await?;
        view.webhooks.push(WebhookView {
            id: hook.id.clone(),
            address: hook.url.to_string(),
            events: hook.events.clone(),
            town: hook.town.clone(),
            deliveries: listed.into_iter().map(shown).collect(),
        });
    }
    Ok(view)
}

fn shown(listed: Listed) -> DeliveryView {
    DeliveryView {
        id: listed.id.to_string(),
        // The only one that cannot be chosen is a test.
        kind: AlertKind::parse(&listed.kind).unwrap_or(AlertKind::Test),
        town: listed.town,
        at: listed.at,
        tries: listed.tries,
        delivered_at: listed.outcome.delivered_at,
        next_try: listed.outcome.next_try,
        status: listed.outcome.status,
        error: listed.outcome.error,
    }
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
