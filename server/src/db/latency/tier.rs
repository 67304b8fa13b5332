//! Joins the parts of the finest tier, and makes the coarser ones from the next finer by replacing: safe to repeat.

use std::collections::BTreeMap;

use model::time::{Resolution, Timestamp};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::row::{self, Key, Sums};
use super::{SPAN, TIERS};
use crate::db::{DbError, PgTime, Pool, TownKey};

/// Workers take turns per town ("late" in ASCII keeps the number space apart).
const LOCK: i32 = 0x6c_61_74_65;

/// Towns with work to do.
///
/// # Errors
/// The database refused.
pub async fn dirty_towns(pool: &Pool) -> Result<Vec<TownKey>, DbError> {
    let towns: Vec<(i32,)> = sqlx::query_as(include_str!("../sql/latency_towns.sql")).fetch_all(pool).await?;
    Ok(towns.into_iter().map(|(town,)| TownKey(town)).collect())
}

/// Whether the town is ours until the connection's transaction ends.
pub(super) async fn lock(connection: &mut PgConnection, town: TownKey) -> Result<bool, DbError> {
    let (ours,): (bool,) = sqlx::query_as("select pg_try_advisory_xact_lock($1, $2)")
        .bind(LOCK)
        .bind(town.0)
        .fetch_one(connection)
        .await?;
    Ok(ours)
}

/// Redoes at most `limit` spans of 5 minutes of a town, in one transaction, and returns how many; none when another
/// worker has the town in hand.
///
/// The lock comes before the markers are read, and the markers before the tiers: so whatever a marker stands for is
/// seen, and no older sum overwrites a newer one.
///
/// # Errors
/// The database refused; nothing was changed.
pub async fn redo(pool: &Pool, town: TownKey, limit: i64) -> Result<Option<u64>, DbError> {
    let mut transaction = pool.begin().await?;
    if !lock(&mut transaction, town).await? {
        return Ok(None);
    }
    let marked: Vec<(PgTime,)> = sqlx::query_as(include_str!("../sql/latency_claim.sql"))
        .bind(town.0)
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
    let mut spans: Vec<Timestamp> = marked.into_iter().map(|(bucket,)| bucket.0).collect();
    spans.sort_unstable();
    spans.dedup();
    if !spans.is_empty() {
        let finest = join(&mut transaction, town, &spans).await?;
        coarsen(&mut transaction, town, &spans, finest).await?;
    }
    transaction.commit().await?;
    Ok(Some(u64::try_from(spans.len()).unwrap_or(u64::MAX)))
}

/// Joins what are parts of one sum, and returns the sums of the spans.
async fn join(connection: &mut PgConnection, town: TownKey, spans: &[Timestamp]) -> Result<Sums, DbError> {
    let rows = sqlx::query(include_str!("../sql/latency_parts.sql"))
        .bind(town.0)
        .bind(times(spans))
        .fetch_all(&mut *connection)
        .await?;
    let mut sums = Sums::new();
    let mut parts: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
    for row in &rows {
        let (key, sum) = row::decode(row)?;
        parts.entry(key.clone()).or_default().push(row.try_get("part")?);
        row::add(&mut sums, key, &sum);
    }
    // A single part is fine as it is, unless it says that there is nothing.
    parts.retain(|key, parts| parts.len() > 1 || sums.get(key).is_some_and(|sum| sum.is_empty()));
    sums.retain(|_, sum| !sum.is_empty());
    if !parts.is_empty() {
        let each = || parts.iter().flat_map(|((bucket, ..), parts)| parts.iter().map(|part| (*bucket, *part)));
        sqlx::query(include_str!("../sql/latency_drop_parts.sql"))
            .bind(town.0)
            .bind(each().map(|(bucket, _)| PgTime(bucket)).collect::<Vec<_>>())
            .bind(each().map(|(_, part)| part).collect::<Vec<i64>>())
            .execute(&mut *connection)
            .await?;
        let joined: Vec<_> = sums.iter().filter(|(key, _)| parts.contains_key(*key)).collect();
        let statement = sqlx::query(include_str!("../sql/latency_add.sql")).bind(town.0);
        row::bind(statement, &joined).execute(connection).await?;
    }
    Ok(sums)
}

/// Replaces the coarser tiers from what the finest one is now in the spans.
async fn coarsen(
    connection: &mut PgConnection,
    town: TownKey,
    spans: &[Timestamp],
    finest: Sums,
) -> Result<(), DbError> {
    let mut finer = finest;
    let mut spans = spans.to_vec();
    for (from, to) in TIERS.into_iter().zip(TIERS.into_iter().skip(1)) {
        if from != Resolution::S10 {
            // The finer tier only changed in some of what makes up these spans.
            spans = spans.iter().map(|span| span.floor_to(to.step_s())).collect();
            spans.dedup();
            let rows = sqlx::query(AssertSqlSafe(fill(include_str!("../sql/latency_read_tier.sql"), from, to)))
                .bind(town.0)
                .bind(times(&spans))
                .fetch_all(&mut *connection)
                .await?;
            finer = rows.iter().map(row::decode).collect::<Result<Sums, _>>()?;
        }
        let mut sums = Sums::new();
        for ((bucket, kind, name), sum) in &finer {
            row::add(&mut sums, (bucket.floor_to(to.step_s()), *kind, name.clone()), sum);
        }
        sums.retain(|_, sum| !sum.is_empty());
        let statement = fill(include_str!("../sql/latency_replace.sql"), to, to.max(SPAN));
        let statement = sqlx::query(AssertSqlSafe(statement)).bind(town.0).bind(times(&spans));
        row::bind(statement, &sums.iter().collect::<Vec<_>>()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The template for a tier, of which spans as long as a bucket of `span` are looked at.
fn fill(template: &str, tier: Resolution, span: Resolution) -> String {
    template.replace("{tier}", tier.name()).replace("{span}", &format!("interval '{} seconds'", span.step_s()))
}

fn times(spans: &[Timestamp]) -> Vec<PgTime> {
    spans.iter().copied().map(PgTime).collect()
}

/// For [`super::rebuild`].
pub(super) async fn insert(connection: &mut PgConnection, town: TownKey, sums: &Sums) -> Result<(), DbError> {
    let statement = sqlx::query(include_str!("../sql/latency_add.sql")).bind(town.0);
    row::bind(statement, &sums.iter().collect::<Vec<_>>()).execute(connection).await?;
    Ok(())
}
