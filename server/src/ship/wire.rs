//! The form in which batches travel: lines of JSON, private to Towngauge and versioned.
//!
//! A request is its [`Head`], then for each batch a [`Mark`] and its items. Other than in `POST /api/ingest`, an event
//! travels with its key and its claim, so that it is the same event as if it had been read on the server's machine.

use compact_str::CompactString;
use model::dedupe::{Basis, Claim, Rank};
use model::event::{
    AgentState, BeadEdge, CostSnapshot, Envelope, Event, LinesChanged, LinesLanded, ModelCall, SessionEdge, ToolCall,
};
use model::event_line::Level;
use model::fuel::FuelKind;
use model::id::{AgentName, BeadId, EventKey, LoggerName, ModelName, RigName, Role, SessionId, SourceName, ToolName};
use model::log_line::LogLine;
use model::request::{Implied, RequestEdge, RequestStep};
use model::time::Timestamp;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::db::bead::BeadRow;
use crate::db::tank::Told;

/// The version of this form. Whoever meets another says so and stores nothing.
pub const VERSION: u32 = 1;

/// Who sends, and how it stands with what waits there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`VERSION`].
    pub ship: u32,
    /// Made with the sender's state folder: numbers of batches are its own.
    pub shipper: Uuid,
    /// What people call it.
    pub name: String,
    /// Kind of machine, such as `linux x86_64`.
    pub host: String,
    /// Its version of Towngauge.
    pub version: String,
    /// Bytes on its disk that wait.
    pub waiting_bytes: u64,
    /// When the oldest of them was read, microseconds since 1970.
    pub oldest_us: Option<i64>,
    /// Batches, or parts of them, that this server refused and that were put aside.
    pub parked: u64,
    /// What of that was removed, because more was refused than is kept; 0 from senders that do not tell it.
    #[serde(default)]
    pub dropped: u64,
    /// What went wrong last, since the last success.
    pub error: Option<String>,
}

/// Before a batch's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The batch's number.
    pub seq: u64,
    /// Another part of the same batch follows in another request.
    pub more: bool,
}

/// The answer to a request once it is stored: what became of its items. Without it nothing counts as stored, whatever
/// the status says: something else may stand at the address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Items that are new.
    pub stored: u64,
    /// Items that were known.
    pub duplicate: u64,
    /// Items that nobody can use; they are counted as bad lines.
    pub rejected: u64,
    /// Number of the last batch that is stored as a whole; 0 when none is.
    pub taken: u64,
    /// [`VERSION`].
    pub ship: u32,
}

/// One line after the head.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A batch begins.
    Batch(Mark),
    /// An event.
    Event(#[serde(with = "envelope")] Box<Envelope>),
    /// A bead as it is now.
    Bead(#[serde(with = "BeadForm")] BeadRow),
    /// A tank's reading, such as a subscription's limits.
    Reading(#[serde(with = "ReadingForm")] Told),
    /// What shows that a request is under way, or over.
    Request(#[serde(with = "super::under_way")] Box<Implied>),
    /// A bad line that was met.
    Rejected(Rejected),
}

/// A bad line: what the sender counts, so that the server counts it too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Source.
    pub source: SourceName,
    /// File and line.
    pub place: String,
    /// Why.
    pub reason: String,
}

mod envelope {
    use super::*;

    pub(super) fn serialize<S: Serializer>(envelope: &Envelope, serializer: S) -> Result<S::Ok, S::Error> {
        EnvelopeForm::from(envelope).serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<Envelope>, D::Error> {
        EnvelopeForm::deserialize(deserializer).map(|form| Box::new(form.into()))
    }
}

#[derive(Serialize, Deserialize)]
struct EnvelopeForm {
    at: i64,
    key: Hex,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<ClaimForm>,
    source: SourceName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rig: Option<RigName>,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<AgentName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bead: Option<BeadId>,
    what: What,
}

#[derive(Serialize, Deserialize)]
struct ClaimForm {
    message: Hex,
    request: Hex,
    rank: Rank,
    basis: Basis,
}

/// JSON's numbers end at 64 bits with most readers.
pub(super) struct Hex(pub u128);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:x}", self.0))
    }
}
impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = CompactString::deserialize(deserializer)?;
        u128::from_str_radix(&raw, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    ModelCall {
        model: ModelName,
        tokens: [u64; 5],
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reported: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_us: Option<u64>,
        ok: bool,
        fast: bool,
    },
    ToolCall {
        tool: ToolName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_us: Option<u64>,
        ok: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<CompactString>,
    },
    LinesChanged {
        added: u32,
        removed: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<CompactString>,
    },
    AgentState(AgentState),
    Session(SessionEdge),
    Bead(BeadEdge),
    CostSnapshot(i64),
    LinesLanded {
        added: u32,
        removed: u32,
    },
    Request {
        edge: RequestEdge,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool: Option<ToolName>,
        ok: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_us: Option<u64>,
    },
    Log {
        level: Level,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        logger: Option<LoggerName>,
        text: CompactString,
    },
}

