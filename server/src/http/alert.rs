//! `GET /api/towns/{town}/alerts`: what is not fine; `POST …/alerts/{id}/snooze` and `…/unsnooze`: for whom it is enough
//! to know.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use model::alert::{AlertView, AlertsView};
use model::id::TownName;
use serde::Deserialize;
use uuid::Uuid;

use super::town::town_name;
use crate::alert::views;
use crate::db::alert;
use crate::error::ApiError;
use crate::state::{App, AppState};

/// Minutes for which something can be snoozed: a week.
const MAX_MINUTES: u32 = 7 * 24 * 60;

/// `/api/towns/{town}/alerts…`
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/towns/{town}/alerts", get(list))
        .route("/api/towns/{town}/alerts/{id}/snooze", post(snooze))
        .route("/api/towns/{town}/alerts/{id}/unsnooze", post(unsnooze))
}

async fn list(State(app): State<App>, Path(town): Path<String>) -> Result<Json<AlertsView>, ApiError> {
    Ok(Json(read(&app, &town_name(&town)?).await?))
}

/// The alerts of a town as the database has them.
async fn read(app: &AppState, town: &TownName) -> Result<AlertsView, ApiError> {
    let key = app.reader.town_key(town).await?;
    let at = app.clock.now();
    Ok(AlertsView { at, alerts: views(town, alert::list(&app.pool, &[key], at).await?) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    minutes: u32,
}

async fn snooze(
    State(app): State<App>,
    Path((town, id)): Path<(String, String)>,
    body: Result<Json<Wanted>, JsonRejection>,
) -> Result<Json<AlertView>, ApiError> {
    let hint = "send {\"minutes\": 60}";
    let Json(Wanted { minutes }) = body.map_err(|rejection| ApiError::bad_request(rejection.body_text(), hint))?;
    if !(1..=MAX_MINUTES).contains(&minutes) {
        return Err(ApiError::bad_request(format!("\"minutes\" is 1 to {MAX_MINUTES}, which is a week"), hint));
    }
    let (town, id) = (town_name(&town)?, alert_id(&id)?);
    let until = app.clock.now().plus_seconds(i64::from(minutes) * 60);
    let key = app.reader.town_key(&town).await?;
    if alert::snooze(&app.pool, key, id, until).await? { one(&app, &town, id).await } else { Err(ended()) }
}

async fn unsnooze(
    State(app): State<App>,
    Path((town, id)): Path<(String, String)>,
) -> Result<Json<AlertView>, ApiError> {
    let (town, id) = (town_name(&town)?, alert_id(&id)?);
    let key = app.reader.town_key(&town).await?;
    if alert::wake(&app.pool, key, id).await? { one(&app, &town, id).await } else { Err(ended()) }
}

async fn one(app: &AppState, town: &TownName, id: Uuid) -> Result<Json<AlertView>, ApiError> {
    let id = id.to_string();
    let alerts = read(app, town).await?.alerts;
    alerts.into_iter().find(|alert| alert.id == id).map(Json).ok_or_else(ended)
}

fn alert_id(raw: &str) -> Result<Uuid, ApiError> {
    raw.parse().map_err(|_| ended())
}

fn ended() -> ApiError {
    let hint = "GET /api/towns/{town}/alerts lists those that have not ended";
    ApiError::new(StatusCode::NOT_FOUND, "there is no such alert, or it has ended", hint)
}
