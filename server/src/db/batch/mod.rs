//! One batch of events, one transaction: what is new goes in, what is better replaces, and the finest tier, the
//! roster, the sessions and the counters follow from what really changed.
//!
//! Locks are always taken in the same order (towns' claims, events by key, marks, then as [`super::fold`] does), so writers of
//! several processes never wait in a circle. Who tells a session again (`restate`) takes that session's row first, and
//! roster rows after it, as the fold does. Who prices events again (`reprice`) takes its job's row first, which nobody
//! waits for.

mod claims;
mod reprice;
mod restate;
mod sums;

use std::collections::{BTreeMap, HashSet};

use model::event::PricedEvent;
use model::roster::AgentRow;
use model::time::Timestamp;
use sqlx::postgres::PgConnection;

use super::copy_rows::CopyRows;
use super::custody::Custody;
use super::event::{self, Place};
use super::feed::{self, FeedChange};
use super::fold::Fold;
use super::headline::BucketSum;
use super::latency::{self, LatencyPart};
use super::presence::PresenceSum;
use super::source_count::{self, Refused};
use super::spend::{self, SpendPart};
use super::unpriced::UnpricedSum;
use super::{DbError, Pool, TownKey, agent, claim, request};
use claims::Claims;
pub(super) use reprice::before;
pub use reprice::{Pricer, Progress, reprice};
pub use restate::{pending, restate};

/// An accepted event and its town.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Town.
    pub town: TownKey,
    /// Event.
    pub event: PricedEvent,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored now, and was not before.
    Stored,
    /// It, or a better report of the same call, is stored already or comes with the same batch.
    Duplicate,
}

/// How to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approach {
    /// Copy everything and hope: right for live data, and twice as fast.
    Optimistic,
    /// Look first for what is stored: right for replays, and after a conflict.
    Probing,
}

/// Word to other processes, one per town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notices {
    /// Sent if the transaction changes anything.
    OfChanges(Vec<String>),
    /// Sent in any case: an earlier try may have changed everything, and nobody here heard that it did.
    Always(Vec<String>),
}

impl Notices {
    fn due(&self, is_changed: bool) -> &[String] {
        match self {
            Self::Always(notices) => notices,
            Self::OfChanges(notices) if is_changed => notices,
            Self::OfChanges(_) => &[],
        }
    }
}

/// What a transaction did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// One per row, in order.
    pub verdicts: Vec<Verdict>,
    /// Events that were taken back.
    pub removed: Vec<(TownKey, PricedEvent)>,
    /// Rows that were about to be copied and were found stored when it was looked ([`Approach::Probing`]).
    pub known: usize,
}

/// Writes one batch; `encoded` are its `rows`. After an error nothing of it is stored, except that a connection lost during the commit leaves
/// that unknown; writing the same batch again is always safe. With `custody` it may be written beside others of the same
/// custodian that speak of none of its messages. `copied` is called when the events themselves are in.
///
/// # Errors
/// 23505 when something is stored already (probe then), 23514 when a day has no partition, [`DbError::Contested`] when it
/// cannot be written with custody, and whatever else Postgres reports.
pub async fn write(
    pool: &Pool,
    (rows, encoded): (&[Row], &CopyRows),
    refused: &[Refused<'_>],
    notices: &Notices,
    approach: Approach,
    custody: Option<&Custody>,
    copied: impl FnOnce(),
) -> Result<Written, DbError> {
    let mut transaction = pool.begin().await?;
    let written = write_in(&mut transaction, (rows, encoded), refused, notices, approach, custody, copied).await?;
    transaction.commit().await?;
    Ok(written)
}

/// Writes what a batch without events would be: for a canary that finds no other to fly with. Nothing is stored, but it runs
/// the statement that every batch ends with, and waits for the disk as they do: a commit that has written nothing would not.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn write_nothing(pool: &Pool) -> Result<Written, DbError> {
    let mut transaction = pool.begin().await?;
    Fold::default().write(&mut transaction).await?;
    sqlx::query("select pg_logical_emit_message(true, 'towngauge', '')").execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Written::default())
}

