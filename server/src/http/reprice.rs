//! `/api/towns/{town}/reprice`: stored calls get the cost that the price book says now, in the background.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use model::id::ModelName;
use model::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::town::town_name;
use crate::db::reprice::{self, Job, Order};
use crate::error::ApiError;
use crate::state::App;

const HINT: &str = "send {\"from\": \"2026-11-01T00:00:00Z\"}, and if wanted \"to\" and \"model\"";

/// `/api/towns/{town}/reprice`.
pub fn router() -> Router<App> {
    Router::new().route("/api/towns/{town}/reprice", get(jobs).post(order))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    from: String,
    to: Option<String>,
    model: Option<String>,
}

impl Asked {
    fn order(self, now: Timestamp) -> Result<Order, ApiError> {
        let bad = |field: &str, error: &dyn std::fmt::Display| ApiError::bad_request(format!("{field}: {error}"), HINT);
        let time = |field: &str, raw: &str| Timestamp::parse_rfc3339(raw).map_err(|error| bad(field, &error));
        let from = time("from", &self.from)?;
        let to = self.to.as_deref().map_or(Ok(now), |raw| time("to", raw))?;
        if to <= from {
            return Err(bad("to", &"it is not after \"from\""));
        }
        if let Some(model) = &self.model {
            ModelName::new(model).map_err(|error| bad("model", &error))?;
        }
        Ok(Order { from, to, model: self.model })
    }
}

async fn order(
    State(app): State<App>,
    Path(town): Path<String>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, ApiError> {
    let key = app.reader.town_key(&town_name(&town)?).await?;
    let Json(asked) = asked.map_err(|rejection| ApiError::bad_request(rejection.body_text(), HINT))?;
    let order = asked.order(app.clock.now())?;
    let Some(id) = reprice::order(&app.pool, key, &order).await? else {
        let error = format!("{} repricings wait already", reprice::MAX_WAITING);
        return Err(ApiError::new(StatusCode::CONFLICT, error, "ask again when some of them are done"));
    };
    let job = reprice::find(&app.pool, key, id).await?;
    Ok((StatusCode::ACCEPTED, Json(job.as_ref().map_or(Value::Null, body))).into_response())
}

async fn jobs(State(app): State<App>, Path(town): Path<String>) -> Result<Json<Value>, ApiError> {
    let key = app.reader.town_key(&town_name(&town)?).await?;
    let jobs = reprice::newest(&app.pool, key).await?;
    Ok(Json(json!({"jobs": jobs.iter().map(body).collect::<Vec<_>>()})))
}

fn body(job: &Job) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let state = match (&job.finished, &job.failed) {
        (None, _) => "waiting",
        (Some(_), None) => "done",
        (Some(_), Some(_)) => "failed",
    };
    json!({
        "id": job.id, "state": state, "from": job.order.from.to_string(), "to": job.order.to.to_string(),
        "model": job.order.model, "created": job.created.to_string(), "finished": time(job.finished),
        "reached": job.cursor.to_string(), "kept_before": time(job.floor), "looked": job.looked,
        "changed": job.changed, "before_nanodollars": job.before.0, "after_nanodollars": job.after.0,
        "unpriced": job.unpriced, "changed_from": time(job.span.map(|span| span.0)),
        "changed_to": time(job.span.map(|span| span.1)), "summary": job.summary(),
        // Internal texts of errors do not leave the server; the command line shows them.
        "error": job.failed.as_ref().map(|_| "the database refused; the server's log says why"),
    })
}
