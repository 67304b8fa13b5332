//! When a town was being observed: a bucket without a row is zero inside, and a gap outside.

use model::Timestamp;
use model::time::TimeRange;

use super::{DbError, PgTime, Pool, TownKey};

/// A restart within this many seconds is no gap.
const BRIDGE_S: i64 = 60;

/// Notes for every town that it is observed at `now`: extends the interval that ends shortly before, or begins one.
///
/// # Errors
/// The database refused.
pub async fn extend_all(pool: &Pool, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(include_str!("sql/coverage_extend.sql"))
        .bind(PgTime(now))
        .bind(PgTime(now.plus_seconds(-BRIDGE_S)))
        .execute(pool)
        .await?;
    Ok(())
}

/// The intervals in which a town was observed that touch a range, 10,000 at most.
///
/// # Errors
/// The database refused.
pub async fn observed(pool: &Pool, town: TownKey, range: TimeRange) -> Result<Vec<(Timestamp, Timestamp)>, DbError> {
    let intervals: Vec<(PgTime, PgTime)> = sqlx::query_as(
        "select from_ts, to_ts from coverage where town_id = $1 and from_ts < $3 and to_ts >= $2 limit 10000",
    )
    .bind(town.0)
    .bind(PgTime(range.from()))
    .bind(PgTime(range.to()))
    .fetch_all(pool)
    .await?;
    Ok(intervals.into_iter().map(|(from, to)| (from.0, to.0)).collect())
}

/// Adds an interval, such as the span of a backfill.
///
/// # Errors
/// The database refused.
pub async fn add(pool: &Pool, town: TownKey, from: Timestamp, to: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "insert into coverage (town_id, from_ts, to_ts) values ($1, $2, $3)
         on conflict (town_id, from_ts) do update set to_ts = greatest(coverage.to_ts, excluded.to_ts)",
    )
    .bind(town.0)
    .bind(PgTime(from))
    .bind(PgTime(to))
    .execute(pool)
    .await?;
    Ok(())
}
