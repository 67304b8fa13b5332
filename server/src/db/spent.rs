//! What a town spent since its first ledger entry, exactly, whatever retention has dropped meanwhile.

use model::{Nanodollars, Timestamp};
use sqlx::PgConnection;

use super::{DbError, PgTime, Pool, TownKey, cost, ledger};

/// Cost of the calls from the first ledger entry at `first` to before `until`. Exact within the connection's snapshot.
///
/// # Errors
/// The database refused.
pub async fn between(
    connection: &mut PgConnection,
    town: TownKey,
    first: Timestamp,
    until: Timestamp,
) -> Result<Nanodollars, DbError> {
    let settled: Option<(PgTime, i64)> = sqlx::query_as(
        "select until, cost from spent where town_id = $1 and first = $2 and until <= $3 order by until desc limit 1",
    )
    .bind(town.0)
    .bind(PgTime(first))
    .bind(PgTime(until))
    .fetch_optional(&mut *connection)
    .await?;
    let (from, settled) = settled.map_or((first, 0), |(until, cost)| (until.0, cost));
    Ok(Nanodollars(settled) + cost::between(connection, town, from, until).await?)
}

/// Settles what the tanks need of everything below `floor`, before it is dropped. Nothing is stored below `floor` any
/// more, so what is settled stays true.
///
/// # Errors
/// The database refused.
pub async fn settle(pool: &Pool, floor: Timestamp) -> Result<(), DbError> {
    // One snapshot, so that nothing moves between tiers.
    let mut transaction = pool.begin_with("begin isolation level repeatable read").await?;
    let towns: Vec<(i32,)> = sqlx::query_as("select town_id from town where town_id in (select town_id from ledger)")
        .fetch_all(&mut *transaction)
        .await?;
    for (town,) in towns {
        let town = TownKey(town);
        let Some(sums) = ledger::sums(&mut transaction, town).await? else { continue };
        // The last top-up's own instant is asked for as long as there is no later one.
        for until in [sums.last_topup, floor] {
            if sums.first < until && until <= floor {
                let cost = between(&mut transaction, town, sums.first, until).await?;
                sqlx::query("insert into spent values ($1, $2, $3, $4) on conflict do nothing")
                    .bind(town.0)
                    .bind(PgTime(sums.first))
                    .bind(PgTime(until))
                    .bind(cost.0)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
    }
    transaction.commit().await?;
    Ok(())
}
