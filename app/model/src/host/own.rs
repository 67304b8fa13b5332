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
}
