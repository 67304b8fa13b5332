//! Towns: their dials, their state, their ledger, their newest events.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use model::id::TownName;
use model::rate::RATE_WINDOW_S;
use model::runway::RunwayBand;
use model::tank::{Runway, Zone};
use model::wire::{BeadCounts, Gauges, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::tank::{self, TankLine, dollars};
use crate::db::ledger::{self, Added, Entry, EntryKind};
use crate::db::series;
use crate::error::ApiError;
use crate::ingest::instance_id;
use crate::state::{App, AppState};

/// Entries and events of one answer at most.
const MAX_ROWS: usize = 1_000;
/// Length of a note.
const MAX_NOTE_BYTES: usize = 500;

/// `/api/towns…`, `/api/events`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/towns", get(towns))
        .route("/api/towns/{town}/gauges", get(gauges))
        .route("/api/towns/{town}/snapshot", get(snapshot))
        .route("/api/towns/{town}/ledger", get(read_ledger))
        .route("/api/towns/{town}/topup", post(topup))
        .route("/api/towns/{town}/capacity", put(capacity))
        .route("/api/events", get(events))
}

/// The dials, in the units that people read.
#[derive(Debug, Serialize)]
struct GaugesBody {
    at: String,
    window_s: i64,
    tokens_per_s: Option<f64>,
    lines_per_s: Option<f64>,
    cost_microdollars_per_s: Option<f64>,
    cost_usd_per_hour: Option<f64>,
    unpriced_tokens: Option<i64>,
    agents: Agents,
    tank: Option<TankBody>,
}

#[derive(Debug, Serialize)]
struct Agents {
    working: u32,
    known: u32,
}

#[derive(Debug, Serialize)]
struct TankBody {
    balance_nanodollars: i64,
    capacity_nanodollars: i64,
    level: f64,
    zone: Zone,
    remaining: String,
    pace: PaceBody,
    runway: String,
    runway_s: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runway_band: Option<RunwayBand>,
}

#[derive(Debug, Serialize)]
struct PaceBody {
    spent_nanodollars: i64,
    over_s: i64,
}

impl From<&Gauges> for GaugesBody {
    fn from(gauges: &Gauges) -> Self {
        let tank = gauges.tank.map(|tank| {
            let runway = tank.runway(gauges.pace);
            TankBody {
                balance_nanodollars: tank.balance.0,
                capacity_nanodollars: tank.capacity.0,
                level: tank.level(),
                zone: tank.zone(),
                remaining: format!("{} remaining", model::format::dollars(tank.balance)),
                pace: PaceBody { spent_nanodollars: gauges.pace.spent.0, over_s: gauges.pace.over_s },
                runway: runway.to_string(),
                runway_s: match runway {
                    Runway::Seconds(seconds) => Some(seconds),
                    Runway::NoSpend | Runway::Empty => None,
                },
                runway_band: None,
            }
        });
        Self {
            at: gauges.at.to_string(),
            window_s: RATE_WINDOW_S,
            tokens_per_s: gauges.tokens_per_s(),
            lines_per_s: gauges.lines_per_s(),
            cost_microdollars_per_s: gauges.microdollars_per_s(),
            cost_usd_per_hour: gauges.dollars_per_hour(),
            unpriced_tokens: gauges.flow.map(|flow| flow.unpriced_tokens),
            agents: Agents { working: gauges.working, known: gauges.known },
            tank,
        }
    }
}

#[derive(Debug, Serialize)]
struct TownBody {
    name: TownName,
    demo: bool,
    gauges: GaugesBody,
    beads: BeadCounts,
}

/// A town's name out of an address.
pub(super) fn town_name(raw: &str) -> Result<TownName, ApiError> {
    TownName::new(raw).map_err(|_| ApiError::unknown_town(&raw.chars().take(80).collect::<String>()))
}

/// The town that events are sent to: as asked for, else the server's own. It need not exist yet.
pub(super) fn asked_town(app: &AppState, asked: Option<&str>) -> Result<TownName, ApiError> {
    match asked {
        Some(raw) => TownName::new(raw)
            .map_err(|error| ApiError::bad_request(format!("town: {error}"), "use a name such as ?town=home")),
        None => Ok(app.config.town.value.clone()),
    }
}

async fn towns(State(app): State<App>) -> Result<Response, ApiError> {
    let cards = app.reader.towns().await?;
    let body = |card: app::reader::TownCard| TownBody {
        name: card.name,
        demo: card.demo,
        gauges: GaugesBody::from(&card.gauges),
        beads: card.beads,
    };
    let towns: Vec<_> = cards.into_iter().map(body).collect();
    Ok(Json(json!({"towns": towns})).into_response())
}

/// The dials of one town, and all its tanks.
#[derive(Debug, Serialize)]
struct TownGauges {
    #[serde(flatten)]
    gauges: GaugesBody,
    tanks: Vec<TankLine>,
}

