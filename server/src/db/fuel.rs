//! Tanks as pages and the hub read them: newest readings, and how long each lasts by what was burnt lately.

use std::collections::HashMap;

use model::Timestamp;
use model::fuel::{FuelKind, FuelTank, WINDOW_FULL};
use model::reading::{Reading, burn};
use model::runway::{BURN_SPAN_S, BURN_STEP_S, RunwayBand};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use super::tank::FORGOTTEN_S;
use super::{DbError, PgTime, Pool, TownKey};

/// How far a sender's clock may be ahead.
const AHEAD_S: i64 = 300;

/// The tanks of a town beside its meter, by name.
///
/// # Errors
/// The database refused.
pub async fn list(connection: &mut PgConnection, town: TownKey, now: Timestamp) -> Result<Vec<FuelTank>, DbError> {
    let ahead = PgTime(now.plus_seconds(AHEAD_S));
    let rows = sqlx::query(include_str!("sql/tank_list.sql"))
        .bind(town.0)
        .bind(ahead)
        .bind(PgTime(now.plus_seconds(-FORGOTTEN_S)))
        .fetch_all(&mut *connection)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let lately: Vec<(String, PgTime, i64, Option<PgTime>)> = sqlx::query_as(include_str!("sql/tank_burn.sql"))
        .bind(town.0)
        .bind(PgTime(now.plus_seconds(-BURN_SPAN_S)))
        .bind(ahead)
        .fetch_all(connection)
        .await?;
    let mut readings: HashMap<String, Vec<Reading>> = HashMap::new();
    for (tank, at, left, resets_at) in lately {
        readings.entry(tank).or_default().push(Reading { at: at.0, left, resets_at: resets_at.map(|at| at.0) });
    }
    rows.iter().map(|row| tank(row, &mut readings, now)).collect()
}

fn tank(row: &PgRow, readings: &mut HashMap<String, Vec<Reading>>, now: Timestamp) -> Result<FuelTank, DbError> {
    let name: String = row.try_get("name")?;
    let kind = match row.try_get("kind")? {
        "window" => FuelKind::Window,
        _ => FuelKind::Money,
    };
    let currency: String = row.try_get("currency")?;
    let left = row.try_get::<Option<i64>, _>("amount")?.unwrap_or(0);
    let capacity: Option<i64> = row.try_get("capacity")?;
    let most: Option<i64> = row.try_get("most")?;
    let lately = readings.remove(&name).unwrap_or_default();
    Ok(FuelTank {
        source: row.try_get("source")?,
        kind,
        // The meter counts dollars: a balance in another currency is a tank of its own.
        meter: row.try_get::<bool, _>("meter")? && matches!(currency.as_str(), "" | "USD"),
        left,
        full: match kind {
            FuelKind::Window => WINDOW_FULL,
            // Nobody said what a full one holds: the most that was seen lately.
            FuelKind::Money => capacity.or(most).unwrap_or(0),
        },
        currency,
        resets_at: row.try_get::<Option<PgTime>, _>("resets_at")?.map(|at| at.0),
        read_at: row.try_get::<Option<PgTime>, _>("at")?.map(|at| at.0),
        trouble: row.try_get("trouble")?,
        band: RunwayBand::of(left, &burn(&lately, now)),
        name,
    })
}

/// What calls cost in each five minutes of the last day, oldest first, from the first event on; the five minutes that are
/// not over are left out.
///
/// # Errors
/// The database refused.
pub async fn meter_burn(pool: &Pool, town: TownKey, now: Timestamp) -> Result<Vec<i64>, DbError> {
    let end = now.floor_to(BURN_STEP_S);
    let from = end.plus_seconds(-BURN_SPAN_S);
    let first: Option<(PgTime,)> =
        sqlx::query_as("select bucket from headline_10s where town_id = $1 order by bucket limit 1")
            .bind(town.0)
            .fetch_optional(pool)
            .await?;
    let Some((first,)) = first else { return Ok(Vec::new()) };
    let start = first.0.floor_to(BURN_STEP_S).max(from);
    let index = |at: Timestamp| usize::try_from((at.seconds() - start.seconds()) / BURN_STEP_S).ok();
    let mut burn = vec![0; index(end).unwrap_or(0)];
    let rows: Vec<(PgTime, i64)> = sqlx::query_as(include_str!("sql/meter_burn.sql"))
        .bind(town.0)
        .bind(PgTime(start))
        .bind(PgTime(end))
        .fetch_all(pool)
        .await?;
    for (at, cost) in rows {
        if let Some(slot) = index(at.0).and_then(|index| burn.get_mut(index)) {
            *slot = cost;
        }
    }
    Ok(burn)
}
