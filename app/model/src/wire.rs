//! What goes over the `/live` WebSocket: JSON text frames, encoded once per tick for every viewer of a town.
//!
//! Server: `Welcome`, then `Snapshot`, then `Delta`s with `rev` increasing by one, and `Beat` when nothing happens.
//! A viewer that misses a `rev` (or that the server had to skip) gets a fresh `Snapshot`. Beside these, who looks gets
//! [`PerfMetrics`](crate::host::PerfMetrics), one frame per host and reading, each in place of the one before, and now and then
//! a [`Canary`], to be sent back when the frame before it is painted.

use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::event::{EventKind, Provenance};
use crate::event_line::Level;
use crate::fuel::FuelTank;
use crate::id::{AgentName, BeadId, RigName, Role, SessionId, SourceName, TownName};
use crate::roster::AgentRow;
use crate::tank::{GasTank, Pace};
use crate::time::Timestamp;
use crate::unit::Nanodollars;

/// Raised whenever a frame changes in a way that an older client cannot read; such a client reloads the page.
pub const PROTOCOL: u32 = 5;
/// The server says something at least this often, so that silence means a broken link.
pub const BEAT_S: i64 = 5;
/// Without a frame for this long the client calls the link stale.
pub const STALE_AFTER_S: i64 = 12;
/// Newest events that a snapshot carries and a client keeps.
pub const EVENTS_KEPT: usize = 100;
/// Events per tick at most; what is over is counted in [`Delta::skipped`].
pub const EVENTS_PER_TICK: usize = 25;
/// Seconds per point of the gauges' small trend line.
pub const TREND_STEP_S: i64 = 5;
/// Points of the trend line: five minutes.
pub const TREND_POINTS: usize = 60;

/// Server to client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// First frame.
    Welcome {
        /// See [`PROTOCOL`].
        protocol: u32,
        /// Version of the server's build; a client of another build reloads when it suits.
        build: String,
    },
    /// Everything about the town.
    Snapshot(Box<Snapshot>),
    /// What changed since the frame with the `rev` before.
    Delta(Box<Delta>),
    /// Nothing changed, the link is alive.
    Beat {
        /// The server's clock.
        at: Timestamp,
    },
}

/// Client to server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// A `rev` is missing: send a snapshot.
    Resync,
    /// Somebody looks at the page: send what its hosts use, too.
    Look,
    /// The page is hidden: nobody looks any more.
    LookAway,
    /// A [`Canary`] of this number has arrived, and the frame before it is painted.
    Canary {
        /// Its number.
        number: u64,
    },
}

/// Server to client, to one of those who look: what shows how long the way of events is. It follows the frame that it
/// travelled with, and goes back as it came ([`ClientMessage::Canary`]) once that frame is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename = "canary")]
pub struct Canary {
    /// Another each time.
    pub number: u64,
}

/// As they are sent: a client that says nothing else needs no writer of JSON.
impl ClientMessage {
    /// [`ClientMessage::Resync`]
    pub const RESYNC: &str = r#"{"type":"resync"}"#;
    /// [`ClientMessage::Look`]
    pub const LOOK: &str = r#"{"type":"look"}"#;
    /// [`ClientMessage::LookAway`]
    pub const LOOK_AWAY: &str = r#"{"type":"look_away"}"#;
}

/// The whole live state of one town.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which town.
    pub town: TownName,
    /// Whether the town is the made-up one.
    pub demo: bool,
    /// Number of the frame.
    pub rev: u64,
    /// The dials.
    pub gauges: Gauges,
    /// Up to [`TREND_POINTS`] points, oldest first.
    pub trend: Vec<TrendPoint>,
    /// Everyone on the roster.
    pub roster: Vec<AgentRow>,
    /// Beads by state.
    pub beads: BeadCounts,
    /// Tanks beside the meter, by name; the provider that corrects the meter is among them.
    #[serde(default)]
    pub tanks: Vec<FuelTank>,
    /// Newest events, newest first, at most [`EVENTS_KEPT`].
    pub events: Vec<EventRow>,
    /// The newest bucket of each tier, finest first.
    pub edges: Vec<Edge>,
    /// The strip of alerts above every page of the town, as the server made its markup: rendered once for all who look, so
    /// that no page carries what it is made of. Empty without alerts. Programs read `GET /api/towns/{town}/alerts`.
    #[serde(default)]
    pub alerts: String,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// Number of the frame: one more than the frame before.
    pub rev: u64,
    /// The dials, always.
    pub gauges: Gauges,
    /// Points of the trend that were completed since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trend: Vec<TrendPoint>,
    /// Agents that are new or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roster: Vec<AgentRow>,
    /// Beads by state, when they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beads: Option<BeadCounts>,
    /// All tanks beside the meter, when one of them changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tanks: Option<Vec<FuelTank>>,
    /// New events, newest first, and then those that read otherwise than before: they keep their place in the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventRow>,
    /// Events that do not count any more, because a better report of the same call is among `events`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<RowKey>,
    /// Events that were left out of `events` for speed; they are in the store.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// Buckets at the right edge that changed, with their whole new value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// The strip of alerts, when it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<String>,
}

