//! HTTP: one router per resource, one table of them all.

mod access;
mod alert;
mod asset;
mod belief;
mod body;
mod costs;
mod demo;
mod events;
mod guard;
mod health;
pub(crate) mod hmac;
mod hook;
mod host;
mod ingest;
mod listener;
mod live;
mod live_stats;
mod live_stream;
mod login;
mod metrics;
pub mod openapi;
mod otlp;
mod page;
mod price;
mod reprice;
mod request;
pub(crate) mod secret;
mod series;
mod ship;
mod source;
mod system;
mod tank;
mod town;
mod webhook;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware;

pub use access::{Access, AccessSettings, Mode};
pub use listener::serve;
pub use price::price_body;
pub use secret::{Secret, hash};

use crate::error::ApiError;
use crate::state::App;

/// Body of everything but ingest: forms and small JSON.
const SMALL_BODY_BYTES: usize = 64 * 1024;

/// Every address of the server. `guard` decides who may use which.
pub fn router(app: &App) -> Router {
    let api = Router::new()
        .merge(ingest::router()) //     POST /api/ingest
        .merge(ship::router()) //       POST /api/ship, GET /api/towns/{town}/shippers
        .merge(otlp::router()) //       POST /v1/metrics|logs|traces and Gas Town's own addresses
        //                              GET  /api/towns/{town}/unmapped
        .merge(town::router()) //       GET  /api/towns, /api/towns/{town}/gauges|snapshot|ledger, /api/events
        //                              POST /api/towns/{town}/topup, PUT /api/towns/{town}/capacity
        .merge(tank::router()) //       GET  /api/towns/{town}/tanks, POST /api/towns/{town}/windows
        .merge(alert::router()) //      GET  /api/towns/{town}/alerts, POST /api/towns/{town}/alerts/{id}/snooze|unsnooze
        .merge(hook::router()) //       POST /hooks/claude, /hooks/claude/{event}, GET /api/towns/{town}/stop
        .merge(host::router()) //       GET  /api/towns/{town}/hosts, /api/towns/{town}/hosts/history, /api/system/cost
        //                              POST /api/ship/host
        .merge(webhook::router()) //    GET  /api/webhooks, POST /api/webhooks/test
        .merge(demo::router()) //       POST /api/demo
        .merge(series::router()) //     GET  /api/towns/{town}/series
        .merge(price::router()) //      GET, POST /api/prices, GET /api/towns/{town}/unpriced
        .merge(reprice::router()) //    GET, POST /api/towns/{town}/reprice
        .merge(source::router()) //     GET  /api/towns/{town}/sources
        .merge(events::router()) //     GET  /api/towns/{town}/events
        .merge(costs::router()) //      GET  /api/costs, /api/costs/summary|board, /api/stats/daily|roles|rigs|models|beads|sessions
        .merge(request::router()) //    GET  /api/towns/{town}/requests
        .merge(live::router()) //       GET  /live
        .merge(live_stats::router()) // GET  /api/live/stats
        .merge(live_stream::router()) // GET /api/live/stream
        .merge(openapi::router()) //    GET  /api/openapi.json
        .merge(system::router()) //     GET  /api/system/metrics|events|activeRequests|health|channels
        .merge(health::router()) //     GET  /health, /ready
        .merge(metrics::router()) //    GET  /metrics
        .merge(login::router()) //      GET, POST /login, POST /logout
        .merge(asset::router()) //      GET  /pkg/{*file}
        .route("/api/{*unknown}", axum::routing::any(unknown))
        .with_state(App::clone(app));
    api.merge(page::router(app)) //     the pages, and GET /api/page/towns, /api/page/charts|live|sources|tank/{town}
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES))
        .layer(middleware::from_fn_with_state(App::clone(app), guard::guard))
}

async fn unknown(uri: Uri) -> ApiError {
    let error = format!("there is nothing at {}", uri.path());
    ApiError::new(StatusCode::NOT_FOUND, error, "the addresses are in the README under \"API\"")
}
