//! What changed since `gt status` was asked last.

use std::collections::HashMap;

use model::event::{AgentState, Envelope, Event};
use model::id::{BeadId, EventKey, SourceName};
use model::time::Timestamp;

use super::SOURCE;
use super::answer::Said;
use crate::source::gas_town::Member;
use crate::source::identity;

/// Agents that are looked at.
const MAX_AGENTS: usize = 5_000;

/// What is known of each agent.
#[derive(Debug, Default)]
pub(super) struct Agents {
    known: HashMap<(Option<String>, String), (AgentState, Option<BeadId>)>,
}

impl Agents {
    /// The news at `now`: agents of whom something else is said than before. Who is gone and was never seen otherwise is no
    /// news.
    pub(super) fn news(&mut self, said: Vec<Said>, now: Timestamp) -> Vec<Envelope> {
        let mut news = Vec::new();
        for Said { member, state, hook } in said.into_iter().take(MAX_AGENTS) {
            let name = (member.rig.as_ref().map(ToString::to_string), member.agent.to_string());
            let before = self.known.insert(name, (state, hook.clone()));
            let is_old =
                before.as_ref() == Some(&(state, hook.clone())) || (before.is_none() && state == AgentState::Gone);
            if !is_old {
                news.extend(event(member, state, hook, now));
            }
        }
        if self.known.len() > MAX_AGENTS {
            self.known.clear();
        }
        news
    }

    /// Forgets what was told: it did not arrive.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

fn event(member: Member, state: AgentState, hook: Option<BeadId>, now: Timestamp) -> Option<Envelope> {
    // By the minute: two who ask the same town tell the same.
    let at = now.floor_to(60);
    let rig = member.rig.as_ref().map_or("", |rig| rig.as_str());
    let parts = [rig, member.agent.as_str(), state.name(), hook.as_ref().map_or("", BeadId::as_str)];
    Some(Envelope {
        at,
        key: EventKey(identity::hash("gt status", &parts.map(str::as_bytes))),
        claim: None,
        source: SourceName::new(SOURCE).ok()?,
        rig: member.rig,
        role: member.role,
        agent: Some(member.agent),
        session: None,
        bead: hook,
        event: Event::AgentState(state),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_771_999_990);

    fn said(address: &str, state: AgentState, hook: Option<&str>) -> Said {
        Said { member: Member::at(address).unwrap(), state, hook: hook.map(|hook| BeadId::new(hook).unwrap()) }
    }

    #[test]
    fn only_what_changed_is_told_and_what_did_not_arrive_is_told_again() {
        use AgentState::{Gone, Idle, Working};
        let mut agents = Agents::default();
        let mut told = |all: Vec<Said>| -> Vec<(String, Event)> {
            let news = agents.news(all, NOW);
            news.into_iter().map(|event| (event.agent.unwrap().to_string(), event.event)).collect()
        };
        let max = |state, hook| said("gastown/crew/max", state, hook);
        let toast = |state| said("gastown/polecats/toast", state, None);
        let working = ("max".to_owned(), Event::AgentState(Working));
        assert_eq!(
            told(vec![max(Working, Some("gt-1")), toast(Gone)]),
            std::slice::from_ref(&working),
            "never seen, and gone"
        );
        assert!(told(vec![max(Working, Some("gt-1")), toast(Gone)]).is_empty());
        assert_eq!(told(vec![max(Working, Some("gt-2")), toast(Idle)]).len(), 2);
        assert_eq!(told(vec![toast(Gone)]), [("toast".to_owned(), Event::AgentState(Gone))]);
        agents.forget();
        assert_eq!(agents.news(vec![max(Working, Some("gt-2"))], NOW).len(), 1);
    }

    #[test]
    fn two_who_ask_within_a_minute_tell_the_same_event() {
        let ask = |now| Agents::default().news(vec![said("mayor", AgentState::Working, None)], now);
        assert_eq!(ask(NOW), ask(NOW.plus_seconds(20)));
        assert_ne!(ask(NOW), ask(NOW.plus_seconds(60)));
    }
}
