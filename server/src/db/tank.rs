//! Tanks beside the meter as they are written: who tells of them, and their readings.

use std::collections::BTreeSet;

use model::fuel::FuelKind;
use model::id::TownName;
use model::{Nanodollars, Timestamp};
use sqlx::PgConnection;

use super::{DbError, PgTime, Pool, TownKey, notify};

/// Tanks of a town at most.
pub const MAX_TANKS: i64 = 32;
/// Length of a tank's name, bytes; longer ones are cut.
pub const MAX_NAME_BYTES: usize = 64;
/// A tank that nobody has told of for this long is not shown any more, and makes way for others: 30 days.
pub(super) const FORGOTTEN_S: i64 = 30 * 86_400;
/// Readings kept of a tank: a day and a third of one a minute.
const KEPT: i64 = 2_000;

/// One reading of a tank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The tank's name.
    pub tank: String,
    /// What it holds.
    pub kind: FuelKind,
    /// Who tells.
    pub source: String,
    /// Of money.
    pub currency: String,
    /// When it was true.
    pub at: Timestamp,
    /// What was left, in the unit of the kind.
    pub left: i64,
    /// When the window begins anew.
    pub resets_at: Option<Timestamp>,
}

/// A name as far as it is kept.
#[must_use]
pub fn kept_name(name: &str) -> String {
    let clean: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    let end = (0..=MAX_NAME_BYTES.min(clean.len())).rev().find(|end| clean.is_char_boundary(*end)).unwrap_or(0);
    clean[..end].to_owned()
}

pub(super) const fn kind_name(kind: FuelKind) -> &'static str {
    match kind {
        FuelKind::Money => "money",
        FuelKind::Window => "window",
    }
}

/// Stores readings and tells every process; gives how many are new. Of each tank the newest counts, in whatever order
/// they come.
///
/// # Errors
/// The database refused.
pub async fn save(pool: &Pool, town: TownKey, told: &[Told]) -> Result<u64, DbError> {
    if told.is_empty() {
        return Ok(0);
    }
    let mut transaction = pool.begin().await?;
    let stored = insert(&mut transaction, town, told, Thinned::Yes).await?;
    if stored > 0 {
        notify::send_tanks(&mut transaction, town).await?;
    }
    transaction.commit().await?;
    Ok(stored)
}

/// Whether a reading that only repeats one of the minute before is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinned {
    /// Agents tell their windows at every prompt.
    Yes,
    /// A provider's balance means something by being the same again.
    No,
}

/// As [`save`], within a transaction of the caller's, which tells nobody.
pub(super) async fn insert(
    connection: &mut PgConnection,
    town: TownKey,
    told: &[Told],
    thinned: Thinned,
) -> Result<u64, DbError> {
    let mut names = BTreeSet::new();
    for reading in told {
        // In the order of names, so that two writers never wait for one another in a circle.
        // More names than a town may have tanks find no place anyway.
        if i64::try_from(names.len()).is_ok_and(|known| known < MAX_TANKS) {
            names.insert((kept_name(&reading.tank), kind_name(reading.kind), &reading.source, &reading.currency));
        }
    }
    if let Some(newest) = told.iter().map(|reading| reading.at).max() {
        sqlx::query(include_str!("sql/tank_forget.sql"))
            .bind(town.0)
            .bind(MAX_TANKS)
            .bind(PgTime(newest.plus_seconds(-FORGOTTEN_S)))
            .execute(&mut *connection)
            .await?;
    }
    for (name, kind, source, currency) in &names {
        sqlx::query(include_str!("sql/tank_ensure.sql"))
            .bind(town.0)
            .bind(name)
            .bind(kind)
            .bind(source)
            .bind(currency)
            .bind(MAX_TANKS)
            .execute(&mut *connection)
            .await?;
    }
    let stored = sqlx::query(include_str!("sql/reading_insert.sql"))
        .bind(town.0)
        .bind(told.iter().map(|r| kept_name(&r.tank)).collect::<Vec<_>>())
        .bind(told.iter().map(|r| PgTime(r.at)).collect::<Vec<_>>())
        .bind(told.iter().map(|r| r.left).collect::<Vec<_>>())
        .bind(told.iter().map(|r| r.resets_at.map(PgTime)).collect::<Vec<_>>())
        .bind(thinned == Thinned::Yes)
        .bind(told.iter().map(|r| r.source.as_str()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if stored > 0 {
        for (name, ..) in &names {
            sqlx::query(include_str!("sql/reading_prune.sql"))
                .bind(town.0)
                .bind(name)
                .bind(KEPT)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(stored)
}

/// A polled tank as it is configured.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The tank's name.
    pub tank: &'a str,
    /// The provider.
    pub source: &'a str,
    /// It corrects the meter.
    pub meter: bool,
    /// What a full one holds.
    pub capacity: Option<Nanodollars>,
}

/// Takes the turn to ask a provider at `now`; `false` when another process has it in this period.
///
/// # Errors
/// The database refused.
pub async fn take_turn(
    pool: &Pool,
    town: TownKey,
    asked: Asked<'_>,
    now: Timestamp,
    period_s: i64,
) -> Result<bool, DbError> {
    // A little less than the period, so that a process does not miss its own next turn.
    let free = now.plus_seconds(-(period_s * 9 / 10));
    let row: Option<(String,)> = sqlx::query_as(include_str!("sql/tank_ask.sql"))
        .bind(town.0)
        .bind(asked.tank)
        .bind(asked.source)
        .bind(asked.meter)
        .bind(asked.capacity.map(|capacity| capacity.0))
        .bind(PgTime(now))
        .bind(PgTime(free))
        .fetch_optional(pool)
        .await?;
    Ok(row.is_some())
}

/// Notes why a tank could not be read, or with none that it could, and tells every process when that is news.
///
/// # Errors
/// The database refused.
pub async fn set_trouble(pool: &Pool, town: TownKey, tank: &str, trouble: Option<&str>) -> Result<(), DbError> {
    let mut transaction = pool.begin().await?;
    let changed =
        sqlx::query("update tank set trouble = $3 where town_id = $1 and name = $2 and trouble is distinct from $3")
            .bind(town.0)
            .bind(tank)
            .bind(trouble)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
    if changed > 0 {
        notify::send_tanks(&mut transaction, town).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Forgets the tanks of `sources` that are not configured any more.
///
/// # Errors
/// The database refused.
pub async fn retire(pool: &Pool, town: &TownName, sources: &[&str], configured: &[String]) -> Result<(), DbError> {
    let mut transaction = pool.begin().await?;
    let gone: Vec<(i32, String)> = sqlx::query_as(
        "delete from tank using town
          where town.name = $1 and tank.town_id = town.town_id and tank.source = any($2) and tank.name <> all($3)
        returning tank.town_id, tank.name",
    )
    .bind(town.as_str())
    .bind(sources)
    .bind(configured)
    .fetch_all(&mut *transaction)
    .await?;
    for (town, tank) in gone {
        sqlx::query("delete from reading where town_id = $1 and tank = $2")
            .bind(town)
            .bind(tank)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_whole_characters_and_hold_no_control_characters() {
        assert_eq!(kept_name("  Claude\u{7} Code 5 h\n"), "Claude Code 5 h");
        assert_eq!(kept_name(&"é".repeat(50)).len(), 64);
        assert_eq!(kept_name(&format!("x{}", "é".repeat(50))).len(), 63);
    }
}
