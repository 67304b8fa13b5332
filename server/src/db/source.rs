//! How the sources of a town stand: their counters, what they got wrong, and what of them nobody understood.

use model::Nanodollars;
use model::time::Timestamp;
use sqlx::Row as _;

use super::{DbError, PgTime, Pool, TownKey};

/// Sources of a town that are read: every one that this version knows, several times over.
const MOST_SOURCES: i64 = 100;
/// Sources of all towns whose counters are read.
const MOST_COUNTERS: i64 = 5_000;

/// One source, as counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Its name.
    pub source: String,
    /// Items that came: `stored + duplicate + rejected`.
    pub received: i64,
    /// Of these: in the store.
    pub stored: i64,
    /// Of these: known before, or replaced by a better report.
    pub duplicate: i64,
    /// Of these: refused.
    pub rejected: i64,
    /// Time of its newest event, by its own clock.
    pub last_event: Option<Timestamp>,
    /// Age of the last batch's newest event when it was stored, in milliseconds, by the database's clock.
    pub lag_ms: Option<i64>,
    /// What agents said that their calls cost.
    pub reported: Nanodollars,
    /// What the price book says of the same calls.
    pub computed: Nanodollars,
    /// Milliseconds since anything came.
    pub heard_ms: i64,
    /// Whether the last thing that came was refused.
    pub refused_last: bool,
    /// Names that nobody understood.
    pub unmapped_names: i64,
    /// How often they came.
    pub unmapped_times: i64,
    /// The database's clock.
    pub read_at: Timestamp,
}

/// Every source of the town, by name.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool, town: TownKey) -> Result<Vec<SourceRow>, DbError> {
    let rows = sqlx::query(include_str!("sql/source_list.sql")).bind(town.0).bind(MOST_SOURCES).fetch_all(pool).await?;
    let row = |row: sqlx::postgres::PgRow| {
        Ok(SourceRow {
            source: row.try_get("source")?,
            received: row.try_get("received")?,
            stored: row.try_get("stored")?,
            duplicate: row.try_get("duplicate")?,
            rejected: row.try_get("rejected")?,
            last_event: row.try_get::<Option<PgTime>, _>("last_event")?.map(|at| at.0),
            lag_ms: row.try_get("lag_ms")?,
            reported: Nanodollars(row.try_get("reported")?),
            computed: Nanodollars(row.try_get("computed")?),
            heard_ms: row.try_get::<Option<i64>, _>("heard_ms")?.unwrap_or_default(),
            refused_last: row.try_get("refused_last")?,
            unmapped_names: row.try_get("unmapped_names")?,
            unmapped_times: row.try_get("unmapped_times")?,
            read_at: Timestamp(row.try_get("now_us")?),
        })
    };
    rows.into_iter().map(row).collect()
}

/// An item that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Source.
    pub source: String,
    /// File and line, or number in the request.
    pub place: String,
    /// Why, never its content.
    pub reason: String,
    /// Milliseconds since.
    pub ago_ms: i64,
}

/// The newest `each` refused items of every source of the town, by source and the newest first.
///
/// # Errors
/// The database refused.
pub async fn refused(pool: &Pool, town: TownKey, each: i64) -> Result<Vec<RefusedRow>, DbError> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(include_str!("sql/source_refused.sql"))
        .bind(town.0)
        .bind(MOST_SOURCES)
        .bind(each)
        .fetch_all(pool)
        .await?;
    let row = |(source, place, reason, ago_ms)| RefusedRow { source, place, reason, ago_ms };
    Ok(rows.into_iter().map(row).collect())
}

/// The `each` most frequent names of every source that nobody understood: source, name, times.
///
/// # Errors
/// The database refused.
pub async fn unmapped(pool: &Pool, town: TownKey, each: i64) -> Result<Vec<(String, String, i64)>, DbError> {
    let rows = sqlx::query_as(include_str!("sql/source_unmapped.sql"));
    Ok(rows.bind(town.0).bind(each).bind(MOST_SOURCES * each).fetch_all(pool).await?)
}

/// What every source of every town received so far.
///
/// # Errors
/// The database refused.
pub async fn received(pool: &Pool) -> Result<Vec<(TownKey, String, i64)>, DbError> {
    let rows: Vec<(i32, String, i64)> =
        sqlx::query_as(include_str!("sql/source_received.sql")).bind(MOST_COUNTERS).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(town, source, received)| (TownKey(town), source, received)).collect())
}
