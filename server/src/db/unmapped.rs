//! What sources sent and nobody understood, counted per name.

use model::id::{SourceName, TownName};
use model::time::Timestamp;

use super::{DbError, PgTime, Pool, TownKey, town};

/// Names that are kept of each source; further ones are counted together as [`REST`]. Two requests at once may pass it
/// by the names of one.
const KEPT: i64 = 200;
/// The name of what came when a source had its fill of names.
pub const REST: &str = "(others)";
/// Rows of one answer: every name of a hundred sources.
const MOST: i64 = 20_000;

/// How often a name came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// Source.
    pub source: String,
    /// Name of the event, metric or span.
    pub name: String,
    /// Times, retries included.
    pub count: i64,
    /// When it came last, by the database's clock.
    pub last_seen: Timestamp,
}

/// Adds to the counts: source, name and number, each pair once.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn add(pool: &Pool, town: &TownName, counts: &[(SourceName, String, i64)]) -> Result<(), DbError> {
    if counts.is_empty() {
        return Ok(());
    }
    let town = town::ensure(pool, town, false).await?;
    sqlx::query(include_str!("sql/unmapped_add.sql"))
        .bind(town.0)
        .bind(counts.iter().map(|(source, ..)| source.as_str()).collect::<Vec<_>>())
        .bind(counts.iter().map(|(_, name, _)| name.as_str()).collect::<Vec<_>>())
        .bind(counts.iter().map(|(.., count)| *count).collect::<Vec<_>>())
        .bind(REST)
        .bind(KEPT)
        .execute(pool)
        .await?;
    Ok(())
}

/// Every name of a town, by source and the most frequent first.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn list(pool: &Pool, town: TownKey) -> Result<Vec<Unmapped>, DbError> {
    let rows: Vec<(String, String, i64, PgTime)> =
        sqlx::query_as(include_str!("sql/unmapped_list.sql")).bind(town.0).bind(MOST).fetch_all(pool).await?;
    let row =
        |(source, name, count, last_seen): (_, _, _, PgTime)| Unmapped { source, name, count, last_seen: last_seen.0 };
    Ok(rows.into_iter().map(row).collect())
}
