//! Postgres: the only place that uses sqlx.

mod edges_overlay;
mod error;
mod fold;
mod pool;
mod time;

pub mod admin;
pub mod agent;
pub mod alert;
pub mod batch;
pub mod bead;
pub mod claim;
pub mod cost;
pub mod coverage;
pub mod cursor;
pub mod event;
pub mod headline;
pub mod key;
pub mod ledger;
pub mod live_seed;
pub mod notify;
pub mod partition;
pub mod presence;
pub mod price;
pub mod report;
pub mod reprice;
pub mod retention;
pub mod series;
pub mod session;
pub mod shipper;
pub mod source;
pub mod source_count;
pub mod spent;
pub mod status;
pub mod tier;
pub mod town;
pub mod unmapped;
pub mod unpriced;
pub mod verify;
pub mod webhook;

pub use error::DbError;
pub use pool::{ConnectOptions, Pool, SslMode, connect, migrate};
pub use time::PgTime;
pub use town::TownKey;
