//! One line of `issues.jsonl`: a bead as it is now, and its steps that velocity counts.

use std::path::Path;

use model::event::{BeadEdge, Envelope, Event};
use model::id::{AgentName, BeadId, EventKey, RigName, Role, SessionId, SourceName};
use model::time::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::SOURCE;
use super::agent::{AgentBead, Said};
use crate::db::bead::BeadRow;
use crate::source::claude_code::is_town_root;
use crate::source::claude_code::line::Maybe;
use crate::source::gas_town::Address;
use crate::source::{identity, rfc3339};

/// Types that are machinery, not work: not counted in velocity.
const NOT_WORK: [&str; 11] =
    ["agent", "role", "rig", "message", "event", "molecule", "gate", "slot", "queue", "convoy", "merge-request"];
/// The type, and the label, of agents' beads. Older ones have the label only.
const AGENT: &str = "agent";
const AGENT_LABEL: &str = "\"gt:agent\"";
/// Longest title that is kept, in characters; a longer one is cut.
const MAX_TITLE_CHARS: usize = 300;
/// Longest name of an assignee that is kept.
const MAX_NAME_BYTES: usize = 200;

/// What one line says.
#[derive(Debug, Clone, PartialEq)]
pub struct Bead {
    /// The bead as it is now.
    pub row: BeadRow,
    /// That it was created, and perhaps closed; none when it is not counted. Of an agent's bead, the agent's state.
    pub events: Vec<Envelope>,
    /// An agent's bead, with a state that this version does not know.
    pub unknown: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Line<'a> {
    id: Maybe<'a>,
    title: Maybe<'a>,
    status: Maybe<'a>,
    issue_type: Maybe<'a>,
    priority: Option<i64>,
    assignee: Maybe<'a>,
    created_at: Maybe<'a>,
    created_by: Maybe<'a>,
    closed_at: Maybe<'a>,
    closed_by_session: Maybe<'a>,
    updated_at: Maybe<'a>,
    wisp_type: Maybe<'a>,
    #[serde(deserialize_with = "flag")]
    ephemeral: bool,
    #[serde(deserialize_with = "flag")]
    is_template: bool,
    #[serde(borrow)]
    labels: Option<&'a RawValue>,
    /// Looked at in agents' beads only ([`AgentBead`]).
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    agent_state: Maybe<'a>,
    hook_bead: Maybe<'a>,
    role_type: Maybe<'a>,
    rig: Maybe<'a>,
}

/// `true`, `1` or a number other than 0.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(!matches!(raw.get(), "false" | "0" | "null" | "\"\""))
}

/// The rig that a file of beads belongs to: the folder that has `.beads`. A town's own beads belong to none.
#[must_use]
pub fn rig_of(path: &Path) -> Option<RigName> {
    let owner = path.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == ".beads"))?.parent()?;
    if is_town_root(&owner.to_string_lossy()) {
        return None;
    }
    RigName::new(&owner.file_name()?.to_string_lossy()).ok()
}

/// Reads one line.
///
/// # Errors
/// Not a bead, or one that contradicts itself; the reason names the field.
pub fn parse(line: &[u8], rig: Option<&RigName>) -> Result<Bead, String> {
    let raw: Line<'_> =
        serde_json::from_slice(line).map_err(|error| format!("not a bead: invalid at column {}", error.column()))?;
    let id = BeadId::new(raw.id.0.as_deref().unwrap_or_default()).map_err(|error| format!("id: {error}"))?;
    let created_at = time("created_at", &raw.created_at)?.ok_or("created_at is missing")?;
    let status = word(&raw.status, "open");
    let issue_type = word(&raw.issue_type, "task");
    let closed_at = time("closed_at", &raw.closed_at)?;
    let closed_at = match (status.as_str(), closed_at) {
        ("closed", None) => return Err("status is closed, but closed_at is missing".to_owned()),
        ("closed", at) => at,
        // Reopened, or deleted: no longer closed.
        _ => None,
    };
    let is_set = |field: &Maybe<'_>| field.0.as_deref().is_some_and(|text| !text.is_empty());
    let is_labelled = |label: &str| raw.labels.is_some_and(|labels| labels.get().contains(label));
    let is_agent = issue_type == AGENT || is_labelled(AGENT_LABEL);
    let counted = !is_agent
        && !NOT_WORK.contains(&issue_type.as_str())
        && !raw.ephemeral
        && !raw.is_template
        && !is_set(&raw.wisp_type)
        && status != "tombstone";
    let escalated = is_labelled("escalat");
    let title = raw.title.0.as_deref().unwrap_or_default();
    let row = BeadRow {
        bead: id.as_str().to_owned(),
        title: title.chars().filter(|c| !c.is_control()).take(MAX_TITLE_CHARS).collect(),
        escalation: escalated || issue_type == "escalation" || title.contains("[ESCALATION]"),
        status,
        issue_type,
        priority: raw.priority.and_then(|p| i16::try_from(p).ok()),
        assignee: raw.assignee.0.as_deref().filter(|name| is_name(name)).map(str::to_owned),
        created_at,
        closed_at,
        updated_at: time("updated_at", &raw.updated_at)?,
        counted,
    };
    let (mut events, mut unknown) = (Vec::new(), false);
    if is_agent {
        match said(&raw, &row, rig) {
            Said::State(event) => events.push(*event),
            Said::Nothing => {}
            Said::Unknown => unknown = true,
        }
    }
    if counted {
        let by = raw.created_by.0.as_deref();
        events.push(event(&id, rig, BeadEdge::Created, created_at, by, None)?);
        if let Some(at) = closed_at {
            let session = raw.closed_by_session.0.as_deref();
            events.push(event(&id, rig, BeadEdge::Closed, at, raw.assignee.0.as_deref(), session)?);
        }
    }
    Ok(Bead { row, events, unknown })
}

