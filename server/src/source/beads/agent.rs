//! Agents' beads: what Gas Town has written down of an agent's state, and of the bead on its hook.
//!
//! It stands in lines of the description (`agent_state: working`, `null` for nothing), beside texts that are not read.
//! The columns of the same names are older and often stale: they count only where the description has no such line.

use model::event::{AgentState, Envelope, Event};
use model::id::{BeadId, EventKey, RigName, Role, SourceName};
use model::time::Timestamp;

use super::SOURCE;
use crate::source::gas_town::{Member, state};
use crate::source::identity;

/// Roles with a name behind them, as in `gt-gastown-polecat-toast`.
const NAMED: [&str; 3] = ["crew", "polecat", "dog"];
/// Roles of which there is one, as in `gt-gastown-witness`.
const SINGLE: [&str; 4] = ["mayor", "deacon", "witness", "refinery"];

/// An agent's bead.
#[derive(Debug, Clone, Copy)]
pub(super) struct AgentBead<'a> {
    /// `<prefix>-<rig>-<role>[-<name>]`
    pub id: &'a str,
    /// The whole text.
    pub description: &'a str,
    /// The column `agent_state`.
    pub state: Option<&'a str>,
    /// The column `hook_bead`.
    pub hook: Option<&'a str>,
    /// The column `role_type`.
    pub role: Option<&'a str>,
    /// The column `rig`.
    pub rig: Option<&'a str>,
    /// Closed or deleted: an agent that was removed for good.
    pub closed: bool,
    /// When it was written last.
    pub at: Timestamp,
}

/// What an agent's bead says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// Its agent's state.
    State(Box<Envelope>),
    /// Nothing: no state yet, or nobody whom its id names.
    Nothing,
    /// A state that this version does not know.
    Unknown,
}

impl AgentBead<'_> {
    /// What it says of its agent; `rig` is whose file it stands in.
    pub(super) fn said(&self, rig: Option<&RigName>) -> Said {
        let Some(member) = self.member(rig) else { return Said::Nothing };
        let state = match self.state() {
            _ if self.closed => AgentState::Gone,
            None => return Said::Nothing,
            Some(raw) => match state(raw) {
                Some(state) => state,
                None => return Said::Unknown,
            },
        };
        let hook = match field(self.description, "hook_bead") {
            Some(hook) => hook,
            None => self.hook.unwrap_or_default(),
        };
        let hook = BeadId::new(hook).ok().filter(|_| state != AgentState::Gone);
        let parts = [self.id, state.name(), hook.as_ref().map_or("", BeadId::as_str)];
        let Ok(source) = SourceName::new(SOURCE) else { return Said::Nothing };
        Said::State(Box::new(Envelope {
            at: self.at,
            key: EventKey(identity::hash("agent bead", &parts.map(str::as_bytes))),
            claim: None,
            source,
            rig: member.rig,
            role: member.role,
            agent: Some(member.agent),
            session: None,
            bead: hook,
            event: Event::AgentState(state),
        }))
    }

    /// As Gas Town resolves it: the column is for beads whose description does not tell.
    fn state(&self) -> Option<&str> {
        [field(self.description, "agent_state"), self.state].into_iter().flatten().find(|state| !state.is_empty())
    }

    /// Who the agent is, by its id. Rigs' names, and agents' too, may contain dashes and names of roles: the description
    /// says which role it is.
    fn member(&self, of_file: Option<&RigName>) -> Option<Member> {
        let told = |name: &str, column: Option<&'_ str>| {
            let line = field(self.description, name).or(column).unwrap_or_default();
            (!line.is_empty()).then(|| line.to_owned())
        };
        let role = told("role_type", self.role);
        let is_role = |word: &str| role.as_deref().is_none_or(|role| role == word);
        let words: Vec<&str> = self.id.split('-').skip(1).collect();
        let last = words.len().checked_sub(1)?;
        let named = words[..last].iter().rposition(|word| NAMED.contains(word) && is_role(word));
        let single = || (SINGLE.contains(&words[last]) && is_role(words[last])).then_some(last);
        let place = named.or_else(single)?;
        let name = if named.is_some() { words[place + 1..].join("-") } else { words[place].to_owned() };
        let before = Some(words[..place].join("-")).filter(|rig| !rig.is_empty());
        let rig = told("rig", self.rig).or(before).or_else(|| of_file.map(|rig| rig.as_str().to_owned()));
        match words[place] {
            "dog" => Member::new(None, Role::Deacon, &name),
            word @ ("mayor" | "deacon") => Member::new(None, Role::parse(word), &name),
            word => Member::new(Some(rig?.as_str()), Role::parse(word), &name),
        }
    }
}

