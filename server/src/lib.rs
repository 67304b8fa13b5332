//! The server: sources in, Postgres in the middle, pages and live frames out.

pub mod alert;
pub mod assets;
mod canary;
pub mod cli;
pub mod clock;
pub mod config;
pub mod costs;
pub mod db;
pub mod demo;
pub mod error;
pub mod feed;
pub mod guide;
pub mod host;
pub mod http;
pub mod hub;
pub mod ingest;
mod memory;
pub mod postgres;
pub mod price_list;
pub mod process;
pub mod read;
pub mod request;
pub mod retention;
pub mod rollup;
pub mod serve;
pub mod ship;
pub mod source;
pub mod standing;
pub mod state;
pub mod stop;
pub mod store;
mod store_watch;
pub mod telemetry;

/// Version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
