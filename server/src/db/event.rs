//! Rows of `event`: encoded for binary COPY, read back, found again, taken back.

use compact_str::CompactString;
use model::event::{
    AgentState, BeadEdge, Cost, CostSnapshot, Envelope, Event, LinesChanged, LinesLanded, ModelCall, PricedEvent,
    Provenance, SessionEdge, ToolCall,
};
use model::event_line::Level;
use model::id::{
    AgentName, BeadId, EventKey, LoggerName, ModelName, NameError, RigName, Role, SessionId, SourceName, ToolName,
};
use model::log_line::LogLine;
use model::request::{RequestEdge, RequestStep};
use model::time::Timestamp;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::time::EPOCH_OFFSET_US;
use super::{DbError, PgTime, TownKey, partition};

/// Every column, in the order of the table and of [`decode`].
pub const COLUMNS: &str = "town_id, ts, key, kind, role, source, rig, agent, session, bead, model, tool, state, ok, \
     fast, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost, \
     reported, provenance, price_id, duration_us, lines_added, lines_removed, file, computed, message";
const COLUMN_COUNT: i16 = 30;

/// Where one event is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Town.
    pub town: TownKey,
    /// Time.
    pub at: Timestamp,
    /// Idempotency key.
    pub key: EventKey,
}

/// Appends one row in COPY's binary format.
pub fn encode(out: &mut Vec<u8>, town: TownKey, event: &PricedEvent) {
    let envelope = &event.envelope;
    out.extend_from_slice(&COLUMN_COUNT.to_be_bytes());
    field(out, &town.0.to_be_bytes());
    field(out, &(envelope.at.0 - EPOCH_OFFSET_US).to_be_bytes());
    field(out, &envelope.key.0.to_be_bytes());
    field(out, &small(envelope.event.kind().index()));
    field(out, &small(envelope.role.index()));
    field(out, envelope.source.as_str().as_bytes());
    text(out, envelope.rig.as_ref().map(RigName::as_str));
    text(out, envelope.agent.as_ref().map(AgentName::as_str));
    text(out, envelope.session.as_ref().map(SessionId::as_str));
    text(out, envelope.bead.as_ref().map(BeadId::as_str));
    match &envelope.event {
        Event::ModelCall(call) => {
            field(out, call.model.as_str().as_bytes());
            nulls(out, 2);
            field(out, &[u8::from(call.ok)]);
            field(out, &[u8::from(call.fast)]);
            for count in call.tokens.kinds() {
                field(out, &signed(count).to_be_bytes());
            }
            money(out, event.cost.and_then(|cost| cost.amount));
            money(out, call.reported);
            match event.cost {
                Some(cost) => field(out, &small(cost.provenance.index())),
                None => nulls(out, 1),
            }
            match event.cost.and_then(|cost| cost.price_id) {
                Some(id) => field(out, &id.to_be_bytes()),
                None => nulls(out, 1),
            }
            duration(out, call.duration_us);
            nulls(out, 3);
            money(out, event.cost.and_then(|cost| cost.computed));
            nulls(out, 1);
        }
        Event::ToolCall(call) => {
            nulls(out, 1);
            field(out, call.tool.as_str().as_bytes());
            nulls(out, 1);
            field(out, &[u8::from(call.ok)]);
            nulls(out, 10);
            duration(out, call.duration_us);
            nulls(out, 2);
            text(out, call.file.as_deref());
            nulls(out, 2);
        }
        Event::LinesChanged(lines) => {
            nulls(out, 15);
            field(out, &lines_of(lines.added).to_be_bytes());
            field(out, &lines_of(lines.removed).to_be_bytes());
            text(out, lines.file.as_deref());
            nulls(out, 2);
        }
        Event::LinesLanded(lines) => {
            nulls(out, 15);
            field(out, &lines_of(lines.added).to_be_bytes());
            field(out, &lines_of(lines.removed).to_be_bytes());
            nulls(out, 3);
        }
        Event::AgentState(state) => state_of(out, position(&AgentState::ALL, state)),
        Event::Session(edge) => state_of(out, usize::from(*edge == SessionEdge::Ended)),
        Event::Bead(edge) => state_of(out, usize::from(*edge == BeadEdge::Closed)),
        Event::CostSnapshot(snapshot) => {
            nulls(out, 11);
            money(out, Some(snapshot.total));
            nulls(out, 8);
        }
        Event::Request(step) => {
            text(out, step.model.as_ref().map(ModelName::as_str));
            text(out, step.tool.as_ref().map(ToolName::as_str));
            field(out, &small(position(&RequestEdge::ALL, &step.edge)));
            field(out, &[u8::from(step.ok)]);
            nulls(out, 10);
            duration(out, step.duration_us);
            nulls(out, 5);
        }
        Event::Log(line) => {
            nulls(out, 1);
            text(out, line.logger.as_ref().map(LoggerName::as_str));
            field(out, &small(line.level.index()));
            nulls(out, 16);
            field(out, line.text.as_bytes());
        }
    }
}

