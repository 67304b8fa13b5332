//! Towns: their numbers and names.

use model::id::TownName;

use super::{DbError, Pool};

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

fn from_row((key, name, demo): (i32, String, bool)) -> Result<TownRow, DbError> {
    let known = TownName::new(&name).map_err(|_| DbError::Unknown { what: format!("town \"{name}\"") })?;
    Ok(TownRow { key: TownKey(key), name: known, demo })
}
