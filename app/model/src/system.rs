//! The server itself in figures: `/api/system/…`.

use serde::{Deserialize, Serialize};

use crate::live_stats::{SessionRow, SourceState};
use crate::request::RequestRow;
use crate::time::Timestamp;

/// `GET /api/system/metrics`: counters since the start and figures of now, of all towns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemMetrics {
    /// The server's clock, microseconds since 1970.
    pub at: Timestamp,
    /// Seconds since the start.
    pub uptime_s: i64,
    /// Events that wait for the writer or are in hand.
    pub queue_events: usize,
    /// As many may.
    pub queue_capacity: usize,
    /// Requests answered.
    pub requests: u64,
    /// Of these: with a 5xx status.
    pub failures: u64,
    /// Events received over HTTP.
    pub events_received: u64,
    /// Of these: stored.
    pub events_stored: u64,
    /// Of these: known before.
    pub events_duplicate: u64,
    /// Of these: rejected.
    pub events_rejected: u64,
    /// Viewers of live pages.
    pub viewers: usize,
    /// Streams of events that are open.
    pub streams: usize,
    /// Live frames written to viewers.
    pub frames_sent: u64,
    /// Frames left out for viewers that were behind.
    pub frames_skipped: u64,
    /// Connections to the database.
    pub database_connections: u32,
    /// Of these: idle.
    pub database_idle: usize,
    /// Spans that the rollup worker has to redo; none: the database does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollups_pending: Option<i64>,
    /// Memory in use; none where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
    /// Processor time used since the start, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<f64>,
}

/// `GET /api/system/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemHealth {
    /// `ok`, or `degraded` when something below is not as it should be.
    pub status: String,
    /// Version of this build.
    pub version: String,
    /// Seconds since the start.
    pub uptime_s: i64,
    /// Whether the database answers.
    pub database: bool,
    /// Whether more events can be taken in.
    pub queue_has_room: bool,
    /// What is wrong, and what to do, in plain words.
    pub trouble: Vec<String>,
}

/// `GET /api/system/activeRequests`: what is under way in a town.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRequests {
    /// The server's clock.
    pub at: Timestamp,
    /// How many requests are in flight, counted up to ten thousand.
    pub active: usize,
    /// Those that began first, at most a hundred. Which sources tell of them: see the README.
    pub requests: Vec<RequestRow>,
    /// A request whose end did not come after so many seconds is lost.
    pub lost_after_s: i64,
    /// Conversations that go on: also of sources that tell of a call only when it is over.
    pub sessions: Vec<SessionRow>,
}

/// `GET /api/system/channels`: how each source of a town stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channels {
    /// The server's clock.
    pub at: Timestamp,
    /// Every source, those that never started among them.
    pub channels: Vec<SourceState>,
}
