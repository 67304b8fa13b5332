//! `GET /api/towns/{town}/sources`: how each source of a town stands.

use app::reader::WatchedRoot;
use app::sources::{Guide, SourceCard};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::routing::get;
use axum::{Json, Router};
use model::drift::Drift;
use serde_json::{Value, json};

use super::town::town_name;
use crate::error::ApiError;
use crate::guide;
use crate::state::App;

/// `/api/towns/{town}/sources`.
pub fn router() -> Router<App> {
    Router::new().route("/api/towns/{town}/sources", get(sources))
}

async fn sources(
    State(app): State<App>,
    Path(town): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let town = town_name(&town)?;
    let page = app.reader.sources(&town).await?;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let guides = guide::all(&app.reader.place(&town, host));
    let sources: Vec<Value> = page.sources.iter().map(|card| spell(card, &guides)).collect();
    Ok(Json(json!({"at": page.at.to_string(), "sources": sources})))
}

fn spell(card: &SourceCard, guides: &[Guide]) -> Value {
    let refused: Vec<Value> = card
        .refused
        .iter()
        .map(|item| json!({"at": item.at.to_string(), "place": item.place, "reason": item.reason}))
        .collect();
    let unmapped: Vec<Value> =
        card.unmapped.iter().map(|(name, count)| json!({"name": name, "count": count})).collect();
    let root = |root: &WatchedRoot| json!({"path": root.path, "files": root.files});
    let guide = guides.iter().find(|guide| Some(&guide.id) == card.guide.as_ref());
    json!({
        "name": card.name,
        "title": card.title,
        "kind": card.kind.name(),
        "state": card.standing.name(),
        "words": card.words,
        "last_event": card.last_event.map(|at| at.to_string()),
        "last_heard": card.last_heard.map(|at| at.to_string()),
        "events_per_s": card.per_s,
        "lag_ms": card.lag_ms,
        "received": card.received,
        "stored": card.stored,
        "duplicate": card.duplicate,
        "rejected": card.rejected,
        "newest_rejected": refused,
        "unmapped": unmapped,
        "unmapped_names": card.unmapped_names,
        "drift": card.drift().map(drift),
        "token_rule": card.token_rule,
        "latency_rule": card.latency_rule,
        "watched": card.roots.iter().map(root).collect::<Vec<_>>(),
        "connect": guide.map(|guide| json!({"about": guide.about, "steps": guide.steps})),
    })
}

fn drift(drift: Drift) -> Value {
    json!({
        "reported_nanodollars": drift.reported.0,
        "computed_nanodollars": drift.computed.0,
        "percent": drift.basis_points().map(|points| f64::from(points) / 100.0),
        "warn": drift.warns(),
    })
}
