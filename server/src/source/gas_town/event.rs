//! Lines of `.events.jsonl`: which of Gas Town's events say something that is measured, and what.

use model::event::{AgentState, Envelope, Event, SessionEdge};
use model::id::{AgentName, BeadId, RigName, SessionId};
use model::time::Timestamp;
use serde::Deserialize;

use super::member::{Member, Rigs};
use crate::source::claude_code::line::{Maybe, Object};
use crate::source::claude_code::{Place, is_town_root};
use crate::source::refusal::{Refusal, no_time, not_json};
use crate::source::{identity, rfc3339};

/// Types that are known, and say nothing that is measured here: beads are counted from beads, cost from transcripts.
const UNMEASURED: [&str; 19] = [
    "handoff",
    "mail",
    "nudge",
    "polecat_nudged",
    "boot",
    "halt",
    "mass_death",
    "escalation_acked",
    "escalation_closed",
    "merge_started",
    "merged",
    "merge_failed",
    "merge_skipped",
    "merge_complete",
    "queue_processed",
    "scheduler_enqueue",
    "scheduler_dispatch",
    "scheduler_dispatch_failed",
    "scheduler_close_retry",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Line<'a> {
    ts: Maybe<'a>,
    #[serde(rename = "type")]
    kind: Maybe<'a>,
    actor: Maybe<'a>,
    payload: Object<Payload<'a>>,
}

/// The fields of all types; texts such as subjects and reasons are not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Payload<'a> {
    bead: Maybe<'a>,
    issue: Maybe<'a>,
    rig: Maybe<'a>,
    polecat: Maybe<'a>,
    target: Maybe<'a>,
    status: Maybe<'a>,
    severity: Maybe<'a>,
    agent: Maybe<'a>,
    session: Maybe<'a>,
    session_id: Maybe<'a>,
    role: Maybe<'a>,
    cwd: Maybe<'a>,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// Something that is measured.
    Event(Box<Envelope>),
    /// Nothing that is, or of nobody who is known.
    Nothing,
    /// Of a type that this version does not know.
    Unknown,
}

/// Reads one line.
pub(super) fn parse(raw: &[u8], rigs: &Rigs) -> Result<Said, Refusal> {
    if raw.first() != Some(&b'{') {
        return Err("not a JSON object".into());
    }
    let line: Line<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
    let kind = line.kind.0.as_deref().filter(|kind| !kind.is_empty()).ok_or("type is missing")?;
    let at = rfc3339::parse(line.ts.0.as_deref().ok_or("ts is missing")?).map_err(no_time)?;
    let nothing = Payload::default();
    let payload = line.payload.0.as_ref().unwrap_or(&nothing);
    let actor = line.actor.0.as_deref().unwrap_or_default();
    let Some((member, event)) = meaning(kind, actor, payload, rigs) else {
        let known = UNMEASURED.contains(&kind) || MEASURED.contains(&kind);
        return Ok(if known { Said::Nothing } else { Said::Unknown });
    };
    Ok(member.and_then(|member| told(kind, at, member, payload, event)).map_or(Said::Nothing, Said::Event))
}

/// Types of which [`meaning`] knows one.
const MEASURED: [&str; 13] = [
    "session_start",
    "session_end",
    "session_death",
    "hook",
    "sling",
    "unhook",
    "spawn",
    "done",
    "kill",
    "patrol_started",
    "patrol_complete",
    "polecat_checked",
    "escalation_sent",
];

