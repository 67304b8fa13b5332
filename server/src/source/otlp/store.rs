//! Hands a share to the intake, and carries running sums on from where they were counted to (`point`).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use model::id::TownName;
use model::request::Implied;

use super::{Point, Series, Share};
use crate::db::{Pool, claim, town, unmapped};
use crate::ingest::{Intake, Outcome, SubmitError};
use crate::request::{self, ImplyError, Told};

/// Series remembered; beyond that the memory is begun anew, and read again.
const REMEMBERED: usize = 50_000;
/// How often a running sum is tried against other writers of the same series; each failure means that one got on.
const TRIES: usize = 20;

/// How far series were counted, as far as this process remembers. It may be behind, never ahead.
#[derive(Debug, Default)]
pub struct Heads(Mutex<HashMap<TownName, HashMap<Series, u64>>>);

/// What became of a share.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// New events.
    pub stored: usize,
    /// Events that were there, or that something better tells.
    pub duplicate: usize,
    /// Items that are refused.
    pub rejected: usize,
    /// Why the first of them is.
    pub reason: Option<String>,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Stored => self.stored += 1,
            Outcome::Duplicate => self.duplicate += 1,
            Outcome::Rejected(reason) => self.refuse(1, reason),
        }
    }
    fn refuse(&mut self, items: usize, reason: String) {
        self.rejected += items;
        self.reason.get_or_insert(reason);
    }
    /// Adds another share's.
    pub fn merge(&mut self, other: Self) {
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.rejected += other.rejected;
        self.reason = self.reason.take().or(other.reason);
    }
}

/// Stores a share; returns after its commits. Only the first submission of a request asks for room in the queue
/// (`begun`): what has begun is finished, or sent again as a whole, which changes nothing.
///
/// # Errors
/// The queue is full, or the store does not answer. Part of it may be stored; sent again, it is stored once.
pub async fn store(
    intake: &Intake,
    pool: &Pool,
    heads: &Heads,
    town: &TownName,
    share: Share,
    begun: &mut bool,
    when: When,
) -> Result<Tally, SubmitError> {
    let mut tally = Tally::default();
    for outcome in intake.submit_parts(town, share.events, begun).await? {
        tally.add(outcome);
    }
    if !share.requests.is_empty() {
        underway(intake, pool, town, &share.requests, when).await?;
    }
    carry_on(intake, pool, heads, town, share.totals, begun, &mut tally).await?;
    for (source, items) in share.rejected {
        if let Some(first) = items.first() {
            tally.refuse(items.len(), format!("{}: {}", first.place, first.reason));
        }
        intake.reject(town, &source, items).await?;
    }
    let counts: Vec<_> = share.unmapped.into_iter().map(|((source, name), n)| (source, name, n)).collect();
    unmapped::add(pool, town, &counts).await.map_err(|error| {
        tracing::error!(%error, "names that are not understood could not be counted");
        SubmitError::Unavailable
    })?;
    Ok(tally)
}

/// The time, and when what does not end is lost.
#[derive(Debug, Clone, Copy)]
pub struct When {
    /// Now.
    pub now: Timestamp,
    /// After so many seconds an end that did not come is lost.
    pub lost_after_s: i64,
}

async fn underway(
    intake: &Intake,
    pool: &Pool,
    town: &TownName,
    requests: &[Implied],
    when: When,
) -> Result<(), SubmitError> {
    let failed = |error: ImplyError| match error {
        ImplyError::Submit(error) => error,
        ImplyError::Db(error) => {
            tracing::error!(%error, "what is under way could not be noted");
            SubmitError::Unavailable
        }
    };
    let key = town::ensure(pool, town, false).await.map_err(|error| failed(error.into()))?;
    let told = Told { town, key, requests, lost_after_s: when.lost_after_s };
    request::imply(pool, intake, told, when.now).await.map_err(failed)
}

/// Counts what is new in running sums. Told *duplicate*, the increment's beginning is taken by another writer's, or
/// the whole group is told by something better: then the head says how to go on, or that it does not.
async fn carry_on(
    intake: &Intake,
    pool: &Pool,
    heads: &Heads,
    town: &TownName,
    mut points: BTreeMap<Series, Point>,
    begun: &mut bool,
    tally: &mut Tally,
) -> Result<(), SubmitError> {
    let unknown: Vec<Series> = points.keys().filter(|series| heads.get(town, series).is_none()).copied().collect();
    heads.read(pool, town, &unknown).await?;
    for _ in 0..TRIES {
        let mut events = Vec::with_capacity(points.len());
        let mut under_way: Vec<(Series, u64)> = Vec::with_capacity(points.len());
        points.retain(|series, point| {
            let head = heads.get(town, series).unwrap_or(0);
            let event = point.increment(head);
            if let Some(event) = event {
                events.push(event);
                under_way.push((*series, head));
                return true;
            }
            tally.duplicate += 1;
            false
        });
        if events.is_empty() {
            return Ok(());
        }
        let outcomes = intake.submit_parts(town, events, begun).await?;
        let mut behind = Vec::new();
        for ((series, head), outcome) in under_way.into_iter().zip(outcomes) {
            if outcome == Outcome::Duplicate {
                behind.push((series, head));
                continue;
            }
            if let (Outcome::Stored, Some(point)) = (&outcome, points.get(&series)) {
                heads.set(town, series, point.value);
            }
            points.remove(&series);
            tally.add(outcome);
        }
        let series: Vec<Series> = behind.iter().map(|(series, _)| *series).collect();
        heads.read(pool, town, &series).await?;
        for (series, head) in behind {
            if heads.get(town, &series).unwrap_or(0) <= head {
                points.remove(&series);
                tally.add(Outcome::Duplicate);
            }
        }
    }
    // Others were always quicker, so their points say more than these.
    tally.duplicate += points.len();
    Ok(())
}

impl Heads {
    fn get(&self, town: &TownName, series: &Series) -> Option<u64> {
        self.lock().get(town)?.get(series).copied()
    }

    fn set(&self, town: &TownName, series: Series, value: u64) {
        let mut heads = self.lock();
        if heads.values().map(HashMap::len).sum::<usize>() >= REMEMBERED {
            heads.clear();
        }
        heads.entry(town.clone()).or_default().insert(series, value);
    }

    /// Reads heads from the database.
    async fn read(&self, pool: &Pool, name: &TownName, series: &[Series]) -> Result<(), SubmitError> {
        if series.is_empty() {
            return Ok(());
        }
        let failed = |error| {
            tracing::error!(%error, "running sums could not be looked up");
            SubmitError::Unavailable
        };
        let Some(town) = town::find(pool, name).await.map_err(failed)? else { return Ok(()) };
        let mut groups: Vec<u128> = series.iter().map(|series| series.group).collect();
        groups.sort_unstable();
        groups.dedup();
        for (group, id, value) in claim::heads(pool, town.key, &groups).await.map_err(failed)? {
            self.set(name, Series { group, id }, value);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TownName, HashMap<Series, u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
