//! Sums of calls from before there were any: what their events say, less what the tiers and the rows that wait have already,
//! is put among the rows that wait. All is read in one snapshot, and writers add their events and their rows in one
//! transaction; so nothing is counted twice or left out although writers go on.

use model::cost::SpendSum;
use model::time::{Resolution, TimeRange, Timestamp};
use sqlx::postgres::PgConnection;

use super::row::{self, Sums, Whose};
use super::tier;
use crate::db::{DbError, PgTime, Pool, TownKey};

/// How long a span of spend_rebuild is.
pub(super) const LONG: Resolution = Resolution::H6;

/// Redoes at most `limit` spans, newest first, and returns how many are done. Safe to repeat, and with several workers.
///
/// # Errors
/// The database refused; what was done up to then stays done.
pub async fn rebuild(pool: &Pool, limit: i64) -> Result<u64, DbError> {
    let spans: Vec<(i32, PgTime)> =
        sqlx::query_as("select town_id, bucket from spend_rebuild order by bucket desc, town_id limit $1")
            .bind(limit)
            .fetch_all(pool)
            .await?;
    let mut done = 0;
    for (town, span) in spans {
        done += u64::from(one(pool, TownKey(town), span.0).await?);
    }
    Ok(done)
}

/// How many spans of a town still have to be summed.
///
/// # Errors
/// The database refused.
pub async fn waiting(connection: &mut PgConnection, town: TownKey) -> Result<i64, DbError> {
    let (waiting,): (i64,) = sqlx::query_as("select count(*) from spend_rebuild where town_id = $1")
        .bind(town.0)
        .fetch_one(connection)
        .await?;
    Ok(waiting)
}

/// Whether the span was ours to do.
async fn one(pool: &Pool, town: TownKey, span: Timestamp) -> Result<bool, DbError> {
    // The lock is taken before the snapshot, which the first query of the second transaction fixes: so what another
    // worker added is in it.
    let mut guard = pool.begin().await?;
    if !tier::lock(&mut guard, town).await? {
        return Ok(false);
    }
    let mut transaction = pool.begin_with("begin isolation level repeatable read").await?;
    let (waits, floor): (bool, Option<PgTime>) = sqlx::query_as(
        "select exists (select from spend_rebuild where town_id = $1 and bucket = $2), (select max(floor) from retention)",
    )
    .bind(town.0)
    .bind(PgTime(span))
    .fetch_one(&mut *transaction)
    .await?;
    if !waits {
        return Ok(false);
    }
    // Below a floor the events may be gone already.
    let from = floor.map_or(span, |floor| floor.0.max(span));
    if let Ok(range) = TimeRange::new(from, span.plus_seconds(LONG.step_s())) {
        let mut missing = fold(&mut transaction, town, range).await?;
        for (key, sum) in kept(&mut transaction, town, "spend_15m", range).await? {
            missing.entry(key).or_default().subtract(&sum);
        }
        for (key, sum) in kept(&mut transaction, town, "spend_part", range).await? {
            missing.entry(key).or_default().subtract(&sum);
        }
        missing.retain(|_, sum| !sum.is_zero());
        let rows: Vec<(Timestamp, &Whose<String>, &SpendSum)> =
            missing.iter().map(|((bucket, whose), sum)| (*bucket, whose, sum)).collect();
        let statement = sqlx::query(include_str!("../sql/spend_wait.sql")).bind(town.0);
        row::bind(statement, &rows).execute(&mut *transaction).await?;
    }
    sqlx::query("delete from spend_rebuild where town_id = $1 and bucket = $2")
        .bind(town.0)
        .bind(PgTime(span))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    guard.commit().await?;
    Ok(true)
}

/// The calls of a range folded from scratch, per quarter of an hour.
pub(super) async fn fold(connection: &mut PgConnection, town: TownKey, range: TimeRange) -> Result<Sums, DbError> {
    let rows = sqlx::query(include_str!("../sql/spend_events.sql"))
        .bind(town.0)
        .bind(PgTime(range.from()))
        .bind(PgTime(range.to()))
        .fetch_all(connection)
        .await?;
    rows.iter().map(row::decode).collect()
}

/// What a table holds of a range, added up.
pub(super) async fn kept(
    connection: &mut PgConnection,
    town: TownKey,
    table: &str,
    range: TimeRange,
) -> Result<Sums, DbError> {
    let statement = format!("select * from {table} where town_id = $1 and bucket >= $2 and bucket < $3");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(town.0)
        .bind(PgTime(range.from()))
        .bind(PgTime(range.to()))
        .fetch_all(connection)
        .await?;
    let mut sums = Sums::new();
    for row in &rows {
        let (key, sum) = row::decode(row)?;
        row::add(&mut sums, key, &sum);
    }
    Ok(sums)
}