/// Of whom a line speaks, and what happened.
fn meaning(kind: &str, actor: &str, payload: &Payload<'_>, rigs: &Rigs) -> Option<(Option<Member>, Event)> {
    let text = |field: &'_ Maybe<'_>| field.0.as_deref().unwrap_or_default().to_owned();
    let rig = payload.rig.0.as_deref();
    let by_actor = || Member::at(actor).or_else(|| rigs.member(actor));
    let in_rig = |name: &Maybe<'_>| Member::in_rig(rig, name.0.as_deref().filter(|name| !name.is_empty())?);
    let state = |state| Event::AgentState(state);
    Some(match kind {
        "session_start" | "session_end" => {
            let edge = if kind == "session_start" { SessionEdge::Started } else { SessionEdge::Ended };
            let by_folder = || Member::in_folder(Place::of(&text(&payload.cwd), None, &is_town_root));
            let who = by_actor().or_else(|| Member::at(&text(&payload.role))).or_else(by_folder);
            (who, Event::Session(edge))
        }
        "session_death" => {
            let by_session = || rigs.member(&text(&payload.session));
            (Member::at(&text(&payload.agent)).or_else(by_session).or_else(by_actor), state(AgentState::Exiting))
        }
        "kill" => (in_rig(&payload.target), state(AgentState::Exiting)),
        // Whoever slings puts the bead on the target's hook; a target that is a whole rig names nobody yet.
        "sling" => (Member::at(&text(&payload.target)), state(AgentState::Working)),
        "hook" | "patrol_started" => (by_actor(), state(AgentState::Working)),
        "spawn" => (in_rig(&payload.polecat), state(AgentState::Working)),
        "unhook" | "done" | "patrol_complete" => (by_actor(), state(AgentState::Idle)),
        "polecat_checked" => (in_rig(&payload.polecat), state(super::state(payload.status.0.as_deref()?)?)),
        // With a severity it is about an issue, and `rig` holds that.
        "escalation_sent" if payload.severity.0.is_none() => (in_rig(&payload.target), state(AgentState::Stuck)),
        _ => return None,
    })
}

fn told(kind: &str, at: Timestamp, member: Member, payload: &Payload<'_>, event: Event) -> Option<Box<Envelope>> {
    let bead = payload.bead.0.as_deref().or(payload.issue.0.as_deref()).and_then(|bead| BeadId::new(bead).ok());
    let session = payload.session_id.0.as_deref().and_then(|session| SessionId::new(session).ok());
    let (key, claim) = match (&event, &session) {
        (Event::Session(SessionEdge::Started), Some(session)) => {
            let (key, claim) = identity::session_start(session.as_str(), true, at);
            (identity::hash("gas town", &[&key.to_le_bytes()]), Some(claim))
        }
        // A session without a name is none that anybody could count.
        (Event::Session(_), None) => return None,
        _ => {
            let rig = member.rig.as_ref().map_or("", RigName::as_str);
            let parts = [
                kind,
                rig,
                AgentName::as_str(&member.agent),
                bead.as_ref().map_or("", BeadId::as_str),
                session.as_ref().map_or("", SessionId::as_str),
            ];
            (identity::hash("gas town event", &parts.map(str::as_bytes)), None)
        }
    };
    member.did(at, key, claim, session, bead, event).map(Box::new)
}

