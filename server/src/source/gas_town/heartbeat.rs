//! Heartbeats: what an agent last said of itself, one small file per tmux session, rewritten whole. The roster believes
//! one for three minutes.

use model::event::{AgentState, Envelope, Event};
use model::id::BeadId;
use serde::Deserialize;

use super::member::Member;
use crate::source::claude_code::line::Maybe;
use crate::source::refusal::{Refusal, no_time, not_json};
use crate::source::{identity, rfc3339};

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Heartbeat<'a> {
    timestamp: Maybe<'a>,
    state: Maybe<'a>,
    bead: Maybe<'a>,
}

/// Reads the heartbeat of `session`, who is `member`; `None` when its state is one that this version does not know.
pub(super) fn parse(raw: &[u8], session: &str, member: Member) -> Result<Option<Envelope>, Refusal> {
    let beat: Heartbeat<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
    let at = rfc3339::parse(beat.timestamp.0.as_deref().ok_or("timestamp is missing")?).map_err(no_time)?;
    // The first version had a time only.
    let state = match beat.state.0.as_deref().filter(|state| !state.is_empty()) {
        None => AgentState::Working,
        Some(state) => match super::state(state) {
            Some(state) => state,
            None => return Ok(None),
        },
    };
    let bead = beat.bead.0.as_deref().and_then(|bead| BeadId::new(bead).ok());
    let parts = [session, state.name(), bead.as_ref().map_or("", BeadId::as_str)];
    let key = identity::hash("gas town heartbeat", &parts.map(str::as_bytes));
    Ok(member.did(at, key, None, None, bead, Event::AgentState(state)))
}

#[cfg(test)]
mod tests {
    use model::id::Role;
    use proptest::prelude::*;

    use super::*;

    fn beat(raw: &str) -> Result<Option<Envelope>, Refusal> {
        parse(raw.as_bytes(), "gt-toast", Member::new(Some("gastown"), Role::Polecat, "toast").unwrap())
    }

    #[test]
    fn both_versions_are_read() {
        let check = |raw: &str, state: AgentState, bead: Option<&str>| {
            let event = beat(raw).unwrap().unwrap();
            assert_eq!(
                (event.event, event.bead.as_ref().map(BeadId::as_str)),
                (Event::AgentState(state), bead),
                "{raw}"
            );
        };
        let at = "\"timestamp\": \"2026-03-01T12:00:00.123456789Z\"";
        check(&format!("{{{at}}}"), AgentState::Working, None);
        check(&format!("{{\n  {at},\n  \"state\": \"idle\"\n}}"), AgentState::Idle, None);
        check(
            &format!("{{{at},\"state\":\"stuck\",\"bead\":\"gt-1\",\"context\":\"secret\"}}"),
            AgentState::Stuck,
            Some("gt-1"),
        );
        check(&format!("{{{at},\"state\":\"exiting\",\"bead\":\"\"}}"), AgentState::Exiting, None);
        assert_eq!(beat(&format!("{{{at},\"state\":\"brand new\"}}")), Ok(None));
        assert!(beat("{\"state\":\"idle\"}").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&raw, "x", Member::new(None, Role::Mayor, "mayor").unwrap());
        }
    }
}
