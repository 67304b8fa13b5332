//! What the Live page shows besides the stream of events: `GET /api/live/stats`.
//!
//! Instants are microseconds since 1970 in UTC, money is nanodollars, durations are milliseconds with a fraction. What is
//! not known is left out, never zero.

use serde::{Deserialize, Serialize};

use crate::burn::Burn;
use crate::id::{AgentName, BeadId, RigName, Role, SessionId, TownName};
use crate::latency::{LatencySum, Percentile};
use crate::request::RequestRow;
use crate::time::{Resolution, Timestamp};
use crate::tokens::TokenCounts;
use crate::unit::Nanodollars;
use crate::wire::RowKey;

/// Tools and models of a window at most, those with the most calls first.
pub const MOST_SUBJECTS: usize = 40;
/// Newest model calls.
pub const NEWEST_CALLS: usize = 20;
/// Sessions in flight at most, those heard last first.
pub const MOST_SESSIONS: usize = 100;
/// A session is in flight for this long after it was last heard, unless it said that it ended.
pub const IN_FLIGHT_S: i64 = 300;

/// Everything at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveStats {
    /// The server's clock.
    pub at: Timestamp,
    /// Which town.
    pub town: TownName,
    /// Whether it is the made-up one.
    pub demo: bool,
    /// The last five minutes, to the second.
    pub totals: Totals,
    /// What is being spent.
    pub burn: Burn,
    /// How long calls took, over each of [`LatencyWindow::ALL`].
    pub latency: Vec<LatencyStats>,
    /// The newest model calls, newest first, at most [`NEWEST_CALLS`].
    pub newest_calls: Vec<CallRow>,
    /// Requests in flight, those that began first, at most [`MOST_REQUESTS`](crate::request::MOST_REQUESTS).
    pub requests: Vec<RequestRow>,
    /// A request whose end did not come after so many seconds is lost.
    pub lost_after_s: i64,
    /// Conversations that go on, those heard last first, at most [`MOST_SESSIONS`].
    pub sessions: Vec<SessionRow>,
    /// The server and the town in figures.
    pub counters: Counters,
    /// How far everything is.
    pub watermarks: Watermarks,
    /// How each source stands; those that never started are among them.
    pub sources: Vec<SourceState>,
}

/// Sums over a span that ends now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Over how many seconds.
    pub over_s: i64,
    /// Events of every kind.
    pub events: i64,
    /// Model calls.
    pub calls: i64,
    /// Of these: failed.
    pub call_errors: i64,
    /// Tool calls.
    pub tool_calls: i64,
    /// Of these: failed.
    pub tool_errors: i64,
    /// Tokens by kind.
    pub tokens: TokenCounts,
    /// Cost of everything that has a price.
    pub cost: Nanodollars,
    /// Tokens of calls without a price: they are missing in `cost`.
    pub unpriced_tokens: i64,
    /// Lines added by edits.
    pub lines_added: i64,
    /// Lines removed by edits.
    pub lines_removed: i64,
}

/// The windows of latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LatencyWindow {
    /// The last five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// The last hour.
    #[serde(rename = "1h")]
    Hour,
    /// The last day.
    #[serde(rename = "24h")]
    Day,
}

impl LatencyWindow {
    /// Every window, shortest first.
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::Hour, Self::Day];

    /// As in JSON and on buttons.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
            Self::Day => "24h",
        }
    }
    /// Length in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::FiveMinutes => 300,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
    /// What one point of a sparkline stands for.
    #[must_use]
    pub const fn step(self) -> Resolution {
        match self {
            Self::FiveMinutes => Resolution::S10,
            Self::Hour => Resolution::M5,
            Self::Day => Resolution::M30,
        }
    }
}

/// How long calls took over one window. It consists of whole 10 s: its end is the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyStats {
    /// Which window.
    pub window: LatencyWindow,
    /// Its beginning.
    pub from: Timestamp,
    /// Its end; the last bucket is not over yet.
    pub to: Timestamp,
    /// Beginning of the first point of the sparklines; buckets are aligned to 1970, so the first and the last one may lie
    /// in the window with a part only.
    pub spark_from: Timestamp,
    /// Seconds per point.
    pub spark_step_s: i64,
    /// Tools, those with the most calls first, at most [`MOST_SUBJECTS`].
    pub tools: Vec<Latency>,
    /// Models, in the same order.
    pub models: Vec<Latency>,
    /// The models' makers.
    pub providers: Vec<Latency>,
    /// All tools together.
    pub all_tools: Latency,
    /// All model calls together.
    pub all_models: Latency,
    /// Tools and models that did not fit.
    pub left_out: usize,
}

