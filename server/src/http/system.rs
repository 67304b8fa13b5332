//! `/api/system/…`: the server itself, and what is under way in a town.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use model::event_line::EventPage;
use model::id::TownName;
use model::system::{ActiveRequests, Channels, SystemHealth, SystemMetrics};
use serde::Deserialize;

use super::live_stats::source;
use super::town::town_name;
use crate::db;
use crate::db::line::{self, Before, Filter};
use crate::error::ApiError;
use crate::process;
use crate::state::{App, AppState};

/// A database that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Events unless more are asked for.
const EVENTS: usize = 100;

/// `/api/system/…`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/system/metrics", get(metrics))
        .route("/api/system/events", get(events))
        .route("/api/system/activeRequests", get(active_requests))
        .route("/api/system/health", get(health))
        .route("/api/system/channels", get(channels))
}

#[derive(Deserialize)]
struct Asked {
    town: Option<String>,
    limit: Option<usize>,
}

impl Asked {
    fn town(&self, app: &AppState) -> Result<TownName, ApiError> {
        self.town.as_deref().map_or_else(|| Ok(app.config.town.value.clone()), town_name)
    }
}

async fn metrics(State(app): State<App>) -> Json<SystemMetrics> {
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (counters, hub, usage) = (&app.counters, app.hub.stats(), process::usage());
    let pending = tokio::time::timeout(PATIENCE, db::status::rollup_pending(&app.pool)).await;
    Json(SystemMetrics {
        at: app.clock.now(),
        uptime_s: app.uptime_s(),
        queue_events: app.intake.depth(),
        queue_capacity: app.config.queue_events.value,
        requests: of(&counters.requests),
        failures: of(&counters.failures),
        events_received: of(&counters.received),
        events_stored: of(&counters.stored),
        events_duplicate: of(&counters.duplicate),
        events_rejected: of(&counters.rejected),
        viewers: app.hub.viewers(),
        streams: app.feeds.streams(),
        frames_sent: of(&hub.frames),
        frames_skipped: of(&hub.skipped),
        database_connections: app.pool.size(),
        database_idle: app.pool.num_idle(),
        rollups_pending: pending.ok().flatten(),
        resident_bytes: usage.as_ref().map(|usage| usage.resident_bytes),
        cpu_s: usage.as_ref().map(|usage| usage.cpu_s),
    })
}

async fn events(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<EventPage>, ApiError> {
    let key = app.reader.town_key(&asked.town(&app)?).await?;
    let limit = asked.limit.unwrap_or(EVENTS);
    Ok(Json(line::page(&app.pool, key, Before::NEWEST, &Filter::default(), limit).await?))
}

async fn active_requests(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<ActiveRequests>, ApiError> {
    let town = asked.town(&app)?;
    let sums = app.reader.live_sums(&town).await?;
    let activity = app.reader.activity(&town, &sums.roster).await?;
    Ok(Json(ActiveRequests {
        at: sums.at,
        active: activity.flights.all,
        requests: activity.flights.rows,
        lost_after_s: app.config.request_lost_after_s.value,
        sessions: activity.sessions,
    }))
}

/// Always 200: the process lives. `/ready` is for who wants a status.
async fn health(State(app): State<App>) -> Json<SystemHealth> {
    let database = matches!(tokio::time::timeout(PATIENCE, db::status::answers(&app.pool)).await, Ok(true));
    let queue_has_room = app.intake.depth() < app.config.queue_events.value;
    let mut trouble = Vec::new();
    if !database {
        trouble
            .push("The database does not answer; what is sent is to be sent again. The log has the reason.".to_owned());
    }
    if !queue_has_room {
        trouble.push("The intake queue is full; senders are told to come back.".to_owned());
    }
    Json(SystemHealth {
        status: if trouble.is_empty() { "ok" } else { "degraded" }.to_owned(),
        version: crate::VERSION.to_owned(),
        uptime_s: app.uptime_s(),
        database,
        queue_has_room,
        trouble,
    })
}

async fn channels(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Channels>, ApiError> {
    let page = app.reader.sources(&asked.town(&app)?).await?;
    Ok(Json(Channels { at: page.at, channels: page.sources.into_iter().map(source).collect() }))
}
