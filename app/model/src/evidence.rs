//! Who says what an agent does, and whom to believe: Gas Town's ranked sources.
//!
//! One that ranks lower is believed only when it tells of a later moment than the one above it, and that one has grown
//! stale. So sources that contradict one another never make a state flicker: while time passes and nobody says anything,
//! belief goes down the ranks at most, and never back up.

use crate::event::{AgentState, Envelope, Event};
use crate::id::SourceName;
use crate::time::Timestamp;

/// The source of agents' beads and other beads.
pub const BEADS_SOURCE: &str = "beads";
/// The source of what `gt status` says: its reading of agents' beads and sessions.
pub const STATUS_SOURCE: &str = "gt_status";
/// The source of terminals' activity.
pub const TMUX_SOURCE: &str = "tmux";

/// How long what the agent itself said, or did, is fresh: Gas Town calls a heartbeat stale after three minutes.
pub const OWN_FRESH_S: i64 = 180;
/// How long its bead is: written when the state changes, and not while it lasts. As long as hooked work may go untouched.
pub const RECORD_FRESH_S: i64 = 15 * 60;
/// How long what `gt status` says of it is. It is asked every two minutes, but only what changed since is told: a state that
/// lasts is told once, as a bead's is, and is believed for as long as a bead's. What is missing then is not the news that it
/// still lasts, but any sign of work within it.
pub const STATUS_FRESH_S: i64 = 15 * 60;
/// How long activity of its terminal is: what `gt dashboard` calls working.
pub const TERMINAL_FRESH_S: i64 = 5 * 60;

/// Who says it; the earlier ranks higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The agent itself or its session: heartbeats, events, calls.
    Own,
    /// The agent's bead.
    Record,
    /// What `gt status` makes of its bead and its session.
    Status,
    /// Its terminal, which shows only that something moves.
    Terminal,
}

/// How many ranks there are.
pub const RANKS: usize = 4;

impl Evidence {
    /// What a source's states are.
    #[must_use]
    pub fn of(source: &SourceName) -> Self {
        match source.as_str() {
            BEADS_SOURCE => Self::Record,
            STATUS_SOURCE => Self::Status,
            TMUX_SOURCE => Self::Terminal,
            _ => Self::Own,
        }
    }

    /// Its rank, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Own => 0,
            Self::Record => 1,
            Self::Status => 2,
            Self::Terminal => 3,
        }
    }

    /// For how many seconds it is fresh.
    #[must_use]
    pub const fn fresh_s(self) -> i64 {
        match self {
            Self::Own => OWN_FRESH_S,
            Self::Record => RECORD_FRESH_S,
            Self::Status => STATUS_FRESH_S,
            Self::Terminal => TERMINAL_FRESH_S,
        }
    }
}

/// One saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saying {
    /// Who says it.
    pub by: Evidence,
    /// What.
    pub state: AgentState,
    /// Of which moment.
    pub at: Timestamp,
}

impl Saying {
    /// Whether it still holds at `now` by itself.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.at.plus_seconds(self.by.fresh_s())
    }
}

/// Which of `sayings`, the highest ranking first, is believed at `now`; it need not be fresh. What a higher one has
/// outdated, by telling of a later moment, stands in nobody's way.
#[must_use]
pub fn believed(sayings: [Option<Saying>; RANKS], now: Timestamp) -> Option<Saying> {
    sayings.into_iter().flatten().reduce(|above, below| {
        let overrides = !above.is_fresh(now) && below.at > above.at;
        if overrides { below } else { above }
    })
}

