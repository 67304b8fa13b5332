//! Answers about costs: each out of one snapshot of the database, so that all of it sums to the same total.

mod board;
mod detail;
mod period;
mod summary;

use model::cost::{CostBoard, CostFilter, CostSummary, DaySum, Dimension, GroupSum, SpendSum};
use model::time::Timestamp;
use sqlx::postgres::PgConnection;

use crate::db::spend::{self, Columns};
use crate::db::{DbError, Pool, TownKey};

pub use detail::{beads, sessions};
pub use period::{Period, PeriodError};

/// A town at an instant, with what is asked of it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The town.
    pub town: TownKey,
    /// The clock.
    pub now: Timestamp,
    /// The filter.
    pub filter: &'a CostFilter,
    /// Its days as instants.
    pub period: &'a Period,
}

/// One snapshot, in which nothing moves between queries.
///
/// # Errors
/// The database refused.
pub async fn snapshot(pool: &Pool) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, DbError> {
    Ok(pool.begin_with("begin isolation level repeatable read, read only").await?)
}

/// The total, the period before, and the cards.
///
/// # Errors
/// The database refused.
pub async fn summary(pool: &Pool, question: Question<'_>) -> Result<CostSummary, DbError> {
    summary::read(&mut *snapshot(pool).await?, question).await
}

/// Everything that the Costs page shows; the river is by `by`.
///
/// # Errors
/// The database refused.
pub async fn board(pool: &Pool, question: Question<'_>, by: Dimension) -> Result<CostBoard, DbError> {
    board::read(&mut *snapshot(pool).await?, question, by).await
}

/// What each group of a dimension spent, the dearest first.
///
/// # Errors
/// The database refused.
pub async fn groups(
    connection: &mut PgConnection,
    question: Question<'_>,
    by: Dimension,
) -> Result<Vec<GroupSum>, DbError> {
    let Question { town, filter, period, .. } = question;
    let rows = spend::sums(connection, town, &[period.range], Columns(&[by]), filter).await?;
    let mut groups: Vec<GroupSum> = rows
        .into_iter()
        .map(|(_, group, sum)| GroupSum { group: group.into_iter().next().flatten().map(Into::into), sum })
        .collect();
    dearest_first(&mut groups);
    Ok(groups)
}

/// What was spent on each day of the period, also nothing.
///
/// # Errors
/// The database refused.
pub async fn daily(connection: &mut PgConnection, question: Question<'_>) -> Result<Vec<DaySum>, DbError> {
    days(connection, question, &question.period.days()).await
}

async fn days(
    connection: &mut PgConnection,
    question: Question<'_>,
    days: &[(model::cost::LocalDay, model::TimeRange)],
) -> Result<Vec<DaySum>, DbError> {
    let ranges: Vec<_> = days.iter().map(|(_, range)| *range).collect();
    let rows = spend::sums(connection, question.town, &ranges, Columns(&[]), question.filter).await?;
    let mut sums = vec![SpendSum::default(); days.len()];
    for (day, _, sum) in rows {
        if let Some(slot) = sums.get_mut(day) {
            slot.add(&sum);
        }
    }
    Ok(days.iter().zip(sums).map(|(&(day, range), sum)| DaySum { day, range, sum }).collect())
}

/// The dearest first; of equal cost those with more tokens without a price, then by name.
fn dearest_first(groups: &mut [GroupSum]) {
    groups.sort_by(|a, b| {
        let rank = |sum: &SpendSum| (sum.cost, sum.unpriced_tokens, sum.calls);
        rank(&b.sum).cmp(&rank(&a.sum)).then_with(|| a.group.cmp(&b.group))
    });
}
