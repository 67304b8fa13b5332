//! `POST /api/demo`: opens the made-up town, so that a newcomer has something to look at.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ACCEPT, HeaderMap};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Json, Router};
use model::id::TownName;
use serde_json::json;

use crate::error::ApiError;
use crate::state::App;

/// Name of the town that is opened from the page.
const NAME: &str = "demo";

/// `/api/demo`.
pub fn router() -> Router<App> {
    Router::new().route("/api/demo", post(open))
}

/// Makes the town if need be; a form without scripts is sent on to its page.
async fn open(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let name = match app.reader.demo().await? {
        Some(name) => name,
        None => TownName::new(NAME).map_err(|error| ApiError::bad_request(error.to_string(), "this is a bug"))?,
    };
    app.demo.open(&name).await.map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "the demo town could not be opened");
        let hint = "towngauge demo --name NAME makes one with another name; the log has the reason";
        ApiError::new(StatusCode::CONFLICT, "the demo town could not be opened", hint)
    })?;
    let wants_page =
        headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|a| a.contains("text/html"));
    if wants_page {
        return Ok(Redirect::to(&format!("/t/{name}")).into_response());
    }
    Ok(Json(json!({"town": name})).into_response())
}
