//! Everyone in a town, and who has changed since viewers were last told.

use std::collections::BTreeSet;

use foldhash::HashMap;
use model::event::{Event, PricedEvent};
use model::id::{AgentName, RigName};
use model::roster::{AgentRow, AgentStatus};
use model::time::Timestamp;

/// Agents that a town's roster holds at most; beyond it the ones seen longest ago are left out.
pub const MAX_AGENTS: usize = 2_000;

/// The roster with what viewers know of it.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    agents: Vec<AgentRow>,
    places: HashMap<(Option<RigName>, AgentName), usize>,
    shown: Vec<AgentStatus>,
    changed: BTreeSet<usize>,
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
        let Some(name) = envelope.agent.clone() else { return };
        let said = match envelope.event {
            Event::AgentState(state) => Some((state, envelope.at)),
            _ => None,
        };
        let row = AgentRow {
            rig: envelope.rig.clone(),
            name,
            role: envelope.role,
            session: envelope.session.clone(),
            bead: envelope.bead.clone(),
            said,
            worked: envelope.event.is_activity().then_some(envelope.at),
            first_seen: envelope.at,
            last_seen: envelope.at,
        };
        self.merge(row, now);
    }

    fn merge(&mut self, row: AgentRow, now: Timestamp) {
        let key = (row.rig.clone(), row.name.clone());
        if let Some(place) = self.places.get(&key).copied() {
            self.agents[place].merge(row);
            self.changed.insert(place);
        } else if row.status(now) != AgentStatus::Gone {
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
                AgentStatus::Stuck | AgentStatus::Idle | AgentStatus::Exiting => known += 1,
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
    use super::*;
    use crate::hub::fixture::{T0, call};

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
}
