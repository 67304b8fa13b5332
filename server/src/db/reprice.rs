//! Jobs that price stored calls again: asked for, listed, and marked on charts. `db::batch` works them off.

use model::Nanodollars;
use model::series::{Mark, MarkKind};
use model::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{DbError, PgTime, Pool, TownKey, batch};

/// Jobs of a town that may wait at once.
pub const MAX_WAITING: i64 = 20;
/// Jobs of one answer.
const MOST: i64 = 100;
/// Marks of one chart.
const MAX_MARKS: i64 = 50;

/// What is to be priced again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// From here on.
    pub from: Timestamp,
    /// Up to before this.
    pub to: Timestamp,
    /// Only calls with this model's price; none: all.
    pub model: Option<String>,
}

/// A job and what it did so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: i32,
    /// What it is for.
    pub order: Order,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it was done, or given up.
    pub finished: Option<Timestamp>,
    /// Why it was given up.
    pub failed: Option<String>,
    /// Where it is.
    pub cursor: Timestamp,
    /// What lies below keeps its cost, because retention has dropped it or is about to; none: nothing of the order.
    pub floor: Option<Timestamp>,
    /// Model calls that were looked at.
    pub looked: i64,
    /// Calls of which the cost, or what the book says beside a reported one, is another now.
    pub changed: i64,
    /// What the calls cost before.
    pub before: Nanodollars,
    /// What they cost now.
    pub after: Nanodollars,
    /// Calls that have no price still.
    pub unpriced: i64,
    /// Times of the first and the last call that changed.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Job {
    /// What it did, in a sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self { looked, changed, before, after, unpriced, .. } = self;
        let whose = self.order.model.as_ref().map_or_else(String::new, |model| format!(" of {model}"));
        let mut text = format!("{changed} of {looked} calls{whose} repriced: {before} before, {after} now");
        if *unpriced > 0 {
            text.push_str(&format!("; {unpriced} have no price still"));
        }
        text
    }
}

/// Notes a job, and returns its number; none when too many wait already.
///
/// # Errors
/// The database refused.
pub async fn order(pool: &Pool, town: TownKey, order: &Order) -> Result<Option<i32>, DbError> {
    let start = batch::before(town, order.from);
    let row: Option<(i32,)> = sqlx::query_as(include_str!("sql/reprice_order.sql"))
        .bind(town.0)
        .bind(PgTime(order.from))
        .bind(PgTime(order.to))
        .bind(&order.model)
        .bind(PgTime(start.at))
        .bind(Uuid::from_u128(start.key.0))
        .bind(MAX_WAITING)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|(id,)| id))
}

/// Jobs that are not done, of all towns.
///
/// # Errors
/// The database refused.
pub async fn pending(pool: &Pool) -> Result<Vec<(TownKey, i32)>, DbError> {
    let rows: Vec<(i32, i32)> = sqlx::query_as(include_str!("sql/reprice_pending.sql")).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(town, job)| (TownKey(town), job)).collect())
}

/// Gives a job up; what it did stays done.
///
/// # Errors
/// The database refused.
pub async fn give_up(pool: &Pool, town: TownKey, job: i32, why: &str) -> Result<(), DbError> {
    sqlx::query(
        "update reprice set finished_at = now(), failed = $3 where town_id = $1 and job_id = $2 and finished_at is null",
    )
    .bind(town.0)
    .bind(job)
    .bind(why)
    .execute(pool)
    .await?;
    Ok(())
}

/// A town's newest jobs, the newest first.
///
/// # Errors
/// The database refused.
pub async fn newest(pool: &Pool, town: TownKey) -> Result<Vec<Job>, DbError> {
    let rows = sqlx::query(include_str!("sql/reprice_list.sql")).bind(town.0).bind(MOST).fetch_all(pool).await?;
    rows.iter().map(job).collect()
}

/// One job.
///
/// # Errors
/// The database refused.
pub async fn find(pool: &Pool, town: TownKey, id: i32) -> Result<Option<Job>, DbError> {
    let row = sqlx::query("select * from reprice where town_id = $1 and job_id = $2")
        .bind(town.0)
        .bind(id)
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(job).transpose()
}

/// The spans in `[from, to)` that were repriced, the newest first.
///
/// # Errors
/// The database refused.
pub async fn marks(pool: &Pool, town: TownKey, from: Timestamp, to: Timestamp) -> Result<Vec<Mark>, DbError> {
    let rows = sqlx::query(include_str!("sql/reprice_marks.sql"))
        .bind(town.0)
        .bind(PgTime(from))
        .bind(PgTime(to))
        .bind(MAX_MARKS)
        .fetch_all(pool)
        .await?;
    let mut marks = Vec::with_capacity(rows.len());
    for row in &rows {
        let job = job(row)?;
        let Some((first, last)) = job.span else { continue };
        marks.push(Mark {
            from_s: first.seconds(),
            to_s: last.seconds() + 1,
            kind: MarkKind::Repriced,
            at_s: job.finished.unwrap_or(job.created).seconds(),
            note: job.summary(),
        });
    }
    Ok(marks)
}

fn job(row: &PgRow) -> Result<Job, DbError> {
    let time = |column: &str| Ok::<_, DbError>(row.try_get::<PgTime, _>(column)?.0);
    let maybe = |column: &str| Ok::<_, DbError>(row.try_get::<Option<PgTime>, _>(column)?.map(|at| at.0));
    Ok(Job {
        id: row.try_get("job_id")?,
        order: Order { from: time("from_ts")?, to: time("to_ts")?, model: row.try_get("model")? },
        created: time("created_at")?,
        finished: maybe("finished_at")?,
        failed: row.try_get("failed")?,
        cursor: time("cursor_ts")?,
        floor: maybe("floor")?,
        looked: row.try_get("looked")?,
        changed: row.try_get("changed")?,
        before: Nanodollars(row.try_get("cost_before")?),
        after: Nanodollars(row.try_get("cost_after")?),
        unpriced: row.try_get("unpriced")?,
        span: maybe("changed_from")?.zip(maybe("changed_to")?),
    })
}
