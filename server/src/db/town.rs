//! Towns: their numbers and names.

use model::id::TownName;
use model::time::Timestamp;

use super::{DbError, PgTime, Pool};

/// A town's number: stands in every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TownKey(pub i32);

/// A town as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TownRow {
    /// Its number.
    pub key: TownKey,
    /// Its name.
    pub name: TownName,
    /// Made-up data; marked on every page.
    pub demo: bool,
}

/// Returns the town of that name, and founds it when there is none. `demo` only matters then.
///
/// # Errors
/// The database refused.
pub async fn ensure(pool: &Pool, name: &TownName, demo: bool) -> Result<TownKey, DbError> {
    if let Some(town) = find(pool, name).await? {
        return Ok(town.key);
    }
    sqlx::query("insert into town (name, demo) values ($1, $2) on conflict (name) do nothing")
        .bind(name.as_str())
        .bind(demo)
        .execute(pool)
        .await?;
    let (key,): (i32,) =
        sqlx::query_as("select town_id from town where name = $1").bind(name.as_str()).fetch_one(pool).await?;
    Ok(TownKey(key))
}

/// The town of that name.
///
/// # Errors
/// The database refused.
pub async fn find(pool: &Pool, name: &TownName) -> Result<Option<TownRow>, DbError> {
    let row: Option<(i32, String, bool)> = sqlx::query_as("select town_id, name, demo from town where name = $1")
        .bind(name.as_str())
        .fetch_optional(pool)
        .await?;
    row.map(from_row).transpose()
}

/// Every town by name; at most 1,000.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool) -> Result<Vec<TownRow>, DbError> {
    let rows: Vec<(i32, String, bool)> =
        sqlx::query_as("select town_id, name, demo from town order by name limit 1000").fetch_all(pool).await?;
    rows.into_iter().map(from_row).collect()
}

/// Time of the town's newest event, if it has any.
///
/// # Errors
/// The database refused.
pub async fn newest_event(pool: &Pool, town: TownKey) -> Result<Option<Timestamp>, DbError> {
    let newest: Option<(PgTime,)> = sqlx::query_as("select ts from event where town_id = $1 order by ts desc limit 1")
        .bind(town.0)
        .fetch_optional(pool)
        .await?;
    Ok(newest.map(|(at,)| at.0))
}

fn from_row((key, name, demo): (i32, String, bool)) -> Result<TownRow, DbError> {
    let known = TownName::new(&name).map_err(|_| DbError::Unknown { what: format!("town \"{name}\"") })?;
    Ok(TownRow { key: TownKey(key), name: known, demo })
}