/// Calls of one tool, model or provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Whose.
    pub name: String,
    /// Calls.
    pub n: i64,
    /// Of these: failed.
    pub errors: i64,
    /// Of these: with a known duration. The figures below are theirs.
    pub timed: i64,
    /// Mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_ms: Option<f64>,
    /// Half took at most as long. Percentiles are by nearest rank, and less than 1 % off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// 95 of 100 took at most as long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    /// 99 of 100 took at most as long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// P95 in milliseconds per point, oldest first; none where nothing was timed.
    pub spark_p95_ms: Vec<Option<f64>>,
}

impl Latency {
    /// What a sum says; the sparkline is empty.
    #[must_use]
    pub fn of(name: String, sum: &LatencySum) -> Self {
        let percentile = |percentile| sum.sketch.percentile_us(percentile).map(milliseconds);
        Self {
            name,
            n: sum.calls,
            errors: sum.errors,
            timed: sum.sketch.count(),
            mean_ms: sum.mean_ms().map(|ms| milliseconds(ms * 1_000.0)),
            p50_ms: percentile(Percentile::P50),
            p95_ms: percentile(Percentile::P95),
            p99_ms: percentile(Percentile::P99),
            spark_p95_ms: Vec::new(),
        }
    }
    /// Share of calls that failed, 0 to 1; none without calls.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn error_rate(&self) -> Option<f64> {
        (self.n > 0).then(|| self.errors as f64 / self.n as f64)
    }
}

/// Microseconds as milliseconds, without digits that nobody measured.
#[must_use]
pub fn milliseconds(us: f64) -> f64 {
    us.round() / 1_000.0
}

/// One model call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRow {
    /// Which event.
    pub key: RowKey,
    /// When.
    pub at: Timestamp,
    /// Who made the model.
    pub provider: String,
    /// Model, as its source names it.
    pub model: String,
    /// Role of the agent.
    pub role: Role,
    /// Agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// Conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Output tokens per second of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_s: Option<f64>,
    /// Tokens by kind.
    pub tokens: TokenCounts,
    /// Cost; none: unpriced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Nanodollars>,
    /// Whether it went well.
    pub ok: bool,
}

/// A conversation that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Which.
    pub session: SessionId,
    /// Which source tells of it.
    pub channel: String,
    /// When it was first heard; its duration is counted from here.
    pub started: Timestamp,
    /// When it was last heard.
    pub heard: Timestamp,
    /// Role of the agent.
    pub role: Role,
    /// Rig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig: Option<RigName>,
    /// Agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// Bead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bead: Option<BeadId>,
    /// Whether its agent is at work right now.
    pub working: bool,
}

/// The server and the town in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Events of this town in the store, ever.
    pub messages: i64,
    /// Conversations that go on.
    pub active_sessions: usize,
    /// Requests in flight, counted up to ten thousand.
    pub active_requests: usize,
    /// Agents at work.
    pub agents_working: u32,
    /// Events that wait for the writer or are in hand, of all towns.
    pub queue_events: usize,
    /// As many may wait.
    pub queue_capacity: usize,
    /// Seconds since the server started.
    pub uptime_s: i64,
    /// Model and tool calls of the last five minutes that failed.
    pub errors: i64,
    /// Viewers of live pages and streams, of all towns.
    pub viewers: usize,
}

/// How far everything is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermarks {
    /// Time of the newest event, by its source's clock; none: there never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_event: Option<Timestamp>,
    /// When anything was last heard of any source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heard: Option<Timestamp>,
    /// Of the sources that are live, by how much the slowest is behind what happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<i64>,
    /// Half hours whose coarser tiers the worker has to redo.
    pub rollups_pending: i64,
    /// Six-hour spans of history whose sketches of durations are still being made; above zero, the longer windows of
    /// latency are not complete yet.
    pub sketches_pending: i64,
    /// Number of the town's newest change: where a stream that begins now begins.
    pub seq: i64,
}

/// How a source stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// Its name in the store.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// How its events come: `file_tail`, `otlp`, `http`, `demo` or `unknown`.
    pub kind: String,
    /// `live`, `silent`, `refused` (heard, but not what came last), `error` (it cannot be heard) or `never_started`.
    pub state: String,
    /// What that means, and what to do.
    pub words: String,
    /// Time of its newest event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event: Option<Timestamp>,
    /// When it was last heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heard: Option<Timestamp>,
    /// Events per second lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_s: Option<f64>,
    /// By how much it is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<i64>,
    /// What its durations mean, such as that they include the wait for permission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_rule: Option<String>,
}
