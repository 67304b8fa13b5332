//! A town's tanks: the meter and those beside it, and what agents tell of their subscriptions' windows.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use model::fuel::{FuelKind, FuelState, FuelTank, first_dry};
use model::id::SourceName;
use model::runway::RunwayBand;
use model::tank::Zone;
use model::wire::Snapshot;
use model::{Nanodollars, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::town::town_name;
use crate::db::tank::{self, MAX_NAME_BYTES, Told, kept_name};
use crate::error::ApiError;
use crate::source::balance::Provider;
use crate::source::limits;
use crate::state::App;

/// Windows of one request.
const MAX_WINDOWS: usize = 16;
/// How far a reading's time may be ahead of this server's clock.
const AHEAD_S: i64 = 300;

/// `/api/towns/{town}/tanks`, `/api/towns/{town}/windows`.
pub fn router() -> Router<App> {
    Router::new().route("/api/towns/{town}/tanks", get(read)).route("/api/towns/{town}/windows", post(windows))
}

/// Whether that is where agents tell their windows: a key for sending is enough.
pub(super) fn is_windows(path: &str) -> bool {
    path.starts_with("/api/towns/") && path.ends_with("/windows")
}

/// One tank, in units that people read.
#[derive(Debug, Serialize)]
pub(super) struct TankLine {
    name: String,
    kind: FuelKind,
    /// The meter: drawn down by what calls cost.
    meter: bool,
    /// It runs dry before all others.
    first: bool,
    state: FuelState,
    /// Share that is left, 0 to 1; none where there is no figure.
    level: Option<f64>,
    zone: Option<Zone>,
    /// What is left, in words.
    left: Option<String>,
    /// Billionths of the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_nanos: Option<i64>,
    /// Millionths of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_millionths: Option<i64>,
    currency: String,
    resets_at: Option<String>,
    read_at: Option<String>,
    trouble: Option<String>,
    runway: Option<RunwayBand>,
    /// Whether it lasts until its reset or the usual top-up, in words.
    lasts: Option<String>,
}

/// All tanks of a snapshot: the meter, where there is one, and then those beside it. The meter's band and next top-up are
/// known where they were read.
pub(super) fn lines(snapshot: &Snapshot, band: Option<RunwayBand>, next_topup: Option<Timestamp>) -> Vec<TankLine> {
    let now = snapshot.gauges.at;
    let first = first_dry(snapshot.gauges.tank.map(|tank| (tank, snapshot.gauges.pace)), &snapshot.tanks, now);
    let behind = snapshot.tanks.iter().find(|tank| tank.meter);
    let meter = snapshot.gauges.tank.map(|gauge| TankLine {
        name: behind.map_or_else(|| "Meter".to_owned(), |tank| tank.name.clone()),
        kind: FuelKind::Money,
        meter: true,
        first: first.is_none(),
        state: FuelState::Fresh,
        level: Some(gauge.level()),
        zone: Some(gauge.zone()),
        left: Some(model::format::dollars(gauge.balance)),
        left_nanos: Some(gauge.balance.0),
        left_millionths: None,
        currency: "USD".to_owned(),
        resets_at: None,
        read_at: behind.and_then(|tank| tank.read_at).map(|at| at.to_string()),
        trouble: behind.and_then(|tank| tank.trouble.clone()),
        runway: band,
        lasts: lasts(band, next_topup, "usual top-up", now),
    });
    // The provider behind a meter that has no entry yet is worth a line: it may say why.
    let beside = snapshot.tanks.iter().enumerate().filter(|(_, tank)| !tank.meter || meter.is_none());
    let others = beside.map(|(index, tank)| line(tank, first == Some(index), now)).collect::<Vec<_>>();
    meter.into_iter().chain(others).collect()
}

fn line(tank: &FuelTank, first: bool, now: Timestamp) -> TankLine {
    let known = tank.is_known(now);
    let of = |kind| (known && tank.kind == kind).then_some(tank.left);
    TankLine {
        name: tank.name.clone(),
        kind: tank.kind,
        meter: false,
        first,
        state: tank.state(now),
        level: known.then(|| tank.gas().level()),
        zone: known.then(|| tank.gas().zone()),
        left: known.then(|| tank.figure().0),
        left_nanos: of(FuelKind::Money),
        left_millionths: of(FuelKind::Window),
        currency: tank.currency.clone(),
        resets_at: tank.resets_at.map(|at| at.to_string()),
        read_at: tank.read_at.map(|at| at.to_string()),
        trouble: tank.trouble.clone(),
        runway: tank.band.filter(|_| known),
        lasts: lasts(tank.band.filter(|_| known), tank.resets_at, "reset", now),
    }
}

fn lasts(band: Option<RunwayBand>, until: Option<Timestamp>, what: &str, now: Timestamp) -> Option<String> {
    let (band, until) = (band?, until?);
    Some(band.lasts(until.seconds() - now.seconds()).words(what, &until.to_string()))
}

async fn read(State(app): State<App>, Path(town): Path<String>) -> Result<Json<Value>, ApiError> {
    let town = town_name(&town)?;
    let snapshot = app.reader.snapshot(&town).await?;
    let page = app.reader.tank(&town).await?;
    Ok(Json(json!({"at": snapshot.gauges.at.to_string(), "tanks": lines(&snapshot, page.band, page.next_topup)})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Windows {
    /// Who tells, such as `claude_code`.
    source: String,
    /// When it was true, RFC 3339; now when nothing is said.
    at: Option<String>,
    windows: Vec<Window>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    /// The tank's name, such as `Claude Code 5 h`.
    name: String,
    /// How much of it is used, percent.
    used_percent: Value,
    /// When it begins anew: RFC 3339, or seconds since 1970.
    resets_at: Option<Value>,
}

const HINT: &str = "send {\"source\": \"claude_code\", \"windows\": [{\"name\": \"Claude Code 5 h\", \
                    \"used_percent\": 37.5, \"resets_at\": \"2026-02-26T18:00:00Z\"}]}";

async fn windows(
    State(app): State<App>,
    Path(town): Path<String>,
    body: Result<Json<Windows>, axum::extract::rejection::JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let key = app.reader.town_key(&town_name(&town)?).await?;
    let Json(said) = body.map_err(|rejection| ApiError::bad_request(rejection.body_text(), HINT))?;
    let told = told(said, app.clock.now()).map_err(|reason| ApiError::bad_request(reason, HINT))?;
    let stored = tank::save(&app.pool, key, &told).await?;
    Ok(Json(json!({"received": told.len(), "stored": stored})))
}

/// Who tells of a tank: anybody but a provider that the server asks itself.
pub(super) fn teller(raw: &str) -> Result<SourceName, String> {
    let source = SourceName::new(raw).map_err(|error| format!("\"source\": {error}"))?;
    if Provider::by_word(source.as_str()).is_some() {
        return Err(format!("\"{source}\" is asked by the server itself; nobody else tells its balance"));
    }
    Ok(source)
}

/// When a reading was true, by a clock that may be a little ahead of this server's.
pub(super) fn told_at(at: Timestamp, now: Timestamp) -> Result<Timestamp, String> {
    if at > now.plus_seconds(AHEAD_S) {
        return Err("\"at\" is in the future; check the clock of the machine that sends".to_owned());
    }
    Ok(at)
}

fn told(said: Windows, now: Timestamp) -> Result<Vec<Told>, String> {
    let source = teller(&said.source)?;
    let at = match said.at.as_deref() {
        None => now,
        Some(at) => told_at(Timestamp::parse_rfc3339(at).map_err(|error| format!("\"at\": {error}"))?, now)?,
    };
    if said.windows.len() > MAX_WINDOWS {
        return Err(format!("there are more than {MAX_WINDOWS} windows"));
    }
    let window = |window: Window| {
        let name = kept_name(&window.name);
        if name.is_empty() || name != window.name {
            return Err(format!("a window's name is 1 to {MAX_NAME_BYTES} bytes of plain text"));
        }
        let left = limits::left_of_percent(&window.used_percent)
            .ok_or_else(|| format!("\"used_percent\" of \"{name}\" is no number"))?;
        let resets_at = match window.resets_at.filter(|at| !at.is_null()) {
            None => None,
            Some(at) => {
                let at = limits::reset_time(&at);
                Some(at.ok_or_else(|| format!("\"resets_at\" of \"{name}\" is neither a time nor seconds since 1970"))?)
            }
        };
        let (source, currency) = (source.to_string(), String::new());
        Ok(Told { tank: name, kind: FuelKind::Window, source, currency, at, left, resets_at })
    };
    said.windows.into_iter().map(window).collect()
}

/// An amount as text or number, read exactly either way.
pub(super) fn dollars(value: &Value) -> Result<Nanodollars, ApiError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(ApiError::bad_request("\"usd\" is not an amount", "send {\"usd\": \"50\"}")),
    };
    Nanodollars::parse_dollars(&text)
        .map_err(|error| ApiError::bad_request(format!("\"usd\": {error}"), "send {\"usd\": \"50\"}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_772_000_000);

    fn read(body: Value) -> Result<Vec<Told>, String> {
        told(serde_json::from_value(body).map_err(|error| error.to_string())?, NOW)
    }

    #[test]
    fn windows_are_readings_of_what_is_left() {
        let windows = json!([{"name": "Claude Code 5 h", "used_percent": 37.5, "resets_at": 1_772_010_000}]);
        let told = read(json!({"source": "claude_code", "windows": windows})).unwrap();
        let resets = Timestamp::from_seconds(1_772_010_000);
        assert_eq!((told[0].left, told[0].at, told[0].resets_at), (625_000, NOW, Some(resets)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let check = |body: Value, words: &str| {
            let error = read(body).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        let window = |window: Value| json!({"source": "claude_code", "windows": [window]});
        check(window(json!({"name": "", "used_percent": 1})), "plain text");
        check(window(json!({"name": "x".repeat(65), "used_percent": 1})), "64 bytes");
        check(window(json!({"name": "a", "used_percent": "much"})), "\"used_percent\" of \"a\"");
        check(window(json!({"name": "a", "used_percent": 1, "resets_at": "soon"})), "\"resets_at\" of \"a\"");
        check(window(json!({"name": "a", "used_percent": 1, "prompt": "text"})), "prompt");
        check(json!({"source": "openrouter", "windows": []}), "asked by the server itself");
        check(json!({"source": "a", "at": "2099-01-01T00:00:00Z", "windows": []}), "in the future");
        let many: Vec<Value> = (0..17).map(|n| json!({"name": n.to_string(), "used_percent": 1})).collect();
        check(json!({"source": "a", "windows": many}), "more than 16");
    }
}
