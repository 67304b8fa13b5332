//! The answer of `gt status --json`: of each agent who it is, whether its session runs, and what it is said to do. Titles
//! of its work and subjects of its mail are not read.

use model::event::AgentState;
use model::id::BeadId;
use serde::Deserialize;

use crate::source::gas_town::{Member, state};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    agents: Vec<Runtime>,
    rigs: Vec<RigStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RigStatus {
    agents: Vec<Runtime>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Runtime {
    address: String,
    /// It has a terminal.
    running: bool,
    /// It is spoken to by the Agent Client Protocol, and needs no terminal for that.
    acp: bool,
    has_work: bool,
    hook_bead: Option<String>,
    state: Option<String>,
}

/// What is said of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Who.
    pub member: Member,
    /// What it does.
    pub state: AgentState,
    /// What hangs on its hook.
    pub hook: Option<BeadId>,
}

/// Everyone of whom the answer says something that this version understands; none when it is no answer.
pub(super) fn read(json: &[u8]) -> Option<Vec<Said>> {
    let status: Status = serde_json::from_slice(json).ok()?;
    let of_rigs = status.rigs.into_iter().flat_map(|rig| rig.agents);
    Some(status.agents.into_iter().chain(of_rigs).filter_map(said).collect())
}

fn said(runtime: Runtime) -> Option<Said> {
    let member = Member::at(&runtime.address)?;
    let told = runtime.state.as_deref().filter(|raw| !raw.is_empty());
    let told = match told {
        Some(raw) => Some(state(raw)?),
        None => None,
    };
    let state = match (runtime.running || runtime.acp, told) {
        (true, Some(told)) => told,
        (true, None) if runtime.has_work => AgentState::Working,
        (true, None) => AgentState::Idle,
        // At work by its bead, and without a session: Gas Town calls it a zombie.
        (false, Some(AgentState::Working | AgentState::Stuck)) => AgentState::Stuck,
        (false, _) => AgentState::Gone,
    };
    let hook = runtime.hook_bead.as_ref().and_then(|hook| BeadId::new(hook).ok()).filter(|_| state != AgentState::Gone);
    Some(Said { member, state, hook })
}

#[cfg(test)]
mod tests {
    use model::id::Role;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn one(runtime: serde_json::Value) -> Option<(AgentState, Option<String>)> {
        let answer = read(json!({"name": "town", "agents": [runtime]}).to_string().as_bytes()).unwrap();
        let said = answer.into_iter().next()?;
        assert_eq!((said.member.role, said.member.agent.as_str()), (Role::Polecat, "toast"));
        Some((said.state, said.hook.map(|hook| hook.to_string())))
    }

    #[test]
    fn session_work_and_state_make_what_an_agent_does() {
        use AgentState::{Gone, Idle, Stuck, Working};
        let check = |running: bool, work: bool, state: Option<&str>, want: Option<AgentState>| {
            let runtime =
                json!({"address": "gastown/polecats/toast", "running": running, "has_work": work, "state": state});
            assert_eq!(one(runtime).map(|(state, _)| state), want, "{running} {work} {state:?}");
        };
        check(true, true, None, Some(Working));
        check(true, false, None, Some(Idle));
        check(true, true, Some("awaiting-gate"), Some(Idle));
        check(true, false, Some("stuck"), Some(Stuck));
        check(false, true, Some("working"), Some(Stuck));
        check(false, false, Some("idle"), Some(Gone));
        check(false, false, None, Some(Gone));
        check(true, true, Some(""), Some(Working));
        let acp =
            json!({"address": "gastown/toast", "running": false, "acp": true, "has_work": true, "hook_bead": "gt-1"});
        assert_eq!(one(acp), Some((Working, Some("gt-1".to_owned()))));
        // A word that this version does not know says nothing.
        check(true, true, Some("brand-new"), None);
    }

    #[test]
    fn agents_of_the_town_and_of_its_rigs_are_read_and_who_is_nobody_is_not() {
        let answer = json!({
            "name": "town", "daemon": {"running": true}, "agents": [{"address": "mayor/", "running": true}],
            "rigs": [
                {"name": "gastown", "polecats": ["toast"], "agents": [
                    {"address": "gastown/crew/max", "running": true, "has_work": true, "hook_bead": "gt-1", "work_title": "SECRET"},
                    {"address": "a/b/c/d", "running": true}, {"running": true}]},
                {"name": "empty"}],
        });
        let said = read(answer.to_string().as_bytes()).unwrap();
        let names: Vec<_> =
            said.iter().map(|said| (said.member.agent.as_str(), said.hook.as_ref().map(BeadId::as_str))).collect();
        assert_eq!(names, [("mayor", None), ("max", Some("gt-1"))]);
        assert!(!format!("{said:?}").contains("SECRET"));
        assert_eq!(read(b"Error: not in a town"), None);
        assert_eq!(read(b"{}"), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn whatever_is_answered_never_panics(answer in "(?s).{0,200}") {
            let _ = read(answer.as_bytes());
        }
    }
}
