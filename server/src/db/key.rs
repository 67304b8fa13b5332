//! API keys: only their hashes are stored.

use sqlx::Row as _;

use super::{DbError, PgTime, Pool};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Send events, nothing else.
    Ingest,
    /// See pages and figures.
    Read,
    /// Everything.
    Admin,
}

impl Scope {
    /// As in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
    fn parse(raw: &str) -> Result<Self, DbError> {
        [Self::Ingest, Self::Read, Self::Admin]
            .into_iter()
            .find(|scope| scope.name() == raw)
            .ok_or_else(|| DbError::Unknown { what: format!("key scope \"{raw}\"") })
    }
    /// Whether a key of this scope may do what needs `needed`.
    #[must_use]
    pub fn allows(self, needed: Self) -> bool {
        self == Self::Admin || self == needed
    }
}

/// A key as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// SHA-256 of the key.
    pub hash: Vec<u8>,
    /// When it was made.
    pub created_at: PgTime,
    /// When it was last used, to the minute.
    pub last_used: Option<PgTime>,
    /// When it was revoked.
    pub revoked_at: Option<PgTime>,
}

/// Stores a new key.
///
/// # Errors
/// The database refused.
pub async fn insert(pool: &Pool, name: &str, scope: Scope, hash: &[u8; 32]) -> Result<i32, DbError> {
    let (id,): (i32,) = sqlx::query_as("insert into api_key (name, hash, scope) values ($1, $2, $3) returning key_id")
        .bind(name)
        .bind(hash.as_slice())
        .bind(scope.name())
        .fetch_one(pool)
        .await?;
    Ok(id)
}

/// Every key, revoked ones too, newest first; at most 1,000.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool) -> Result<Vec<KeyRow>, DbError> {
    let rows = sqlx::query("select * from api_key order by key_id desc limit 1000").fetch_all(pool).await?;
    rows.iter().map(from_row).collect()
}

/// The key with that hash, unless it is revoked.
///
/// # Errors
/// The database refused.
pub async fn find(pool: &Pool, hash: &[u8; 32]) -> Result<Option<KeyRow>, DbError> {
    let row = sqlx::query("select * from api_key where hash = $1 and revoked_at is null")
        .bind(hash.as_slice())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// The key with that number, unless it is revoked.
///
/// # Errors
/// The database refused.
pub async fn by_id(pool: &Pool, id: i32) -> Result<Option<KeyRow>, DbError> {
    let row = sqlx::query("select * from api_key where key_id = $1 and revoked_at is null")
        .bind(id)
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// How many keys are in force.
///
/// # Errors
/// The database refused.
pub async fn count(pool: &Pool) -> Result<i64, DbError> {
    let (count,): (i64,) =
        sqlx::query_as("select count(*) from api_key where revoked_at is null").fetch_one(pool).await?;
    Ok(count)
}

/// Revokes the keys with that name or number, and returns how many there were.
///
/// # Errors
/// The database refused.
pub async fn revoke(pool: &Pool, name_or_id: &str) -> Result<u64, DbError> {
    let done = sqlx::query(
        "update api_key set revoked_at = now() where revoked_at is null and (name = $1 or key_id::text = $1)",
    )
    .bind(name_or_id)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Notes that a key was used; at most once a minute is written.
///
/// # Errors
/// The database refused.
pub async fn touch(pool: &Pool, id: i32) -> Result<(), DbError> {
    sqlx::query(
        "update api_key set last_used = now()
          where key_id = $1 and (last_used is null or last_used < now() - interval '1 minute')",
    )
    .bind(id)
    .execute(pool)
    .await?;
    Ok(())
}

fn from_row(row: &sqlx::postgres::PgRow) -> Result<KeyRow, DbError> {
    Ok(KeyRow {
        id: row.try_get("key_id")?,
        name: row.try_get("name")?,
        scope: Scope::parse(row.try_get("scope")?)?,
        hash: row.try_get("hash")?,
        created_at: row.try_get("created_at")?,
        last_used: row.try_get("last_used")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
