//! What the server answers about costs: sums by whatever they are grouped by, all out of one snapshot.

use serde::{Deserialize, Serialize};

use super::{Dimension, GroupName, LocalDay, SpendSum};
use crate::id::{AgentName, BeadId, RigName, Role, SessionId};
use crate::time::{TimeRange, Timestamp};

/// What one group spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSum {
    /// The group; none: not attributed.
    pub group: GroupName,
    /// What it spent.
    pub sum: SpendSum,
}

/// What one group spent in one bucket of the river.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiverRow {
    /// When the bucket begins.
    pub at: Timestamp,
    /// The group by its name; none: not attributed.
    pub group: GroupName,
    /// What was spent.
    pub sum: SpendSum,
}

/// The rows of the cost river: only buckets and groups in which something was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiverRows {
    /// What the groups are.
    pub by: Dimension,
    /// When the first bucket begins: at or before the range does.
    pub from: Timestamp,
    /// Length of each bucket, in seconds.
    pub step_s: i64,
    /// How many buckets the range has.
    pub buckets: usize,
    /// In the order of time, then of groups.
    pub rows: Vec<RiverRow>,
}

/// What was spent on a local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySum {
    /// The day.
    pub day: LocalDay,
    /// Its instants: 23 or 25 hours where the clocks change.
    pub range: TimeRange,
    /// What was spent.
    pub sum: SpendSum,
}

/// What one agent of a role spent, for the treemap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeRow {
    /// Its role.
    pub role: Role,
    /// Its rig; none: of the whole town, or not known.
    pub rig: Option<RigName>,
    /// The agent; none: not known.
    pub agent: Option<AgentName>,
    /// What it spent.
    pub sum: SpendSum,
}

/// How a bead stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeadState {
    /// Closed work (task, bug, feature, chore …): what velocity counts. Gas Town closes such a bead when its branch is
    /// merged; a tracker that closes it for another reason does not say so, and it counts here too.
    Landed,
    /// Closed, and no work that could land: gates, messages, decisions, agents' own beads.
    Closed,
    /// Not closed, and given up: its tracker says so (`deferred`, `tombstone`), or nothing was spent on it for a week.
    Abandoned,
    /// Not closed.
    Open,
    /// No tracker told of it.
    Unknown,
}

/// What was spent on one bead in the range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeadCost {
    /// Its id; none: what was spent on no bead.
    pub bead: Option<BeadId>,
    /// One line.
    pub title: String,
    /// As its tracker spells it; empty when no tracker told of it.
    pub status: String,
    /// How it stands.
    pub state: BeadState,
    /// When it was written down.
    pub created_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// First and last call in the range, to the quarter of an hour (days that lie whole in the range: to the day).
    pub first_at: Option<Timestamp>,
    /// The last one.
    pub last_at: Option<Timestamp>,
    /// What was spent.
    pub sum: SpendSum,
    /// By model, the dearest first.
    pub models: Vec<GroupSum>,
    /// Who worked on it, the dearest first, at most [`MAX_BEAD_AGENTS`].
    pub agents: Vec<AgentName>,
    /// Conversations in which something was spent on it.
    pub sessions: i64,
}

/// Agents that a bead's row names.
pub const MAX_BEAD_AGENTS: usize = 8;

/// Beads of a range: the dearest with a row each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeadCosts {
    /// The dearest beads first, and what was spent on none among them.
    pub rows: Vec<BeadCost>,
    /// How many beads have no row: over the bound.
    pub rest_beads: i64,
    /// What was spent on them.
    pub rest: SpendSum,
    /// Of all beads with spending in the range: how many landed.
    pub landed: i64,
    /// What was spent on those.
    pub landed_sum: SpendSum,
}

/// A conversation and what it spent in the range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCost {
    /// The conversation; none: calls that belong to none.
    pub session: Option<SessionId>,
    /// Whose it is, as far as is known of it now.
    pub role: Role,
    /// Its rig.
    pub rig: Option<RigName>,
    /// Its agent.
    pub agent: Option<AgentName>,
    /// The bead that it named last.
    pub bead: Option<BeadId>,
    /// Its first event, also before the range; none for what belongs to no conversation.
    pub start: Option<Timestamp>,
    /// Its last event so far.
    pub end: Option<Timestamp>,
    /// What it spent in the range.
    pub sum: SpendSum,
}

