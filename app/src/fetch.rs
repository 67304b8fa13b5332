//! What pages read again while they are open. Runs in the browser.

use gloo_net::http::{Request, RequestBuilder, Response};
use model::event_line::EventPage;
use model::live_stats::LiveStats;
use model::{Nanodollars, TownName, Window};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::observe::asked;
use crate::reader::{ChartsAsked, ChartsPage, MachinePage, ReadError, TankPage, TownCard};
use crate::sources::SourcesPage;
use crate::stream::EventFilter;

/// Reads the body through text: the same way as the seed, so that the client carries one reader per type.
async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ReadError> {
    let text = response.text().await.map_err(|_| ReadError::Unreachable)?;
    if response.ok() {
        serde_json::from_str(&text).map_err(|_| ReadError::Unavailable)
    } else {
        Err(serde_json::from_str(&text).unwrap_or(ReadError::Unavailable))
    }
}

async fn get<T: DeserializeOwned>(address: &str) -> Result<T, ReadError> {
    read(Request::get(address).send().await.map_err(|_| ReadError::Unreachable)?).await
}

/// Every town.
pub(crate) async fn towns() -> Result<Vec<TownCard>, ReadError> {
    get("/api/page/towns").await
}

/// Longest wait for charts: an answer that never comes is a failure too.
const CHARTS_WITHIN_MS: u32 = 20_000;

/// Every chart of the Observability page.
pub(crate) async fn charts(town: TownName, shown: &ChartsAsked) -> Result<ChartsPage, ReadError> {
    let address = format!("/api/page/charts/{town}{}", asked::query(shown));
    let within = web_sys::AbortSignal::timeout_with_u32(CHARTS_WITHIN_MS);
    read(Request::get(&address).abort_signal(Some(&within)).send().await.map_err(|_| ReadError::Unreachable)?).await
}

/// How the sources of a town stand.
pub(crate) async fn sources(town: TownName) -> Result<SourcesPage, ReadError> {
    get(&format!("/api/page/sources/{town}")).await
}

/// What the hosts of a town use, and used.
pub(crate) async fn machine(town: TownName, window: Window) -> Result<MachinePage, ReadError> {
    get(&format!("/api/page/machine/{town}?window={}", window.name())).await
}

/// Everything that the Live page shows besides the stream, with days that begin in `zone`.
pub(crate) async fn live_stats(town: &TownName, zone: &str) -> Result<LiveStats, ReadError> {
    get(&format!("/api/page/live/{town}?tz={}", escape(zone))).await
}

/// Events of a town, newest first; those that follow on a page before when `before` is its `next`.
pub(crate) async fn events(
    town: &TownName,
    filter: &EventFilter,
    before: Option<&str>,
) -> Result<EventPage, ReadError> {
    let before = before.map(|before| format!("&before={}", escape(before))).unwrap_or_default();
    get(&format!("/api/towns/{town}/events?{}{before}", filter.query(escape))).await
}

/// Text as a part of an address.
pub(crate) fn escape(raw: &str) -> String {
    js_sys::encode_uri_component(raw).into()
}

/// Why the server did not do what it was asked.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: Option<String>,
    hint: Option<String>,
}

#[derive(Deserialize)]
struct Opened {
    town: String,
}

#[derive(Serialize)]
struct Topup<'a> {
    usd: String,
    note: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Capacity {
    usd: Option<String>,
}

/// Asks the server for the demo town. Gives the town's name, or what went wrong.
pub(crate) async fn open_demo() -> Result<String, String> {
    let unreachable = |_| "The server cannot be reached.".to_owned();
    let response = Request::post("/api/demo").send().await.map_err(unreachable)?;
    let text = response.text().await.map_err(unreachable)?;
    if response.ok() {
        let opened: Option<Opened> = serde_json::from_str(&text).ok();
        Ok(opened.map_or_else(|| "demo".to_owned(), |opened| opened.town))
    } else {
        let refused: Refused = serde_json::from_str(&text).unwrap_or_default();
        Err(refused.error.unwrap_or_else(|| format!("The server answered {}; its log says why.", response.status())))
    }
}

/// The band and the ledger of a town's tanks.
pub(crate) async fn tank(town: TownName) -> Result<TankPage, ReadError> {
    get(&format!("/api/page/tank/{town}")).await
}

/// Fills a town's tank. The same `request` fills in once, however often it is sent.
pub(crate) async fn topup(town: &str, amount: Nanodollars, note: &str, request: &str) -> Result<(), String> {
    let body = Topup { usd: amount.to_string(), note, request_id: request };
    send(Request::post(&format!("/api/towns/{town}/topup")), serde_json::to_string(&body)).await
}

/// Sets what a full tank holds; none: the balance right after the last top-up.
pub(crate) async fn set_capacity(town: &str, capacity: Option<Nanodollars>) -> Result<(), String> {
    let body = Capacity { usd: capacity.map(|amount| amount.to_string()) };
    send(Request::put(&format!("/api/towns/{town}/capacity")), serde_json::to_string(&body)).await
}

/// Sends a small body; the error is for the reader of the page.
async fn send(request: RequestBuilder, body: serde_json::Result<String>) -> Result<(), String> {
    let unreachable = |_| "The server cannot be reached. Nothing is lost: try again.".to_owned();
    let body = body.map_err(|error| error.to_string())?;
    let request = request.header("content-type", "application/json").body(body).map_err(unreachable)?;
    let response = request.send().await.map_err(unreachable)?;
    if response.ok() {
        return Ok(());
    }
    let refused: Refused = serde_json::from_str(&response.text().await.unwrap_or_default()).unwrap_or_default();
    Err(match (refused.error, refused.hint) {
        (Some(error), Some(hint)) => format!("{error}: {hint}"),
        _ => format!("The server answered {}; its log says why.", response.status()),
    })
}

/// A random UUID (version 4). It tells requests apart and guards nothing, so the plain generator will do.
pub(crate) fn random_uuid() -> String {
    // A random number below 2^16, exactly.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 65535")]
    let word = || (js_sys::Math::random() * 65_536.0) as u16;
    let (version, variant) = (word() & 0x0fff | 0x4000, word() & 0x3fff | 0x8000);
    format!(
        "{:04x}{:04x}-{:04x}-{version:04x}-{variant:04x}-{:04x}{:04x}{:04x}",
        word(),
        word(),
        word(),
        word(),
        word(),
        word()
    )
}
