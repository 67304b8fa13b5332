//! How far back the stores reach.

use model::time::Timestamp;

use super::{DbError, PgTime, Pool};

/// The highest floor of all stores: what is older can no longer be summed, and is refused. None: nothing was dropped.
///
/// # Errors
/// The database refused.
pub async fn floor(pool: &Pool) -> Result<Option<Timestamp>, DbError> {
    let (floor,): (Option<PgTime>,) = sqlx::query_as("select max(floor) from retention").fetch_one(pool).await?;
    Ok(floor.map(Timestamp::from))
}
