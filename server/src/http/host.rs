//! Hosts: what the machines of a town use, now and before; and where other machines report it.

use app::reader::MachinePage;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use model::host::{HostHistory, MAX_HOSTS, OwnCost, PerfMetrics, STALE_AFTER_S};
use model::id::{HostName, TownName};
use model::time::{Timestamp, Window};
use serde::{Deserialize, Serialize};

use super::town::{asked_town, town_name};
use crate::error::ApiError;
use crate::host::{Reported, Who};
use crate::ship::{HostReport, HostWanted, wire};
use crate::state::{App, AppState};

/// `/api/towns/{town}/hosts`, `/api/towns/{town}/hosts/history`, `/api/system/cost`, `/api/ship/host`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/towns/{town}/hosts", get(hosts))
        .route("/api/towns/{town}/hosts/history", get(history))
        .route("/api/system/cost", get(cost))
        .route("/api/ship/host", post(report))
}

/// Every host of a town, each as the message that viewers are sent.
#[derive(Debug, Serialize)]
struct HostsBody {
    /// The server's clock.
    at: String,
    stale_after_s: i64,
    hosts: Vec<PerfMetrics>,
}

async fn hosts(State(app): State<App>, Path(town): Path<String>) -> Result<Json<HostsBody>, ApiError> {
    let town = town_name(&town)?;
    app.reader.town_key(&town).await?;
    let hosts = app.desk.metrics(&town).await?;
    let at = app.clock.now().to_string();
    Ok(Json(HostsBody { at, stale_after_s: STALE_AFTER_S, hosts }))
}

#[derive(Deserialize)]
struct Asked {
    window: Option<String>,
}

/// The history as columns, with its span spelled out.
#[derive(Debug, Serialize)]
struct HistoryBody {
    window: Window,
    from: String,
    to: String,
    #[serde(flatten)]
    history: HostHistory,
}

async fn history(
    State(app): State<App>,
    Path(town): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<HistoryBody>, ApiError> {
    let town = town_name(&town)?;
    let window = asked.window.as_deref().map_or(Ok(Window::default()), Window::parse);
    let window =
        window.map_err(|error| ApiError::bad_request(error.to_string(), "ask for ?window=1h, 6h, 24h or 7d"))?;
    let history = app.reader.host_history(&town, window).await?;
    let spell = |at_s| Timestamp::from_seconds(at_s).to_string();
    Ok(Json(HistoryBody { window, from: spell(history.from_s), to: spell(history.to_s), history }))
}

async fn cost(State(app): State<App>) -> Json<OwnCost> {
    Json(own(&app).await)
}

async fn own(app: &AppState) -> OwnCost {
    app.own.read(&app.pool, &app.hub, &app.intake, app.clock.now()).await
}

/// What the Machine page shows.
pub(super) async fn page(
    app: &AppState,
    town: &TownName,
    window: Window,
) -> Result<MachinePage, app::reader::ReadError> {
    let history = app.reader.host_history(town, window).await?;
    let hosts = app.desk.metrics(town).await.map_err(crate::read::unavailable)?;
    Ok(MachinePage { at: app.clock.now(), window, hosts, history, own: own(app).await })
}

const HINT: &str = "this address is for \"towngauge watch --to\"";

async fn report(
    State(app): State<App>,
    Query(target): Query<Target>,
    body: Result<Json<HostReport>, JsonRejection>,
) -> Result<Json<HostWanted>, ApiError> {
    let town = asked_town(&app, target.town.as_deref())?;
    let Json(report) = body.map_err(|rejection| ApiError::bad_request(rejection.body_text(), HINT))?;
    if report.ship != wire::VERSION {
        let error = format!("this report has version {}, and this server takes version {}", report.ship, wire::VERSION);
        return Err(ApiError::new(StatusCode::CONFLICT, error, "update the older one of the two"));
    }
    let name = HostName::new(&report.name).map_err(|error| ApiError::bad_request(error.to_string(), HINT))?;
    let who = Who { name, writer: report.shipper, pid: Some(report.pid) };
    match app.desk.report(&town, &who, false, report.sample, None).await? {
        Reported::Shown(next) => Ok(Json(HostWanted { next_s: next.as_secs().max(1) })),
        Reported::Taken => Err(ApiError::new(
            StatusCode::CONFLICT,
            format!("another machine of this town is called \"{}\"", who.name),
            "give this one another name with --name",
        )),
        Reported::Full => Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("town \"{town}\" has {MAX_HOSTS} hosts that are heard"),
            "one that is silent for a while makes room",
        )),
    }
}

#[derive(Deserialize)]
struct Target {
    town: Option<String>,
}
