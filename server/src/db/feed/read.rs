//! Reading a town's events in the order of their commits.

use std::collections::{HashMap, HashSet};
use std::fmt;

use model::event::PricedEvent;
use model::id::EventKey;
use model::wire::RowKey;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::packed::{self, Spot};
use crate::db::event::{self, COLUMNS, Place};
use crate::db::{DbError, PgTime, Pool, TownKey, partition};

/// Changes deleted in one statement.
const PRUNED_AT_ONCE: i64 = 5_000;
/// Changes are kept for this many seconds by the database's clock: whoever was away longer reads lists instead.
pub const KEPT_S: i64 = 86_400;
/// Changes of one page at most, whatever is in them.
const PAGE_CHANGES: i64 = 256;

/// A place in the order of commits: so many of a change's entries are behind it, and all of the changes before. Written
/// `7-3`, or `7` when all of change 7 is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    seq: i64,
    entry: u32,
}

impl Cursor {
    /// Behind all of a change.
    #[must_use]
    pub const fn behind(seq: i64) -> Self {
        Self { seq, entry: u32::MAX }
    }
    /// The change's number.
    #[must_use]
    pub const fn seq(self) -> i64 {
        self.seq
    }
    /// Reads what [`Cursor`] is written as.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let digits = |raw: &str| raw.len() <= 19 && !raw.is_empty() && raw.bytes().all(|byte| byte.is_ascii_digit());
        match raw.split_once('-') {
            Some((seq, entry)) if digits(seq) && digits(entry) => {
                let entry = entry.parse().ok().filter(|entry| *entry != u32::MAX)?;
                Some(Self { seq: seq.parse().ok()?, entry })
            }
            None if digits(raw) => Some(Self::behind(raw.parse().ok()?)),
            _ => None,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            u32::MAX => write!(f, "{}", self.seq),
            entry => write!(f, "{}-{entry}", self.seq),
        }
    }
}

/// What a stream tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// An event was stored.
    Added(Box<PricedEvent>),
    /// An event was replaced by a better report of the same.
    Gone(RowKey),
}

/// The next entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Each with the cursor behind it.
    pub entries: Vec<(Cursor, Entry)>,
    /// Everything up to here is in it, or was replaced meanwhile.
    pub reached: Cursor,
}

/// Which changes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Number of the newest change; 0: there was none yet.
    pub newest: i64,
    /// Number of the oldest that is kept; beyond `newest` when none is.
    pub oldest: i64,
}

/// Which changes of a town there are.
///
/// # Errors
/// The database refused.
pub async fn reach(pool: &Pool, town: TownKey) -> Result<Reach, DbError> {
    let (newest, oldest): (i64, Option<i64>) =
        sqlx::query_as(include_str!("../sql/feed_reach.sql")).bind(town.0).fetch_one(pool).await?;
    Ok(Reach { newest, oldest: oldest.unwrap_or(newest + 1) })
}

/// What comes after `cursor`: about `limit` entries, or more when a single change has more than twice that. Events that
/// were replaced since are left out: who has not seen them does not miss them.
///
/// # Errors
/// The database refused.
pub async fn after(pool: &Pool, town: TownKey, cursor: Cursor, limit: u32) -> Result<Page, DbError> {
    // Entries of the first change that are behind the cursor already.
    let skip = if cursor.entry == u32::MAX { 0 } else { cursor.entry };
    let first = if cursor.entry == u32::MAX { cursor.seq.saturating_add(1) } else { cursor.seq };
    let rows = sqlx::query(include_str!("../sql/feed_after.sql"))
        .bind(town.0)
        .bind(first)
        .bind(i64::from(limit) + i64::from(skip))
        .bind(PAGE_CHANGES)
        .fetch_all(pool)
        .await?;
    let mut wanted = Vec::new();
    let mut reached = cursor;
    let unreadable = || DbError::Unknown { what: "a change of an unknown form".to_owned() };
    'changes: for row in &rows {
        let seq: i64 = row.try_get("seq")?;
        let skip = if seq == cursor.seq { skip } else { 0 };
        let gone = row.try_get::<&[u8], _>("gone")?.chunks_exact(8);
        let gone = gone.map(|key| Wanted::Gone(RowKey(key.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))));
        let added = packed::read(row.try_get("added")?).ok_or_else(unreadable)?;
        let all = gone.chain(added.into_iter().map(Wanted::Spot));
        for (behind, entry) in (1_u32..).zip(all) {
            if behind <= skip {
                continue;
            }
            if wanted.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                break 'changes;
            }
            reached = Cursor { seq, entry: behind };
            wanted.push((reached, entry));
        }
        reached = Cursor::behind(seq);
    }
    let spots: Vec<Spot> = wanted.iter().filter_map(|(_, entry)| entry.spot()).collect();
    let mut found = find(pool, town, spots).await?;
    let entries = wanted.into_iter().filter_map(|(cursor, entry)| {
        let entry = match entry {
            Wanted::Gone(key) => Entry::Gone(key),
            Wanted::Spot(spot) => Entry::Added(Box::new(found.remove(&spot)?)),
        };
        Some((cursor, entry))
    });
    Ok(Page { entries: entries.collect(), reached })
}

