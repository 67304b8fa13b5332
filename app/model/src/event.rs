//! What happened: the typed events that every source is turned into, and the envelope that says when, where and who.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::dedupe::Claim;
use crate::id::{AgentName, BeadId, EventKey, ModelName, RigName, Role, SessionId, SourceName, ToolName};
use crate::log_line::LogLine;
use crate::request::RequestStep;
use crate::time::Timestamp;
use crate::tokens::TokenCounts;
use crate::unit::Nanodollars;

/// One event with everything that is known about where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// When it happened, by the source's clock.
    pub at: Timestamp,
    /// Idempotency key; the same (town, `at`, key) is one event however often it is sent.
    pub key: EventKey,
    /// For calls and tools that may arrive with differing times or through several sources: their global identity.
    pub claim: Option<Claim>,
    /// Which source reported it.
    pub source: SourceName,
    /// Rig, or project folder.
    pub rig: Option<RigName>,
    /// Role of the agent.
    pub role: Role,
    /// The agent; without Gas Town, the session stands for it.
    pub agent: Option<AgentName>,
    /// Conversation.
    pub session: Option<SessionId>,
    /// Issue being worked on.
    pub bead: Option<BeadId>,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A model answered, or failed to.
    ModelCall(ModelCall),
    /// An agent used a tool.
    ToolCall(ToolCall),
    /// Lines were added to or removed from files.
    LinesChanged(LinesChanged),
    /// An agent said what it is doing.
    AgentState(AgentState),
    /// A conversation began or ended.
    Session(SessionEdge),
    /// A bead was created or closed; what velocity counts.
    Bead(BeadEdge),
    /// A cumulative cost that a session reported: for attribution and comparison, never summed as cost.
    CostSnapshot(CostSnapshot),
    /// A commit is on a repository's default branch.
    LinesLanded(LinesLanded),
    /// A request began, ended, or was lost.
    Request(RequestStep),
    /// A line of a program's log.
    Log(LogLine),
}

/// One request to a model and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCall {
    /// Model as reported, such as `claude-sonnet-4-20250514`.
    pub model: ModelName,
    /// Tokens used.
    pub tokens: TokenCounts,
    /// Cost that the agent itself reported, if it did.
    pub reported: Option<Nanodollars>,
    /// How long it took, in microseconds, if the source can tell.
    pub duration_us: Option<u64>,
    /// `false` when the call failed.
    pub ok: bool,
    /// Fast mode costs a multiple with some models.
    pub fast: bool,
}

/// One use of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Tool's name, such as `Bash`.
    pub tool: ToolName,
    /// From call to result in microseconds. From transcripts this includes the wait for permission.
    pub duration_us: Option<u64>,
    /// `false` when the tool reported an error.
    pub ok: bool,
    /// File it worked on, relative to the project; never its content.
    pub file: Option<CompactString>,
}

/// A change of files, in lines.
#[derive(Debug, Clone, PartialEq)]
pub struct LinesChanged {
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// File, relative to the project.
    pub file: Option<CompactString>,
}

/// What a commit on a repository's default branch changed, in lines. They were edited before, so they are counted apart
/// from [`LinesChanged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinesLanded {
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}

/// What an agent says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Busy with its bead.
    Working,
    /// Waiting for work.
    Idle,
    /// Needs help.
    Stuck,
    /// Finished and leaving.
    Exiting,
    /// Not there any more: its worktree and session were removed.
    Gone,
}

impl AgentState {
    /// Every state; the position is the number stored in the database.
    pub const ALL: [Self; 5] = [Self::Working, Self::Idle, Self::Stuck, Self::Exiting, Self::Gone];

    /// As in JSON and on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Idle => "idle",
            Self::Stuck => "stuck",
            Self::Exiting => "exiting",
            Self::Gone => "gone",
        }
    }
    /// Reads [`AgentState::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == raw)
    }
}

/// The beginning or end of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEdge {
    /// It began.
    Started,
    /// It ended.
    Ended,
}

/// A bead's step that velocity counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeadEdge {
    /// It was written down.
    Created,
    /// It was closed, for whatever reason.
    Closed,
}

/// A running total of a session's cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostSnapshot {
    /// Total since the conversation began; a drop means a new conversation.
    pub total: Nanodollars,
}

/// The kind of an [`Event`]: what is stored, filtered and counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// [`Event::ModelCall`]
    ModelCall,
    /// [`Event::ToolCall`]
    ToolCall,
    /// [`Event::LinesChanged`]
    LinesChanged,
    /// [`Event::AgentState`]
    AgentState,
    /// [`Event::Session`]
    Session,
    /// [`Event::Bead`]
    Bead,
    /// [`Event::CostSnapshot`]
    CostSnapshot,
    /// [`Event::LinesLanded`]
    LinesLanded,
    /// [`Event::Request`]
    Request,
    /// [`Event::Log`]
    Log,
}

