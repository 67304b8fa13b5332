//! An agent's hook: the bead that a Gas Town has put there, as far as the agent's own states tell.

use serde::{Deserialize, Serialize};

use crate::event::AgentState;
use crate::id::BeadId;
use crate::time::Timestamp;

/// A run of states that say the same of the hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The bead; none: nothing is hooked.
    pub bead: Option<BeadId>,
    /// The state that was said with it; `Idle` when nothing is hooked.
    pub state: AgentState,
    /// When the run began.
    pub since: Timestamp,
    /// When it was said last.
    pub at: Timestamp,
    /// Whether the bead was closed; agents may go on naming it.
    pub closed: bool,
}

impl Hook {
    /// What a state says of the hook; none when it says nothing: work without a bead.
    #[must_use]
    pub fn said(state: AgentState, bead: Option<&BeadId>, at: Timestamp) -> Option<Self> {
        let run = |bead, state| Self { bead, state, since: at, at, closed: false };
        match (state, bead) {
            (AgentState::Idle | AgentState::Exiting | AgentState::Gone, _) => Some(run(None, AgentState::Idle)),
            (AgentState::Working | AgentState::Stuck, Some(bead)) => Some(run(Some(bead.clone()), state)),
            (AgentState::Working | AgentState::Stuck, None) => None,
        }
    }

    /// Since when there has been work on the hook that was not touched, as far as states tell; none without such work.
    #[must_use]
    pub fn hooked_since(&self) -> Option<Timestamp> {
        let is_hooked = self.bead.is_some() && !self.closed;
        // Whoever was stuck did something about it until the last time of saying so.
        is_hooked.then_some(if self.state == AgentState::Working { self.since } else { self.at })
    }

    /// Goes on with what another report says. One that comes late never makes a run longer: what was said in between is
    /// forgotten, and nobody is to be called stalled by mistake. The database does the same (fold.sql).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let is_late = other.at < self.at;
        let is_same = self.bead == other.bead && self.state == other.state;
        let (mut newer, older) = if is_late { (self, other) } else { (other, self) };
        if is_same && !is_late {
            newer.since = newer.since.min(older.since);
        } else if !is_same && older.at > newer.since {
            newer.since = newer.at;
        }
        newer.closed |= newer.bead == older.bead && older.closed;
        newer
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(state: usize, bead: u8, s: i64) -> Option<Hook> {
        let bead = BeadId::new(&format!("b-{bead}")).unwrap();
        Hook::said(AgentState::ALL[state], Some(&bead), Timestamp::from_seconds(s))
    }

    proptest! {
        /// In whatever order reports come, the newest is believed, and no run is longer than it was.
        #[test]
        fn late_reports_never_lengthen_a_run(reports in proptest::collection::vec((0..AgentState::ALL.len(), 0_u8..2), 1..9), shuffle in proptest::collection::vec(any::<u16>(), 9)) {
            let told: Vec<Hook> = (0_i64..).zip(&reports).filter_map(|(s, (state, bead))| said(*state, *bead, s)).collect();
            let merged = |told: Vec<Hook>| told.into_iter().reduce(Hook::merge);
            let in_order = merged(told.clone()).unwrap();
            let mut order: Vec<(u16, Hook)> = shuffle.into_iter().zip(told).collect();
            order.sort_by_key(|(place, _)| *place);
            let mixed = merged(order.into_iter().map(|(_, hook)| hook).collect()).unwrap();
            prop_assert_eq!((&mixed.bead, mixed.state, mixed.at), (&in_order.bead, in_order.state, in_order.at));
            prop_assert!(mixed.since >= in_order.since);
        }
    }
}