/// The dials of the Overview. Sums, not rates: the exact figure and its span are both there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gauges {
    /// The server's clock when they were read.
    pub at: Timestamp,
    /// Sums over the last [`crate::rate::RATE_WINDOW_S`] seconds; none while the town has never had an event.
    pub flow: Option<Flow>,
    /// Agents at work.
    pub working: u32,
    /// Agents on the roster.
    pub known: u32,
    /// The meter: the tank of money that is drawn down by what calls cost; none while the town has no ledger.
    pub tank: Option<GasTank>,
    /// Spending over the last five minutes.
    pub pace: Pace,
    /// Since when the server cannot reach its database: nothing has been stored since, so that the other figures stand
    /// still or fall although agents may be at work. None while all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_down_since: Option<Timestamp>,
}

/// Sums over the gauges' window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Tokens of all kinds.
    pub tokens: i64,
    /// Lines added and removed.
    pub lines: i64,
    /// Cost.
    pub cost: Nanodollars,
    /// Tokens without a price: they are missing in `cost`.
    pub unpriced_tokens: i64,
}

impl Gauges {
    /// A flow's sum as a rate per second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a dial's reading")]
    pub fn per_second(sum: i64) -> f64 {
        sum as f64 / crate::rate::RATE_WINDOW_S as f64
    }
    /// Tokens per second.
    #[must_use]
    pub fn tokens_per_s(&self) -> Option<f64> {
        self.flow.map(|flow| Self::per_second(flow.tokens))
    }
    /// Lines per second.
    #[must_use]
    pub fn lines_per_s(&self) -> Option<f64> {
        self.flow.map(|flow| Self::per_second(flow.lines))
    }
    /// Microdollars per second.
    #[must_use]
    pub fn microdollars_per_s(&self) -> Option<f64> {
        self.flow.map(|flow| Self::per_second(flow.cost.0) / 1e3)
    }
    /// Dollars per hour at the present rate.
    #[must_use]
    pub fn dollars_per_hour(&self) -> Option<f64> {
        self.flow.map(|flow| Self::per_second(flow.cost.0) * 3_600.0 / 1e9)
    }
}

/// One point of the trend lines: sums over [`TREND_STEP_S`] seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// End of the point's span, seconds since 1970.
    pub end_s: i64,
    /// Tokens.
    pub tokens: i64,
    /// Lines.
    pub lines: i64,
    /// Cost.
    pub cost: Nanodollars,
    /// Agents at work at the end of the span.
    pub working: u32,
}

/// Beads by state, and what waits for a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeadCounts {
    /// Not begun.
    pub open: u32,
    /// Being worked on.
    pub in_progress: u32,
    /// Waiting for review or merge.
    pub in_review: u32,
    /// Done.
    pub closed: u32,
    /// Open escalations.
    pub escalations: u32,
    /// Of `open`: those that somebody else must unblock.
    #[serde(default)]
    pub blocked: u32,
}

/// What tells one row of a town's events from the others, wherever the row comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowKey(pub u64);

impl RowKey {
    /// As many as JavaScript reads exactly.
    pub const BITS: u32 = 53;
}

/// An event as lists show it. Nothing of prompts or file contents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Which event.
    pub key: RowKey,
    /// When.
    pub at: Timestamp,
    /// What kind.
    pub kind: EventKind,
    /// How much it matters.
    #[serde(default)]
    pub level: Level,
    /// Which source told of it.
    pub source: SourceName,
    /// Whether it went well; `false` is an error.
    pub ok: bool,
    /// Role of the agent.
    pub role: Role,
    /// Rig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig: Option<RigName>,
    /// Agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// Conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Bead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bead: Option<BeadId>,
    /// The noun: model, tool, state (`working`), edge (`created`), what writes the log.
    pub what: String,
    /// What a line of a log says, or which model or tool a request asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// File, relative to the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Tokens of a model call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Cost of a model call, or a snapshot's total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Nanodollars>,
    /// Where the cost comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// Duration in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// Lines added and removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<(u32, u32)>,
}

/// A bucket at the right edge of the charts: its whole value, so that applying it twice changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Seconds per bucket of the tier.
    pub step_s: i64,
    /// Beginning of the bucket, seconds since 1970.
    pub from_s: i64,
    /// Its measures.
    pub sum: Aggregate,
    /// Its cost by role, in the order of [`Role::ALL`].
    pub cost_by_role: [Nanodollars; 7],
}

const fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_say_is_what_servers_read() {
        let check = |text: &str, message| assert_eq!(serde_json::from_str::<ClientMessage>(text).ok(), Some(message));
        check(ClientMessage::RESYNC, ClientMessage::Resync);
        check(ClientMessage::LOOK, ClientMessage::Look);
        check(ClientMessage::LOOK_AWAY, ClientMessage::LookAway);
        // A canary goes back as it came.
        let canary = serde_json::to_string(&Canary { number: 7 }).unwrap();
        assert_eq!(canary, r#"{"type":"canary","number":7}"#);
        check(&canary, ClientMessage::Canary { number: 7 });
    }
}
