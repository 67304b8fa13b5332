//! Counters of sources, and the newest items that they got wrong.

use model::time::Timestamp;
use model::unit::Nanodollars;
use sqlx::postgres::PgConnection;

use super::fold::{Fold, Statement};
use super::{DbError, PgTime, Pool, TownKey};

/// Refused items that are kept of each source; the statement that trims them says the same.
pub const KEPT: usize = 50;

/// What a batch adds to the counters of one source. `stored` goes down by what was taken back, and `duplicate` up:
/// so `stored` is what the events table holds, whatever the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceSum<'a> {
    /// Town.
    pub town: TownKey,
    /// Source.
    pub source: &'a str,
    /// New events.
    pub stored: i64,
    /// Events that were there, or that a better report replaced.
    pub duplicate: i64,
    /// Events that were refused.
    pub rejected: i64,
    /// The newest event's time.
    pub last_event: Option<Timestamp>,
    /// The newest time among the new events: from it follows how old they were when they were stored.
    pub newest_stored: Option<Timestamp>,
    /// What agents said that the new events cost, less what was taken back: of model calls that have both figures.
    pub reported: Nanodollars,
    /// What the price book says of the same calls.
    pub computed: Nanodollars,
}

impl<'a> SourceSum<'a> {
    /// Nothing yet.
    #[must_use]
    pub const fn none(town: TownKey, source: &'a str) -> Self {
        Self {
            town,
            source,
            stored: 0,
            duplicate: 0,
            rejected: 0,
            last_event: None,
            newest_stored: None,
            reported: Nanodollars::ZERO,
            computed: Nanodollars::ZERO,
        }
    }
}

/// An item that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused<'a> {
    /// Town.
    pub town: TownKey,
    /// Source.
    pub source: &'a str,
    /// File and line, or number in the request.
    pub place: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// Binds counters (sorted by town and source, each once) for [`super::fold`].
pub(super) fn bind<'q>(statement: Statement<'q>, sums: &[SourceSum<'q>]) -> Statement<'q> {
    statement
        .bind(sums.iter().map(|sum| sum.town.0).collect::<Vec<i32>>())
        .bind(sums.iter().map(|sum| sum.source).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| sum.stored).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| sum.duplicate).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| sum.rejected).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| sum.last_event.map(PgTime)).collect::<Vec<_>>())
}

/// What repricing adds to a source's sums over the calls that have both figures, in nanodollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BothCosts<'a> {
    /// Town.
    pub town: TownKey,
    /// Source.
    pub source: &'a str,
    /// What agents say.
    pub reported: i64,
    /// What the price book says.
    pub computed: i64,
}

/// Adds to the sums of both costs (sorted by town and source, each once), without the source having been heard.
pub(super) async fn correct(connection: &mut PgConnection, sums: &[BothCosts<'_>]) -> Result<(), DbError> {
    if sums.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/source_correct.sql"))
        .bind(sums.iter().map(|sum| sum.town.0).collect::<Vec<i32>>())
        .bind(sums.iter().map(|sum| sum.source).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| sum.reported).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| sum.computed).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Binds what else [`super::fold`] writes of the same counters: at the end of its values.
pub(super) fn bind_rest<'q>(statement: Statement<'q>, sums: &[SourceSum<'q>]) -> Statement<'q> {
    statement
        .bind(sums.iter().map(|sum| sum.reported.0).collect::<Vec<i64>>())
        .bind(sums.iter().map(|sum| sum.computed.0).collect::<Vec<i64>>())
        .bind(sums.iter().map(|sum| sum.newest_stored.map(PgTime)).collect::<Vec<_>>())
}

/// Keeps what was refused; of each source the newest only.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn keep(connection: &mut PgConnection, refused: &[Refused<'_>]) -> Result<(), DbError> {
    if refused.is_empty() {
        return Ok(());
    }
    let towns: Vec<i32> = refused.iter().map(|r| r.town.0).collect();
    let sources: Vec<&str> = refused.iter().map(|r| r.source).collect();
    sqlx::query(include_str!("sql/rejection_add.sql"))
        .bind(&towns)
        .bind(&sources)
        .bind(refused.iter().map(|r| r.place).collect::<Vec<_>>())
        .bind(refused.iter().map(|r| r.reason).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    sqlx::query(include_str!("sql/rejection_trim.sql")).bind(towns).bind(sources).execute(connection).await?;
    Ok(())
}

/// Counts items that never became events: `sums` sorted by town and source, each once.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn count(
    connection: &mut PgConnection,
    sums: &[SourceSum<'_>],
    refused: &[Refused<'_>],
) -> Result<(), DbError> {
    Fold { sources: sums, ..Fold::default() }.write(connection).await?;
    keep(connection, refused).await
}

/// As [`count`], in a transaction of its own.
///
/// # Errors
/// The database refused.
pub async fn reject(pool: &Pool, sum: SourceSum<'_>, refused: &[Refused<'_>]) -> Result<(), DbError> {
    let mut transaction = pool.begin().await?;
    count(&mut transaction, &[sum], refused).await?;
    transaction.commit().await?;
    Ok(())
}
