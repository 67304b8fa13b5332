//! Postgres: the only place that uses sqlx.

mod error;
mod pool;
mod time;

pub mod admin;
pub mod price;
pub mod retention;
pub mod town;
pub mod verify;

pub use error::DbError;
pub use pool::{ConnectOptions, Pool, connect, migrate};
pub use time::PgTime;
pub use town::TownKey;
