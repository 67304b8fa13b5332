//! Machines that ship their events here: how it stands with each, and which of its batches were taken.

use std::collections::BTreeMap;

use model::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::source_count::{self, Refused, SourceSum};
use super::{DbError, PgTime, Pool, TownKey};

/// Shippers that are kept of each town; a few more while they come in at once.
const KEPT: i64 = 500;

/// Parts of one batch that are remembered: a sender puts no more aside of one batch.
const MAX_PARTS: usize = 10_000;

/// A shipper, as it said itself when it was heard last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipper {
    /// Made with its state folder.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// Kind of machine.
    pub host: String,
    /// Its version of Towngauge.
    pub version: String,
    /// Bytes that wait there.
    pub waiting_bytes: u64,
    /// When the oldest of them was read.
    pub oldest: Option<Timestamp>,
    /// What it put aside because it was refused here.
    pub parked: u64,
    /// What of that it removed again, because more was refused than it keeps.
    pub dropped: u64,
    /// What went wrong there before.
    pub trouble: Option<String>,
}

/// What came of items, as it was answered: one of the three for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Came {
    /// New.
    pub stored: u64,
    /// Known before.
    pub duplicate: u64,
    /// Refused, without the bad lines that are counted here.
    pub rejected: u64,
}

/// A shipper as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipperRow {
    /// What it said.
    pub said: Shipper,
    /// Number of the last batch that was taken.
    pub last_batch: u64,
    /// When it was heard first.
    pub first_heard: Timestamp,
    /// When it was heard last.
    pub last_heard: Timestamp,
    /// What came of all its items since `counted_from`, with its bad lines.
    pub came: Came,
    /// When counting began: when it was heard first, or when this server first counted.
    pub counted_from: Timestamp,
}

/// A bad line of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The batch.
    pub batch: u64,
    /// Source.
    pub source: String,
    /// File and line.
    pub place: String,
    /// Why.
    pub reason: String,
}

/// The last batch that was taken of a shipper; 0 when it was never heard.
///
/// # Errors
/// The database refused.
pub async fn last_batch(pool: &Pool, town: TownKey, id: Uuid) -> Result<u64, DbError> {
    let last: Option<i64> = sqlx::query_scalar("select last_batch from shipper where town_id = $1 and shipper = $2")
        .bind(town.0)
        .bind(id)
        .fetch_optional(pool)
        .await?;
    Ok(unsigned(last.unwrap_or(0)))
}

/// What a request brought, as far as it has no identity by itself.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The last batch that is stored with it.
    pub whole: u64,
    /// A hash of what it brought: a part of a batch that is sent again has the same.
    pub digest: Uuid,
    /// What came of its items, without its bad lines.
    pub came: Came,
    /// Its bad lines.
    pub bad: &'a [BadLine],
}

/// Notes what a shipper said at `now`, that its batches up to `part.whole` are stored and what came of them, and counts the bad lines of those
/// that were not noted before, all at once. Those of a batch that comes in parts count once per part. Returns how many bad lines that were.
///
/// # Errors
/// The database refused; then nothing was noted.
pub async fn heard(pool: &Pool, town: TownKey, said: &Shipper, part: Part<'_>, now: Timestamp) -> Result<u64, DbError> {
    let mut transaction = pool.begin().await?;
    let row = sqlx::query(include_str!("sql/shipper_lock.sql"))
        .bind(town.0)
        .bind(said.id)
        .bind(PgTime(now))
        .fetch_one(&mut *transaction)
        .await?;
    let known = unsigned(row.try_get("last_batch")?);
    let counted: Vec<Uuid> = row.try_get("parts")?;
    let is_again = counted.contains(&part.digest);
    let fresh: Vec<&BadLine> = part.bad.iter().filter(|line| line.batch > known && !is_again).collect();
    // As long as the batch is not whole, its number says nothing yet of its parts.
    let parts: Vec<Uuid> = match () {
        () if part.whole > known => Vec::new(),
        () if fresh.is_empty() => counted,
        () => counted.into_iter().rev().take(MAX_PARTS - 1).rev().chain([part.digest]).collect(),
    };
    if !fresh.is_empty() {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        fresh.iter().for_each(|line| *counts.entry(&line.source).or_default() += 1);
        let sum = |(source, rejected)| SourceSum { rejected, ..SourceSum::none(town, source) };
        let sums: Vec<SourceSum<'_>> = counts.into_iter().map(sum).collect();
        // Only the newest of each source are kept; the rest is counted.
        let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
        let mut newest: Vec<&BadLine> = Vec::new();
        for line in fresh.iter().rev() {
            let count = kept.entry(line.source.as_str()).or_default();
            if *count < source_count::KEPT {
                *count += 1;
                newest.push(line);
            }
        }
        newest.reverse();
        let refused: Vec<Refused<'_>> = newest
            .into_iter()
            .map(|line| Refused { town, source: &line.source, place: &line.place, reason: &line.reason })
            .collect();
        source_count::count(&mut transaction, &sums, &refused).await?;
    }
    let counted = u64::try_from(fresh.len()).unwrap_or(u64::MAX);
    sqlx::query(include_str!("sql/shipper_heard.sql"))
        .bind(town.0)
        .bind(said.id)
        .bind(&said.name)
        .bind(&said.host)
        .bind(&said.version)
        .bind(signed(part.whole))
        .bind(PgTime(now))
        .bind(signed(said.waiting_bytes))
        .bind(said.oldest.map(PgTime))
        .bind(signed(said.parked))
        .bind(said.trouble.as_deref())
        .bind(signed(said.dropped))
        .bind(signed(part.came.stored))
        .bind(signed(part.came.duplicate))
        .bind(signed(part.came.rejected.saturating_add(counted)))
        .bind(&parts)
        .execute(&mut *transaction)
        .await?;
    if row.try_get::<bool, _>("is_new")? {
        sqlx::query(include_str!("sql/shipper_trim.sql")).bind(town.0).bind(KEPT).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(counted)
}

/// Every shipper of a town, by name.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool, town: TownKey) -> Result<Vec<ShipperRow>, DbError> {
    let rows = sqlx::query(include_str!("sql/shipper_list.sql")).bind(town.0).fetch_all(pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &PgRow) -> Result<ShipperRow, DbError> {
    Ok(ShipperRow {
        said: Shipper {
            id: row.try_get("shipper")?,
            name: row.try_get("name")?,
            host: row.try_get("host")?,
            version: row.try_get("version")?,
            waiting_bytes: unsigned(row.try_get("waiting_bytes")?),
            oldest: row.try_get::<Option<PgTime>, _>("oldest")?.map(|at| at.0),
            parked: unsigned(row.try_get("parked")?),
            dropped: unsigned(row.try_get("dropped")?),
            trouble: row.try_get("trouble")?,
        },
        last_batch: unsigned(row.try_get("last_batch")?),
        first_heard: row.try_get::<PgTime, _>("first_heard")?.0,
        last_heard: row.try_get::<PgTime, _>("last_heard")?.0,
        came: Came {
            stored: unsigned(row.try_get("stored")?),
            duplicate: unsigned(row.try_get("duplicate")?),
            rejected: unsigned(row.try_get("rejected")?),
        },
        counted_from: row.try_get::<PgTime, _>("counted_from")?.0,
    })
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
