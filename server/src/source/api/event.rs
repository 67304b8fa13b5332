//! From the fields of an event to the event.

use compact_str::CompactString;
use model::dedupe::{Claim, Rank};
use model::event::{
    AgentState, BeadEdge, CostSnapshot, Envelope, Event, LinesChanged, LinesLanded, ModelCall, SessionEdge, ToolCall,
};
use model::event_line::Level;
use model::id::{
    AgentName, BeadId, EventKey, LoggerName, ModelName, NameError, RigName, Role, SessionId, SourceName, ToolName,
    TownName,
};
use model::log_line::LogLine;
use model::request::{RequestEdge, RequestId, RequestStep};
use model::time::{TimeError, Timestamp};
use model::tokens::TokenCounts;
use model::unit::Nanodollars;

use super::raw::{Raw, text};
use super::{Item, SOURCE};
use crate::request;
use crate::source::{gas_town, identity, redact, rfc3339};

/// Why an event was refused.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not there.
    #[error("field \"{0}\" is missing")]
    Missing(&'static str),
    /// Belongs to another type.
    #[error("field \"{field}\" does not belong to an event of type \"{kind}\"")]
    Foreign {
        /// The field.
        field: &'static str,
        /// The type.
        kind: &'static str,
    },
    /// No such type.
    #[error(
        "field \"type\": use model_call, tool_call, lines_changed, lines_landed, agent_state, session, bead, request, log or cost_snapshot"
    )]
    Type,
    /// One of a few words was expected.
    #[error("field \"{field}\": use {wanted}")]
    Word {
        /// The field.
        field: &'static str,
        /// The words.
        wanted: &'static str,
    },
    /// Not a time.
    #[error("field \"{field}\": {error}")]
    Time {
        /// The field.
        field: &'static str,
        /// Why.
        error: TimeError,
    },
    /// Not a name.
    #[error("field \"{field}\": {error}")]
    Name {
        /// The field.
        field: &'static str,
        /// Why.
        error: NameError,
    },
    /// Not an amount of money.
    #[error("field \"cost_usd\" is not an amount of dollars")]
    Amount,
    /// Out of range.
    #[error("field \"{field}\" is out of range")]
    Range {
        /// The field.
        field: &'static str,
    },
}

/// Bits of the fields that every type may have: `type` to `bead`.
const COMMON: u64 = 0x1ff;

