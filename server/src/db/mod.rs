//! Postgres: the only place that uses sqlx.

pub mod bead;
pub mod coverage;
pub mod cursor;
mod error;
mod pool;
pub mod report;
mod time;

pub mod admin;
pub mod agent;
pub mod batch;
pub mod claim;
pub mod event;
pub mod headline;
pub mod partition;
pub mod presence;
pub mod price;
pub mod retention;
pub mod session;
pub mod source_count;
pub mod tier;
pub mod town;
pub mod verify;

pub use error::DbError;
pub use pool::{ConnectOptions, Pool, connect, migrate};
pub use time::PgTime;
pub use town::TownKey;
