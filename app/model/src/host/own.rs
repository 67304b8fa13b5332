//! What Towngauge itself costs the machine it runs on.

use serde::{Deserialize, Serialize};

use super::sample::Bytes;

/// The server's own cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OwnCost {
    /// Processor time of the server over the last seconds, in percent of one processor; none before the second reading.
    pub cpu_percent: Option<f64>,
    /// Resident memory of the server, without its Postgres.
    pub rss_bytes: Option<Bytes>,
    /// Transactions of the database per second, each query outside of one counting as one; none before the second
    /// reading.
    pub queries_per_s: Option<f64>,
    /// Viewers of live pages.
    pub viewers: u64,
    /// Events that wait to be stored, or are being stored.
    pub queue_events: u64,
    /// How long it takes from an event's coming until a page shows it.
    #[serde(default)]
    pub event_to_pixel: EventToPixel,
}

/// How long canaries took from their birth in the server until a page had painted them and said so: those that were let go
/// within the last minute, one every five seconds while somebody looks. Where the browser runs on another machine the way
/// of its answer is included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventToPixel {
    /// How many are back.
    pub back: u32,
    /// How many were not back after five seconds.
    pub lost: u32,
    /// The median age; none while none is back.
    pub median_ms: Option<u32>,
    /// The age of the slowest.
    pub worst_ms: Option<u32>,
}
