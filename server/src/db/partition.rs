//! Day partitions of `event`: their names, and making them.

use std::collections::BTreeSet;

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use super::event::Place;
use super::{DbError, Pool};

const DAY_S: i64 = 86_400;
/// Makers of partitions take turns ("event" in ASCII).
const LOCK: i64 = 0x65_76_65_6e_74;
/// Each new table takes a few locks until the commit; a Postgres with default settings has some 6,000.
const AT_ONCE: usize = 64;

/// A day in UTC: days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i64);

impl Day {
    /// The day that holds `at`.
    #[must_use]
    pub const fn of(at: Timestamp) -> Self {
        Self(at.seconds().div_euclid(DAY_S))
    }
    /// Its first instant.
    #[must_use]
    pub const fn begins(self) -> Timestamp {
        Timestamp::from_seconds(self.0 * DAY_S)
    }
    /// The day `n` days later.
    #[must_use]
    pub const fn plus(self, n: i64) -> Self {
        Self(self.0 + n)
    }
}

/// The name of a day's partition: `event_20261121`.
#[must_use]
pub fn name(day: Day) -> String {
    // 2026-11-21T00:00:00Z
    let text = day.begins().to_string();
    let digits: String = text.chars().take_while(|c| *c != 'T').filter(char::is_ascii_digit).collect();
    format!("event_{digits}")
}

/// The day of a partition's name.
#[must_use]
pub fn day_of(table: &str) -> Option<Day> {
    let digits = table.strip_prefix("event_").filter(|digits| digits.len() == 8 && digits.is_ascii())?;
    let (year, rest) = digits.split_at(4);
    let (month, day) = rest.split_at(2);
    Timestamp::parse_rfc3339(&format!("{year}-{month}-{day}T00:00:00Z")).ok().map(Day::of)
}

/// Splits sorted places into runs of one day. Places are sorted by town first, so a day may come more than once.
pub(super) fn by_day(places: &[Place]) -> impl Iterator<Item = (Day, &[Place])> {
    places
        .chunk_by(|a, b| Day::of(a.at) == Day::of(b.at))
        .filter_map(|chunk| chunk.first().map(|first| (Day::of(first.at), chunk)))
}

/// Every day that has a partition.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool) -> Result<BTreeSet<Day>, DbError> {
    let names: Vec<(String,)> = sqlx::query_as(include_str!("sql/partition_list.sql")).fetch_all(pool).await?;
    Ok(names.iter().filter_map(|(name,)| day_of(name)).collect())
}

/// Makes the partitions that are missing. Several processes may do so at once.
///
/// The table is made first and attached then, because that lets writers and readers of other days go on; `partition
/// of` would lock them all out.
///
/// # Errors
/// The database refused.
pub async fn ensure(pool: &Pool, days: &BTreeSet<Day>) -> Result<(), DbError> {
    let days: Vec<Day> = days.iter().copied().collect();
    for chunk in days.chunks(AT_ONCE) {
        let mut transaction = pool.begin().await?;
        sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
        for &day in chunk {
            let table = name(day);
            let (known,): (bool,) =
                sqlx::query_as("select to_regclass($1) is not null").bind(&table).fetch_one(&mut *transaction).await?;
            if known {
                continue;
            }
            let (from, to) = (day.begins(), day.plus(1).begins());
            let statement = format!(
                "create table {table} (like event including all); \
                 alter table event attach partition {table} for values from ('{from}') to ('{to}')"
            );
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// Drops the partition of a day, if there is one.
///
/// # Errors
/// The database refused.
pub async fn drop_day(pool: &Pool, day: Day) -> Result<(), DbError> {
    let statement = format!("drop table if exists {}", name(day));
    sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_day() {
        let day = Day::of(Timestamp::parse_rfc3339("2026-11-21T23:59:59.9Z").unwrap());
        assert_eq!(name(day), "event_20261121");
        assert_eq!(day_of("event_20261121"), Some(day));
        assert_eq!(day_of("event_pkey"), None);
    }
}