async fn gauges(State(app): State<App>, Path(town): Path<String>) -> Result<Json<TownGauges>, ApiError> {
    let town = town_name(&town)?;
    let snapshot: Snapshot = app.reader.snapshot(&town).await?;
    // Without a meter there is nothing to read of it.
    let page = if snapshot.gauges.tank.is_some() { Some(app.reader.tank(&town).await?) } else { None };
    let (band, next_topup) = page.map_or((None, None), |page| (page.band, page.next_topup));
    let mut gauges = GaugesBody::from(&snapshot.gauges);
    if let Some(tank) = &mut gauges.tank {
        tank.runway_band = band;
    }
    Ok(Json(TownGauges { gauges, tanks: tank::lines(&snapshot, band, next_topup) }))
}

async fn snapshot(State(app): State<App>, Path(town): Path<String>) -> Result<Response, ApiError> {
    Ok(Json(app.reader.snapshot(&town_name(&town)?).await?).into_response())
}

#[derive(Deserialize)]
struct Topup {
    usd: serde_json::Value,
    #[serde(default)]
    note: String,
    request_id: Option<Uuid>,
}

async fn topup(
    State(app): State<App>,
    Path(town): Path<String>,
    Json(topup): Json<Topup>,
) -> Result<Response, ApiError> {
    let town = town_name(&town)?;
    let amount = dollars(&topup.usd)?;
    if amount.0 <= 0 {
        return Err(ApiError::bad_request("a top-up is more than nothing", "send {\"usd\": \"50\"}"));
    }
    if topup.note.len() > MAX_NOTE_BYTES {
        return Err(ApiError::bad_request("the note is too long", format!("use at most {MAX_NOTE_BYTES} bytes")));
    }
    let key = app.reader.town_key(&town).await?;
    let request = topup.request_id.unwrap_or_else(Uuid::now_v7);
    let entry = Entry { at: app.clock.now(), kind: EntryKind::Topup, amount, note: topup.note, request };
    let (status, word) = match ledger::add(&app.pool, (key, &town), &entry, instance_id()).await? {
        Added::Stored => {
            app.hub.reload(town).await;
            (StatusCode::CREATED, "stored")
        }
        Added::Duplicate => (StatusCode::OK, "duplicate"),
        Added::Other { amount: earlier } => {
            let error = format!(
                "this request_id stands for an entry of {earlier} already, not of {amount}; nothing was filled in"
            );
            let hint = "send another request_id for another amount, or none";
            return Err(ApiError::new(StatusCode::CONFLICT, error, hint));
        }
    };
    Ok((status, Json(json!({"status": word, "request_id": request}))).into_response())
}

#[derive(Deserialize)]
struct Capacity {
    usd: Option<serde_json::Value>,
}

async fn capacity(
    State(app): State<App>,
    Path(town): Path<String>,
    Json(capacity): Json<Capacity>,
) -> Result<Response, ApiError> {
    let town = town_name(&town)?;
    app.reader.town_key(&town).await?;
    let amount = capacity.usd.as_ref().filter(|usd| !usd.is_null()).map(dollars).transpose()?;
    if amount.is_some_and(|amount| amount.0 <= 0) {
        return Err(ApiError::bad_request("a full tank holds more than nothing", "send {\"usd\": \"100\"} or null"));
    }
    ledger::set_capacity(&app.pool, &town, amount, instance_id()).await?;
    app.hub.reload(town).await;
    Ok(Json(json!({"status": "stored"})).into_response())
}

#[derive(Deserialize)]
struct Page {
    town: Option<String>,
    limit: Option<usize>,
}

async fn read_ledger(
    State(app): State<App>,
    Path(town): Path<String>,
    Query(page): Query<Page>,
) -> Result<Response, ApiError> {
    let key = app.reader.town_key(&town_name(&town)?).await?;
    let limit = i64::try_from(page.limit.unwrap_or(100).min(MAX_ROWS)).unwrap_or(100);
    let entry = |entry: Entry| {
        json!({
            "at": entry.at.to_string(), "kind": entry.kind, "amount_nanodollars": entry.amount.0,
            "note": entry.note, "request_id": entry.request,
        })
    };
    let entries: Vec<_> = ledger::newest(&app.pool, key, limit).await?.into_iter().map(entry).collect();
    Ok(Json(json!({"entries": entries})).into_response())
}

async fn events(State(app): State<App>, Query(page): Query<Page>) -> Result<Response, ApiError> {
    let town = page.town.as_deref().map_or_else(|| Ok(app.config.town.value.clone()), town_name)?;
    let key = app.reader.town_key(&town).await?;
    let events =
        series::newest_events(&app.pool, key, page.limit.unwrap_or(100).clamp(1, MAX_ROWS), app.clock.now()).await?;
    let body = serde_json::to_vec(&json!({"events": events})).unwrap_or_default();
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}
