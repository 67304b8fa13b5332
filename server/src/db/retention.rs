//! How far back the stores reach, and dropping what is older.

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use super::partition::{self, Day};
use super::{DbError, PgTime, Pool};

/// Rows deleted in one transaction, so that nobody waits long for it.
const AT_ONCE: i64 = 20_000;

/// A store that retention knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// Its name in table `retention`.
    pub name: &'static str,
    /// Tables and their column of time; the events' partitions are dropped besides.
    tables: &'static [(&'static str, &'static str)],
}

/// Single events, with what belongs to them one by one.
pub const EVENTS: Store =
    Store { name: "event", tables: &[("claim", "ts"), ("presence", "minute"), ("unpriced", "bucket")] };
/// The tiers, finest first.
pub const TIERS: [Store; 5] = [
    Store { name: "10s", tables: &[("headline_10s", "bucket"), ("by_role_10s", "bucket"), ("latency_10s", "bucket")] },
    Store { name: "1m", tables: &[("headline_1m", "bucket"), ("by_role_1m", "bucket"), ("working_1m", "bucket")] },
    Store {
        name: "5m",
        tables: &[
            ("headline_5m", "bucket"),
            ("by_role_5m", "bucket"),
            ("working_5m", "bucket"),
            ("latency_5m", "bucket"),
        ],
    },
    Store {
        name: "30m",
        tables: &[
            ("headline_30m", "bucket"),
            ("by_role_30m", "bucket"),
            ("working_30m", "bucket"),
            ("latency_30m", "bucket"),
        ],
    },
    Store {
        name: "6h",
        tables: &[
            ("headline_6h", "bucket"),
            ("by_role_6h", "bucket"),
            ("working_6h", "bucket"),
            ("latency_6h", "bucket"),
            // Whole: what was spent is summed from all of them, days and quarters alike.
            ("spend_15m", "bucket"),
            ("spend_day", "bucket"),
            ("account_1h", "bucket"),
            ("account_6h", "bucket"),
            ("account_day", "bucket"),
        ],
    },
];

/// The highest floor of all stores: what is older can no longer be summed, and is refused. None: nothing was dropped.
///
/// # Errors
/// The database refused.
pub async fn floor(pool: &Pool) -> Result<Option<Timestamp>, DbError> {
    let (floor,): (Option<PgTime>,) = sqlx::query_as("select max(floor) from retention").fetch_one(pool).await?;
    Ok(floor.map(Timestamp::from))
}

/// Announces that `store` will begin at `day`. A floor never goes down: what was dropped does not come back.
///
/// # Errors
/// The database refused.
pub async fn announce(pool: &Pool, store: Store, day: Day) -> Result<(), DbError> {
    sqlx::query(include_str!("sql/retention_announce.sql"))
        .bind(store.name)
        .bind(PgTime(day.begins()))
        .execute(pool)
        .await?;
    Ok(())
}

/// The floor of `store` that was announced at least `age_s` seconds ago: nobody writes below it any more.
///
/// # Errors
/// The database refused.
pub async fn settled_floor(pool: &Pool, store: Store, age_s: i64) -> Result<Option<Timestamp>, DbError> {
    let row: Option<(PgTime,)> = sqlx::query_as(
        "select floor from retention where store = $1 and announced_at <= now() - $2 * interval '1 second'",
    )
    .bind(store.name)
    .bind(age_s)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(floor,)| floor.0))
}

/// Drops what lies below `floor`, in small transactions, and returns how many rows and partitions went.
///
/// # Errors
/// The database refused; what was dropped up to then stays dropped.
pub async fn drop_below(pool: &Pool, store: Store, floor: Timestamp) -> Result<u64, DbError> {
    let mut dropped = 0;
    if store == EVENTS {
        for day in partition::list(pool).await? {
            if day.plus(1).begins() <= floor {
                partition::drop_day(pool, day).await?;
                dropped += 1;
            }
        }
    }
    for (table, time) in store.tables {
        loop {
            let statement = format!(
                "delete from {table} where ctid = any(array(select ctid from {table} where {time} < $1 limit $2))"
            );
            let done = sqlx::query(AssertSqlSafe(statement))
                .bind(PgTime(floor))
                .bind(AT_ONCE)
                .execute(pool)
                .await?
                .rows_affected();
            dropped += done;
            if done < AT_ONCE.unsigned_abs() {
                break;
            }
        }
    }
    Ok(dropped)
}