/// Bits of fields by name, in the order of [`Raw::FIELDS`].
const fn bits(names: &[&str]) -> u64 {
    let mut bits = 0;
    let mut i = 0;
    while i < names.len() {
        let mut j = 0;
        while j < Raw::FIELDS.len() {
            if same(names[i].as_bytes(), Raw::FIELDS[j].0.as_bytes()) {
                bits |= 1 << j;
            }
            j += 1;
        }
        i += 1;
    }
    bits
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

const MODEL_CALL: u64 = bits(&[
    "model",
    "message_id",
    "request_id",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cost_usd",
    "duration_ms",
    "ok",
    "fast",
]);
const TOOL_CALL: u64 = bits(&["tool", "tool_use_id", "duration_ms", "ok", "file"]);
const LINES_CHANGED: u64 = bits(&["added", "removed", "file"]);
const LINES_LANDED: u64 = bits(&["commit", "added", "removed"]);
const STATE: u64 = bits(&["state"]);
const COST: u64 = bits(&["cost_usd"]);
const REQUEST: u64 = bits(&["request_id", "state", "model", "tool", "ok", "duration_ms"]);
const LOG: u64 = bits(&["level", "source", "message"]);
const GAS_TOWN: u64 = bits(&["session_id", "role", "rig", "worker", "cost_usd", "ended_at", "work_item", "town"]);

/// Makes the event of its fields.
pub fn event(raw: &Raw<'_>) -> Result<Item, EventError> {
    let Some(kind) = text(&raw.kind) else {
        return if raw.session_id.is_some() && raw.ended_at.is_some() {
            costs_line(raw)
        } else {
            Err(EventError::Missing("type"))
        };
    };
    let at = text(&raw.ts).ok_or(EventError::Missing("ts"))?;
    let at = time("ts", at)?;
    match kind {
        "model_call" => {
            only(raw, MODEL_CALL, "model_call")?;
            let tokens = TokenCounts {
                input: raw.input_tokens.unwrap_or(0),
                output: raw.output_tokens.unwrap_or(0),
                cache_read: raw.cache_read_tokens.unwrap_or(0),
                cache_write_5m: raw.cache_write_5m_tokens.unwrap_or(0),
                cache_write_1h: raw.cache_write_1h_tokens.unwrap_or(0),
            };
            if tokens.kinds().iter().any(|n| *n > TokenCounts::MAX) {
                return Err(EventError::Range { field: "…_tokens" });
            }
            let call = ModelCall {
                model: required(&raw.model, "model", ModelName::new)?,
                tokens,
                reported: raw.cost_usd.map(|_| dollars(raw)).transpose()?,
                duration_us: duration(raw)?,
                ok: raw.ok.unwrap_or(true),
                fast: raw.fast.unwrap_or(false),
            };
            let rank =
                Rank { sidechain: false, tokens: tokens.total(), has_speed: raw.fast.is_some(), at: at.0, origin: 0 };
            let claim = text(&raw.message_id).filter(|id| !id.is_empty()).map(|id| {
                let request =
                    text(&raw.request_id).map_or(0, |request| identity::hash("request", &[request.as_bytes()]));
                Claim::by_message(identity::hash("message", &[id.as_bytes()]), request, rank)
            });
            envelope(raw, at, claim, Event::ModelCall(call))
        }
        "tool_call" => {
            only(raw, TOOL_CALL, "tool_call")?;
            let call = ToolCall {
                tool: required(&raw.tool, "tool", ToolName::new)?,
                duration_us: duration(raw)?,
                ok: raw.ok.unwrap_or(true),
                file: file(raw)?,
            };
            let rank = Rank { sidechain: false, tokens: 0, has_speed: call.duration_us.is_some(), at: at.0, origin: 0 };
            let claim = text(&raw.tool_use_id)
                .filter(|id| !id.is_empty())
                .map(|id| Claim::by_message(identity::hash("tool", &[id.as_bytes()]), 0, rank));
            envelope(raw, at, claim, Event::ToolCall(call))
        }
        "lines_changed" => {
            only(raw, LINES_CHANGED, "lines_changed")?;
            let (added, removed) = lines(raw)?;
            envelope(raw, at, None, Event::LinesChanged(LinesChanged { added, removed, file: file(raw)? }))
        }
        "lines_landed" => {
            only(raw, LINES_LANDED, "lines_landed")?;
            let (added, removed) = lines(raw)?;
            let commit = text(&raw.commit).ok_or(EventError::Missing("commit"))?;
            let wanted = "the commit's whole hash: 40 or 64 hexadecimal digits";
            let key = identity::commit(commit).ok_or(EventError::Word { field: "commit", wanted })?;
            let mut item = envelope(raw, at, None, Event::LinesLanded(LinesLanded { added, removed }))?;
            item.envelope.key = EventKey(key);
            Ok(item)
        }
        "agent_state" => {
            only(raw, STATE, "agent_state")?;
            if raw.agent.is_none() {
                return Err(EventError::Missing("agent"));
            }
            let state = text(&raw.state).ok_or(EventError::Missing("state"))?;
            let wanted = "working, idle, stuck, exiting or gone";
            let state = AgentState::parse(state).ok_or(EventError::Word { field: "state", wanted })?;
            envelope(raw, at, None, Event::AgentState(state))
        }
        "session" => {
            only(raw, STATE, "session")?;
            if raw.session.is_none() {
                return Err(EventError::Missing("session"));
            }
            let edge = match text(&raw.state).ok_or(EventError::Missing("state"))? {
                "started" => SessionEdge::Started,
                "ended" => SessionEdge::Ended,
                _ => return Err(EventError::Word { field: "state", wanted: "started or ended" }),
            };
            envelope(raw, at, None, Event::Session(edge))
        }
        "bead" => {
            only(raw, STATE, "bead")?;
            if raw.bead.is_none() {
                return Err(EventError::Missing("bead"));
            }
            let edge = match text(&raw.state).ok_or(EventError::Missing("state"))? {
                "created" => BeadEdge::Created,
                "closed" => BeadEdge::Closed,
                _ => return Err(EventError::Word { field: "state", wanted: "created or closed" }),
            };
            envelope(raw, at, None, Event::Bead(edge))
        }
        "cost_snapshot" => {
            only(raw, COST, "cost_snapshot")?;
            if raw.session.is_none() {
                return Err(EventError::Missing("session"));
            }
            envelope(raw, at, None, Event::CostSnapshot(CostSnapshot { total: dollars(raw)? }))
        }
        "request" => request_step(raw, at),
        "log" => log_line(raw, at),
        _ => Err(EventError::Type),
    }
}

/// The start or the end of a request. Its id makes it known again, whatever its time.
fn request_step(raw: &Raw<'_>, at: Timestamp) -> Result<Item, EventError> {
    only(raw, REQUEST, "request")?;
    let id = text(&raw.request_id).filter(|id| !id.is_empty()).ok_or(EventError::Missing("request_id"))?;
    let edge = match text(&raw.state).ok_or(EventError::Missing("state"))? {
        "started" => RequestEdge::Started,
        "ended" => RequestEdge::Ended,
        _ => return Err(EventError::Word { field: "state", wanted: "started or ended" }),
    };
    if edge == RequestEdge::Started {
        // What only an end can know.
        let own = REQUEST & !bits(&["ok", "duration_ms"]);
        only(raw, own, "request that started")?;
    }
    let step = RequestStep {
        edge,
        model: optional(&raw.model, "model", ModelName::new)?,
        tool: optional(&raw.tool, "tool", ToolName::new)?,
        ok: raw.ok.unwrap_or(true),
        duration_us: duration(raw)?,
    };
    let mut item = envelope(raw, at, None, Event::Request(step))?;
    item.envelope = request::told(item.envelope, RequestId::of(identity::hash("api request", &[id.as_bytes()])));
    Ok(item)
}

/// A line of a log. What must not be kept is taken out of it here.
fn log_line(raw: &Raw<'_>, at: Timestamp) -> Result<Item, EventError> {
    only(raw, LOG, "log")?;
    let level = match text(&raw.level).ok_or(EventError::Missing("level"))?.to_ascii_lowercase().as_str() {
        "info" => Level::Info,
        "warn" | "warning" => Level::Warn,
        "error" | "fatal" | "critical" => Level::Error,
        _ => return Err(EventError::Word { field: "level", wanted: "info, warn or error; what is finer is not kept" }),
    };
    let said = redact::line(text(&raw.message).ok_or(EventError::Missing("message"))?);
    if said.is_empty() {
        return Err(EventError::Missing("message"));
    }
    let logger = optional(&raw.source, "source", LoggerName::new)?;
    let mut item = envelope(raw, at, None, Event::Log(LogLine { level, logger, text: said.clone() }))?;
    if raw.id.is_none() {
        // Of what is kept, and not of what was taken out of it: a short secret could be guessed from a hash.
        let level = level.name().as_bytes();
        let who =
            [&raw.source, &raw.session, &raw.agent, &raw.rig].map(|field| text(field).unwrap_or_default().as_bytes());
        let [source, session, agent, rig] = who;
        let parts = [&at.0.to_le_bytes()[..], level, source, said.as_bytes(), session, agent, rig];
        item.envelope.key = EventKey(identity::hash("api log", &parts));
    }
    Ok(item)
}

/// A line of Gas Town's `costs.jsonl`.
fn costs_line(raw: &Raw<'_>) -> Result<Item, EventError> {
    foreign(raw, GAS_TOWN, "Gas Town costs line")?;
    let ended_at = text(&raw.ended_at).ok_or(EventError::Missing("ended_at"))?;
    let at = time("ended_at", ended_at)?;
    let town = optional(&raw.town, "town", TownName::new)?;
    let line = gas_town::CostsLine {
        at,
        session: required(&raw.session_id, "session_id", SessionId::new)?,
        role: text(&raw.role).map(Role::parse).unwrap_or_default(),
        rig: optional(&raw.rig, "rig", RigName::new)?,
        agent: optional(&raw.worker, "worker", AgentName::new)?,
        bead: optional(&raw.work_item, "work_item", BeadId::new)?,
        total: dollars(raw)?,
    };
    let envelope = line.envelope().map_err(|error| EventError::Name { field: "source", error })?;
    Ok(Item { town, envelope })
}

fn time(field: &'static str, raw: &str) -> Result<Timestamp, EventError> {
    rfc3339::parse(raw).map_err(|error| match error {
        TimeError::NotRfc3339(raw) => {
            let shown = raw.chars().filter(|c| !c.is_control()).take(60).collect();
            EventError::Time { field, error: TimeError::NotRfc3339(shown) }
        }
        error => EventError::Time { field, error },
    })
}

fn only(raw: &Raw<'_>, own: u64, kind: &'static str) -> Result<(), EventError> {
    foreign(raw, own | COMMON, kind)
}

fn foreign(raw: &Raw<'_>, allowed: u64, kind: &'static str) -> Result<(), EventError> {
    let surplus = raw.present() & !allowed;
    match Raw::FIELDS.iter().zip(0..).find(|(_, bit)| surplus & (1 << bit) != 0) {
        Some(((field, _), _)) => Err(EventError::Foreign { field, kind }),
        None => Ok(()),
    }
}

fn optional<T>(
    field: &Option<crate::source::claude_code::line::Text<'_>>,
    name: &'static str,
    make: fn(&str) -> Result<T, NameError>,
) -> Result<Option<T>, EventError> {
    text(field)
        .filter(|raw| !raw.is_empty())
        .map(make)
        .transpose()
        .map_err(|error| EventError::Name { field: name, error })
}

fn required<T>(
    field: &Option<crate::source::claude_code::line::Text<'_>>,
    name: &'static str,
    make: fn(&str) -> Result<T, NameError>,
) -> Result<T, EventError> {
    make(text(field).ok_or(EventError::Missing(name))?).map_err(|error| EventError::Name { field: name, error })
}

fn lines(raw: &Raw<'_>) -> Result<(u32, u32), EventError> {
    let added = raw.added.ok_or(EventError::Missing("added"))?;
    let removed = raw.removed.ok_or(EventError::Missing("removed"))?;
    // The store keeps them as signed numbers of 32 bits per event.
    for (field, n) in [("added", added), ("removed", removed)] {
        if i32::try_from(n).is_err() {
            return Err(EventError::Range { field });
        }
    }
    Ok((added, removed))
}

fn dollars(raw: &Raw<'_>) -> Result<Nanodollars, EventError> {
    let amount = raw.cost_usd.ok_or(EventError::Missing("cost_usd"))?;
    let amount = Nanodollars::parse_dollars(amount.get()).map_err(|_| EventError::Amount)?;
    if amount.0 < 0 { Err(EventError::Range { field: "cost_usd" }) } else { Ok(amount) }
}

fn duration(raw: &Raw<'_>) -> Result<Option<u64>, EventError> {
    const MAX_MS: f64 = 1e10;
    let Some(ms) = raw.duration_ms else { return Ok(None) };
    if !(0.0..=MAX_MS).contains(&ms) {
        return Err(EventError::Range { field: "duration_ms" });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie between 0 and 10^13")]
    Ok(Some((ms * 1_000.0).round() as u64))
}

/// Of an absolute path only the name is kept: nobody knows which part of it is the project's.
fn file(raw: &Raw<'_>) -> Result<Option<CompactString>, EventError> {
    let Some(path) = text(&raw.file).map(str::trim).filter(|path| !path.is_empty()) else { return Ok(None) };
    let inside = !path.starts_with(['/', '\\', '~']) && !path.split(['/', '\\']).any(|step| step == "..");
    let shown = if inside { path } else { path.rsplit(['/', '\\']).next().unwrap_or_default() };
    if shown.len() > 400 || shown.chars().any(char::is_control) {
        return Err(EventError::Range { field: "file" });
    }
    Ok((!shown.is_empty()).then(|| CompactString::from(shown)))
}

fn envelope(raw: &Raw<'_>, at: Timestamp, claim: Option<Claim>, event: Event) -> Result<Item, EventError> {
    const ROLES: &str = "mayor, polecat, witness, refinery, deacon, crew or other";
    let role = match text(&raw.role) {
        None => Role::Other,
        Some(name) => match (Role::parse(name), name.trim().to_ascii_lowercase().as_str()) {
            (Role::Other, "" | "other" | "unknown") => Role::Other,
            (Role::Other, _) => return Err(EventError::Word { field: "role", wanted: ROLES }),
            (role, _) => role,
        },
    };
    let key = EventKey(match text(&raw.id) {
        Some(id) => identity::hash("api id", &[id.as_bytes()]),
        None => content_hash(raw, at),
    });
    Ok(Item {
        town: optional(&raw.town, "town", TownName::new)?,
        envelope: Envelope {
            at,
            key,
            claim,
            source: SourceName::new(SOURCE).map_err(|error| EventError::Name { field: "source", error })?,
            rig: optional(&raw.rig, "rig", RigName::new)?,
            role,
            agent: optional(&raw.agent, "agent", AgentName::new)?,
            session: optional(&raw.session, "session", SessionId::new)?,
            bead: optional(&raw.bead, "bead", BeadId::new)?,
            event,
        },
    })
}

/// Hash of what the event says, whatever the order and spacing of its fields.
fn content_hash(raw: &Raw<'_>, at: Timestamp) -> u128 {
    let t = |field| text(field).unwrap_or_default().as_bytes();
    let mut numbers = [0_u8; 80];
    let values = [
        raw.present(),
        at.0.cast_unsigned(),
        raw.input_tokens.unwrap_or(0),
        raw.output_tokens.unwrap_or(0),
        raw.cache_read_tokens.unwrap_or(0),
        raw.cache_write_5m_tokens.unwrap_or(0),
        raw.cache_write_1h_tokens.unwrap_or(0),
        raw.duration_ms.unwrap_or(0.0).to_bits(),
        (u64::from(raw.added.unwrap_or(0)) << 32) | u64::from(raw.removed.unwrap_or(0)),
        u64::from(raw.ok.unwrap_or(true)) * 2 + u64::from(raw.fast.unwrap_or(false)),
    ];
    for (slot, value) in numbers.chunks_exact_mut(8).zip(values) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    identity::hash(
        "api content",
        &[
            &numbers,
            t(&raw.kind),
            t(&raw.rig),
            t(&raw.role),
            t(&raw.agent),
            t(&raw.session),
            t(&raw.bead),
            t(&raw.model),
            t(&raw.message_id),
            t(&raw.request_id),
            raw.cost_usd.map_or(&[], |raw| raw.get().as_bytes()),
            t(&raw.tool),
            t(&raw.tool_use_id),
            t(&raw.file),
            t(&raw.state),
        ],
    )
}
