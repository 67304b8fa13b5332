//! The roster: who works in a town, and whether they are at it.

use serde::{Deserialize, Serialize};

use crate::event::AgentState;
use crate::evidence::{Evidence, OWN_FRESH_S, Saying, believed};
use crate::hook::Hook;
use crate::id::{AgentName, BeadId, RigName, Role, SessionId};
use crate::time::Timestamp;

/// An agent counts as working for this long after its last sign of work; also how long a heartbeat is believed.
pub const WORKING_HOLD_S: i64 = OWN_FRESH_S;
/// Hooked work without progress for this long has stalled.
pub const STALLED_S: i64 = 15 * 60;
/// For this long, it violates Gas Town's rule that hooked work is worked on (GUPP).
pub const GUPP_S: i64 = 30 * 60;
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
    /// What its bead says, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<(AgentState, Timestamp)>,
    /// What `gt status` says of it, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gt_status: Option<(AgentState, Timestamp)>,
    /// When something moved last in its terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// Its last sign of work.
    pub worked: Option<Timestamp>,
    /// Its last progress: a model call, a tool call, lines. Saying that it works is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progressed: Option<Timestamp>,
    /// What its states say of the bead on its hook; none: they never named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Hook>,
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
    /// Its hooked work has seen no progress for [`GUPP_S`].
    GuppViolation,
    /// Its hooked work has seen no progress for [`STALLED_S`].
    Stalled,
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
            Self::GuppViolation => "gupp violation",
            Self::Stalled => "stalled",
            Self::Idle => "idle",
            Self::Exiting => "exiting",
            Self::Gone => "gone",
        }
    }
}

impl AgentRow {
    /// An agent of which nothing is known but its name, at `at`.
    #[must_use]
    pub const fn new(rig: Option<RigName>, name: AgentName, role: Role, at: Timestamp) -> Self {
        Self {
            rig,
            name,
            role,
            session: None,
            bead: None,
            said: None,
            recorded: None,
            gt_status: None,
            seen: None,
            worked: None,
            progressed: None,
            hook: None,
            first_seen: at,
            last_seen: at,
        }
    }

    /// Takes what somebody says of its state, unless the same one has told of a later moment.
    pub fn hear(&mut self, saying: Saying) {
        let Saying { by, state, at } = saying;
        match by {
            Evidence::Own => self.said = later(self.said, Some((state, at))),
            Evidence::Record => self.recorded = later(self.recorded, Some((state, at))),
            Evidence::Status => self.gt_status = later(self.gt_status, Some((state, at))),
            Evidence::Terminal => self.seen = self.seen.max(Some(at)),
        }
    }