enum Wanted {
    Gone(RowKey),
    Spot(Spot),
}

impl Wanted {
    const fn spot(&self) -> Option<Spot> {
        match self {
            Self::Spot(spot) => Some(*spot),
            Self::Gone(_) => None,
        }
    }
}

/// The events at these spots that are still there, day by day as in [`event::existing`].
async fn find(pool: &Pool, town: TownKey, spots: Vec<Spot>) -> Result<HashMap<Spot, PricedEvent>, DbError> {
    let spots: HashSet<Spot> = spots.into_iter().collect();
    let mut places: Vec<Place> = spots.iter().map(|spot| Place { town, at: spot.at, key: spot.keys().0 }).collect();
    places.sort_unstable();
    let columns = COLUMNS.split(", ").map(|column| format!("e.{column}")).collect::<Vec<_>>().join(", ");
    let mut found = HashMap::new();
    for (day, chunk) in partition::by_day(&places) {
        let statement = include_str!("../sql/feed_events.sql")
            .replace("{columns}", &columns)
            .replace("{table}", &partition::name(day));
        let keys = |of: fn((EventKey, EventKey)) -> EventKey| {
            let key = |place: &Place| Uuid::from_u128(of(Spot::of(place.at, place.key).keys()).0);
            chunk.iter().map(key).collect::<Vec<_>>()
        };
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(town.0)
            .bind(chunk.iter().map(|place| PgTime(place.at)).collect::<Vec<_>>())
            .bind(keys(|(low, _)| low))
            .bind(keys(|(_, high)| high))
            .fetch_all(pool)
            .await
            .map_err(DbError::from);
        let rows = match rows {
            // Retention dropped the day.
            Err(error) if error.code().as_deref() == Some("42P01") => continue,
            rows => rows?,
        };
        for row in &rows {
            let event = event::decode(row)?;
            found.insert(Spot::of(event.envelope.at, event.envelope.key), event);
        }
    }
    Ok(found)
}

/// Forgets changes that are older than [`KEPT_S`], and returns how many went.
///
/// # Errors
/// The database refused; what was forgotten up to then stays forgotten.
pub async fn prune(pool: &Pool) -> Result<u64, DbError> {
    let towns: Vec<(i32,)> = sqlx::query_as("select town_id from feed order by town_id").fetch_all(pool).await?;
    let mut pruned = 0;
    for (town,) in towns {
        loop {
            let done = sqlx::query(include_str!("../sql/feed_prune.sql"))
                .bind(town)
                .bind(PRUNED_AT_ONCE)
                .bind(KEPT_S)
                .execute(pool)
                .await?
                .rows_affected();
            pruned += done;
            if done < PRUNED_AT_ONCE.unsigned_abs() {
                break;
            }
        }
    }
    Ok(pruned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_orders_as_commits_do() {
        let order = ["0", "7-0", "7-3", "7", "8-1", "8"].map(|raw| Cursor::parse(raw).unwrap());
        assert!(order.is_sorted());
        assert_eq!(order.map(|cursor| cursor.to_string()), ["0", "7-0", "7-3", "7", "8-1", "8"]);
        for bad in ["", "-", "7-", "-3", "+7", "7-3-1", "7-4294967295", "99999999999999999999", "seven"] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }
}