/// Conversations of a range: the dearest with a bar each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCosts {
    /// The dearest, by their beginning; what belongs to no conversation is a row too.
    pub rows: Vec<SessionCost>,
    /// How many have no row: over the bound.
    pub rest_sessions: i64,
    /// What they spent.
    pub rest: SpendSum,
}

/// Spending of a range, as one number with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostTotal {
    /// The range.
    pub range: TimeRange,
    /// Everything that passes the filter.
    pub total: SpendSum,
    /// The same by provenance, in the order of `Provenance::ALL`, those that occur.
    pub provenance: Vec<GroupSum>,
}

/// The cards above the pictures. They obey the filter; today, this week and this month have their own ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostCards {
    /// Since local midnight.
    pub today: SpendSum,
    /// Since Monday's.
    pub week: SpendSum,
    /// Since the first of the month.
    pub month: SpendSum,
    /// Conversations in which something was spent in the range.
    pub sessions: i64,
    /// Beads that landed, of those on which something was spent in the range.
    pub landed_beads: i64,
    /// What was spent on those in the range.
    pub landed: SpendSum,
    /// What mayor, deacon, witness and refinery spent in the range.
    pub coordination: SpendSum,
    /// Spent in the range, and attributed to no rig and no agent.
    pub unattributed: SpendSum,
}

/// Today, for the burn gauge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BurnToday {
    /// The local day.
    pub day: LocalDay,
    /// Its instants.
    pub range: TimeRange,
    /// Spent so far.
    pub sum: SpendSum,
    /// Conversations in which something was spent today.
    pub sessions: i64,
    /// The days before today, 29 at most, since the first of them on which anything was spent: the mean per day is made of
    /// these.
    pub days_before: i64,
    /// What was spent on those days.
    pub spent_before: SpendSum,
}

/// `GET /api/costs/summary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostSummary {
    /// The server's clock.
    pub at: Timestamp,
    /// The range's first and last local day.
    pub days: (LocalDay, LocalDay),
    /// The zone that days are of.
    pub tz: String,
    /// What was asked for, as in an address.
    pub filter: String,
    /// The range.
    pub spent: CostTotal,
    /// The same number of local days before it.
    pub before: CostTotal,
    /// The cards.
    pub cards: CostCards,
    /// Spans of six hours whose calls, from before there were sums, are still being added: as long as it is not 0, the past is
    /// not complete.
    pub summing: i64,
}

/// Groups of a dimension, to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The dimension.
    pub by: Dimension,
    /// Its groups, the dearest first.
    pub groups: Vec<GroupName>,
}

/// Groups of a dimension that are offered.
pub const MAX_OPTIONS: usize = 200;

/// `GET /api/costs/board`: everything that the Costs page shows, out of one snapshot. Every picture's rows sum to
/// `summary.spent.total`, but those of `calendar`, which has a range of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostBoard {
    /// The total, the period before, and the cards.
    pub summary: CostSummary,
    /// Time by group.
    pub river: RiverRows,
    /// The period before by the same groups.
    pub before: Vec<GroupSum>,
    /// The 365 local days that end with today, with the filter but for its range; days without spending have a row too.
    pub calendar: Vec<DaySum>,
    /// Role, rig, agent.
    pub tree: Vec<TreeRow>,
    /// Beads.
    pub beads: BeadCosts,
    /// Conversations.
    pub sessions: SessionCosts,
    /// Today.
    pub burn: BurnToday,
    /// What the range's calls can be filtered by, whatever the filter: of each dimension the dearest groups, at most
    /// [`MAX_OPTIONS`]. Beads and conversations are in their own lists.
    pub options: Vec<Options>,
    /// The earliest call of the town that is known; none: there is none.
    pub since: Option<Timestamp>,
}
