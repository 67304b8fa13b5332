//! The typed metric structs that server and client share.
//!
//! Pure by design: no IO, no clock, no async, no sqlx, no web-sys. Time is always passed in, so nothing here can
//! flake, and everything compiles natively and for wasm.
//!
//! Money is integer nanodollars, tokens are four disjoint counts (cache writes split by lifetime), time is
//! microseconds since 1970 in UTC.

pub mod aggregate;
pub mod alert;
pub mod burn;
pub mod calendar;
pub mod correction;
pub mod cost;
pub mod cover;
pub mod dedupe;
pub mod demo;
pub mod drift;
pub mod event;
pub mod event_line;
pub mod evidence;
pub mod format;
pub mod fuel;
pub mod hook;
pub mod host;
pub mod id;
pub mod in_flight;
pub mod latency;
pub mod live;
pub mod live_stats;
pub mod log_line;
pub mod price;
pub mod provider;
pub mod rate;
pub mod reading;
pub mod request;
pub mod roster;
pub mod runway;
pub mod series;
pub mod stop;
pub mod system;
pub mod tank;
pub mod time;
pub mod tokens;
pub mod unit;
pub mod wire;

pub use aggregate::Aggregate;
pub use event::{Envelope, Event, EventKind};
pub use id::{AgentName, BeadId, EventKey, ModelName, RigName, Role, SessionId, SourceName, ToolName, TownName};
pub use time::{Resolution, TimeRange, Timestamp, Window};
pub use tokens::TokenCounts;
pub use unit::Nanodollars;