impl From<&Envelope> for EnvelopeForm {
    fn from(envelope: &Envelope) -> Self {
        let claim = |claim: &Claim| ClaimForm {
            message: Hex(claim.message),
            request: Hex(claim.request),
            rank: claim.rank,
            basis: claim.basis,
        };
        Self {
            at: envelope.at.0,
            key: Hex(envelope.key.0),
            claim: envelope.claim.as_ref().map(claim),
            source: envelope.source.clone(),
            rig: envelope.rig.clone(),
            role: envelope.role,
            agent: envelope.agent.clone(),
            session: envelope.session.clone(),
            bead: envelope.bead.clone(),
            what: What::from(&envelope.event),
        }
    }
}

impl From<EnvelopeForm> for Envelope {
    fn from(form: EnvelopeForm) -> Self {
        let claim = |claim: ClaimForm| Claim {
            message: claim.message.0,
            request: claim.request.0,
            rank: claim.rank,
            basis: claim.basis,
        };
        Self {
            at: Timestamp(form.at),
            key: EventKey(form.key.0),
            claim: form.claim.map(claim),
            source: form.source,
            rig: form.rig,
            role: form.role,
            agent: form.agent,
            session: form.session,
            bead: form.bead,
            event: form.what.into(),
        }
    }
}

impl From<&Event> for What {
    fn from(event: &Event) -> Self {
        match event {
            Event::ModelCall(call) => Self::ModelCall {
                model: call.model.clone(),
                tokens: call.tokens.kinds(),
                reported: call.reported.map(|amount| amount.0),
                duration_us: call.duration_us,
                ok: call.ok,
                fast: call.fast,
            },
            Event::ToolCall(call) => Self::ToolCall {
                tool: call.tool.clone(),
                duration_us: call.duration_us,
                ok: call.ok,
                file: call.file.clone(),
            },
            Event::LinesChanged(lines) => {
                Self::LinesChanged { added: lines.added, removed: lines.removed, file: lines.file.clone() }
            }
            Event::AgentState(state) => Self::AgentState(*state),
            Event::Session(edge) => Self::Session(*edge),
            Event::Bead(edge) => Self::Bead(*edge),
            Event::CostSnapshot(snapshot) => Self::CostSnapshot(snapshot.total.0),
            Event::LinesLanded(lines) => Self::LinesLanded { added: lines.added, removed: lines.removed },
            Event::Request(step) => Self::Request {
                edge: step.edge,
                model: step.model.clone(),
                tool: step.tool.clone(),
                ok: step.ok,
                duration_us: step.duration_us,
            },
            Event::Log(line) => Self::Log { level: line.level, logger: line.logger.clone(), text: line.text.clone() },
        }
    }
}

impl From<What> for Event {
    fn from(what: What) -> Self {
        match what {
            What::ModelCall { model, tokens, reported, duration_us, ok, fast } => {
                let [input, output, cache_read, cache_write_5m, cache_write_1h] = tokens;
                let tokens = TokenCounts { input, output, cache_read, cache_write_5m, cache_write_1h };
                Self::ModelCall(ModelCall { model, tokens, reported: reported.map(Nanodollars), duration_us, ok, fast })
            }
            What::ToolCall { tool, duration_us, ok, file } => Self::ToolCall(ToolCall { tool, duration_us, ok, file }),
            What::LinesChanged { added, removed, file } => Self::LinesChanged(LinesChanged { added, removed, file }),
            What::AgentState(state) => Self::AgentState(state),
            What::Session(edge) => Self::Session(edge),
            What::Bead(edge) => Self::Bead(edge),
            What::CostSnapshot(total) => Self::CostSnapshot(CostSnapshot { total: Nanodollars(total) }),
            What::LinesLanded { added, removed } => Self::LinesLanded(LinesLanded { added, removed }),
            What::Request { edge, model, tool, ok, duration_us } => {
                Self::Request(RequestStep { edge, model, tool, ok, duration_us })
            }
            What::Log { level, logger, text } => Self::Log(LogLine { level, logger, text }),
        }
    }
}

/// [`BeadRow`], field by field; times are microseconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(remote = "BeadRow")]
struct BeadForm {
    bead: String,
    title: String,
    status: String,
    issue_type: String,
    priority: Option<i16>,
    assignee: Option<String>,
    created_at: Timestamp,
    closed_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    counted: bool,
    escalation: bool,
}

/// [`Told`], field by field.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Told")]
struct ReadingForm {
    tank: String,
    kind: FuelKind,
    source: String,
    currency: String,
    at: Timestamp,
    left: i64,
    resets_at: Option<Timestamp>,
}

