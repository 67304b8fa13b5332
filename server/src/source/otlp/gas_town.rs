//! Gas Town's own events (FORMATS 1.5): who came, went and said how it is. `agent.usage` repeats a call per content
//! block without naming it, so it is counted as not understood rather than as calls.

use model::event::{Event, SessionEdge};
use model::id::{AgentName, BeadId, RigName, Role, SessionId};

use super::belonging::Belonging;
use super::record::{Mapped, Record};
use crate::source::gas_town;

/// Its events' names stand in the records' bodies. Only these are taken for names: another body may be a message.
const NAMES: [&str; 25] = [
    "agent.event",
    "agent.instantiate",
    "agent.state_change",
    "agent.usage",
    "bd.call",
    "bead.create",
    "convoy.create",
    "daemon.restart",
    "done",
    "formula.instantiate",
    "mail",
    "mol.burn",
    "mol.cook",
    "mol.squash",
    "mol.wisp",
    "nudge",
    "pane.output",
    "polecat.remove",
    "polecat.spawn",
    "prime",
    "prime.context",
    "prompt.send",
    "session.start",
    "session.stop",
    "sling",
];

/// The event's name, if the body is one.
pub(super) fn name(body: &str) -> Option<&str> {
    NAMES.contains(&body).then_some(body)
}

/// What becomes of an event.
pub(super) fn map(record: &Record<'_>) -> Mapped {
    let told = &record.attributes;
    let mut who = record.who.clone();
    let event = match record.name {
        "agent.instantiate" => {
            session(record, &mut who);
            let name = |key: &str| told.text(key);
            who.rig = name("rig").and_then(|rig| RigName::new(rig).ok()).or(who.rig);
            who.agent = name("agent_name").and_then(|agent| AgentName::new(agent).ok()).or(who.agent);
            who.bead = name("issue_id").and_then(|bead| BeadId::new(bead).ok()).or(who.bead);
            Event::Session(SessionEdge::Started)
        }
        "session.start" => {
            session(record, &mut who);
            Event::Session(SessionEdge::Started)
        }
        "session.stop" => {
            session(record, &mut who);
            Event::Session(SessionEdge::Ended)
        }
        "agent.state_change" => {
            let Some(state) = told.text("new_state").and_then(gas_town::state) else { return Ok(None) };
            let id = told.text("agent_id").ok_or("attribute \"agent_id\" is missing")?;
            let Some(bead) = AgentBead::parse(id) else { return Ok(None) };
            who.rig = bead.rig.and_then(|rig| RigName::new(rig).ok()).or(who.rig);
            who.role = bead.role;
            who.agent = AgentName::new(bead.name).ok();
            who.bead = told.text("hook_bead").and_then(|bead| BeadId::new(bead).ok()).or(who.bead);
            Event::AgentState(state)
        }
        _ => return Ok(None),
    };
    let agent = who.agent.as_ref().map_or("", AgentName::as_str);
    let session = who.session.as_ref().map_or("", SessionId::as_str);
    let key = record.id(&[agent.as_bytes(), session.as_bytes()]);
    Ok(Some(vec![who.envelope(record.at, key, None, event)]))
}

fn session(record: &Record<'_>, who: &mut Belonging) {
    let told = &record.attributes;
    who.session = told.text("session_id").and_then(|session| SessionId::new(session).ok()).or(who.session.take());
    let role = told.text("role").map_or(Role::Other, Role::parse);
    who.role = if role == Role::Other { who.role } else { role };
}

/// An agent by its bead's id: `<prefix>-<rig>-<role>[-<name>]`, `<prefix>-mayor` (FORMATS 1.4).
#[derive(Debug, PartialEq, Eq)]
struct AgentBead<'a> {
    rig: Option<&'a str>,
    role: Role,
    name: &'a str,
}

impl<'a> AgentBead<'a> {
    fn parse(id: &'a str) -> Option<Self> {
        let (_, rest) = id.split_once('-')?;
        for word in ["polecat", "crew", "dog"] {
            let (rig, name) = match rest.strip_prefix(word).and_then(|name| name.strip_prefix('-')) {
                Some(name) => (None, name),
                None => match rest.split_once(&format!("-{word}-")) {
                    Some((rig, name)) => (Some(rig), name),
                    None => continue,
                },
            };
            return (!name.is_empty()).then_some(Self { rig, role: Role::parse(word), name });
        }
        let (rig, name) = rest.rsplit_once('-').map_or((None, rest), |(rig, name)| (Some(rig), name));
        let role = Role::parse(name);
        (role != Role::Other).then_some(Self { rig, role, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bead_of_an_agent_names_it() {
        let check = |id: &str, want: Option<(Option<&str>, Role, &str)>| {
            assert_eq!(AgentBead::parse(id).map(|bead| (bead.rig, bead.role, bead.name)), want, "{id}");
        };
        check("gt-gastown-polecat-toast", Some((Some("gastown"), Role::Polecat, "toast")));
        check("gt-gas-town-crew-max", Some((Some("gas-town"), Role::Crew, "max")));
        check("gt-gastown-witness", Some((Some("gastown"), Role::Witness, "witness")));
        check("hq-mayor", Some((None, Role::Mayor, "mayor")));
        check("hq-dog-alpha", Some((None, Role::Deacon, "alpha")));
        check("gt-69dai", None);
    }
}
