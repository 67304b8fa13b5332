//! What is known of beads and conversations that money was spent on.

use std::collections::HashMap;

use model::cost::{CostFilter, SpendSum};
use model::id::{AgentName, BeadId, RigName, Role};
use model::time::{TimeRange, Timestamp};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::read::{self, MAX_GROUPS};
use super::row;
use crate::db::{DbError, PgTime, TownKey};

/// A bead, as its tracker told of it.
#[derive(Debug, Clone)]
pub struct KnownBead {
    /// One line.
    pub title: String,
    /// As the tracker spells it.
    pub status: String,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Whether it is work, which velocity counts.
    pub counted: bool,
}

/// What the trackers told of these beads.
///
/// # Errors
/// The database refused.
pub async fn beads(
    connection: &mut PgConnection,
    town: TownKey,
    ids: &[String],
) -> Result<HashMap<String, KnownBead>, DbError> {
    type Row = (String, String, String, PgTime, Option<PgTime>, bool);
    let rows: Vec<Row> =
        sqlx::query_as(include_str!("../sql/spend_beads.sql")).bind(town.0).bind(ids).fetch_all(connection).await?;
    let known = rows.into_iter().map(|(id, title, status, created_at, closed_at, counted)| {
        let closed_at = closed_at.map(|at| at.0);
        (id, KnownBead { title, status, created_at: created_at.0, closed_at, counted })
    });
    Ok(known.collect())
}

/// How many beads of a range landed, and what was spent on them in it: closed, and work that velocity counts.
///
/// # Errors
/// The database refused.
pub async fn landed(
    connection: &mut PgConnection,
    town: TownKey,
    range: TimeRange,
    filter: &CostFilter,
) -> Result<(i64, SpendSum), DbError> {
    let measures = row::MEASURES.map(|measure| format!("coalesce(sum({measure}), 0)::bigint as {measure}")).join(", ");
    let statement = format!(
        "select count(*) as beads, {measures} from (select bead, {} from ({}) as s where bead <> '' group by bead \
         having sum(calls) <> 0) as spent where exists (select from bead b where b.town_id = $1 and b.bead = spent.bead \
         and b.closed_at is not null and b.counted)",
        read::summed(),
        read::source(true)
    );
    let models = read::models(connection, town, filter).await?;
    let statement = read::bind(sqlx::query(AssertSqlSafe(statement)), town, &[range], true, filter, models);
    let found = statement.fetch_one(connection).await?;
    Ok((found.try_get("beads")?, row::sum(&found)?))
}

/// In how many conversations something was spent in a range.
///
/// # Errors
/// The database refused.
pub async fn session_count(
    connection: &mut PgConnection,
    town: TownKey,
    range: TimeRange,
    filter: &CostFilter,
) -> Result<i64, DbError> {
    let statement = format!(
        "select count(*) as sessions from (select session from ({}) as s where session <> '' group by session \
         having sum(calls) <> 0) as spent",
        read::source(true)
    );
    let models = read::models(connection, town, filter).await?;
    let statement = read::bind(sqlx::query(AssertSqlSafe(statement)), town, &[range], true, filter, models);
    Ok(statement.fetch_one(connection).await?.try_get("sessions")?)
}

/// A part of what was spent on a bead.
#[derive(Debug, Clone)]
pub struct BeadPart {
    /// The bead; empty: on none.
    pub bead: String,
    /// Model, agent and conversation; empty: not known.
    pub model: String,
    /// Agent.
    pub agent: String,
    /// Conversation.
    pub session: String,
    /// Beginning of the first and of the last bucket.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// What was spent.
    pub sum: SpendSum,
}

/// By whom and with what it was spent on these beads. At most 200,000 parts.
///
/// # Errors
/// The database refused.
pub async fn bead_parts(
    connection: &mut PgConnection,
    town: TownKey,
    range: TimeRange,
    filter: &CostFilter,
    beads: &[String],
) -> Result<Vec<BeadPart>, DbError> {
    // Behind the filter's nine parameters and the three lists of the waiting rows, of quarters and of days.
    let statement = format!(
        "select bead, model, agent, session, min(bucket) as first, max(bucket) as last, {} from ({}) as s \
         where bead = any($19) group by bead, model, agent, session limit {MAX_GROUPS}",
        read::summed(),
        read::source(true)
    );
    let models = read::models(connection, town, filter).await?;
    let statement = read::bind(sqlx::query(AssertSqlSafe(statement)), town, &[range], true, filter, models);
    let rows = statement.bind(beads).fetch_all(connection).await?;
    let part = |found: &sqlx::postgres::PgRow| {
        Ok(BeadPart {
            bead: found.try_get("bead")?,
            model: found.try_get("model")?,
            agent: found.try_get("agent")?,
            session: found.try_get("session")?,
            first: found.try_get::<PgTime, _>("first")?.0,
            last: found.try_get::<PgTime, _>("last")?.0,
            sum: row::sum(found)?,
        })
    };
    rows.iter().map(part).collect()
}

/// A conversation, as far as is known of it.
#[derive(Debug, Clone)]
pub struct KnownSession {
    /// Role.
    pub role: Role,
    /// Rig.
    pub rig: Option<RigName>,
    /// Agent.
    pub agent: Option<AgentName>,
    /// The bead that it named last.
    pub bead: Option<BeadId>,
    /// First event.
    pub start: Timestamp,
    /// Last event.
    pub end: Timestamp,
}

/// What is known of these conversations.
///
/// # Errors
/// The database refused.
pub async fn sessions(
    connection: &mut PgConnection,
    town: TownKey,
    ids: &[String],
) -> Result<HashMap<String, KnownSession>, DbError> {
    type Row = (String, i16, Option<String>, Option<String>, Option<String>, PgTime, PgTime);
    let rows: Vec<Row> =
        sqlx::query_as(include_str!("../sql/spend_sessions.sql")).bind(town.0).bind(ids).fetch_all(connection).await?;
    let known = rows.into_iter().map(|(id, role, rig, agent, bead, start, end)| {
        let session = KnownSession {
            role: row::role(role),
            rig: rig.and_then(|rig| RigName::new(&rig).ok()),
            agent: agent.and_then(|agent| AgentName::new(&agent).ok()),
            bead: bead.and_then(|bead| BeadId::new(&bead).ok()),
            start: start.0,
            end: end.0,
        };
        (id, session)
    });
    Ok(known.collect())
}

/// The day of the first call that is summed; none: there is none.
///
/// # Errors
/// The database refused.
pub async fn since(connection: &mut PgConnection, town: TownKey) -> Result<Option<Timestamp>, DbError> {
    let (since,): (Option<PgTime>,) =
        sqlx::query_as(include_str!("../sql/spend_since.sql")).bind(town.0).fetch_one(connection).await?;
    Ok(since.map(|at| at.0))
}
