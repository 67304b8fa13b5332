//! `POST /hooks/claude[/{event}]`: agents' hooks ask whether to go on; and `GET /api/towns/{town}/stop`: who asks.
//!
//! Answered from memory within a second: a hook that waits is an agent that waits. Of what a hook sends only the names
//! of event and conversation are looked at; prompts and tools' inputs are read off the wire and dropped. The event is
//! the body's, since that is the one which the agent compares the answer with; the address's only when the body has
//! none, or is too long to be looked at.

use std::time::Duration;

use app::reader::ReadError;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::BodyExt as _;
use model::Timestamp;
use model::fuel::FuelTank;
use model::id::{SessionId, TownName};
use model::stop::{Balance, Decision, Fuel, HookEvent, HookReply, StopView, WindowLevel};
use model::wire::Gauges;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::town::town_name;
use crate::error::ApiError;
use crate::source::claude_code::{self, line::Maybe};
use crate::source::gas_town;
use crate::state::{App, AppState};

/// In which a hook is answered, counted from its arrival. The network gets the rest of its second.
const BUDGET: Duration = Duration::from_millis(900);
/// Of these: for the body. What comes later is not waited for.
const BODY_BUDGET: Duration = Duration::from_millis(600);
/// Bodies up to here are looked at; a tool's input may be a whole file, and says nothing that is needed.
const MAX_LOOKED_AT_BYTES: usize = 1 << 20;
/// Of longer bodies this much is taken off the wire, so that the sender gets to read the answer.
const MAX_BODY_BYTES: usize = 64 << 20;
/// Who tells of windows that Claude Code draws from: its status line, and a Gas Town of its accounts.
const OWN_WINDOWS: [&str; 2] = [claude_code::SOURCE, gas_town::SOURCE];
const TOWN_HEADER: &str = "x-towngauge-town";
/// Why an agent that goes on will never be stopped, as matters stand.
const NOTE_HEADER: HeaderName = HeaderName::from_static("x-towngauge-note");

/// Whether agents' hooks ask there.
pub(super) fn is_hook(path: &str) -> bool {
    path.starts_with("/hooks/")
}

/// When a hook's request arrived.
#[derive(Clone, Copy)]
pub(super) struct Begun(Instant);

impl Begun {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }
}

/// `/hooks/claude…`, `/api/towns/{town}/stop`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/hooks/claude", post(ask))
        .route("/hooks/claude/{event}", post(ask_event))
        .route("/api/towns/{town}/stop", get(view))
}

#[derive(Deserialize)]
struct Target {
    town: Option<String>,
}

/// What is looked at of a hook's body.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Told<'a> {
    hook_event_name: Maybe<'a>,
    session_id: Maybe<'a>,
}

async fn ask(State(app): State<App>, Query(target): Query<Target>, request: Request) -> Result<Response, ApiError> {
    answer(&app, None, target, request).await
}

async fn ask_event(
    State(app): State<App>,
    Path(event): Path<String>,
    Query(target): Query<Target>,
    request: Request,
) -> Result<Response, ApiError> {
    answer(&app, Some(&event), target, request).await
}

async fn answer(app: &AppState, named: Option<&str>, target: Target, request: Request) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let Begun(begun) = head.extensions.get().copied().unwrap_or_else(Begun::now);
    let town = town_of(app, target, &head.headers);
    let body = timeout_at(begun + BODY_BUDGET, read(body)).await.ok().flatten().unwrap_or_default();
    let told: Told<'_> = serde_json::from_slice(&body).unwrap_or_default();
    let event = told.hook_event_name.0.as_deref().filter(|event| !event.is_empty()).or(named).ok_or_else(|| {
        ApiError::bad_request(
            "the hook's event is not known: the body has no hook_event_name, or cannot be read",
            "name it in the address: /hooks/claude/PreToolUse",
        )
    })?;
    let session = told.session_id.0.as_deref().and_then(|session| SessionId::new(session).ok());
    let now = app.clock.now();
    let (balance, decision) = match &town {
        Ok(town) => {
            let fuel = fuel(app, town, begun + BUDGET, now).await;
            (fuel.balance, app.stop.answer(town, session, &fuel, now))
        }
        Err(_) => {
            let fuel = Fuel { balance: Balance::NoTown, windows: WindowLevel::Untold };
            (fuel.balance, app.stop.decide(&fuel, now))
        }
    };
    let mut response = Json(HookReply::to(HookEvent::parse(event), &decision)).into_response();
    if balance == Balance::NoTown && decision == Decision::Go {
        // No error: a command hook that fails closed would block.
        let note = note(&town.map_or_else(|error| error, |town| ApiError::unknown_town(town.as_str())));
        if app.stop.is_news(&note) {
            tracing::warn!("a hook asked in vain: {note}");
        }
        response.headers_mut().extend(HeaderValue::from_str(&note).ok().map(|note| (NOTE_HEADER, note)));
    }
    Ok(response)
}

