//! Retention: partitions are made ahead and dropped behind.
//!
//! In two steps, so that the tiers stay what the events say: a floor is announced, from then on writers refuse what is
//! older; only when every writer must have read it is anything below it dropped.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use model::time::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::db::partition::{self, Day};
use crate::db::retention::{self, EVENTS, TIERS};
use crate::db::{DbError, Pool, feed, host, request, spent};

/// Partitions exist this many days ahead.
const DAYS_AHEAD: i64 = 3;
/// How often the stores are looked after.
const PERIOD: Duration = Duration::from_secs(15 * 60);
/// Age of an announcement before it is acted upon: ten times as long as a writer believes a floor it has read, which
/// also covers its longest transaction.
const SETTLED_S: i64 = 600;

/// How many days each store reaches back; `None` keeps forever, which is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionDays {
    /// Single events, claims and presence.
    pub events: Option<u32>,
    /// The 10 s tier.
    pub tier_10s: Option<u32>,
    /// The 1 min tier.
    pub tier_1m: Option<u32>,
    /// The 5 min tier.
    pub tier_5m: Option<u32>,
    /// The 30 min tier.
    pub tier_30m: Option<u32>,
    /// The 6 h tier.
    pub tier_6h: Option<u32>,
}

/// Makes partitions ahead of `now`, announces floors, and drops what lies below those announced `settled_s` seconds
/// ago. Returns how many rows and partitions went.
///
/// # Errors
/// The database refused; what was done up to then stays done.
pub async fn run_once(pool: &Pool, days: RetentionDays, now: Timestamp, settled_s: i64) -> Result<u64, DbError> {
    let today = Day::of(now);
    let ahead: BTreeSet<Day> = (-1..=DAYS_AHEAD).map(|n| today.plus(n)).collect();
    let known = partition::list(pool).await?;
    partition::ensure(pool, &ahead.difference(&known).copied().collect()).await?;

    let tiers = [days.tier_10s, days.tier_1m, days.tier_5m, days.tier_30m, days.tier_6h];
    // Of hosts no more is kept than the pages show, whatever the retention of the rest.
    let mut dropped = host::trim(pool, now).await?;
    // Whatever else is kept: streams go back a day.
    dropped += feed::prune(pool).await?;
    dropped += request::trim(pool, now).await?;
    for (store, keep) in std::iter::once((EVENTS, days.events)).chain(TIERS.into_iter().zip(tiers)) {
        let Some(keep) = keep else { continue };
        if let Some(floor) = retention::settled_floor(pool, store, settled_s).await? {
            // Markers below the floor are redone while their sources are still there.
            crate::rollup::run_once(pool).await?;
            // Tanks go on counting from their first entry.
            spent::settle(pool, floor).await?;
            dropped += retention::drop_below(pool, store, floor).await?;
        }
        // At least a day: the tiers above are made of it.
        retention::announce(pool, store, today.plus(-i64::from(keep.max(1)))).await?;
    }
    Ok(dropped)
}

/// Looks after the stores until `stop`.
#[must_use]
pub fn spawn(pool: Pool, days: RetentionDays, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut clock = tokio::time::interval(PERIOD);
        loop {
            tokio::select! {
                _ = clock.tick() => {}
                () = stop.cancelled() => return,
            }
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let now = Timestamp::from_seconds(i64::try_from(now.as_secs()).unwrap_or(0));
            match run_once(&pool, days, now, SETTLED_S).await {
                Ok(0) => {}
                Ok(dropped) => tracing::info!(dropped, "old rows and partitions dropped"),
                Err(error) => tracing::warn!(%error, "retention is late"),
            }
        }
    })
}
