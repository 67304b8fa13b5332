//! Adds what waits to the kept tiers. Each row is taken away and added in one transaction, so exactly once.

use model::cost::SpendSum;
use model::time::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::row::{self, Sums, Whose};
use super::{TIERS, Tier};
use crate::db::{DbError, PgTime, Pool, TownKey};

/// Workers take turns per town ("cost" in ASCII keeps the number space apart).
const LOCK: i32 = 0x63_6f_73_74;

/// Towns with something that waits.
///
/// # Errors
/// The database refused.
pub async fn towns(pool: &Pool) -> Result<Vec<TownKey>, DbError> {
    let towns: Vec<(i32,)> = sqlx::query_as(include_str!("../sql/spend_towns.sql")).fetch_all(pool).await?;
    Ok(towns.into_iter().map(|(town,)| TownKey(town)).collect())
}

/// Whether the town is ours until the connection's transaction ends.
pub(super) async fn lock(connection: &mut PgConnection, town: TownKey) -> Result<bool, DbError> {
    let (ours,): (bool,) = sqlx::query_as("select pg_try_advisory_xact_lock($1, $2)")
        .bind(LOCK)
        .bind(town.0)
        .fetch_one(connection)
        .await?;
    Ok(ours)
}

/// Adds at most `limit` waiting rows of a town, newest quarters first, and returns how many; none when another worker has
/// the town in hand.
///
/// # Errors
/// The database refused; nothing was changed.
pub async fn join(pool: &Pool, town: TownKey, limit: i64) -> Result<Option<u64>, DbError> {
    let mut transaction = pool.begin().await?;
    if !lock(&mut transaction, town).await? {
        return Ok(None);
    }
    let rows = sqlx::query(include_str!("../sql/spend_take.sql"))
        .bind(town.0)
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
    if rows.is_empty() {
        return Ok(Some(0));
    }
    let mut sums = Sums::new();
    for taken in &rows {
        let (key, sum) = row::decode(taken)?;
        row::add(&mut sums, key, &sum);
    }
    let models: std::collections::BTreeSet<&str> = sums.keys().map(|(_, whose)| whose.model.as_str()).collect();
    sqlx::query(include_str!("../sql/spend_model.sql"))
        .bind(town.0)
        .bind(models.into_iter().map(str::to_owned).collect::<Vec<String>>())
        .execute(&mut *transaction)
        .await?;
    for tier in TIERS {
        add(&mut transaction, town, tier, &tier.of(&sums)).await?;
    }
    transaction.commit().await?;
    Ok(Some(u64::try_from(rows.len()).unwrap_or(u64::MAX)))
}

impl Tier {
    /// Quarters as this tier has them; what cancels out is left out.
    pub(super) fn of(self, quarters: &Sums) -> Sums {
        let mut sums = Sums::new();
        for ((bucket, whose), sum) in quarters {
            let whose = if self.is_whole { whose.clone() } else { whose.account() };
            row::add(&mut sums, (bucket.floor_to(self.step_s), whose), sum);
        }
        sums.retain(|_, sum| !sum.is_zero());
        sums
    }
}

async fn add(connection: &mut PgConnection, town: TownKey, tier: Tier, sums: &Sums) -> Result<(), DbError> {
    let rows: Vec<(Timestamp, &Whose<String>, &SpendSum)> =
        sums.iter().map(|((bucket, whose), sum)| (*bucket, whose, sum)).collect();
    let statement = include_str!("../sql/spend_add.sql").replace("{tier}", tier.table);
    let statement = sqlx::query(AssertSqlSafe(statement)).bind(town.0).bind(row::ids(&rows));
    row::bind(statement, &rows).execute(&mut *connection).await?;
    let lowered: Vec<_> = rows.into_iter().filter(|(.., sum)| sum.calls <= 0).collect();
    if !lowered.is_empty() {
        let statement = include_str!("../sql/spend_drop_empty.sql").replace("{tier}", tier.table);
        sqlx::query(AssertSqlSafe(statement))
            .bind(town.0)
            .bind(lowered.iter().map(|(bucket, ..)| PgTime(*bucket)).collect::<Vec<_>>())
            .bind(row::ids(&lowered))
            .execute(connection)
            .await?;
    }
    Ok(())
}