/// Fit for a header and a line of the log, whatever somebody typed as a town's name.
fn note(unknown: &ApiError) -> String {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let error: String = unknown.error.chars().map(plain).collect();
    format!("{error}, so nothing stops this agent")
}

fn town_of(app: &AppState, target: Target, headers: &HeaderMap) -> Result<TownName, ApiError> {
    let header = || headers.get(TOWN_HEADER).and_then(|name| name.to_str().ok()).map(str::to_owned);
    match target.town.or_else(header) {
        Some(name) => town_name(&name),
        None => Ok(app.config.town.value.clone()),
    }
}

/// The body, if it is short enough to be looked at; otherwise nothing, after the rest was taken off the wire.
async fn read(mut body: Body) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > MAX_BODY_BYTES {
            return None;
        }
        if seen > MAX_LOOKED_AT_BYTES {
            kept = Vec::new();
        } else {
            kept.extend_from_slice(&data);
        }
    }
    (seen <= MAX_LOOKED_AT_BYTES).then_some(kept)
}

/// What is known by `deadline` of what Claude Code draws from in a town.
async fn fuel(app: &AppState, town: &TownName, deadline: Instant, now: Timestamp) -> Fuel {
    match timeout_at(deadline, app.hub.fuel(town)).await {
        Ok(Some(Some((gauges, tanks)))) => fuel_of(&gauges, &tanks, now),
        Ok(Some(None)) => Fuel { balance: Balance::NoTown, windows: WindowLevel::Untold },
        Ok(None) | Err(_) => Fuel { balance: Balance::NoAnswer, windows: WindowLevel::Untold },
    }
}

fn fuel_of(gauges: &Gauges, tanks: &[FuelTank], now: Timestamp) -> Fuel {
    let balance = gauges.tank.map_or(Balance::NoTank, |tank| Balance::Known(tank.balance));
    Fuel { balance, windows: WindowLevel::of(tanks, &OWN_WINDOWS, now) }
}

async fn view(
    State(app): State<App>,
    Path(town): Path<String>,
    headers: HeaderMap,
) -> Result<Json<StopView>, ApiError> {
    Ok(Json(stop_view(&app, &town_name(&town)?, &headers).await?))
}

/// What pages and the API say of the stop, to whoever asked with these headers.
pub(super) async fn stop_view(app: &AppState, town: &TownName, headers: &HeaderMap) -> Result<StopView, ReadError> {
    let place = app.reader.place(town, headers.get(HOST).and_then(|host| host.to_str().ok()));
    let snapshot = app.reader.snapshot(town).await?;
    let now = app.clock.now();
    let fuel = fuel_of(&snapshot.gauges, &snapshot.tanks, now);
    Ok(app.stop.view(place, fuel, &snapshot.roster, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_too_long_to_be_looked_at_is_taken_off_the_wire_all_the_same() {
        let long = vec![b' '; MAX_LOOKED_AT_BYTES + 1];
        assert_eq!(read(Body::from(long)).await, None);
        assert_eq!(read(Body::from("{}")).await.as_deref(), Some(&b"{}"[..]));
    }

    #[test]
    fn a_note_is_plain_whatever_was_asked_for() {
        let note = note(&ApiError::unknown_town("a\r\nb\u{e9}"));
        assert_eq!(note, "there is no town \"a??b?\", so nothing stops this agent");
    }

    #[test]
    fn nothing_but_names_is_looked_at() {
        let body = br#"{"session_id":"s","hook_event_name":"Stop","prompt":"secret","tool_input":{"a":[1,"secret"]}}"#;
        let told: Told<'_> = serde_json::from_slice(body).unwrap();
        assert!(!format!("{told:?}").contains("secret"));
        assert_eq!(told.session_id.0.as_deref(), Some("s"));
    }
}