async fn write_in(
    connection: &mut PgConnection,
    (rows, encoded): (&[Row], &CopyRows),
    refused: &[Refused<'_>],
    notices: &Notices,
    approach: Approach,
    custody: Option<&Custody>,
    copied: impl FnOnce(),
) -> Result<Written, DbError> {
    let mut verdicts = vec![Verdict::Stored; rows.len()];
    let mut removed = Vec::new();
    let mut marks = Vec::new();
    let mut known = 0;

    // Decided before anything is inserted: a report may replace one that has the same key.
    if rows.iter().any(|row| row.event.envelope.claim.is_some()) {
        let claims = Claims::decide(&mut *connection, rows, custody, &mut verdicts).await?;
        if !claims.replaced.is_empty() {
            let mut places: Vec<Place> = claims.replaced.iter().map(|stored| stored.place).collect();
            places.sort_unstable();
            removed = event::take_back(&mut *connection, &places).await?;
            claim::delete(&mut *connection, &claims.replaced).await?;
        }
        if !claims.new.is_empty() {
            claim::insert(&mut *connection, &claims.new).await?;
        }
        marks = claims.marks;
    }

    // Sorted by key: it makes inserts append, and lets two writers of the same data wait for one another in order.
    let mut order: Vec<(Place, usize)> =
        (0..rows.len()).filter(|&i| verdicts[i] == Verdict::Stored).map(|i| (place(&rows[i]), i)).collect();
    order.sort_unstable();
    order.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            verdicts[later.1] = Verdict::Duplicate;
        }
        same
    });
    if approach == Approach::Probing && !order.is_empty() {
        let places: Vec<Place> = order.iter().map(|(place, _)| *place).collect();
        let stored: HashSet<Place> = event::existing(&mut *connection, &places).await?.into_iter().collect();
        known = stored.len();
        order.retain(|(place, i)| {
            let new = !stored.contains(place);
            if !new {
                verdicts[*i] = Verdict::Duplicate;
            }
            new
        });
    }
    let order: Vec<usize> = order.into_iter().map(|(_, i)| i).collect();
    if !order.is_empty() {
        encoded.copy(&mut *connection, order.iter().copied()).await?;
    }
    copied();
    if !marks.is_empty() {
        claim::mark(&mut *connection, &marks).await?;
    }
    follow(connection, rows, &order, &verdicts, &removed, refused, notices).await?;
    Ok(Written { verdicts, removed, known })
}

/// Everything that follows from what was inserted (`order`) and taken back (`removed`).
async fn follow(
    connection: &mut PgConnection,
    rows: &[Row],
    order: &[usize],
    verdicts: &[Verdict],
    removed: &[(TownKey, PricedEvent)],
    refused: &[Refused<'_>],
    notices: &Notices,
) -> Result<(), DbError> {
    let inserted = || order.iter().map(|&i| (rows[i].town, &rows[i].event));
    let taken = || removed.iter().map(|(town, event)| (*town, event));
    let changed = Changed::of(inserted, taken);
    let fold = Fold {
        sessions: &sums::sessions(inserted()),
        sources: &sums::sources(rows, verdicts, removed, refused),
        notices: notices.due(!changed.dirty.is_empty()),
        may_empty: !removed.is_empty(),
        ..changed.fold()
    };
    fold.write(&mut *connection).await?;
    agent::close_hooks(&mut *connection, &sums::closed_beads(inserted())).await?;
    source_count::keep(&mut *connection, refused).await?;
    request::fold(connection, inserted()).await
}

/// What inserted (sorted by town and time) and taken-back events change in the finest tier and the roster.
struct Changed<'a> {
    buckets: Vec<BucketSum>,
    present: Vec<PresenceSum<'a>>,
    agents: Vec<(TownKey, AgentRow)>,
    unpriced: Vec<UnpricedSum<'a>>,
    latency: Vec<LatencyPart<'a>>,
    spend: Vec<SpendPart<'a>>,
    feed: BTreeMap<TownKey, FeedChange>,
    dirty: Vec<(TownKey, Timestamp)>,
}

impl<'a> Changed<'a> {
    fn of<I, T>(inserted: impl Fn() -> I, taken: impl Fn() -> T) -> Self
    where
        I: Iterator<Item = (TownKey, &'a PricedEvent)>,
        T: Iterator<Item = (TownKey, &'a PricedEvent)>,
    {
        let buckets = sums::buckets(inserted(), taken());
        let present = sums::presence(inserted(), taken());
        let agents = sums::agents(inserted());
        let unpriced = sums::unpriced(inserted(), taken());
        let latency = latency::parts(inserted(), taken());
        let spend = spend::parts(inserted(), taken());
        let feed = feed::changes(inserted(), taken());
        let dirty = sums::dirty(&buckets, &present);
        Self { buckets, present, agents, unpriced, latency, spend, feed, dirty }
    }

    fn fold(&self) -> Fold<'_> {
        Fold {
            buckets: &self.buckets,
            present: &self.present,
            agents: &self.agents,
            unpriced: &self.unpriced,
            latency: &self.latency,
            spend: &self.spend,
            feed: Some(&self.feed),
            dirty: &self.dirty,
            ..Fold::default()
        }
    }
}

/// The primary key of a row.
fn place(row: &Row) -> Place {
    Place { town: row.town, at: row.event.envelope.at, key: row.event.envelope.key }
}