/// Columns from `model` on, for kinds that only have a state.
fn state_of(out: &mut Vec<u8>, state: usize) {
    nulls(out, 2);
    field(out, &small(state));
    nulls(out, 17);
}
fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    // Names, files and numbers are far below 2 GiB.
    let length = i32::try_from(bytes.len()).unwrap_or(0);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}
fn text(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => field(out, value.as_bytes()),
        None => nulls(out, 1),
    }
}
fn money(out: &mut Vec<u8>, amount: Option<Nanodollars>) {
    match amount {
        Some(amount) => field(out, &amount.0.to_be_bytes()),
        None => nulls(out, 1),
    }
}
fn duration(out: &mut Vec<u8>, micros: Option<u64>) {
    match micros {
        Some(micros) => field(out, &signed(micros).to_be_bytes()),
        None => nulls(out, 1),
    }
}
fn nulls(out: &mut Vec<u8>, count: usize) {
    const NULLS: [u8; 80] = [0xff; 80];
    out.extend_from_slice(&NULLS[..count * 4]);
}
fn small(number: usize) -> [u8; 2] {
    i16::try_from(number).unwrap_or(i16::MAX).to_be_bytes()
}
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
fn lines_of(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
fn position<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|other| other == one).unwrap_or(0)
}

/// Reads a row of [`COLUMNS`]. Claims are not part of it.
///
/// # Errors
/// A number or name that this version does not know.
pub fn decode(row: &PgRow) -> Result<PricedEvent, DbError> {
    let kind: i16 = row.try_get("kind")?;
    let state: Option<i16> = row.try_get("state")?;
    let ok = row.try_get::<Option<bool>, _>("ok")?.unwrap_or(true);
    let reported: Option<i64> = row.try_get("reported")?;
    let duration_us = row.try_get::<Option<i64>, _>("duration_us")?.map(unsigned);
    let file = || Ok::<_, DbError>(row.try_get::<Option<&str>, _>("file")?.map(CompactString::new));
    let lines = |column| Ok::<_, DbError>(row.try_get::<Option<i32>, _>(column)?.unwrap_or(0).unsigned_abs());
    let mut cost = None;
    let event = match kind {
        0 => {
            let provenance: i16 = row.try_get::<Option<i16>, _>("provenance")?.unwrap_or(4);
            cost = Some(Cost {
                amount: row.try_get::<Option<i64>, _>("cost")?.map(Nanodollars),
                provenance: pick(&Provenance::ALL, provenance, "provenance")?,
                computed: row.try_get::<Option<i64>, _>("computed")?.map(Nanodollars),
                price_id: row.try_get("price_id")?,
            });
            let tokens = |column| Ok::<_, DbError>(row.try_get::<Option<i64>, _>(column)?.map_or(0, unsigned));
            Event::ModelCall(ModelCall {
                model: name(row.try_get("model")?, ModelName::new)?,
                tokens: TokenCounts {
                    input: tokens("input_tokens")?,
                    output: tokens("output_tokens")?,
                    cache_read: tokens("cache_read_tokens")?,
                    cache_write_5m: tokens("cache_write_5m_tokens")?,
                    cache_write_1h: tokens("cache_write_1h_tokens")?,
                },
                reported: reported.map(Nanodollars),
                duration_us,
                ok,
                fast: row.try_get::<Option<bool>, _>("fast")?.unwrap_or(false),
            })
        }
        1 => Event::ToolCall(ToolCall {
            tool: name(row.try_get("tool")?, ToolName::new)?,
            duration_us,
            ok,
            file: file()?,
        }),
        2 => Event::LinesChanged(LinesChanged {
            added: lines("lines_added")?,
            removed: lines("lines_removed")?,
            file: file()?,
        }),
        3 => Event::AgentState(pick(&AgentState::ALL, state.unwrap_or(0), "state")?),
        4 => Event::Session(pick(&[SessionEdge::Started, SessionEdge::Ended], state.unwrap_or(0), "state")?),
        5 => Event::Bead(pick(&[BeadEdge::Created, BeadEdge::Closed], state.unwrap_or(0), "state")?),
        6 => Event::CostSnapshot(CostSnapshot { total: Nanodollars(reported.unwrap_or(0)) }),
        7 => Event::LinesLanded(LinesLanded { added: lines("lines_added")?, removed: lines("lines_removed")? }),
        8 => Event::Request(RequestStep {
            edge: pick(&RequestEdge::ALL, state.unwrap_or(0), "state")?,
            model: optional(row.try_get("model")?, ModelName::new)?,
            tool: optional(row.try_get("tool")?, ToolName::new)?,
            ok,
            duration_us,
        }),
        9 => Event::Log(LogLine {
            level: pick(&Level::ALL, state.unwrap_or(0), "state")?,
            logger: optional(row.try_get("tool")?, LoggerName::new)?,
            text: CompactString::new(row.try_get::<Option<&str>, _>("message")?.unwrap_or_default()),
        }),
        other => return Err(DbError::Unknown { what: format!("event kind {other}") }),
    };
    let envelope = Envelope {
        at: row.try_get::<PgTime, _>("ts")?.0,
        key: EventKey(row.try_get::<Uuid, _>("key")?.as_u128()),
        claim: None,
        source: name(row.try_get("source")?, SourceName::new)?,
        rig: optional(row.try_get("rig")?, RigName::new)?,
        role: pick(&Role::ALL, row.try_get("role")?, "role")?,
        agent: optional(row.try_get("agent")?, AgentName::new)?,
        session: optional(row.try_get("session")?, SessionId::new)?,
        bead: optional(row.try_get("bead")?, BeadId::new)?,
        event,
    };
    Ok(PricedEvent { envelope, cost })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
fn pick<T: Copy>(all: &[T], position: i16, what: &str) -> Result<T, DbError> {
    let found = usize::try_from(position).ok().and_then(|i| all.get(i)).copied();
    found.ok_or_else(|| DbError::Unknown { what: format!("{what} {position}") })
}
fn name<T>(raw: Option<&str>, new: fn(&str) -> Result<T, NameError>) -> Result<T, DbError> {
    let raw = raw.unwrap_or_default();
    new(raw).map_err(|_| DbError::Unknown { what: format!("name \"{raw}\"") })
}
fn optional<T>(raw: Option<&str>, new: fn(&str) -> Result<T, NameError>) -> Result<Option<T>, DbError> {
    raw.map(|raw| name(Some(raw), new)).transpose()
}

/// Which of `places` (sorted) are stored already. Reads one index entry each, in the partitions of their days only:
/// planning a query over the whole table would cost more with every day of history.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn existing(connection: &mut PgConnection, places: &[Place]) -> Result<Vec<Place>, DbError> {
    let mut found = Vec::new();
    for (day, chunk) in partition::by_day(places) {
        let (towns, times, keys) = columns(chunk);
        let table = partition::name(day);
        let statement = AssertSqlSafe(format!(
            "select e.town_id, e.ts, e.key from unnest($1::integer[], $2::timestamptz[], $3::uuid[]) as p(town_id, ts, key) \
             join {table} e on e.town_id = p.town_id and e.ts = p.ts and e.key = p.key"
        ));
        let rows: Vec<(i32, PgTime, Uuid)> =
            sqlx::query_as(statement).bind(towns).bind(times).bind(keys).fetch_all(&mut *connection).await?;
        found.extend(rows.into_iter().map(|(town, at, key)| Place {
            town: TownKey(town),
            at: at.0,
            key: EventKey(key.as_u128()),
        }));
    }
    found.sort_unstable();
    Ok(found)
}