impl Envelope {
    /// Whether it shows that its agent is at work: what utilization is made of. What a bead or a terminal says of an agent
    /// is no sign of its own.
    #[must_use]
    pub fn is_activity(&self) -> bool {
        let by_itself = !matches!(self.event, Event::AgentState(_)) || Evidence::of(&self.source) == Evidence::Own;
        by_itself && self.event.is_activity()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const ALL: [Evidence; RANKS] = [Evidence::Own, Evidence::Record, Evidence::Status, Evidence::Terminal];

    fn saying(by: Evidence, state: AgentState, s: i64) -> Option<Saying> {
        Some(Saying { by, state, at: T0.plus_seconds(s) })
    }

    #[test]
    fn a_fresh_heartbeat_wins_over_the_bead_and_a_stale_one_does_not() {
        let beat = saying(Evidence::Own, AgentState::Idle, 0);
        let bead = saying(Evidence::Record, AgentState::Working, 60);
        let at = |s: i64| believed([beat, bead, None, None], T0.plus_seconds(s)).unwrap().by;
        assert_eq!(at(179), Evidence::Own);
        assert_eq!(at(180), Evidence::Record);
        assert_eq!(at(100_000), Evidence::Record);
    }

    #[test]
    fn what_is_older_never_overrides_what_ranks_higher() {
        let beat = saying(Evidence::Own, AgentState::Stuck, 60);
        let bead = saying(Evidence::Record, AgentState::Working, 59);
        for s in [60, 239, 240, 100_000] {
            assert_eq!(believed([beat, bead, None, None], T0.plus_seconds(s)), beat, "{s}");
        }
    }

    #[test]
    fn gt_status_does_not_outrank_a_fresh_bead_though_it_is_later_and_is_believed_once_the_bead_is_stale() {
        let bead = saying(Evidence::Record, AgentState::Working, 0);
        let status = saying(Evidence::Status, AgentState::Gone, 60);
        let at = |s: i64| believed([None, bead, status, None], T0.plus_seconds(s)).unwrap().by;
        assert_eq!(at(60), Evidence::Record);
        assert_eq!(at(899), Evidence::Record);
        assert_eq!(at(900), Evidence::Status);
        // One that is no later than the bead says nothing new, however old the bead is.
        let before = saying(Evidence::Status, AgentState::Gone, 0);
        assert_eq!(believed([None, bead, before, None], T0.plus_seconds(100_000)), bead);
    }

    #[test]
    fn a_terminal_ranks_below_gt_status() {
        let status = saying(Evidence::Status, AgentState::Idle, 0);
        let moved = saying(Evidence::Terminal, AgentState::Working, 890);
        let at = |s: i64| believed([None, None, status, moved], T0.plus_seconds(s)).unwrap().by;
        assert_eq!(at(899), Evidence::Status);
        assert_eq!(at(900), Evidence::Terminal);
    }

    #[test]
    fn each_source_has_the_rank_that_gas_town_gives_it() {
        for (source, by) in [
            ("gas_town", Evidence::Own),
            ("claude_code", Evidence::Own),
            (BEADS_SOURCE, Evidence::Record),
            (STATUS_SOURCE, Evidence::Status),
            (TMUX_SOURCE, Evidence::Terminal),
        ] {
            assert_eq!(Evidence::of(&SourceName::new(source).unwrap()), by, "{source}");
        }
        assert_eq!(ALL.map(Evidence::index), [0, 1, 2, 3]);
        assert!(ALL.is_sorted());
    }

    #[test]
    fn who_is_alone_is_believed() {
        for by in ALL {
            let alone = saying(by, AgentState::Idle, 0);
            let mut all = [None; RANKS];
            all[by.index()] = alone;
            assert_eq!(believed(all, T0.plus_seconds(1_000_000)), alone);
        }
        assert_eq!(believed([None; RANKS], T0), None);
    }

    fn sayings() -> impl Strategy<Value = [Option<Saying>; RANKS]> {
        proptest::array::uniform4(proptest::option::of((0_usize..AgentState::ALL.len(), 0_i64..3_000))).prop_map(
            |all| {
                let mut ranked = [None; RANKS];
                for ((slot, said), by) in ranked.iter_mut().zip(all).zip(ALL) {
                    *slot = said.and_then(|(state, s)| saying(by, AgentState::ALL[state], s));
                }
                ranked
            },
        )
    }

    proptest! {
        /// While nobody says anything new, belief goes down the ranks only, and to later moments only.
        #[test]
        fn time_alone_never_makes_it_flicker(all in sayings()) {
            let mut last: Option<Saying> = None;
            for s in (0..6_000).step_by(30) {
                let Some(now) = believed(all, T0.plus_seconds(s)) else { continue };
                if let Some(before) = last {
                    prop_assert!(now == before || (now.by > before.by && now.at > before.at), "{before:?} {now:?}");
                }
                last = Some(now);
            }
        }

        /// Whatever ranks lower says: what ranks higher stands while it is fresh, and against all that is older.
        #[test]
        fn a_lower_rank_never_overrides_a_fresher_higher_one(all in sayings(), s in 0_i64..6_000) {
            let now = T0.plus_seconds(s);
            let Some(winner) = believed(all, now) else { return Ok(()) };
            for other in all.into_iter().flatten().filter(|other| other.by < winner.by) {
                // What a higher one told of a later moment has outdated it, fresh or not.
                let is_outdated = all.into_iter().flatten().any(|above| above.by < other.by && above.at >= other.at);
                prop_assert!(is_outdated || !other.is_fresh(now), "{winner:?} over {other:?}");
                prop_assert!(other.at < winner.at, "{winner:?} over {other:?}");
            }
        }
    }
}
