//! The roster: who works in a town, and whether they are at it.

use serde::{Deserialize, Serialize};

use crate::event::AgentState;
use crate::id::{AgentName, BeadId, RigName, Role, SessionId};
use crate::time::Timestamp;

/// An agent counts as working for this long after its last sign of work; also how long a heartbeat is believed.
pub const WORKING_HOLD_S: i64 = 180;
/// An agent stays on the roster for this long after it was last seen.
pub const ROSTER_HOLD_S: i64 = 24 * 3_600;

/// What is stored of an agent. Rig and name identify it within a town.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// Rig or project; none for agents of the whole town.
    pub rig: Option<RigName>,
    /// Its name.
    pub name: AgentName,
    /// Its role.
    pub role: Role,
    /// Its newest conversation.
    pub session: Option<SessionId>,
    /// The bead it last worked on.
    pub bead: Option<BeadId>,
    /// What it last said of itself, and when.
    pub said: Option<(AgentState, Timestamp)>,
    /// Its last sign of work.
    pub worked: Option<Timestamp>,
    /// First event of any kind.
    pub first_seen: Timestamp,
    /// Last event of any kind.
    pub last_seen: Timestamp,
}

/// What an agent is doing, as far as one can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// At work.
    Working,
    /// It said that it needs help.
    Stuck,
    /// Seen lately, without work.
    Idle,
    /// It said that it is leaving.
    Exiting,
    /// Not seen for [`ROSTER_HOLD_S`]; no longer on the roster.
    Gone,
}

impl AgentStatus {
    /// As on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Stuck => "stuck",
            Self::Idle => "idle",
            Self::Exiting => "exiting",
            Self::Gone => "gone",
        }
    }
}

impl AgentRow {
    /// What the agent is doing at `now`. What it said holds until it works again; `working` is believed for
    /// [`WORKING_HOLD_S`] only.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> AgentStatus {
        let within = |at: Timestamp, seconds: i64| now < at.plus_seconds(seconds);
        if !within(self.last_seen, ROSTER_HOLD_S) {
            return AgentStatus::Gone;
        }
        let worked_lately = self.worked.is_some_and(|at| within(at, WORKING_HOLD_S));
        match self.said {
            Some((state, at)) if self.worked.is_none_or(|worked| worked <= at) => match state {
                AgentState::Working if within(at, WORKING_HOLD_S) => AgentStatus::Working,
                AgentState::Working | AgentState::Idle => AgentStatus::Idle,
                AgentState::Stuck => AgentStatus::Stuck,
                AgentState::Exiting => AgentStatus::Exiting,
            },
            _ if worked_lately => AgentStatus::Working,
            _ => AgentStatus::Idle,
        }
    }

    /// Takes over what a later or earlier report of the same agent knows. The outcome does not depend on the order,
    /// as long as no two reports have the same time.
    pub fn merge(&mut self, other: Self) {
        let newer = other.last_seen >= self.last_seen;
        if newer {
            self.session = other.session.or(self.session.take());
            self.bead = other.bead.or(self.bead.take());
            if other.role != Role::Other {
                self.role = other.role;
            }
        } else {
            self.session = self.session.take().or(other.session);
            self.bead = self.bead.take().or(other.bead);
            if self.role == Role::Other {
                self.role = other.role;
            }
        }
        if other.said.map(|(_, at)| at) >= self.said.map(|(_, at)| at) {
            self.said = other.said.or(self.said);
        }
        self.worked = self.worked.max(other.worked);
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn agent(said: Option<(AgentState, i64)>, worked: Option<i64>) -> AgentRow {
        AgentRow {
            rig: None,
            name: AgentName::new("toast").unwrap(),
            role: Role::Polecat,
            session: None,
            bead: None,
            said: said.map(|(state, s)| (state, T0.plus_seconds(s))),
            worked: worked.map(|s| T0.plus_seconds(s)),
            first_seen: T0,
            last_seen: T0.plus_seconds(10),
        }
    }

    #[test]
    fn status_follows_the_latest_sign() {
        let check = |said, worked, now: i64, want| {
            assert_eq!(agent(said, worked).status(T0.plus_seconds(now)), want, "{said:?} {worked:?} {now}");
        };
        check(None, Some(10), 10, AgentStatus::Working);
        check(None, Some(10), 189, AgentStatus::Working);
        check(None, Some(10), 190, AgentStatus::Idle);
        check(Some((AgentState::Stuck, 11)), Some(10), 12, AgentStatus::Stuck);
        check(Some((AgentState::Stuck, 9)), Some(10), 12, AgentStatus::Working);
        check(Some((AgentState::Working, 10)), None, 189, AgentStatus::Working);
        check(Some((AgentState::Working, 10)), None, 190, AgentStatus::Idle);
        check(Some((AgentState::Idle, 11)), Some(10), 12, AgentStatus::Idle);
        check(None, None, 10 + ROSTER_HOLD_S, AgentStatus::Gone);
    }
}