#[cfg(test)]
mod tests {
    use model::id::Role;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn said(kind: &str, actor: &str, payload: Value) -> Said {
        let rigs = Rigs::parse(br#"{"rigs":{"gastown":{"beads":{"prefix":"gt"}}}}"#);
        let line = json!({"ts": "2026-11-20T22:40:25Z", "source": "gt", "type": kind, "actor": actor,
            "payload": payload, "visibility": "feed"});
        parse(line.to_string().as_bytes(), &rigs).unwrap()
    }

    #[test]
    fn states_of_agents_come_out_with_rig_role_and_bead() {
        let check =
            |kind: &str, actor: &str, payload: Value, who: (&str, Role, &str), state: AgentState, bead: &str| {
                let Said::Event(event) = said(kind, actor, payload) else { panic!("{kind} says nothing") };
                let rig = event.rig.as_ref().map_or("", RigName::as_str);
                let agent = event.agent.as_ref().map_or("", AgentName::as_str);
                assert_eq!((rig, event.role, agent), who, "{kind}");
                assert_eq!(event.event, Event::AgentState(state), "{kind}");
                assert_eq!(event.bead.as_ref().map_or("", BeadId::as_str), bead, "{kind}");
            };
        let furiosa = ("gastown", Role::Polecat, "furiosa");
        let witness = ("gastown", Role::Witness, "witness");
        let bead = json!({"bead": "gt-1"});
        check("hook", "gastown/polecats/furiosa", bead.clone(), furiosa, AgentState::Working, "gt-1");
        check("hook", "gastown/furiosa", bead.clone(), furiosa, AgentState::Working, "gt-1");
        let slung = json!({"bead": "gt-1", "target": "gastown/polecats/furiosa"});
        check("sling", "mayor", slung, furiosa, AgentState::Working, "gt-1");
        check("unhook", "gastown/polecats/furiosa", bead.clone(), furiosa, AgentState::Idle, "gt-1");
        check("done", "gastown/furiosa", bead, furiosa, AgentState::Idle, "gt-1");
        check("spawn", "gt", json!({"rig": "gastown", "polecat": "furiosa"}), furiosa, AgentState::Working, "");
        check("kill", "gt", json!({"rig": "gastown", "target": "furiosa"}), furiosa, AgentState::Exiting, "");
        check("patrol_started", "gastown/witness", json!({"rig": "gastown"}), witness, AgentState::Working, "");
        check("patrol_complete", "gastown/witness/", json!({}), witness, AgentState::Idle, "");
        let checked = json!({"rig": "gastown", "polecat": "furiosa", "status": "stuck", "issue": "gt-2"});
        check("polecat_checked", "gastown/witness", checked, furiosa, AgentState::Stuck, "gt-2");
        let escalated = json!({"rig": "gastown", "target": "furiosa", "to": "mayor", "reason": "x"});
        check("escalation_sent", "gastown/witness", escalated, furiosa, AgentState::Stuck, "");
        let death = json!({"session": "gt-furiosa", "reason": "crash"});
        check("session_death", "daemon", death, furiosa, AgentState::Exiting, "");
        check("hook", "gt-crew-max", json!({}), ("gastown", Role::Crew, "max"), AgentState::Working, "");
    }

    #[test]
    fn a_session_s_start_joins_the_agent_to_the_conversation() {
        let payload = json!({"session_id": "0b1c", "role": "gastown/polecats/furiosa", "actor_pid": "x-1"});
        let Said::Event(event) = said("session_start", "unknown", payload) else { panic!("it says nothing") };
        assert_eq!(event.event, Event::Session(SessionEdge::Started));
        assert_eq!(event.session.as_ref().unwrap().as_str(), "0b1c");
        assert_eq!(event.agent.as_ref().unwrap().as_str(), "furiosa");
        let (_, transcript) = identity::session_start("0b1c", false, event.at.plus_seconds(-5));
        let claim = event.claim.unwrap();
        assert_eq!(claim.message, transcript.message);
        assert!(claim.rank > transcript.rank, "who names the agent is the better report");
    }

    #[test]
    fn what_is_not_measured_is_known_and_what_is_new_is_not() {
        for kind in UNMEASURED {
            assert_eq!(said(kind, "mayor", json!({"bead": "gt-1"})), Said::Nothing, "{kind}");
        }
        assert_eq!(
            said("polecat_checked", "x", json!({"rig": "g", "polecat": "n", "status": "checked"})),
            Said::Nothing
        );
        assert_eq!(said("hook", "somebody@example.com", json!({})), Said::Nothing);
        assert_eq!(said("sling", "mayor", json!({"bead": "gt-1", "target": "gastown"})), Said::Nothing);
        assert_eq!(
            said("escalation_sent", "mayor", json!({"rig": "gt-9", "target": "x", "severity": "high"})),
            Said::Nothing
        );
        assert_eq!(said("brand_new", "mayor", json!({})), Said::Unknown);
    }

    #[test]
    fn a_line_without_type_or_time_is_rejected() {
        for line in ["{}", "[]", "{\"type\":\"hook\"}", "{\"type\":\"hook\",\"ts\":\"secret\"}", "{\"type\":"] {
            let reason = parse(line.as_bytes(), &Rigs::default()).unwrap_err();
            assert!(!reason.contains("secret"), "{reason}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&raw, &Rigs::default());
        }
    }
}
