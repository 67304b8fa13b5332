//! Everyone in a town, and who has changed since viewers were last told.

use std::collections::{BTreeSet, VecDeque};

use foldhash::{HashMap, HashSet};
use model::event::{BeadEdge, Event, PricedEvent};
use model::evidence::{Evidence, Saying};
use model::hook::Hook;
use model::id::{AgentName, BeadId, RigName};
use model::roster::{AgentRow, AgentStatus};
use model::time::Timestamp;

/// Agents that a town's roster holds at most; beyond it the ones seen longest ago are left out.
pub const MAX_AGENTS: usize = 2_000;
/// Closed beads that are remembered, the newest: agents may still name them.
const MAX_CLOSED: usize = 20_000;

/// The roster with what viewers know of it.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    agents: Vec<AgentRow>,
    places: HashMap<(Option<RigName>, AgentName), usize>,
    shown: Vec<AgentStatus>,
    changed: BTreeSet<usize>,
    closed: HashSet<BeadId>,
    /// The same, in the order of their coming.
    closed_order: VecDeque<BeadId>,
}

impl Roster {
    /// A roster as the database has it.
    #[must_use]
    pub fn new(agents: Vec<AgentRow>, now: Timestamp) -> Self {
        let mut roster = Self::default();
        for agent in agents {
            roster.merge(agent, now);
        }
        roster.changed.clear();
        roster
    }

    /// Takes over what an event says about its agent.
    pub fn fold(&mut self, priced: &PricedEvent, now: Timestamp) {
        let envelope = &priced.envelope;
        if let (Event::Bead(BeadEdge::Closed), Some(bead)) = (&envelope.event, &envelope.bead) {
            self.close(bead);
        }
        let Some(name) = envelope.agent.clone() else { return };
        let mut row = AgentRow {
            session: envelope.session.clone(),
            bead: envelope.bead.clone(),
            worked: envelope.is_activity().then_some(envelope.at),
            progressed: envelope.event.is_progress().then_some(envelope.at),
            ..AgentRow::new(envelope.rig.clone(), name, envelope.role, envelope.at)
        };
        if let Event::AgentState(state) = envelope.event {
            row.hear(Saying { by: Evidence::of(&envelope.source), state, at: envelope.at });
            row.hook = Hook::said(state, envelope.bead.as_ref(), envelope.at)
                .map(|hook| Hook { closed: hook.bead.as_ref().is_some_and(|bead| self.closed.contains(bead)), ..hook });
        }
        self.merge(row, now);
    }

    /// A closed bead is nobody's hooked work.
    fn close(&mut self, bead: &BeadId) {
        if !self.closed.insert(bead.clone()) {
            return;
        }
        self.closed_order.push_back(bead.clone());
        if self.closed_order.len() > MAX_CLOSED
            && let Some(oldest) = self.closed_order.pop_front()
        {
            self.closed.remove(&oldest);
        }
        for (place, agent) in self.agents.iter_mut().enumerate() {
            if let Some(hook) = agent.hook.as_mut().filter(|hook| hook.bead.as_ref() == Some(bead) && !hook.closed) {
                hook.closed = true;
                self.changed.insert(place);
            }
        }
    }

    fn merge(&mut self, row: AgentRow, now: Timestamp) {
        let key = (row.rig.clone(), row.name.clone());
        if let Some(place) = self.places.get(&key).copied() {
            self.agents[place].merge(row);
            self.changed.insert(place);
        } else if !row.is_forgotten(now) {
            if self.agents.len() >= MAX_AGENTS && !self.forget_gone(now) {
                return;
            }
            self.places.insert(key, self.agents.len());
            self.changed.insert(self.agents.len());
            self.shown.push(row.status(now));
            self.agents.push(row);
        }
    }

    /// Makes room; `false` when everyone is still around.
    fn forget_gone(&mut self, now: Timestamp) -> bool {
        let changed: Vec<_> = std::mem::take(&mut self.changed).into_iter().map(|i| self.agents[i].clone()).collect();
        let before = self.agents.len();
        self.agents.retain(|agent| agent.status(now) != AgentStatus::Gone);
        self.shown = self.agents.iter().map(|agent| agent.status(now)).collect();
        self.places = (0..).zip(&self.agents).map(|(i, a)| ((a.rig.clone(), a.name.clone()), i)).collect();
        let place = |a: AgentRow| self.places.get(&(a.rig, a.name)).copied();
        self.changed = changed.into_iter().filter_map(place).collect();
        self.agents.len() < before
    }