/// A value as a line of its own.
#[must_use]
pub fn spell(value: &impl Serialize) -> Vec<u8> {
    // Nothing that is sent has keys other than strings, so this does not fail.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event() -> impl Strategy<Value = Event> {
        let model = ModelName::new("claude-sonnet-4-5").unwrap();
        let tool = ToolName::new("Bash").unwrap();
        prop_oneof![
            (any::<[u64; 5]>(), any::<Option<i64>>(), any::<Option<u64>>(), any::<bool>(), any::<bool>()).prop_map(
                move |(tokens, reported, duration_us, ok, fast)| What::ModelCall {
                    model: model.clone(),
                    tokens,
                    reported,
                    duration_us,
                    ok,
                    fast
                }
                .into()
            ),
            (any::<Option<u64>>(), any::<bool>(), any::<Option<String>>()).prop_map(move |(duration_us, ok, file)| {
                What::ToolCall { tool: tool.clone(), duration_us, ok, file: file.map(CompactString::from) }.into()
            }),
            (any::<u32>(), any::<u32>(), any::<Option<String>>()).prop_map(|(added, removed, file)| {
                What::LinesChanged { added, removed, file: file.map(CompactString::from) }.into()
            }),
            (0..AgentState::ALL.len()).prop_map(|state| Event::AgentState(AgentState::ALL[state])),
            any::<bool>().prop_map(|end| Event::Session(if end { SessionEdge::Ended } else { SessionEdge::Started })),
            any::<bool>().prop_map(|end| Event::Bead(if end { BeadEdge::Closed } else { BeadEdge::Created })),
            any::<i64>().prop_map(|total| What::CostSnapshot(total).into()),
            any::<(u32, u32)>().prop_map(|(added, removed)| What::LinesLanded { added, removed }.into()),
            (0..RequestEdge::ALL.len(), any::<bool>(), any::<Option<u64>>(), any::<bool>()).prop_map(
                |(edge, ok, duration_us, named)| What::Request {
                    edge: RequestEdge::ALL[edge],
                    model: named.then(|| ModelName::new("m").unwrap()),
                    tool: (!named).then(|| ToolName::new("Bash").unwrap()),
                    ok,
                    duration_us
                }
                .into()
            ),
            (0..Level::ALL.len(), any::<String>(), any::<bool>()).prop_map(|(level, text, named)| What::Log {
                level: Level::ALL[level],
                logger: named.then(|| LoggerName::new("gateway").unwrap()),
                text: text.into()
            }
            .into()),
        ]
    }

    fn claim() -> impl Strategy<Value = Claim> {
        let rank = (any::<bool>(), any::<u64>(), any::<bool>(), any::<i64>(), any::<u64>())
            .prop_map(|(sidechain, tokens, has_speed, at, origin)| Rank { sidechain, tokens, has_speed, at, origin });
        (any::<u128>(), any::<u128>(), rank, 0..Basis::ALL.len()).prop_map(|(message, request, rank, basis)| Claim {
            message,
            request,
            rank,
            basis: Basis::ALL[basis],
        })
    }

    proptest! {
        #[test]
        fn an_event_arrives_as_it_was_sent(
            event in event(), claim in proptest::option::of(claim()), at in any::<i64>(), key in any::<u128>(),
            role in 0..7_usize, named in any::<bool>()
        ) {
            let envelope = Envelope {
                at: Timestamp(at),
                key: EventKey(key),
                claim,
                source: SourceName::new("claude_code").unwrap(),
                rig: named.then(|| RigName::new("gas").unwrap()),
                role: Role::ALL[role],
                agent: named.then(|| AgentName::new("toast").unwrap()),
                session: named.then(|| SessionId::new("s").unwrap()),
                bead: named.then(|| BeadId::new("gt-1").unwrap()),
                event,
            };
            let line = spell(&Line::Event(Box::new(envelope.clone())));
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            let Line::Event(arrived) = serde_json::from_slice(&line).unwrap() else { panic!("an event") };
            prop_assert_eq!(*arrived, envelope);
        }
    }

    #[test]
    fn the_form_is_what_version_1_says() {
        let mark = Line::Batch(Mark { seq: 3, more: false });
        assert_eq!(spell(&mark), b"{\"batch\":{\"seq\":3,\"more\":false}}\n");
        let bead = BeadRow {
            bead: "gt-1".into(),
            title: "t".into(),
            status: "open".into(),
            issue_type: "task".into(),
            priority: Some(2),
            assignee: None,
            created_at: Timestamp(1),
            closed_at: None,
            updated_at: Some(Timestamp(2)),
            counted: true,
            escalation: false,
        };
        let Line::Bead(arrived) = serde_json::from_slice(&spell(&Line::Bead(bead.clone()))).unwrap() else {
            panic!("a bead")
        };
        assert_eq!(arrived, bead);
        let reading = Told {
            tank: "Codex 5 h".into(),
            kind: FuelKind::Window,
            source: "codex".into(),
            currency: String::new(),
            at: Timestamp(1),
            left: 630_000,
            resets_at: Some(Timestamp(9)),
        };
        let Line::Reading(arrived) = serde_json::from_slice(&spell(&Line::Reading(reading.clone()))).unwrap() else {
            panic!("a reading")
        };
        assert_eq!(arrived, reading);
        assert!(serde_json::from_str::<Line>("{\"event\":{\"at\":1}}").is_err());
    }
}
