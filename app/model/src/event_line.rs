//! An event as a line of a log: what lists and streams of the Live page show.

use serde::{Deserialize, Serialize};

use crate::event::{AgentState, Event, EventKind, PricedEvent};
use crate::request::RequestEdge;
use crate::tokens::TokenCounts;
use crate::wire::{EventRow, RowKey};

/// How much a line matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    #[default]
    Info,
    /// Somebody should look: an agent that is stuck, a call without a price, a request whose end never came.
    Warn,
    /// A call, a tool or a request failed.
    Error,
}

impl Level {
    /// Every level, the least first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warn, Self::Error];

    /// Position in [`Level::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Info => 0,
            Self::Warn => 1,
            Self::Error => 2,
        }
    }
    /// As in JSON and in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
    /// Reads [`Level::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == raw)
    }
    /// The level of an event. The query behind lists says the same (`db/sql/lines.sql`).
    #[must_use]
    pub fn of(priced: &PricedEvent) -> Self {
        match &priced.envelope.event {
            Event::ModelCall(call) if !call.ok => Self::Error,
            Event::ToolCall(call) if !call.ok => Self::Error,
            Event::Request(step) if !step.ok => Self::Error,
            Event::Request(step) if step.edge == RequestEdge::Lost => Self::Warn,
            Event::Log(line) => line.level,
            Event::ModelCall(_) if priced.cost.is_none_or(|cost| cost.amount.is_none()) => Self::Warn,
            Event::AgentState(AgentState::Stuck) => Self::Warn,
            _ => Self::Info,
        }
    }
}

/// One line: `[time] [level] source: kind, what, who, how long, how much`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// The event as other lists have it: level, source, time, kind, role, rig, agent, session, bead, noun, file, cost,
    /// duration, lines.
    #[serde(flatten)]
    pub row: EventRow,
    /// Tokens of a model call by kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<TokenCounts>,
}

impl EventLine {
    /// The line of an event whose row is known.
    #[must_use]
    pub fn of(priced: &PricedEvent, row: EventRow) -> Self {
        let counts = match &priced.envelope.event {
            Event::ModelCall(call) => Some(call.tokens),
            _ => None,
        };
        Self { row, counts }
    }
}

/// A page of lines, newest first: `GET /api/towns/{town}/events`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// The lines.
    pub events: Vec<EventLine>,
    /// What to ask for with `before` to get the lines that follow; none: there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many events were looked at for these lines.
    pub looked_at: u64,
    /// The search ended at its bound and not at the end of history: `next` goes on, even if there are few lines or none.
    pub partial: bool,
}

/// A stream's message that an event was replaced by a better report of the same: take it off the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Which.
    pub key: RowKey,
}

/// A stream's first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Which town.
    pub town: crate::id::TownName,
    /// Version of the server's build.
    pub version: String,
    /// The server's clock, microseconds since 1970.
    pub at: crate::time::Timestamp,
    /// Where the stream goes on from; later messages have such an id each.
    pub from: String,
    /// Whether that is where a stream before this one stopped (`Last-Event-ID`).
    pub resumed: bool,
    /// Changes since then that are forgotten, because they are more than a day old: read the list again.
    pub missed: u64,
    /// There is a message or a comment at least this often.
    pub heartbeat_s: u64,
}

/// Name of a stream's message for an event of this kind.
#[must_use]
pub const fn message_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ToolCall => "tool_call",
        _ => "event",
    }
}
