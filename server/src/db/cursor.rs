//! How far files were read, and the names that projects were given.

use std::collections::HashMap;

use super::{DbError, Pool, TownKey};

/// How far one file was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Hash of the file's first bytes and of those before `position` (of as many as were read, at most
    /// [`Cursor::HEAD_BYTES`] each); of a file that is read as a whole, hash of all of it.
    pub head: i64,
    /// Bytes read: the next line begins here.
    pub position: u64,
    /// Lines read.
    pub lines: u64,
    /// What the reader must remember.
    pub memory: Option<String>,
}

impl Cursor {
    /// How much of a file's beginning and of what was read last tells it from another.
    pub const HEAD_BYTES: u64 = 1_024;
}

/// Source under which the names of projects are kept: folder -> name.
const NAMES: &str = "claude_code.projects";

/// Every cursor of a source, by path.
///
/// # Errors
/// The database refused.
pub async fn load(pool: &Pool, town: TownKey, source: &str) -> Result<HashMap<String, Cursor>, DbError> {
    let rows: Vec<(String, i64, i64, i64, Option<String>)> =
        sqlx::query_as("select path, head, position, lines, memory from cursor where town_id = $1 and source = $2")
            .bind(town.0)
            .bind(source)
            .fetch_all(pool)
            .await?;
    let unsigned = |n: i64| u64::try_from(n).unwrap_or(0);
    let cursor = |(path, head, position, lines, memory)| {
        (path, Cursor { head, position: unsigned(position), lines: unsigned(lines), memory })
    };
    Ok(rows.into_iter().map(cursor).collect())
}

/// Keeps cursors; the last one given for a path counts.
///
/// # Errors
/// The database refused.
pub async fn save(pool: &Pool, town: TownKey, source: &str, cursors: &HashMap<String, Cursor>) -> Result<(), DbError> {
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let paths: Vec<&str> = cursors.keys().map(String::as_str).collect();
    let heads: Vec<i64> = cursors.values().map(|c| c.head).collect();
    let positions: Vec<i64> = cursors.values().map(|c| signed(c.position)).collect();
    let lines: Vec<i64> = cursors.values().map(|c| signed(c.lines)).collect();
    let memories: Vec<Option<&str>> = cursors.values().map(|c| c.memory.as_deref()).collect();
    sqlx::query(include_str!("sql/cursor_save.sql"))
        .bind(town.0)
        .bind(source)
        .bind(paths)
        .bind(heads)
        .bind(positions)
        .bind(lines)
        .bind(memories)
        .execute(pool)
        .await?;
    Ok(())
}

/// The names that projects were given: (folder, name).
///
/// # Errors
/// The database refused.
pub async fn project_names(pool: &Pool, town: TownKey) -> Result<Vec<(String, String)>, DbError> {
    let named = load(pool, town, NAMES).await?;
    Ok(named.into_iter().filter_map(|(root, cursor)| Some((root, cursor.memory?))).collect())
}

/// Keeps names of projects; one that was given before stays.
///
/// # Errors
/// The database refused.
pub async fn save_project_names(pool: &Pool, town: TownKey, names: &[(String, String)]) -> Result<(), DbError> {
    let (roots, names): (Vec<&str>, Vec<&str>) =
        names.iter().map(|(root, name)| (root.as_str(), name.as_str())).unzip();
    sqlx::query(include_str!("sql/cursor_names_save.sql"))
        .bind(town.0)
        .bind(NAMES)
        .bind(roots)
        .bind(names)
        .execute(pool)
        .await?;
    Ok(())
}
