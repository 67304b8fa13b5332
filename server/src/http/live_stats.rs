//! `GET /api/live/stats`: everything about this minute besides the stream of events.

use app::reader::ReadError;
use app::sources::{SourceCard, Standing};
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use jiff::tz::TimeZone;
use model::Aggregate;
use model::id::TownName;
use model::live_stats::{Counters, LatencyWindow, LiveStats, SourceState, Totals, Watermarks};
use model::tank::PACE_WINDOW_S;
use model::tokens::TokenCounts;
use serde::Deserialize;

use super::town::town_name;
use crate::error::ApiError;
use crate::state::{App, AppState};

/// Longest name of a zone that is looked up.
const MAX_ZONE_BYTES: usize = 64;

/// `/api/live/stats`.
pub fn router() -> Router<App> {
    Router::new().route("/api/live/stats", get(stats))
}

#[derive(Deserialize)]
struct Asked {
    town: Option<String>,
    tz: Option<String>,
}

/// The zone of an address's `tz`, with its name; UTC when none is asked for.
pub(super) fn zone(asked: Option<&str>) -> Result<(TimeZone, String), ApiError> {
    let Some(raw) = asked.filter(|raw| !raw.is_empty()) else { return Ok((TimeZone::UTC, "UTC".to_owned())) };
    let known = (raw.len() <= MAX_ZONE_BYTES).then(|| TimeZone::get(raw).ok()).flatten();
    let zone = known.ok_or_else(|| {
        let shown: String = raw.chars().take(MAX_ZONE_BYTES).collect();
        ApiError::bad_request(format!("\"{shown}\" is not a time zone"), "use an IANA name such as tz=Europe/Berlin")
    })?;
    let name = zone.iana_name().unwrap_or(raw).to_owned();
    Ok((zone, name))
}

async fn stats(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<LiveStats>, ApiError> {
    let town = asked.town.as_deref().map_or_else(|| Ok(app.config.town.value.clone()), town_name)?;
    let (zone, name) = zone(asked.tz.as_deref())?;
    Ok(Json(read(&app, &town, &zone, &name).await?))
}

/// Everything at this instant, for the API and the page.
pub(super) async fn read(
    app: &AppState,
    town: &TownName,
    zone: &TimeZone,
    zone_name: &str,
) -> Result<LiveStats, ReadError> {
    let reader = &app.reader;
    let sums = reader.live_sums(town).await?;
    let burn = reader.burn(town, zone, zone_name).await?;
    let mut latency = Vec::with_capacity(LatencyWindow::ALL.len());
    for window in LatencyWindow::ALL {
        latency.push(reader.latency(town, window).await?);
    }
    let activity = reader.activity(town, &sums.roster).await?;
    let sources = reader.sources(town).await?.sources;
    let totals = totals(&sums.five_minutes);
    let counters = Counters {
        messages: sources.iter().map(|card| card.stored).fold(0, i64::saturating_add),
        active_sessions: activity.sessions.len(),
        active_requests: activity.flights.all,
        agents_working: sums.working,
        queue_events: app.intake.depth(),
        queue_capacity: app.config.queue_events.value,
        uptime_s: app.uptime_s(),
        errors: totals.call_errors + totals.tool_errors,
        viewers: app.hub.viewers(),
    };
    let live = || sources.iter().filter(|card| card.standing == Standing::Live);
    let watermarks = Watermarks {
        newest_event: sources.iter().filter_map(|card| card.last_event).max(),
        last_heard: sources.iter().filter_map(|card| card.last_heard).max(),
        lag_ms: live().filter_map(|card| card.lag_ms).max(),
        rollups_pending: activity.rollups_pending,
        sketches_pending: activity.sketches_pending,
        seq: activity.seq,
    };
    Ok(LiveStats {
        at: sums.at,
        town: town.clone(),
        demo: sums.demo,
        totals,
        burn,
        latency,
        newest_calls: activity.newest_calls,
        requests: activity.flights.rows,
        lost_after_s: app.config.request_lost_after_s.value,
        sessions: activity.sessions,
        counters,
        watermarks,
        sources: sources.into_iter().map(source).collect(),
    })
}

fn totals(sum: &Aggregate) -> Totals {
    Totals {
        over_s: PACE_WINDOW_S,
        events: sum.events,
        calls: sum.calls,
        call_errors: sum.call_errors,
        tool_calls: sum.tool_calls,
        tool_errors: sum.tool_errors,
        tokens: TokenCounts::from_kinds(sum.tokens.map(|n| u64::try_from(n).unwrap_or(0))),
        cost: sum.cost,
        unpriced_tokens: sum.unpriced_tokens,
        lines_added: sum.lines_added,
        lines_removed: sum.lines_removed,
    }
}

pub(super) fn source(card: SourceCard) -> SourceState {
    SourceState {
        name: card.name,
        title: card.title,
        kind: card.kind.name().to_owned(),
        state: card.standing.name().to_owned(),
        words: card.words,
        last_event: card.last_event,
        last_heard: card.last_heard,
        events_per_s: card.per_s,
        lag_ms: card.lag_ms,
        latency_rule: card.latency_rule,
    }
}