fn said(raw: &Line<'_>, row: &BeadRow, rig: Option<&RigName>) -> Said {
    let text: Option<String> = raw.description.and_then(|text| serde_json::from_str(text.get()).ok());
    let column = |field: &'_ Maybe<'_>| field.0.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
    let (state, hook) = (column(&raw.agent_state), column(&raw.hook_bead));
    let (role, of_rig) = (column(&raw.role_type), column(&raw.rig));
    let bead = AgentBead {
        id: &row.bead,
        description: text.as_deref().unwrap_or_default(),
        state: state.as_deref(),
        hook: hook.as_deref(),
        role: role.as_deref(),
        rig: of_rig.as_deref(),
        closed: matches!(row.status.as_str(), "closed" | "tombstone"),
        at: row.updated_at.unwrap_or(row.created_at),
    };
    bead.said(rig)
}

fn event(
    id: &BeadId,
    rig: Option<&RigName>,
    edge: BeadEdge,
    at: Timestamp,
    by: Option<&str>,
    session: Option<&str>,
) -> Result<Envelope, String> {
    let kind = match edge {
        BeadEdge::Created => "bead created",
        BeadEdge::Closed => "bead closed",
    };
    let address = by.and_then(Address::parse);
    Ok(Envelope {
        at,
        key: EventKey(identity::hash(kind, &[id.as_str().as_bytes()])),
        claim: None,
        source: SourceName::new(SOURCE).map_err(|error| error.to_string())?,
        rig: rig.cloned().or_else(|| address.as_ref().and_then(|a| RigName::new(a.rig?).ok())),
        role: address.as_ref().map_or(Role::Other, |a| a.role),
        agent: address.as_ref().and_then(|a| AgentName::new(a.name).ok()),
        session: session.filter(|s| !s.is_empty()).and_then(|s| SessionId::new(s).ok()),
        bead: Some(id.clone()),
        event: Event::Bead(edge),
    })
}

/// Whether the store can keep it as somebody's name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control)
}

