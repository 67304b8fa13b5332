//! What nobody heard the end of, and what is old.

use model::id::TownName;
use model::request::{RequestId, RequestOf};
use model::time::Timestamp;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::read::KEPT_S;
use super::{OF, request_of};
use crate::db::{DbError, PgTime, Pool, TownKey};

/// Requests kept of a town at most.
const MOST_KEPT: i64 = 200_000;
/// Requests that are settled at once.
const MOST_SETTLED: i64 = 1_000;

/// A request whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// Its town.
    pub town: TownKey,
    /// The same by name.
    pub town_name: TownName,
    /// Which.
    pub id: RequestId,
    /// Whose.
    pub of: RequestOf,
    /// When it began.
    pub started: Timestamp,
    /// The claim of the event that would tell its end, where there would be one.
    pub told_by: Option<u128>,
}

/// Notes the end of what is told to be over by an event alone. Returns how many.
///
/// # Errors
/// The database refused.
pub async fn settle(pool: &Pool) -> Result<u64, DbError> {
    let settled = sqlx::query(include_str!("../sql/request_settle.sql")).bind(MOST_SETTLED).execute(pool).await?;
    Ok(settled.rows_affected())
}

/// At most `limit` requests of all towns that began more than `lost_after_s` before `now`.
///
/// # Errors
/// The database refused.
pub async fn overdue(pool: &Pool, now: Timestamp, lost_after_s: i64, limit: i64) -> Result<Vec<Overdue>, DbError> {
    let sql = include_str!("../sql/request_overdue.sql").replace("{of}", OF);
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(PgTime(now.plus_seconds(-lost_after_s)))
        .bind(limit)
        .fetch_all(pool)
        .await?;
    let mut overdue = Vec::with_capacity(rows.len());
    for row in &rows {
        let Ok(town_name) = TownName::new(row.try_get("town_name")?) else { continue };
        overdue.push(Overdue {
            town: TownKey(row.try_get("town_id")?),
            town_name,
            id: RequestId::of(row.try_get::<Uuid, _>("id")?.as_u128()),
            of: request_of(row)?,
            started: row.try_get::<PgTime, _>("started_at")?.0,
            told_by: row.try_get::<Option<Uuid>, _>("told_by")?.map(|claim| claim.as_u128()),
        });
    }
    Ok(overdue)
}

/// Gives up what no event can say to be lost: because it is older than what the store keeps, say.
///
/// # Errors
/// The database refused.
pub async fn give_up(pool: &Pool, town: TownKey, ids: &[RequestId], lost_after_s: i64) -> Result<(), DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from_u128(id.number())).collect();
    sqlx::query(include_str!("../sql/request_give_up.sql"))
        .bind(town.0)
        .bind(ids)
        .bind(i32::try_from(lost_after_s).unwrap_or(i32::MAX))
        .execute(pool)
        .await?;
    Ok(())
}

/// Drops what is older than eight days, and of each town what is beyond [`MOST_KEPT`]. Returns how many rows went.
///
/// # Errors
/// The database refused.
pub async fn trim(pool: &Pool, now: Timestamp) -> Result<u64, DbError> {
    let towns: Vec<(i32,)> = sqlx::query_as("select town_id from town").fetch_all(pool).await?;
    let mut dropped = 0;
    for (town,) in towns {
        let old = sqlx::query("delete from request where town_id = $1 and at < $2")
            .bind(town)
            .bind(PgTime(now.plus_seconds(-KEPT_S)))
            .execute(pool)
            .await?;
        let many =
            sqlx::query(include_str!("../sql/request_trim.sql")).bind(town).bind(MOST_KEPT).execute(pool).await?;
        dropped += old.rows_affected() + many.rows_affected();
    }
    Ok(dropped)
}
