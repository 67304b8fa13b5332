//! Requests that are only implied: by a transcript's tool without a result, by a prompt without an answer.

use model::request::{Implied, RequestId, RequestOf};
use model::time::Timestamp;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::{Columns, OF, request_of};
use crate::db::{DbError, PgTime, Pool, TownKey};

/// One that was given up as lost, and whose end came after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Which.
    pub id: RequestId,
    /// Whose.
    pub of: RequestOf,
    /// When it ended.
    pub at: Timestamp,
}

/// Takes over what sources show to be under way, and what of it is over. What began more than `lost_after_s` ago was read
/// too late to be in flight, as the past always is: it makes no row. Nor does what is known to be over. Returns what comes
/// back from being lost; where an event tells the end, that event does (`told_by`).
///
/// # Errors
/// The database refused.
pub async fn imply(
    pool: &Pool,
    town: TownKey,
    told: &[Implied],
    lost_after_s: i64,
    now: Timestamp,
) -> Result<Vec<Late>, DbError> {
    let since = now.plus_seconds(-lost_after_s);
    let mut begun: Vec<&Implied> = told.iter().filter(|told| !told.over && told.at > since).collect();
    let mut over: Vec<&Implied> = told.iter().filter(|told| told.over).collect();
    if begun.is_empty() && over.is_empty() {
        return Ok(Vec::new());
    }
    for list in [&mut begun, &mut over] {
        list.sort_unstable_by_key(|told| (told.id, told.at));
        list.dedup_by_key(|told| told.id);
    }
    let ids = |list: &[&Implied]| list.iter().map(|told| Uuid::from_u128(told.id)).collect::<Vec<_>>();
    let times = |list: &[&Implied]| list.iter().map(|told| PgTime(told.at)).collect::<Vec<_>>();
    let mut transaction = pool.begin().await?;
    if !begun.is_empty() {
        let statement = sqlx::query(include_str!("../sql/request_imply.sql"))
            .bind(town.0)
            .bind(ids(&begun))
            .bind(times(&begun))
            .bind(begun.iter().map(|told| told.claim.map(Uuid::from_u128)).collect::<Vec<_>>());
        let of = Columns::of(begun.iter().map(|told| &told.of));
        of.bind(statement).execute(&mut *transaction).await?;
    }
    let mut late = Vec::new();
    if !over.is_empty() {
        let sql = include_str!("../sql/request_over.sql").replace("{of}", OF);
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(town.0)
            .bind(ids(&over))
            .bind(times(&over))
            .fetch_all(&mut *transaction)
            .await?;
        for row in rows.iter().filter(|row| row.try_get("was_lost").unwrap_or(false)) {
            late.push(Late {
                id: RequestId::of(row.try_get::<Uuid, _>("id")?.as_u128()),
                of: request_of(row)?,
                at: row.try_get::<PgTime, _>("ended_at")?.0,
            });
        }
    }
    transaction.commit().await?;
    Ok(late)
}
