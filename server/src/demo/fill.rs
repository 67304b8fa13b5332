//! Writing the made-up town's past.

use std::time::Instant;

use anyhow::Context as _;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use model::demo::{Demo, DemoBead, Rhythm};
use model::event::Envelope;
use model::id::TownName;
use model::time::{TimeRange, Timestamp};
use model::unit::Nanodollars;
use uuid::Uuid;

use crate::db::bead::BeadRow;
use crate::db::ledger::{Entry, EntryKind};
use crate::db::{self, Pool, TownKey};
use crate::ingest::{Intake, Outcome};

/// Events per submission: what the writer takes into one transaction.
const BATCH: usize = 5_000;
/// Submissions under way at once: enough that the writer never waits for the generator.
const IN_FLIGHT: usize = 3;
/// The tank is filled this long before the end, with twice what has been spent since: the needle stands near half.
const TANK_AGE_S: i64 = 2 * 24 * 3_600;
/// A made-up tank is never smaller: $20.
const MIN_TOPUP: Nanodollars = Nanodollars(20_000_000_000);

/// What to make up.
#[derive(Debug, Clone)]
pub struct FillSpec {
    /// Town to write to; made, and marked as a demo, if need be.
    pub town: TownName,
    /// Seed of the generator.
    pub seed: u64,
    /// From when to when, in whole minutes.
    pub range: TimeRange,
    /// How busy.
    pub rhythm: Rhythm,
    /// Whether to fill the tank.
    pub fill_tank: bool,
}

/// What was made up.
#[derive(Debug, Clone, Copy, Default)]
pub struct FillReport {
    /// Events that are new in the store.
    pub stored: u64,
    /// Events that were there already: filling twice changes nothing.
    pub duplicate: u64,
    /// Seconds it took.
    pub seconds: f64,
}

/// Writes the town's past through the same intake as every other source; `progress` is told the share done, 0 to 1.
///
/// # Errors
/// When the store refuses.
pub async fn fill(
    pool: &Pool,
    intake: &Intake,
    spec: &FillSpec,
    mut progress: impl FnMut(f64),
) -> anyhow::Result<FillReport> {
    let started = Instant::now();
    let town = db::town::ensure(pool, &spec.town, true).await?;
    let known = db::town::find(pool, &spec.town).await?;
    anyhow::ensure!(
        known.is_some_and(|town| town.demo),
        "the town \"{}\" is a real one; name another for the demo",
        spec.town
    );
    let demo = Demo::new(spec.seed, spec.rhythm);
    let (first, end) = (spec.range.from().seconds() / 60, spec.range.to().seconds() / 60);
    write_beads(pool, town, &demo, (first, end), spec.range.to()).await?;

    let mut report = FillReport::default();
    let mut under_way = FuturesOrdered::new();
    let mut batch: Vec<Envelope> = Vec::with_capacity(BATCH + 200);
    for minute in first..end {
        demo.minute(minute, &mut batch);
        let full = batch.len() >= BATCH || minute == end - 1;
        if !full || batch.is_empty() {
            continue;
        }
        let events = std::mem::replace(&mut batch, Vec::with_capacity(BATCH + 200));
        under_way.push_back(intake.submit_waiting(&spec.town, events));
        if under_way.len() >= IN_FLIGHT
            && let Some(outcomes) = under_way.next().await
        {
            report.count(&outcomes?);
            progress(share(minute - first, end - first));
        }
    }
    while let Some(outcomes) = under_way.next().await {
        report.count(&outcomes?);
    }
    db::coverage::add(pool, town, spec.range.from(), spec.range.to()).await?;
    if spec.fill_tank {
        fill_tank(pool, (town, &spec.town), spec.range).await.context("filling the made-up tank")?;
    }
    progress(1.0);
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

impl FillReport {
    fn count(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Stored => self.stored += 1,
                Outcome::Duplicate => self.duplicate += 1,
                Outcome::Rejected(reason) => tracing::warn!(reason, "a made-up event was rejected"),
            }
        }
    }
}

/// Tops the tank up at a time of the past, with twice what has been spent since: the needle stands at half.
async fn fill_tank(pool: &Pool, town: (TownKey, &TownName), range: TimeRange) -> anyhow::Result<()> {
    let at = range.to().plus_seconds(-TANK_AGE_S).max(range.from());
    let spent = db::cost::between(&mut *pool.acquire().await?, town.0, at, range.to()).await?;
    let amount = Nanodollars(spent.0.saturating_mul(2).max(MIN_TOPUP.0));
    topup(pool, town, at, amount).await
}

/// Adds a made-up top-up to the ledger; the same one twice is one.
pub(super) async fn topup(
    pool: &Pool,
    town: (TownKey, &TownName),
    at: Timestamp,
    amount: Nanodollars,
) -> anyhow::Result<()> {
    let request = Uuid::from_u128(u128::from(at.0.unsigned_abs()));
    let entry = Entry { at, kind: EntryKind::Topup, amount, note: "made-up top-up".to_owned(), request };
    db::ledger::add(pool, town, &entry, "demo").await?;
    Ok(())
}

/// Writes the beads whose shift begins in these minutes, as of `now`.
pub(super) async fn write_beads(
    pool: &Pool,
    town: TownKey,
    demo: &Demo,
    (first, end): (i64, i64),
    now: Timestamp,
) -> anyhow::Result<()> {
    let beads: Vec<BeadRow> = demo.beads(first, end).into_iter().map(|bead| row(bead, now)).collect();
    db::bead::upsert(pool, town, &beads).await?;
    Ok(())
}

/// A made-up bead as of `now`: what has not happened yet is not known yet.
fn row(bead: DemoBead, now: Timestamp) -> BeadRow {
    let closed_at = bead.closed.filter(|at| *at <= now);
    let status = if closed_at.is_some() {
        "closed"
    } else if bead.created.plus_seconds(3 * 3_600) > now {
        "in_progress"
    } else if bead.escalation {
        "blocked"
    } else {
        "open"
    };
    BeadRow {
        bead: bead.id.to_string(),
        title: bead.title,
        status: status.to_owned(),
        issue_type: "task".to_owned(),
        priority: Some(2),
        assignee: Some(bead.assignee),
        created_at: bead.created,
        closed_at,
        updated_at: Some(closed_at.unwrap_or(bead.created)),
        counted: true,
        escalation: bead.escalation && bead.created.plus_seconds(24 * 3_600) > now,
    }
}

/// A share for the progress bar.
#[expect(clippy::cast_precision_loss, reason = "a share for a bar")]
fn share(done: i64, all: i64) -> f64 {
    done as f64 / all.max(1) as f64
}