fn word(field: &Maybe<'_>, default: &str) -> String {
    let text = field.0.as_deref().map(str::trim).filter(|text| !text.is_empty()).unwrap_or(default);
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn time(name: &str, field: &Maybe<'_>) -> Result<Option<Timestamp>, String> {
    match field.0.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => {
            rfc3339::parse(text).map(Some).map_err(|_| format!("{name} is not an RFC 3339 time with an offset"))
        }
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use model::event::AgentState;

    use super::*;

    fn edges(line: &str) -> Vec<BeadEdge> {
        let bead = parse(line.as_bytes(), None).unwrap();
        bead.events
            .iter()
            .map(|e| if let Event::Bead(edge) = e.event { edge } else { panic!("a bead's event") })
            .collect()
    }

    const EXPORT: &str = r#"{"id":"bd-1","title":"T","status":"in_progress","priority":2,"issue_type":"chore","created_at":"2026-04-18T16:19:12Z","created_by":"someone","updated_at":"2026-04-18T16:30:16Z"}"#;
    const DUMP: &str = r#"{"id":"gt-1","title":"T","status":"closed","priority":0,"issue_type":"task","assignee":"gastown/polecats/toast","created_at":"2026-02-28T03:58:06Z","created_by":"mayor/","closed_at":"2026-02-28T05:33:08Z","closed_by_session":"s1","updated_at":"2026-02-28T05:33:08Z","ephemeral":0,"is_template":0,"wisp_type":"","labels":null}"#;

    #[test]
    fn both_shapes_are_read() {
        assert_eq!(edges(EXPORT), [BeadEdge::Created]);
        assert_eq!(edges(DUMP), [BeadEdge::Created, BeadEdge::Closed]);
        let closed = &parse(DUMP.as_bytes(), None).unwrap().events[1];
        assert_eq!((closed.role, closed.agent.as_ref().map(|a| a.as_str())), (Role::Polecat, Some("toast")));
        assert_eq!(closed.rig.as_ref().map(|r| r.as_str()), Some("gastown"));
        assert_eq!(closed.at, rfc3339::parse("2026-02-28T05:33:08Z").unwrap());
    }

    #[test]
    fn a_label_can_ask_for_help() {
        let labelled = EXPORT.replace("\"title\"", "\"labels\":[\"gt:escalation\"],\"title\"");
        assert!(parse(labelled.as_bytes(), None).unwrap().row.escalation);
        assert!(!parse(EXPORT.as_bytes(), None).unwrap().row.escalation);
    }

    #[test]
    fn people_are_not_agents() {
        assert_eq!(parse(EXPORT.as_bytes(), None).unwrap().events[0].agent, None);
        assert!(Address::parse("owner@example.com").is_none());
    }

    #[test]
    fn a_name_that_the_store_would_refuse_is_none() {
        let line = DUMP.replace("gastown/polecats/toast", "a\\u0000b");
        assert_eq!(parse(line.as_bytes(), None).unwrap().row.assignee, None);
        assert!(parse(DUMP.as_bytes(), None).unwrap().row.assignee.is_some());
    }

    #[test]
    fn machinery_is_kept_but_not_counted() {
        for (from, to) in [
            ("\"task\"", "\"agent\""),
            ("\"ephemeral\":0", "\"ephemeral\":1"),
            ("\"ephemeral\":0", "\"ephemeral\":true"),
            ("\"wisp_type\":\"\"", "\"wisp_type\":\"x\""),
            ("\"is_template\":0", "\"is_template\":1"),
        ] {
            let bead = parse(DUMP.replace(from, to).as_bytes(), None).unwrap();
            assert_eq!((bead.events.len(), bead.row.counted), (0, false), "{to}");
        }
    }

    #[test]
    fn an_agent_s_bead_says_its_state_and_is_no_work() {
        let said =
            "\"description\":\"T\\n\\nrole_type: polecat\\nrig: gastown\\nagent_state: spawning\\nhook_bead: gt-9\"";
        let agent =
            EXPORT.replace("bd-1", "gt-gastown-polecat-toast").replace("\"title\"", &format!("{said},\"title\""));
        let labelled = agent.replace("\"title\"", "\"labels\":[\"gt:agent\"],\"title\"");
        for line in [agent.replace("\"chore\"", "\"agent\""), labelled.replace("\"chore\"", "\"task\"")] {
            let bead = parse(line.as_bytes(), None).unwrap();
            assert!(!bead.row.counted && bead.events.len() == 1, "{line}");
            let event = &bead.events[0];
            assert_eq!((&event.event, event.role), (&Event::AgentState(AgentState::Working), Role::Polecat));
            assert_eq!(event.bead.as_ref().map(|bead| bead.as_str()), Some("gt-9"));
            assert_eq!(event.at, rfc3339::parse("2026-04-18T16:30:16Z").unwrap());
        }
        // Of a bead that is none, nothing of it is read.
        assert_eq!(edges(&agent), [BeadEdge::Created]);
    }

    #[test]
    fn closed_means_closed_at_and_a_reopened_bead_is_not_closed() {
        let reason = parse(DUMP.replace("\"closed_at\":\"2026-02-28T05:33:08Z\",", "").as_bytes(), None).unwrap_err();
        assert!(reason.contains("closed_at"));
        assert_eq!(edges(&DUMP.replace("\"closed\"", "\"open\"")), [BeadEdge::Created]);
    }

    #[test]
    fn the_folder_with_the_beads_is_the_rig() {
        assert_eq!(rig_of(Path::new("/t/gastown/.beads/backup/issues.jsonl")), RigName::new("gastown").ok());
        assert_eq!(rig_of(Path::new("/tmp/issues.jsonl")), None);
    }

    /// The real exports of ../shared/fixtures, where they are at hand.
    #[test]
    fn real_exports_are_read_without_loss() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/beads");
        let Ok(text) = std::fs::read_to_string(folder.join("gastown-backup-issues.lean.jsonl")) else {
            eprintln!("skipped: {} is not there", folder.display());
            return;
        };
        let beads: Vec<Bead> = text.lines().map(|line| parse(line.as_bytes(), None).unwrap()).collect();
        assert_eq!(beads.len(), 677);
        assert!(beads.iter().all(|bead| (bead.row.status == "closed") == bead.row.closed_at.is_some()));
        let agents: Vec<&Bead> = beads.iter().filter(|bead| bead.row.issue_type == "agent").collect();
        assert!(agents.iter().all(|bead| bead.events.len() == 1 && !bead.unknown && !bead.row.counted));
        let states = |state| agents.iter().filter(|bead| bead.events[0].event == Event::AgentState(state)).count();
        assert_eq!([AgentState::Working, AgentState::Idle, AgentState::Gone].map(states), [10, 10, 7]);
    }
}
