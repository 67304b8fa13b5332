//! What is not fine, and the steps that are claimed there.

use model::alert::AlertState;
use model::time::Timestamp;

use super::webhook::{self, NewDelivery};
use super::{DbError, PgTime, Pool, TownKey};

/// Sources of a town that are looked at.
const MAX_SOURCES: i64 = 200;
/// Subjects of a town that are looked at: more than its roster, its tanks and its sources hold.
const MAX_SUBJECTS: i64 = 5_000;

/// A step of something that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Town.
    pub town: TownKey,
    /// `tank` (the meter), `tank/<name>`, `source/<name>` or `agent/<rig>/<name>`.
    pub subject: &'a str,
    /// The state that it leaves.
    pub from: AlertState,
    /// The state that it comes to.
    pub to: AlertState,
    /// When.
    pub at: Timestamp,
}

/// Everything of a town that is not fine.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool, town: TownKey) -> Result<Vec<(String, AlertState)>, DbError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select subject, state from alert where town_id = $1 order by subject limit $2")
            .bind(town.0)
            .bind(MAX_SUBJECTS)
            .fetch_all(pool)
            .await?;
    // A state of a later version counts as fine: the step out of it is then not claimed.
    Ok(rows.into_iter().map(|(subject, state)| (subject, AlertState::parse(&state).unwrap_or_default())).collect())
}

/// When each source of a town was heard last.
///
/// # Errors
/// The database refused.
pub async fn heard(pool: &Pool, town: TownKey) -> Result<Vec<(String, Timestamp)>, DbError> {
    let rows: Vec<(String, PgTime)> = sqlx::query_as(
        "select source, last_heard from source where town_id = $1 and last_heard is not null order by source limit $2",
    )
    .bind(town.0)
    .bind(MAX_SOURCES)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(source, at)| (source, at.0)).collect())
}

/// Makes the step, with what is to be told of it, in one transaction; `false` when somebody else made it before.
///
/// # Errors
/// The database refused; nothing was done then.
pub async fn step(pool: &Pool, claim: Claim<'_>, deliveries: &[NewDelivery<'_>]) -> Result<bool, DbError> {
    let Claim { town, subject, from, to, at } = claim;
    let mut transaction = pool.begin().await?;
    let of_subject = |statement: &'static str| sqlx::query(statement).bind(town.0).bind(subject);
    let statement = match (from, to) {
        (AlertState::Fine, _) => of_subject(
            "insert into alert (town_id, subject, state, since) values ($1, $2, $3, $4)
             on conflict (town_id, subject) do nothing",
        )
        .bind(to.name())
        .bind(PgTime(at)),
        (_, AlertState::Fine) => {
            of_subject("delete from alert where town_id = $1 and subject = $2 and state = $3").bind(from.name())
        }
        _ => of_subject("update alert set state = $3, since = $4 where town_id = $1 and subject = $2 and state = $5")
            .bind(to.name())
            .bind(PgTime(at))
            .bind(from.name()),
    };
    let claimed = statement.execute(&mut *transaction).await?.rows_affected() == 1;
    if claimed {
        webhook::insert(&mut transaction, town, deliveries).await?;
    }
    transaction.commit().await?;
    Ok(claimed)
}
