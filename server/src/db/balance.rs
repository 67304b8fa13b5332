//! A provider's balance against the meter: the reading and what follows from it, in one transaction.

use model::correction::{BILLING_LAG_S, Meter, Step, step};
use model::format::dollars;
use model::id::TownName;
use model::{Nanodollars, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::ledger::{self, Entry, EntryKind};
use super::tank::{Thinned, Told};
use super::{DbError, Pool, TownKey, cost, live_seed, notify, tank};

/// Stores a reading in dollars that corrects the meter, and enters into the ledger what follows from it. Told twice, a
/// reading counts once; killed on the way, nothing of it is there. `true` when the ledger has a new entry.
///
/// # Errors
/// The database refused; with another process in the way the next reading does it.
pub async fn correct(pool: &Pool, town: (TownKey, &TownName), told: &Told, instance: &str) -> Result<bool, DbError> {
    // One view: what was spent is summed in several queries.
    let mut transaction = pool.begin_with("begin isolation level repeatable read").await?;
    if tank::insert(&mut transaction, town.0, std::slice::from_ref(told), Thinned::No).await? == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    let (pending,): (i64,) = sqlx::query_as("select pending from tank where town_id = $1 and name = $2")
        .bind(town.0.0)
        .bind(&told.tank)
        .fetch_one(&mut *transaction)
        .await?;
    let meter = meter(&mut transaction, town.0, told.at).await?;
    let balance = Nanodollars(told.left);
    let step = step(meter, balance, Nanodollars(pending));
    let entered = match (step, meter) {
        (Step::Agrees | Step::Wait(_), _) => false,
        (Step::Fill(amount), None) => {
            let note = format!("{} says {}: the meter begins with it", told.tank, dollars(balance));
            enter(&mut transaction, town.0, told, EntryKind::Topup, amount, note).await?
        }
        (Step::Fill(amount), Some(meter)) => {
            enter(&mut transaction, town.0, told, EntryKind::Topup, amount, differs(told, meter)).await?
        }
        (Step::Correct(amount), meter) => {
            let note = meter.map_or_else(String::new, |meter| differs(told, meter));
            enter(&mut transaction, town.0, told, EntryKind::Correction, amount, note).await?
        }
    };
    let pending = if let Step::Wait(less) = step { less.0 } else { 0 };
    sqlx::query("update tank set pending = $3 where town_id = $1 and name = $2")
        .bind(town.0.0)
        .bind(&told.tank)
        .bind(pending)
        .execute(&mut *transaction)
        .await?;
    notify::send_tanks(&mut transaction, town.0).await?;
    if entered {
        notify::send(&mut transaction, instance, town.1).await?;
    }
    transaction.commit().await?;
    Ok(entered)
}

fn differs(told: &Told, meter: Meter) -> String {
    format!("{} says {}, the meter said {}", told.tank, dollars(Nanodollars(told.left)), dollars(meter.balance))
}

/// The meter as it is within the connection's snapshot.
async fn meter(connection: &mut PgConnection, town: TownKey, at: Timestamp) -> Result<Option<Meter>, DbError> {
    let capacity = ledger::capacity(connection, town).await?;
    let Some(tank) = live_seed::tank(connection, town, capacity).await? else { return Ok(None) };
    let recent = at.plus_seconds(-BILLING_LAG_S).max(tank.first);
    let recent = cost::between(connection, town, recent, Timestamp::MAX_BELIEVED).await?;
    let gauge = tank.gauge();
    Ok(Some(Meter { balance: gauge.balance, recent, capacity: gauge.capacity }))
}

async fn enter(
    connection: &mut PgConnection,
    town: TownKey,
    told: &Told,
    kind: EntryKind,
    amount: Nanodollars,
    note: String,
) -> Result<bool, DbError> {
    let request = request(town, told);
    ledger::insert(connection, town, &Entry { at: told.at, kind, amount, note, request }).await
}

/// The same reading always makes the same request.
fn request(town: TownKey, told: &Told) -> Uuid {
    let identity = format!("balance {} {} {}", town.0, told.tank, told.at.0);
    Uuid::from_u128(xxhash_rust::xxh3::xxh3_128(identity.as_bytes()))
}
