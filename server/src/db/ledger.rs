//! The balance ledger: append-only, and told to every process at once.

use model::id::TownName;
use model::{Nanodollars, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{DbError, PgTime, Pool, TownKey, notify};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Money was filled in.
    Topup,
    /// The balance was put right; may be negative.
    Correction,
}

impl EntryKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Topup => "topup",
            Self::Correction => "correction",
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What it is.
    pub kind: EntryKind,
    /// How much.
    pub amount: Nanodollars,
    /// Why, in the owner's words.
    pub note: String,
    /// Told twice, it counts once.
    pub request: Uuid,
}

/// Sums over a town's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Time of the first entry.
    pub first: Timestamp,
    /// Time of the last top-up; of the first entry when there is none.
    pub last_topup: Timestamp,
    /// All amounts.
    pub filled: Nanodollars,
    /// Amounts up to and including the last top-up.
    pub filled_at_topup: Nanodollars,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It was written.
    Stored,
    /// The same request was written before, with the same amount; nothing changed.
    Duplicate,
    /// The same request was written before as something else; nothing changed.
    Other {
        /// The amount it was written with.
        amount: Nanodollars,
    },
}

/// Writes an entry. `instance` is this process's, see [`notify`].
///
/// # Errors
/// The database refused.
pub async fn add(pool: &Pool, town: (TownKey, &TownName), entry: &Entry, instance: &str) -> Result<Added, DbError> {
    let mut transaction = pool.begin().await?;
    let added = if insert(&mut transaction, town.0, entry).await? {
        notify::send(&mut transaction, instance, town.1).await?;
        Added::Stored
    } else {
        earlier(&mut transaction, town.0, entry).await?
    };
    transaction.commit().await?;
    Ok(added)
}

/// What an entry is whose request was written before.
async fn earlier(connection: &mut PgConnection, town: TownKey, entry: &Entry) -> Result<Added, DbError> {
    let (kind, amount): (String, i64) =
        sqlx::query_as("select kind, amount from ledger where town_id = $1 and request = $2")
            .bind(town.0)
            .bind(entry.request)
            .fetch_one(connection)
            .await?;
    let amount = Nanodollars(amount);
    let same = kind == entry.kind.name() && amount == entry.amount;
    Ok(if same { Added::Duplicate } else { Added::Other { amount } })
}

/// Writes an entry within a transaction of the caller's, which tells nobody; `false` when the same request was written
/// before.
pub(super) async fn insert(connection: &mut PgConnection, town: TownKey, entry: &Entry) -> Result<bool, DbError> {
    let added: Option<(i64,)> = sqlx::query_as(include_str!("sql/ledger_insert.sql"))
        .bind(town.0)
        .bind(PgTime(entry.at))
        .bind(entry.kind.name())
        .bind(entry.amount.0)
        .bind(&entry.note)
        .bind(entry.request)
        .fetch_optional(connection)
        .await?;
    Ok(added.is_some())
}

/// Sets what counts as full; none: the balance right after the last top-up.
///
/// # Errors
/// The database refused.
pub async fn set_capacity(
    pool: &Pool,
    town: &TownName,
    capacity: Option<Nanodollars>,
    instance: &str,
) -> Result<(), DbError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("update town set capacity = $2 where name = $1")
        .bind(town.as_str())
        .bind(capacity.map(|amount| amount.0))
        .execute(&mut *transaction)
        .await?;
    notify::send(&mut transaction, instance, town).await?;
    transaction.commit().await?;
    Ok(())
}

/// What the owner says that a full tank holds.
///
/// # Errors
/// The database refused.
pub(super) async fn capacity(connection: &mut PgConnection, town: TownKey) -> Result<Option<Nanodollars>, DbError> {
    let (capacity,): (Option<i64>,) =
        sqlx::query_as("select capacity from town where town_id = $1").bind(town.0).fetch_one(connection).await?;
    Ok(capacity.map(Nanodollars))
}

/// As [`set_capacity`], unless somebody has said already what a full tank holds.
///
/// # Errors
/// The database refused.
pub async fn propose_capacity(pool: &Pool, town: &TownName, capacity: Nanodollars) -> Result<(), DbError> {
    sqlx::query("update town set capacity = $2 where name = $1 and capacity is null")
        .bind(town.as_str())
        .bind(capacity.0)
        .execute(pool)
        .await?;
    Ok(())
}

/// The newest entries, newest first.
///
/// # Errors
/// The database refused.
pub async fn newest(pool: &Pool, town: TownKey, limit: i64) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<(PgTime, String, i64, String, Uuid)> = sqlx::query_as(
        "select ts, kind, amount, note, request from ledger where town_id = $1 order by entry_id desc limit $2",
    )
    .bind(town.0)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let entry = |(at, kind, amount, note, request): (PgTime, String, i64, String, Uuid)| Entry {
        at: at.0,
        kind: if kind == EntryKind::Topup.name() { EntryKind::Topup } else { EntryKind::Correction },
        amount: Nanodollars(amount),
        note,
        request,
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// How a town's tank is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Habits {
    /// Entries of the ledger altogether.
    pub entries: i64,
    /// Times of the newest top-ups, newest first.
    pub topups: Vec<Timestamp>,
    /// What the owner says that a full tank holds.
    pub capacity: Option<Nanodollars>,
}

/// How a town's tank is filled, by at most `limit` of the newest top-ups.
///
/// # Errors
/// The database refused.
pub async fn habits(pool: &Pool, town: TownKey, limit: i64) -> Result<Habits, DbError> {
    let (entries,): (i64,) =
        sqlx::query_as("select count(*) from ledger where town_id = $1").bind(town.0).fetch_one(pool).await?;
    let rows: Vec<(PgTime,)> = sqlx::query_as(
        "select ts from ledger where town_id = $1 and kind = 'topup' order by ts desc, entry_id desc limit $2",
    )
    .bind(town.0)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let mut connection = pool.acquire().await?;
    let capacity = capacity(&mut connection, town).await?;
    Ok(Habits { entries, topups: rows.into_iter().map(|(at,)| at.0).collect(), capacity })
}

/// Sums over the ledger; none when it is empty.
///
/// # Errors
/// The database refused.
pub async fn sums(connection: &mut PgConnection, town: TownKey) -> Result<Option<Sums>, DbError> {
    let row: Option<(PgTime, PgTime, i64, i64)> =
        sqlx::query_as(include_str!("sql/ledger_sums.sql")).bind(town.0).fetch_optional(connection).await?;
    Ok(row.map(|(first, last_topup, filled, at_topup)| Sums {
        first: first.0,
        last_topup: last_topup.0,
        filled: Nanodollars(filled),
        filled_at_topup: Nanodollars(at_topup),
    }))
}
