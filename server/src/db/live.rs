//! What the Live page reads of the store besides rollups: the newest calls, sessions in flight, and how far the worker is.

use model::event::{Event, PricedEvent};
use model::id::{BeadId, SessionId};
use model::live_stats::{CallRow, NEWEST_CALLS, milliseconds};
use model::provider::provider_of;
use model::time::Timestamp;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::{DbError, PgTime, TownKey, event};
use crate::hub::row_key;

/// Where the newest calls are looked for first; then in every day there is.
const LATELY_S: i64 = 24 * 3_600;
/// Events among which the newest calls are looked for.
const LOOKED_AT: i64 = 20_000;

/// The newest model calls of a town, newest first. Among so many newest events that a town without any is no burden.
///
/// # Errors
/// The database refused.
pub async fn newest_calls(
    connection: &mut PgConnection,
    town: TownKey,
    now: Timestamp,
) -> Result<Vec<CallRow>, DbError> {
    let sql = include_str!("sql/live_calls.sql").replace("{columns}", event::COLUMNS);
    let mut calls = Vec::new();
    for since in [now.plus_seconds(-LATELY_S), Timestamp::MIN_BELIEVED] {
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(town.0)
            .bind(PgTime(since))
            .bind(LOOKED_AT)
            .bind(i64::try_from(NEWEST_CALLS).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        calls = rows.iter().map(event::decode).collect::<Result<Vec<_>, _>>()?;
        if calls.len() >= NEWEST_CALLS {
            break;
        }
    }
    Ok(calls.iter().filter_map(call).collect())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn call(priced: &PricedEvent) -> Option<CallRow> {
    let envelope = &priced.envelope;
    let Event::ModelCall(call) = &envelope.event else { return None };
    let seconds = call.duration_us.filter(|us| *us > 0).map(|us| us as f64 / 1e6);
    Some(CallRow {
        key: row_key(priced),
        at: envelope.at,
        provider: provider_of(call.model.as_str()).to_owned(),
        model: call.model.to_string(),
        role: envelope.role,
        agent: envelope.agent.clone(),
        session: envelope.session.clone(),
        latency_ms: call.duration_us.map(|us| milliseconds(us as f64)),
        tokens_per_s: seconds.map(|seconds| (call.tokens.output as f64 / seconds * 10.0).round() / 10.0),
        tokens: call.tokens,
        cost: priced.cost.and_then(|cost| cost.amount),
        ok: call.ok,
    })
}

/// What is stored of a conversation that may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// Which.
    pub session: SessionId,
    /// Who reported it first.
    pub source: String,
    /// Its first event.
    pub first_seen: Timestamp,
    /// Its last event.
    pub last_seen: Timestamp,
    /// When it ended, if it did.
    pub ended_at: Option<Timestamp>,
    /// The newest bead.
    pub bead: Option<BeadId>,
}

/// Conversations by name.
///
/// # Errors
/// The database refused.
pub async fn sessions(connection: &mut PgConnection, town: TownKey, names: &[&str]) -> Result<Vec<Flight>, DbError> {
    let rows =
        sqlx::query(include_str!("sql/live_sessions.sql")).bind(town.0).bind(names).fetch_all(connection).await?;
    let mut flights = Vec::with_capacity(rows.len());
    for row in &rows {
        let Ok(session) = SessionId::new(row.try_get("session")?) else { continue };
        flights.push(Flight {
            session,
            source: row.try_get("source")?,
            first_seen: row.try_get::<PgTime, _>("first_seen")?.0,
            last_seen: row.try_get::<PgTime, _>("last_seen")?.0,
            ended_at: row.try_get::<Option<PgTime>, _>("ended_at")?.map(|at| at.0),
            bead: row.try_get::<Option<&str>, _>("bead")?.and_then(|bead| BeadId::new(bead).ok()),
        });
    }
    Ok(flights)
}

/// What waits for the worker of a town: half hours of rollups, and six hours of sketches.
///
/// # Errors
/// The database refused.
pub async fn pending(connection: &mut PgConnection, town: TownKey) -> Result<(i64, i64), DbError> {
    Ok(sqlx::query_as(include_str!("sql/live_pending.sql")).bind(town.0).fetch_one(connection).await?)
}
