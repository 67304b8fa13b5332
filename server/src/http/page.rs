//! The pages: read, rendered by Leptos with real numbers, each with its own content security policy; and what open
//! pages read again.

use std::sync::Arc;

use app::reader::{ChartsAsked, MachinePage, ReadError, TankPage, TownCard};
use app::seed::{ChartsSeed, LiveSeed, MachineSeed, SourcesSeed, TankSeed, TownSeed, TownsSeed};
use app::{Document, EventFilter, Notice, parse_asked, shell};
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::tz::TimeZone;
use leptos::context::use_context;
use leptos::nonce::use_nonce;
use leptos_axum::{ResponseOptions, render_app_async_with_context};
use model::TownName;
use model::Window;
use model::live_stats::LiveStats;
use serde::Deserialize;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use super::access::Mode;
use super::{events, hook, host, live_stats};
use crate::alert;
use crate::assets::Assets;
use crate::db::DbError;
use crate::db::key::Scope;
use crate::guide;
use crate::read::{Reader, unavailable};
use crate::state::App;
use crate::stop;

/// What pages are made from.
#[derive(Clone)]
struct Pages {
    reader: Arc<Reader>,
    assets: Assets,
    app: App,
}

/// What an address of charts may ask for.
#[derive(Deserialize)]
struct Asked {
    window: Option<String>,
    from: Option<String>,
    to: Option<String>,
    tool: Option<String>,
    compare: Option<String>,
}

impl Asked {
    fn window(&self) -> Window {
        self.window.as_deref().and_then(|raw| Window::parse(raw).ok()).unwrap_or_default()
    }
    fn charts(&self) -> ChartsAsked {
        parse_asked(|name| match name {
            "window" => self.window.clone(),
            "from" => self.from.clone(),
            "to" => self.to.clone(),
            "tool" => self.tool.clone(),
            "compare" => self.compare.clone(),
            _ => None,
        })
    }
}

/// Every page, and what open pages read again.
pub fn router(app: &App) -> Router {
    // Refused only when it was done before, as by another server in the same test.
    let _ = any_spawner::Executor::init_tokio();
    Router::new()
        .route("/", get(towns))
        .route("/t/{town}", get(overview))
        .route("/t/{town}/live", get(live))
        .route("/t/{town}/observability", get(observability))
        .route("/t/{town}/machine", get(machine))
        .route("/t/{town}/sources", get(sources))
        .route("/t/{town}/tank", get(tank))
        .route("/api/page/towns", get(read_towns))
        .route("/api/page/machine/{town}", get(read_machine))
        .route("/api/page/live/{town}", get(read_live))
        .route("/api/page/sources/{town}", get(read_sources))
        .route("/api/page/tank/{town}", get(read_tank))
        .route("/api/page/charts/{town}", get(read_charts))
        .fallback(missing)
        // A page carries its data as text: an eighth of it goes over the wire. The fastest level, for each page is new.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .with_state(Pages { reader: Arc::clone(&app.reader), assets: app.assets.clone(), app: App::clone(app) })
}

async fn towns(State(pages): State<Pages>, request: Request) -> Response {
    let towns = pages.reader.towns().await;
    // Only a page without data needs it.
    let setup = pages.reader.setup(host_name(&request)).await.ok();
    pages.answer(request, towns.map(|towns| Document::Towns(TownsSeed { towns, setup }))).await
}

async fn overview(State(pages): State<Pages>, Path(town): Path<String>, request: Request) -> Response {
    let seed = pages.town(&town).await;
    pages.answer(request, seed.map(Document::Overview)).await
}