    /// Agents at work, and agents around.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> (u32, u32) {
        let (mut working, mut known) = (0, 0);
        for agent in &self.agents {
            match agent.status(now) {
                AgentStatus::Working => (working, known) = (working + 1, known + 1),
                AgentStatus::Gone => {}
                AgentStatus::Stuck
                | AgentStatus::GuppViolation
                | AgentStatus::Stalled
                | AgentStatus::Idle
                | AgentStatus::Exiting => known += 1,
            }
        }
        (working, known)
    }

    /// Notes whose status changed because time passed.
    pub fn age(&mut self, now: Timestamp) {
        for (place, agent) in self.agents.iter().enumerate() {
            let status = agent.status(now);
            if self.shown[place] != status {
                self.shown[place] = status;
                self.changed.insert(place);
            }
        }
    }

    /// Whether somebody changed since [`Roster::take`].
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Who changed since the last call.
    pub fn take(&mut self) -> Vec<AgentRow> {
        std::mem::take(&mut self.changed).into_iter().map(|place| self.agents[place].clone()).collect()
    }

    /// Everyone who is around: by role, rig and name.
    #[must_use]
    pub fn rows(&self, now: Timestamp) -> Vec<AgentRow> {
        let mut rows: Vec<_> = self.agents.iter().filter(|a| a.status(now) != AgentStatus::Gone).cloned().collect();
        rows.sort_by(|a, b| (a.role, &a.rig, &a.name).cmp(&(b.role, &b.rig, &b.name)));
        rows
    }
}

#[cfg(test)]
mod tests {
    use model::event::AgentState;

    use super::*;
    use crate::hub::fixture::{T0, call};

    /// An event of `toast` about `bead`.
    fn of_bead(at: Timestamp, bead: &str, event: Event) -> PricedEvent {
        let mut priced = call(at, 1);
        priced.envelope.bead = BeadId::new(bead).ok();
        priced.envelope.event = event;
        priced.cost = None;
        priced
    }

    #[test]
    fn an_agent_appears_with_its_first_event_and_stops_working_by_itself() {
        let mut roster = Roster::default();
        roster.fold(&call(T0, 1), T0);
        assert_eq!(roster.counts(T0), (1, 1));
        assert_eq!(roster.take().len(), 1);
        roster.age(T0.plus_seconds(60));
        assert!(!roster.is_changed());
        roster.age(T0.plus_seconds(180));
        assert_eq!((roster.take().len(), roster.counts(T0.plus_seconds(180))), (1, (0, 1)));
        assert!(roster.rows(T0.plus_seconds(86_400)).is_empty());
    }

    #[test]
    fn history_does_not_bring_back_those_who_are_gone() {
        let mut roster = Roster::default();
        roster.fold(&call(T0, 1), T0.plus_seconds(100_000));
        assert_eq!(roster.counts(T0.plus_seconds(100_000)), (0, 0));
        assert!(!roster.is_changed());
    }

    #[test]
    fn the_roster_is_bounded() {
        let mut roster = Roster::default();
        for i in 0..=MAX_AGENTS {
            let mut event = call(T0, 1);
            event.envelope.agent = Some(AgentName::new(&format!("a{i}")).unwrap());
            roster.fold(&event, T0);
        }
        assert_eq!(roster.rows(T0).len(), MAX_AGENTS);
    }

    #[test]
    fn hooked_work_stalls_by_itself_and_a_call_ends_it() {
        let mut roster = Roster::default();
        roster.fold(&of_bead(T0, "b-1", Event::AgentState(AgentState::Working)), T0);
        roster.take();
        let stalled = T0.plus_seconds(900);
        roster.age(stalled);
        let rows = roster.take();
        assert_eq!((rows[0].status(stalled), roster.counts(stalled)), (AgentStatus::Stalled, (0, 1)));
        roster.fold(&call(stalled, 1), stalled);
        assert_eq!((roster.take()[0].status(stalled), roster.counts(stalled)), (AgentStatus::Working, (1, 1)));
    }

    #[test]
    fn a_bead_that_anybody_closes_is_off_the_hook_before_and_after() {
        let working = |at| of_bead(at, "b-1", Event::AgentState(AgentState::Working));
        let closed = |at| PricedEvent {
            envelope: model::Envelope { agent: None, ..of_bead(at, "b-1", Event::Bead(BeadEdge::Closed)).envelope },
            cost: None,
        };
        let late = T0.plus_seconds(2_000);
        let mut told_in_order = Roster::default();
        told_in_order.fold(&working(T0), T0);
        assert_eq!(told_in_order.rows(late)[0].status(late), AgentStatus::GuppViolation);
        told_in_order.take();
        told_in_order.fold(&closed(T0.plus_seconds(60)), T0);
        let mut the_other_way = Roster::default();
        the_other_way.fold(&closed(T0.plus_seconds(60)), T0);
        the_other_way.fold(&working(T0), T0);
        for mut roster in [told_in_order, the_other_way] {
            assert_eq!(roster.take()[0].status(late), AgentStatus::Idle);
        }
    }
}