    /// Whether it was not seen for so long that nobody asks for it any more.
    #[must_use]
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        now >= self.last_seen.plus_seconds(ROSTER_HOLD_S)
    }

    /// Whom to believe of its state at `now`. What it said holds until it works again.
    fn belief(&self, now: Timestamp) -> Option<Saying> {
        let said = self.said.filter(|(_, at)| self.worked.is_none_or(|worked| worked <= *at));
        let own = said.or(self.worked.map(|at| (AgentState::Working, at)));
        let saying = |by| move |(state, at)| Saying { by, state, at };
        let seen = self.seen.map(|at| (self.seen_state(), at));
        believed(
            [
                own.map(saying(Evidence::Own)),
                self.recorded.map(saying(Evidence::Record)),
                self.gt_status.map(saying(Evidence::Status)),
                seen.map(saying(Evidence::Terminal)),
            ],
            now,
        )
    }

    /// What something that moves in its terminal means: work, if it has any.
    fn seen_state(&self) -> AgentState {
        let is_hooked = self.hook.as_ref().is_some_and(|hook| hook.hooked_since().is_some());
        if is_hooked { AgentState::Working } else { AgentState::Idle }
    }

    /// What the agent is doing at `now`. What was said of it holds until something else is known; `working` is believed
    /// only as long as it is fresh.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> AgentStatus {
        if self.is_forgotten(now) {
            return AgentStatus::Gone;
        }
        let belief = self.belief(now);
        match belief.and_then(|belief| self.untouched_by(belief, now)) {
            Some(seconds) if seconds >= GUPP_S => return AgentStatus::GuppViolation,
            Some(seconds) if seconds >= STALLED_S => return AgentStatus::Stalled,
            _ => {}
        }
        let Some(belief) = belief else { return AgentStatus::Idle };
        match belief.state {
            AgentState::Working if belief.is_fresh(now) => AgentStatus::Working,
            AgentState::Working | AgentState::Idle => AgentStatus::Idle,
            AgentState::Stuck => AgentStatus::Stuck,
            AgentState::Exiting => AgentStatus::Exiting,
            AgentState::Gone => AgentStatus::Gone,
        }
    }

    /// For how many seconds the work on its hook has seen no progress; none: nothing is hooked that it could work on, or it
    /// said that it is stuck, idle or leaving.
    #[must_use]
    pub fn untouched_s(&self, now: Timestamp) -> Option<i64> {
        self.untouched_by(self.belief(now)?, now)
    }

    fn untouched_by(&self, belief: Saying, now: Timestamp) -> Option<i64> {
        if belief.state != AgentState::Working {
            return None;
        }
        let since = self.hook.as_ref()?.hooked_since()?;
        let since = self.progressed.map_or(since, |progressed| progressed.max(since));
        Some(now.seconds() - since.seconds())
    }

    /// What it is doing in words: `stalled 17 min`.
    #[must_use]
    pub fn status_words(&self, now: Timestamp) -> String {
        let status = self.status(now);
        let minutes = self.untouched_s(now).unwrap_or_default() / 60;
        let span = if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) };
        match status {
            AgentStatus::Stalled => format!("stalled {span}"),
            AgentStatus::GuppViolation => format!("GUPP violation: hooked work untouched for {span}"),
            _ => status.name().to_owned(),
        }
    }

    /// Takes over what a later or earlier report of the same agent knows. The outcome does not depend on the order,
    /// as long as no two reports have the same time; only when its hooked work began may come out later than it was.
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
        self.said = later(self.said, other.said);
        self.recorded = later(self.recorded, other.recorded);
        self.gt_status = later(self.gt_status, other.gt_status);
        self.seen = self.seen.max(other.seen);
        self.worked = self.worked.max(other.worked);
        self.progressed = self.progressed.max(other.progressed);
        self.hook = match (self.hook.take(), other.hook) {
            (Some(mine), Some(theirs)) => Some(mine.merge(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

/// The one of the later moment; of the same moment the second.
fn later(
    mine: Option<(AgentState, Timestamp)>,
    other: Option<(AgentState, Timestamp)>,
) -> Option<(AgentState, Timestamp)> {
    let at = |said: Option<(AgentState, Timestamp)>| said.map(|(_, at)| at);
    if at(other) >= at(mine) { other.or(mine) } else { mine }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn agent(said: Option<(AgentState, i64)>, worked: Option<i64>) -> AgentRow {
        AgentRow {
            said: said.map(|(state, s)| (state, T0.plus_seconds(s))),
            worked: worked.map(|s| T0.plus_seconds(s)),
            last_seen: T0.plus_seconds(10),
            ..AgentRow::new(None, AgentName::new("toast").unwrap(), Role::Polecat, T0)
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

    /// An agent that says `said` (state, bead, second) one after the other, with progress at `progress`.
    fn hooked(said: &[(AgentState, &str, i64)], progress: Option<i64>) -> AgentRow {
        let mut row = agent(None, None);
        for &(state, bead, s) in said {
            let at = T0.plus_seconds(s);
            let bead = BeadId::new(bead).ok();
            let mut next = agent(Some((state, s)), (state == AgentState::Working).then_some(s));
            next.hook = Hook::said(state, bead.as_ref(), at);
            next.last_seen = at;
            row.merge(next);
        }
        row.progressed = progress.map(|s| T0.plus_seconds(s));
        row
    }

    #[test]
    fn hooked_work_without_progress_stalls_after_15_minutes_and_violates_gupp_after_30() {
        use AgentState::{Exiting, Idle, Stuck, Working};
        let check = |said: &[(AgentState, &str, i64)], progress, minute: i64, want: &str| {
            let words = hooked(said, progress).status_words(T0.plus_seconds(minute * 60));
            assert_eq!(words, want, "{said:?} {progress:?} {minute}");
        };
        let hook = [(Working, "b-1", 0)];
        check(&hook, None, 2, "working");
        check(&hook, None, 14, "idle");
        check(&hook, None, 15, "stalled 15 min");
        check(&hook, None, 29, "stalled 29 min");
        check(&hook, None, 32, "GUPP violation: hooked work untouched for 32 min");
        check(&hook, None, 150, "GUPP violation: hooked work untouched for 2 h");
        // Progress starts the time anew; saying again that it works does not.
        check(&hook, Some(600), 24, "idle");
        check(&hook, Some(600), 25, "stalled 15 min");
        check(&[(Working, "b-1", 0), (Working, "b-1", 960)], None, 17, "stalled 17 min");
        // Another bead, or another state before, is progress.
        check(&[(Working, "b-1", 0), (Working, "b-2", 960)], None, 17, "working");
        check(&[(Working, "b-1", 0), (Stuck, "b-1", 3_000), (Working, "b-1", 3_060)], None, 52, "working");
        // A state without a bead says nothing of the hook.
        check(&[(Working, "b-1", 0), (Working, "", 960)], None, 17, "stalled 17 min");
        // Who is idle, stuck or leaving is not stalled, nor is who has nothing hooked.
        check(&[(Working, "b-1", 0), (Idle, "b-1", 60)], None, 40, "idle");
        check(&[(Working, "b-1", 0), (Stuck, "b-1", 60)], None, 40, "stuck");
        check(&[(Working, "b-1", 0), (Exiting, "", 60)], None, 40, "exiting");
        check(&[(Working, "", 0)], None, 40, "idle");
        check(&[(Working, "b-1", 0), (Idle, "", 60), (Working, "", 2_400)], None, 56, "idle");
        // Hooked anew after a rest, the time begins then.
        check(&[(Working, "b-1", 0), (Idle, "", 60), (Working, "b-1", 3_600)], None, 62, "working");
        check(&[(Working, "b-1", 0), (Idle, "", 60), (Working, "b-1", 3_600)], None, 76, "stalled 16 min");
    }

    #[test]
    fn a_bead_that_was_closed_is_no_hooked_work() {
        let mut row = hooked(&[(AgentState::Working, "b-1", 0)], None);
        let late = T0.plus_seconds(2_000);
        assert_eq!(row.status(late), AgentStatus::GuppViolation);
        row.hook.as_mut().unwrap().closed = true;
        assert_eq!(row.status(late), AgentStatus::Idle);
        // Its agent may go on naming it.
        let mut again = agent(Some((AgentState::Working, 1_900)), None);
        again.hook = Hook::said(AgentState::Working, BeadId::new("b-1").ok().as_ref(), T0.plus_seconds(1_900));
        row.merge(again);
        assert_eq!(row.untouched_s(late.plus_seconds(9_000)), None);
    }

    /// What a bead says at `s`, with what is on the hook then.
    fn record(row: &mut AgentRow, state: AgentState, bead: &str, s: i64) {
        told(row, Evidence::Record, state, bead, s);
    }

    /// What `by` says at `s`, with what is on the hook then.
    fn told(row: &mut AgentRow, by: Evidence, state: AgentState, bead: &str, s: i64) {
        let at = T0.plus_seconds(s);
        row.hear(Saying { by, state, at });
        let hooked = Hook::said(state, BeadId::new(bead).ok().as_ref(), at);
        row.hook = match (row.hook.take(), hooked) {
            (Some(mine), Some(theirs)) => Some(mine.merge(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        row.last_seen = row.last_seen.max(at);
    }

    #[test]
    fn the_bead_speaks_where_the_agent_itself_is_silent() {
        let check = |said, state, s: i64, now: i64, want| {
            let mut row = agent(said, None);
            record(&mut row, state, "", s);
            assert_eq!(row.status(T0.plus_seconds(now)), want, "{said:?} {state:?} {s} {now}");
        };
        use AgentState::{Exiting, Gone, Idle, Stuck, Working};
        check(None, Working, 0, 899, AgentStatus::Working);
        check(None, Working, 0, 900, AgentStatus::Idle);
        check(None, Stuck, 0, 5_000, AgentStatus::Stuck);
        check(None, Idle, 0, 5_000, AgentStatus::Idle);
        check(None, Gone, 0, 1, AgentStatus::Gone);
        // A fresh heartbeat wins, a stale one does not.
        check(Some((Working, 0)), Gone, 60, 179, AgentStatus::Working);
        check(Some((Working, 0)), Gone, 60, 180, AgentStatus::Gone);
        check(Some((Idle, 0)), Working, 60, 179, AgentStatus::Idle);
        check(Some((Idle, 0)), Working, 60, 180, AgentStatus::Working);
        // A bead that is older than the last heartbeat says nothing new.
        check(Some((Exiting, 100)), Working, 60, 500, AgentStatus::Exiting);
    }

    #[test]
    fn gt_status_speaks_where_the_bead_is_silent_or_has_grown_stale() {
        use AgentState::{Gone, Idle, Stuck, Working};
        let check = |bead: Option<(AgentState, i64)>, status: (AgentState, i64), now: i64, want| {
            let mut row = agent(None, None);
            if let Some((state, s)) = bead {
                record(&mut row, state, "", s);
            }
            told(&mut row, Evidence::Status, status.0, "", status.1);
            assert_eq!(row.status(T0.plus_seconds(now)), want, "{bead:?} {status:?} {now}");
        };
        check(None, (Working, 0), 899, AgentStatus::Working);
        check(None, (Working, 0), 900, AgentStatus::Idle);
        check(None, (Stuck, 0), 5_000, AgentStatus::Stuck);
        check(None, (Gone, 0), 1, AgentStatus::Gone);
        // A later word of it does not outrank a fresh bead; a stale one it does.
        check(Some((Working, 0)), (Gone, 60), 899, AgentStatus::Working);
        check(Some((Working, 0)), (Gone, 60), 900, AgentStatus::Gone);
        check(Some((Gone, 0)), (Idle, 60), 899, AgentStatus::Gone);
        check(Some((Gone, 0)), (Idle, 60), 900, AgentStatus::Idle);
        check(Some((Stuck, 60)), (Idle, 0), 5_000, AgentStatus::Stuck);
    }

    #[test]
    fn work_that_is_seen_later_than_the_bead_was_written_counts() {
        let mut row = agent(None, Some(100));
        record(&mut row, AgentState::Gone, "", 60);
        assert_eq!(row.status(T0.plus_seconds(200)), AgentStatus::Working);
        record(&mut row, AgentState::Gone, "", 101);
        assert_eq!(row.status(T0.plus_seconds(279)), AgentStatus::Working);
        assert_eq!(row.status(T0.plus_seconds(280)), AgentStatus::Gone);
    }

    #[test]
    fn hooked_work_of_a_bead_stalls_as_well() {
        let mut row = agent(None, None);
        record(&mut row, AgentState::Working, "b-1", 0);
        assert_eq!(row.status(T0.plus_seconds(899)), AgentStatus::Working);
        assert_eq!(row.status(T0.plus_seconds(900)), AgentStatus::Stalled);
        assert_eq!(row.status(T0.plus_seconds(1_800)), AgentStatus::GuppViolation);
        record(&mut row, AgentState::Gone, "", 1_801);
        assert_eq!(row.status(T0.plus_seconds(1_802)), AgentStatus::Gone);
    }

    #[test]
    fn a_terminal_that_moves_means_work_for_five_minutes_if_something_is_hooked() {
        let mut row = agent(None, None);
        row.hear(Saying { by: Evidence::Terminal, state: AgentState::Working, at: T0 });
        assert_eq!(row.status(T0.plus_seconds(1)), AgentStatus::Idle);
        record(&mut row, AgentState::Working, "b-1", -3_600);
        row.hook.as_mut().unwrap().since = T0;
        assert_eq!(row.status(T0.plus_seconds(299)), AgentStatus::Working);
        assert_eq!(row.status(T0.plus_seconds(300)), AgentStatus::Idle);
        assert_eq!(row.status(T0.plus_seconds(900)), AgentStatus::Stalled);
        // It ranks below a bead that is fresh, and below the agent itself.
        record(&mut row, AgentState::Stuck, "b-1", -60);
        assert_eq!(row.status(T0.plus_seconds(1)), AgentStatus::Stuck);
        row.said = Some((AgentState::Exiting, T0.plus_seconds(-10)));
        assert_eq!(row.status(T0.plus_seconds(1)), AgentStatus::Exiting);
    }
}