async fn live(
    State(pages): State<Pages>,
    Path(town): Path<String>,
    Query(asked): Query<events::Asked>,
    request: Request,
) -> Response {
    let filter = EventFilter::parse(|name| asked.part(name));
    let seed = match pages.town(&town).await {
        Ok(town) => {
            let name = &town.snapshot.town;
            // The first paint speaks UTC, as everywhere.
            let stats = pages.stats(name, None).await;
            let events = events::read(&pages.app, name, &events::Asked::of(&filter)).await;
            // What cannot be a filter finds nothing; the store has the reason for the rest.
            let events = events.map_err(|_| ReadError::Unavailable);
            Ok(Document::Live(Box::new(LiveSeed { town, stats, filter, events })))
        }
        Err(error) => Err(error),
    };
    pages.answer(request, seed).await
}

async fn observability(
    State(pages): State<Pages>,
    Path(town): Path<String>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Response {
    let asked = asked.charts();
    let seed = match pages.town(&town).await {
        Ok(town) => {
            let charts = pages.reader.charts(&town.snapshot.town, &asked).await;
            Ok(Document::Observability(ChartsSeed { town, asked, charts }))
        }
        Err(error) => Err(error),
    };
    pages.answer(request, seed).await
}

async fn machine(
    State(pages): State<Pages>,
    Path(town): Path<String>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Response {
    let window = asked.window();
    let seed = match pages.town(&town).await {
        Ok(town) => {
            let name = &town.snapshot.town;
            let connect = guide::machine(&pages.reader.place(name, host_name(&request)));
            let page = host::page(&pages.app, name, window).await;
            Ok(Document::Machine(MachineSeed { window, page, connect, town }))
        }
        Err(error) => Err(error),
    };
    pages.answer(request, seed).await
}

async fn sources(State(pages): State<Pages>, Path(town): Path<String>, request: Request) -> Response {
    let seed = match pages.town(&town).await {
        Ok(town) => {
            let name = &town.snapshot.town;
            let place = pages.reader.place(name, host_name(&request));
            let sources = pages.reader.sources(name).await;
            Ok(Document::Sources(SourcesSeed { guides: guide::all(&place), key: guide::key(&place), town, sources }))
        }
        Err(error) => Err(error),
    };
    pages.answer(request, seed).await
}

async fn tank(State(pages): State<Pages>, Path(town): Path<String>, request: Request) -> Response {
    let seed = match pages.town(&town).await {
        Ok(town) => {
            let page = pages.tank(&town.snapshot.town, request.headers()).await;
            Ok(Document::Tank(Box::new(TankSeed { town, page })))
        }
        Err(error) => Err(error),
    };
    pages.answer(request, seed).await
}

/// The name under which this server was asked; the guard let it pass.
fn host_name(request: &Request) -> Option<&str> {
    request.headers().get(HOST).and_then(|host| host.to_str().ok())
}

async fn missing(State(pages): State<Pages>, request: Request) -> Response {
    pages.answer(request, Ok(Document::Notice(Notice::NoPage))).await
}

async fn read_towns(State(pages): State<Pages>) -> Response {
    spell(pages.reader.towns().await)
}

async fn read_tank(State(pages): State<Pages>, Path(town): Path<String>, headers: HeaderMap) -> Response {
    match town_name(&town) {
        Ok(town) => spell(pages.tank(&town, &headers).await),
        Err(error) => spell::<()>(Err(error)),
    }
}

#[derive(Deserialize)]
struct Zoned {
    tz: Option<String>,
}

async fn read_live(State(pages): State<Pages>, Path(town): Path<String>, Query(asked): Query<Zoned>) -> Response {
    match town_name(&town) {
        Ok(town) => spell(pages.stats(&town, asked.tz.as_deref()).await),
        Err(error) => spell::<()>(Err(error)),
    }
}

async fn read_charts(State(pages): State<Pages>, Path(town): Path<String>, Query(asked): Query<Asked>) -> Response {
    match town_name(&town) {
        Ok(town) => spell(pages.reader.charts(&town, &asked.charts()).await),
        Err(error) => spell::<()>(Err(error)),
    }
}

async fn read_machine(State(pages): State<Pages>, Path(town): Path<String>, Query(asked): Query<Asked>) -> Response {
    match town_name(&town) {
        Ok(town) => spell(host::page(&pages.app, &town, asked.window()).await),
        Err(error) => spell::<MachinePage>(Err(error)),
    }
}

async fn read_sources(State(pages): State<Pages>, Path(town): Path<String>) -> Response {
    match town_name(&town) {
        Ok(town) => spell(pages.reader.sources(&town).await),
        Err(error) => spell::<()>(Err(error)),
    }
}

impl Pages {
    async fn town(&self, raw: &str) -> Result<TownSeed, ReadError> {
        let snapshot = self.reader.snapshot(&town_name(raw)?).await?;
        // Without the others the switcher knows this one.
        let towns = self.reader.towns().await.unwrap_or_default();
        let towns = towns.into_iter().map(|TownCard { name, .. }| name).collect();
        // Without it the header says that no machine is read; the page itself does not depend on it.
        let hosts = self.app.desk.metrics(&snapshot.town).await.unwrap_or_default();
        let perf = hosts.first().and_then(|first| serde_json::to_string(first).ok()).unwrap_or_default();
        Ok(TownSeed { snapshot, towns, perf })
    }

    /// A browser's zone that is not known here is UTC, as the answer says.
    async fn stats(&self, town: &TownName, zone: Option<&str>) -> Result<LiveStats, ReadError> {
        let (zone, name) = live_stats::zone(zone).unwrap_or_else(|_| (TimeZone::UTC, "UTC".to_owned()));
        live_stats::read(&self.app, town, &zone, &name).await
    }

    /// The ledger and its band, what stops agents, and the webhooks, which only an owner sees. Whole or not at all: an
    /// open page keeps what it has and says that it could not be read, where a part left out would look like none.
    async fn tank(&self, town: &TownName, headers: &HeaderMap) -> Result<TankPage, ReadError> {
        let page = self.reader.tank(town).await?;
        let stop = Some(Box::new(stop::card(&hook::stop_view(&self.app, town, headers).await?)));
        let webhooks = if self.is_owner(headers).await.map_err(unavailable)? {
            Some(alert::cards(&self.reader.webhooks(&self.app.hooks).await?))
        } else {
            None
        };
        Ok(TankPage { stop, webhooks, ..page })
    }

    async fn is_owner(&self, headers: &HeaderMap) -> Result<bool, DbError> {
        let access = &self.app.access;
        Ok(access.mode() == Mode::Loopback
            || access.known(headers).await?.is_some_and(|known| known.scope.allows(Scope::Admin)))
    }

    /// Renders the document, or the notice that stands instead of it.
    async fn answer(self, request: Request<Body>, read: Result<Document, ReadError>) -> Response {
        let document = read.unwrap_or_else(|error| {
            Document::Notice(match error {
                ReadError::UnknownTown(name) => Notice::NoTown { name },
                ReadError::Unavailable | ReadError::Unreachable => Notice::Unavailable,
            })
        });
        let status = if let Document::Notice(notice) = &document { status(notice.status()) } else { StatusCode::OK };
        let paths = self.assets.paths(document.client());
        let render = render_app_async_with_context(add_headers, move || shell(paths.clone(), document.clone()));
        let mut response = render(request).await;
        *response.status_mut() = status;
        response
    }
}

fn town_name(raw: &str) -> Result<TownName, ReadError> {
    TownName::new(raw).map_err(|_| ReadError::UnknownTown(raw.chars().take(80).collect()))
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// JSON for an open page; live numbers, so out of no cache.
fn spell<T: serde::Serialize>(read: Result<T, ReadError>) -> Response {
    let mut response = match read {
        Ok(value) => Json(value).into_response(),
        Err(error) => {
            let code = match error {
                ReadError::UnknownTown(_) => StatusCode::NOT_FOUND,
                ReadError::Unavailable | ReadError::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
            };
            (code, Json(error)).into_response()
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The headers of this one answer.
fn add_headers() {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    let nonce = use_nonce().map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
    // Live numbers: a page out of a cache would lie.
    response.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