/// Deletes `places` (sorted) and returns what stood there.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn take_back(
    connection: &mut PgConnection,
    places: &[Place],
) -> Result<Vec<(TownKey, PricedEvent)>, DbError> {
    let mut taken = Vec::new();
    for (day, chunk) in partition::by_day(places) {
        let (towns, times, keys) = columns(chunk);
        let table = partition::name(day);
        let returned = COLUMNS.split(", ").map(|column| format!("e.{column}")).collect::<Vec<_>>().join(", ");
        let statement = AssertSqlSafe(format!(
            "delete from {table} e using unnest($1::integer[], $2::timestamptz[], $3::uuid[]) as p(town_id, ts, key) \
             where e.town_id = p.town_id and e.ts = p.ts and e.key = p.key returning {returned}"
        ));
        let rows = sqlx::query(statement).bind(towns).bind(times).bind(keys).fetch_all(&mut *connection).await?;
        for row in &rows {
            taken.push((TownKey(row.try_get("town_id")?), decode(row)?));
        }
    }
    Ok(taken)
}

fn columns(places: &[Place]) -> (Vec<i32>, Vec<PgTime>, Vec<Uuid>) {
    let towns = places.iter().map(|p| p.town.0).collect();
    let times = places.iter().map(|p| PgTime(p.at)).collect();
    let keys = places.iter().map(|p| Uuid::from_u128(p.key.0)).collect();
    (towns, times, keys)
}