/// The value of the description's line `name: value`, the last one if there are several; empty for `null`. None without
/// such a line.
fn field<'a>(description: &'a str, name: &str) -> Option<&'a str> {
    let value = description.lines().rev().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })?;
    Some(if value == "null" { "" } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: Timestamp = Timestamp::from_seconds(1_772_000_000);

    fn bead<'a>(id: &'a str, description: &'a str) -> AgentBead<'a> {
        AgentBead { id, description, state: None, hook: None, role: None, rig: None, closed: false, at: AT }
    }

    fn event(bead: &AgentBead<'_>, rig: Option<&str>) -> Envelope {
        let rig = rig.map(|rig| RigName::new(rig).unwrap());
        match bead.said(rig.as_ref()) {
            Said::State(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ids_name_rig_role_and_agent() {
        let check = |id: &str, lines: &str, file: Option<&str>, want: (Option<&str>, Role, &str)| {
            let description = format!("Title: with a colon\n\n{lines}\nagent_state: idle");
            let event = event(&bead(id, &description), file);
            let got = (event.rig.as_ref().map(RigName::as_str), event.role, event.agent.as_ref().unwrap().as_str());
            assert_eq!(got, want, "{id}");
        };
        check("gt-gastown-polecat-toast", "", None, (Some("gastown"), Role::Polecat, "toast"));
        check("gt-gastown-crew-max", "", None, (Some("gastown"), Role::Crew, "max"));
        check("gt-gastown-witness", "", None, (Some("gastown"), Role::Witness, "witness"));
        check("bd-my-rig-refinery", "", None, (Some("my-rig"), Role::Refinery, "refinery"));
        check("bd-my-rig-polecat-nux-2", "", None, (Some("my-rig"), Role::Polecat, "nux-2"));
        check("hq-mayor", "rig: null", Some("gastown"), (None, Role::Mayor, "mayor"));
        check("hq-dog-alpha", "role_type: dog", None, (None, Role::Deacon, "alpha"));
        // A prefix that is the rig's name is not said twice.
        check("ff-witness", "rig: ff", None, (Some("ff"), Role::Witness, "witness"));
        check("ff-crew-bob", "", Some("ff"), (Some("ff"), Role::Crew, "bob"));
        // Names that are words for roles.
        check("gt-gastown-polecat-witness", "", None, (Some("gastown"), Role::Polecat, "witness"));
        check(
            "gt-gastown-polecat-crew-x",
            "role_type: polecat\nrig: gastown",
            None,
            (Some("gastown"), Role::Polecat, "crew-x"),
        );
        check("gt-deep-in-crew-max", "rig: in", None, (Some("in"), Role::Crew, "max"));
    }

    #[test]
    fn what_names_nobody_or_says_nothing_is_no_event() {
        for id in ["gt", "gt-", "gt-gastown", "gt-crew", "gt-gastown-polecat", "gt-witness-of-x", "gt-polecat-toast"] {
            assert_eq!(bead(id, "agent_state: idle").said(None), Said::Nothing, "{id}");
        }
        assert_eq!(bead("gt-a-witness", "role_type: polecat\nagent_state: idle").said(None), Said::Nothing);
        assert_eq!(bead("gt-a-witness", "").said(None), Said::Nothing);
        assert_eq!(bead("gt-a-witness", "agent_state: null").said(None), Said::Nothing);
        assert_eq!(bead("gt-a-witness", "agent_state: brand-new").said(None), Said::Unknown);
    }

    #[test]
    fn every_state_means_something() {
        use AgentState::{Gone, Idle, Stuck, Working};
        for (raw, want) in [
            ("spawning", Working),
            ("working", Working),
            ("running", Working),
            ("idle", Idle),
            ("done", Idle),
            ("awaiting-gate", Idle),
            ("stuck", Stuck),
            ("escalated", Stuck),
            ("nuked", Gone),
        ] {
            let description = format!("agent_state: {raw}\nhook_bead: gt-1");
            let event = event(&bead("gt-a-polecat-b", &description), None);
            let hook = (want != Gone).then_some("gt-1");
            assert_eq!(
                (event.event, event.bead.as_ref().map(BeadId::as_str)),
                (Event::AgentState(want), hook),
                "{raw}"
            );
        }
    }

    #[test]
    fn the_description_wins_over_stale_columns() {
        let columns = AgentBead { state: Some("working"), hook: Some("gt-old"), ..bead("gt-a-crew-b", "") };
        let told = |description| {
            let event = event(&AgentBead { description, ..columns }, None);
            (event.event, event.bead.map(|bead| bead.as_str().to_owned()))
        };
        let old = || Some("gt-old".to_owned());
        assert_eq!(told(""), (Event::AgentState(AgentState::Working), old()));
        assert_eq!(told("agent_state: nuked\nhook_bead: null"), (Event::AgentState(AgentState::Gone), None));
        assert_eq!(told("agent_state: stuck\nhook_bead: null"), (Event::AgentState(AgentState::Stuck), None));
        assert_eq!(told("agent_state: stuck\r\n"), (Event::AgentState(AgentState::Stuck), old()));
        assert_eq!(told("agent_state: null"), (Event::AgentState(AgentState::Working), old()));
        assert_eq!(told("agent_state: idle\nAgent_State: stuck").0, Event::AgentState(AgentState::Stuck));
        let closed = AgentBead { closed: true, ..columns };
        assert_eq!(event(&closed, None).event, Event::AgentState(AgentState::Gone));
    }

    #[test]
    fn the_same_state_is_the_same_event_and_another_one_is_not() {
        let key = |description| event(&bead("gt-a-crew-b", description), None).key;
        let working = "agent_state: working\nhook_bead: gt-1";
        assert_eq!(key(working), key("some text\nagent_state: working\nhook_bead: gt-1\ncleanup_status: clean"));
        assert_ne!(key(working), key("agent_state: working\nhook_bead: gt-2"));
        assert_ne!(key(working), key("agent_state: stuck\nhook_bead: gt-1"));
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic_and_are_not_kept(id in "[a-z-]{0,20}", text in "(?s).{0,200}") {
            let bead = AgentBead { closed: true, ..bead(&id, &text) };
            let _ = bead.said(None);
            let secret = format!("{text}\nnotes: SECRET\nagent_state: idle");
            let said = AgentBead { description: &secret, ..bead }.said(RigName::new("r").ok().as_ref());
            let shown = format!("{said:?}");
            prop_assert!(!shown.contains("SECRET"), "{}", shown);
        }
    }
}
