//! What webhooks are to be told, and what came of it.

use std::collections::BTreeMap;

use model::alert::AlertKind;
use model::id::TownName;
use model::time::Timestamp;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{DbError, PgTime, Pool, TownKey};

/// Deliveries that are kept of each webhook, the newest, delivered or not; the statement that trims them says the same.
pub const KEPT: i64 = 200;

/// Something to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewDelivery<'a> {
    /// The same at every try.
    pub id: Uuid,
    /// Which webhook.
    pub hook: &'a str,
    /// What it is about.
    pub kind: AlertKind,
    /// When it happened; it is due at once.
    pub at: Timestamp,
    /// The body.
    pub body: &'a str,
}

/// A delivery that is to be tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Town.
    pub town: TownKey,
    /// Its id.
    pub id: Uuid,
    /// Which webhook.
    pub hook: String,
    /// What it is about.
    pub kind: String,
    /// The body.
    pub body: String,
    /// Which try this is, from 1.
    pub tries: u32,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// When it was delivered, if it was.
    pub delivered_at: Option<Timestamp>,
    /// When to try again; none: never.
    pub next_try: Option<Timestamp>,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
}

/// A delivery as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// Its town.
    pub town: TownName,
    /// What it is about.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// Tries so far.
    pub tries: u32,
    /// What came of the last one.
    pub outcome: Outcome,
}

/// Notes what is to be told, and forgets what is older than the newest [`KEPT`] of each webhook.
///
/// # Errors
/// The database refused.
pub(super) async fn insert(
    connection: &mut PgConnection,
    town: TownKey,
    new: &[NewDelivery<'_>],
) -> Result<(), DbError> {
    for delivery in new {
        sqlx::query(
            "insert into delivery (town_id, delivery_id, hook, kind, ts, body, next_try) values ($1, $2, $3, $4, $5, $6, $5)",
        )
        .bind(town.0)
        .bind(delivery.id)
        .bind(delivery.hook)
        .bind(delivery.kind.name())
        .bind(PgTime(delivery.at))
        .bind(delivery.body)
        .execute(&mut *connection)
        .await?;
        sqlx::query(include_str!("sql/delivery_trim.sql")).bind(delivery.hook).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Notes something that is to be told beside any step: a test.
///
/// # Errors
/// The database refused.
pub async fn add(pool: &Pool, town: TownKey, new: &[NewDelivery<'_>]) -> Result<(), DbError> {
    let mut transaction = pool.begin().await?;
    insert(&mut transaction, town, new).await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes what is due, up to `limit`, and notes a try of each; `next` says when the one after it would be, given its
/// number and the delivery. So who is killed while trying leaves a delivery that is tried again, and several servers
/// never try the same at once.
///
/// # Errors
/// The database refused.
pub async fn take_due(
    pool: &Pool,
    hooks: &[&str],
    now: Timestamp,
    limit: i64,
    next: impl Fn(u32, Uuid) -> Option<Timestamp>,
) -> Result<Vec<Due>, DbError> {
    let mut transaction = pool.begin().await?;
    let rows: Vec<(i32, Uuid, String, String, String, i32)> = sqlx::query_as(include_str!("sql/delivery_due.sql"))
        .bind(PgTime(now))
        .bind(hooks)
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
    let due = |(town, id, hook, kind, body, tries): (i32, Uuid, String, String, String, i32)| Due {
        town: TownKey(town),
        id,
        hook,
        kind,
        body,
        tries: u32::try_from(tries).unwrap_or_default().saturating_add(1),
    };
    let due: Vec<Due> = rows.into_iter().map(due).collect();
    for delivery in &due {
        sqlx::query("update delivery set tries = tries + 1, next_try = $3 where town_id = $1 and delivery_id = $2")
            .bind(delivery.town.0)
            .bind(delivery.id)
            .bind(next(delivery.tries, delivery.id).map(PgTime))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(due)
}

/// Notes what came of a try.
///
/// # Errors
/// The database refused.
pub async fn settle(pool: &Pool, due: &Due, outcome: &Outcome) -> Result<(), DbError> {
    sqlx::query(
        "update delivery set delivered_at = $3, next_try = $4, status = $5, error = $6
          where town_id = $1 and delivery_id = $2 and delivered_at is null",
    )
    .bind(due.town.0)
    .bind(due.id)
    .bind(outcome.delivered_at.map(PgTime))
    .bind(outcome.next_try.map(PgTime))
    .bind(outcome.status.and_then(|status| i16::try_from(status).ok()))
    .bind(outcome.error.as_deref())
    .execute(pool)
    .await?;
    Ok(())
}

type ListedRow =
    (String, Uuid, String, String, PgTime, i32, Option<PgTime>, Option<PgTime>, Option<i16>, Option<String>);

/// The newest deliveries of each of these webhooks, newest first, up to `limit` of each; none of a webhook that was
/// never told anything.
///
/// # Errors
/// The database refused.
pub async fn newest(pool: &Pool, hooks: &[&str], limit: i64) -> Result<BTreeMap<String, Vec<Listed>>, DbError> {
    let rows: Vec<ListedRow> =
        sqlx::query_as(include_str!("sql/delivery_newest.sql")).bind(hooks).bind(limit).fetch_all(pool).await?;
    let mut all: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
    for (hook, id, town, kind, at, tries, delivered_at, next_try, status, error) in rows {
        let known = TownName::new(&town).map_err(|_| DbError::Unknown { what: format!("town \"{town}\"") })?;
        let listed = Listed {
            id,
            town: known,
            kind,
            at: at.0,
            tries: u32::try_from(tries).unwrap_or_default(),
            outcome: Outcome {
                delivered_at: delivered_at.map(|at| at.0),
                next_try: next_try.map(|at| at.0),
                status: status.and_then(|status| u16::try_from(status).ok()),
                error,
            },
        };
        all.entry(hook).or_default().push(listed);
    }
    Ok(all)
}