impl EventKind {
    /// Every kind; the position is the number stored in the database, so new ones go to the end.
    pub const ALL: [Self; 10] = [
        Self::ModelCall,
        Self::ToolCall,
        Self::LinesChanged,
        Self::AgentState,
        Self::Session,
        Self::Bead,
        Self::CostSnapshot,
        Self::LinesLanded,
        Self::Request,
        Self::Log,
    ];

    /// Position in [`EventKind::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::ModelCall => 0,
            Self::ToolCall => 1,
            Self::LinesChanged => 2,
            Self::AgentState => 3,
            Self::Session => 4,
            Self::Bead => 5,
            Self::CostSnapshot => 6,
            Self::LinesLanded => 7,
            Self::Request => 8,
            Self::Log => 9,
        }
    }
    /// As in JSON: `model_call`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ModelCall => "model_call",
            Self::ToolCall => "tool_call",
            Self::LinesChanged => "lines_changed",
            Self::AgentState => "agent_state",
            Self::Session => "session",
            Self::Bead => "bead",
            Self::CostSnapshot => "cost_snapshot",
            Self::LinesLanded => "lines_landed",
            Self::Request => "request",
            Self::Log => "log",
        }
    }
    /// Reads [`EventKind::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == raw)
    }
}

impl Event {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::ModelCall(_) => EventKind::ModelCall,
            Self::ToolCall(_) => EventKind::ToolCall,
            Self::LinesChanged(_) => EventKind::LinesChanged,
            Self::AgentState(_) => EventKind::AgentState,
            Self::Session(_) => EventKind::Session,
            Self::Bead(_) => EventKind::Bead,
            Self::CostSnapshot(_) => EventKind::CostSnapshot,
            Self::LinesLanded(_) => EventKind::LinesLanded,
            Self::Request(_) => EventKind::Request,
            Self::Log(_) => EventKind::Log,
        }
    }
    /// Whether it shows that an agent is at work, if the agent itself tells it ([`Envelope::is_activity`]).
    #[must_use]
    pub const fn is_activity(&self) -> bool {
        match self {
            Self::ModelCall(_) | Self::ToolCall(_) | Self::LinesChanged(_) => true,
            Self::AgentState(state) => matches!(state, AgentState::Working),
            // A commit says that work ended, and often much later. A request shows work when it is answered, by the call
            // itself; its start may be all that is ever heard of it.
            Self::Session(_)
            | Self::Bead(_)
            | Self::CostSnapshot(_)
            | Self::LinesLanded(_)
            | Self::Request(_)
            | Self::Log(_) => false,
        }
    }
    /// Whether it shows that work went on, beyond saying so.
    #[must_use]
    pub const fn is_progress(&self) -> bool {
        matches!(self, Self::ModelCall(_) | Self::ToolCall(_) | Self::LinesChanged(_))
    }
}

/// What a call cost, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// The amount that counts; `None` when no price is known.
    pub amount: Option<Nanodollars>,
    /// Where the amount comes from.
    pub provenance: Provenance,
    /// What the price book says, also where the agent's own figure is the one that counts: so that both can be held
    /// against one another. `None` when no price is known.
    pub computed: Option<Nanodollars>,
    /// The price row that made `computed`.
    pub price_id: Option<i32>,
}

/// Where an amount of money comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The provider's invoice or balance.
    Billed,
    /// The agent's own figure.
    Reported,
    /// Tokens times the price book.
    Computed,
    /// A guess, such as from a similar model.
    Estimated,
    /// No price is known: tokens count, money does not.
    Unpriced,
}

impl Provenance {
    /// Every provenance; the position is the number stored in the database.
    pub const ALL: [Self; 5] = [Self::Billed, Self::Reported, Self::Computed, Self::Estimated, Self::Unpriced];

    /// Position in [`Provenance::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Billed => 0,
            Self::Reported => 1,
            Self::Computed => 2,
            Self::Estimated => 3,
            Self::Unpriced => 4,
        }
    }
    /// As in JSON and on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::Reported => "reported",
            Self::Computed => "computed",
            Self::Estimated => "estimated",
            Self::Unpriced => "unpriced",
        }
    }
}

/// An event with its price: what the store keeps and the hub sees.
#[derive(Debug, Clone, PartialEq)]
pub struct PricedEvent {
    /// The event.
    pub envelope: Envelope,
    /// For model calls, what they cost.
    pub cost: Option<Cost>,
}
