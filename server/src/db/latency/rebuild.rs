//! Sketches of events from before there were any: what their events say, less what the finest tier has already, is added
//! to it. Both are read in one snapshot, and writers add their events and their sums in one transaction; so nothing is
//! counted twice or left out although writers go on.

use futures::TryStreamExt as _;
use model::latency::{LatencySum, Sketch};
use model::time::{MICROS_PER_SECOND, Resolution, TimeRange, Timestamp};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::row::{self, Sums};
use super::{SPAN, tier};
use crate::db::{DbError, PgTime, Pool, TownKey};

/// How long a span of latency_rebuild is.
pub(super) const LONG: Resolution = Resolution::H6;

/// Redoes at most `limit` spans, newest first, and returns how many are done. Safe to repeat, and with several workers.
///
/// # Errors
/// The database refused; what was done up to then stays done.
pub async fn rebuild(pool: &Pool, limit: i64) -> Result<u64, DbError> {
    let spans: Vec<(i32, PgTime)> =
        sqlx::query_as("select town_id, bucket from latency_rebuild order by bucket desc, town_id limit $1")
            .bind(limit)
            .fetch_all(pool)
            .await?;
    let mut done = 0;
    for (town, span) in spans {
        done += u64::from(one(pool, TownKey(town), span.0).await?);
    }
    Ok(done)
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
        "select exists (select from latency_rebuild where town_id = $1 and bucket = $2), (select max(floor) from retention)",
    )
    .bind(town.0)
    .bind(PgTime(span))
    .fetch_one(&mut *transaction)
    .await?;
    if !waits {
        return Ok(false);
    }
    // Below a floor the finest tier may be dropped already, and is not to come back.
    let from = floor.map_or(span, |floor| floor.0.max(span));
    if let Ok(range) = TimeRange::new(from, span.plus_seconds(LONG.step_s())) {
        let mut missing = fold(&mut transaction, town, range).await?;
        for (key, sum) in stored(&mut transaction, town, Resolution::S10, range).await? {
            row::add(&mut missing, key, &sum.negated());
        }
        missing.retain(|_, sum| !sum.is_empty());
        tier::insert(&mut transaction, town, &missing).await?;
        let mut spans: Vec<PgTime> =
            missing.keys().map(|(bucket, ..)| PgTime(bucket.floor_to(SPAN.step_s()))).collect();
        spans.dedup();
        sqlx::query("insert into latency_dirty (town_id, bucket) select $1, * from unnest($2::timestamptz[])")
            .bind(town.0)
            .bind(spans)
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query("delete from latency_rebuild where town_id = $1 and bucket = $2")
        .bind(town.0)
        .bind(PgTime(span))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    guard.commit().await?;
    Ok(true)
}

/// The events of a range, at most six hours, folded from scratch into the finest tier.
pub(super) async fn fold(connection: &mut PgConnection, town: TownKey, range: TimeRange) -> Result<Sums, DbError> {
    let mut sums = Sums::new();
    let mut durations: std::collections::BTreeMap<row::Key, Vec<(u64, i64)>> = std::collections::BTreeMap::new();
    let mut rows = sqlx::query(include_str!("../sql/latency_events.sql"))
        .bind(town.0)
        .bind(PgTime(range.from()))
        .bind(PgTime(range.to()))
        .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let at: PgTime = row.try_get("ts")?;
        let bucket = at.0.floor_to(Resolution::S10.step_s());
        let key = (bucket, row.try_get("kind")?, row.try_get::<Option<String>, _>("name")?.unwrap_or_default());
        let duration_us: Option<i64> = row.try_get("duration_us")?;
        let sum = sums.entry(key.clone()).or_default();
        sum.calls += 1;
        sum.errors += i64::from(!row.try_get::<bool, _>("ok")?);
        if let Some(us) = duration_us {
            sum.total_us = sum.total_us.saturating_add(us);
            durations.entry(key).or_default().push((u64::try_from(us).unwrap_or(0), 1));
        }
    }
    for (key, durations) in durations {
        sums.entry(key).or_default().sketch = Sketch::of(durations);
    }
    Ok(sums)
}

/// What a tier holds of a range, parts added up.
pub(super) async fn stored(
    connection: &mut PgConnection,
    town: TownKey,
    tier: Resolution,
    range: TimeRange,
) -> Result<Sums, DbError> {
    let statement = format!(
        "select bucket, kind, name, calls, errors, total_us, sketch from latency_{} \
         where town_id = $1 and bucket >= $2 and bucket < $3",
        tier.name()
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
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

/// The finest sums as a coarser tier has them.
pub(super) fn coarser(finest: &Sums, tier: Resolution) -> Sums {
    let mut sums = Sums::new();
    for ((bucket, kind, name), sum) in finest {
        row::add(&mut sums, (bucket.floor_to(tier.step_s()), *kind, name.clone()), sum);
    }
    sums.retain(|_, sum: &mut LatencySum| !sum.is_empty());
    sums
}

/// Six hours from `span` on.
pub(super) const fn six_hours(span: Timestamp) -> Timestamp {
    Timestamp(span.0 + LONG.step_s() * MICROS_PER_SECOND)
}
