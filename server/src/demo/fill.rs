//! Writing the made-up town's past.

use std::time::Instant;

use anyhow::Context as _;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use model::demo::{Demo, Rhythm};
use model::event::Envelope;
use model::id::TownName;
use model::time::{TimeRange, Timestamp};
use model::unit::Nanodollars;

use crate::db::{self, Pool};
use crate::ingest::{Intake, Outcome};

/// Events per submission: what the writer takes into one transaction.
const BATCH: usize = 5_000;
/// Submissions under way at once: enough that the writer never waits for the generator.
const IN_FLIGHT: usize = 3;
/// The tank is filled this long before the end, with twice what has been spent since: the needle stands near half.
const TANK_AGE_S: i64 = 2 * 24 * 3_600;

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
    let demo = Demo::new(spec.seed, spec.rhythm);
    let (first, end) = (spec.range.from().seconds() / 60, spec.range.to().seconds() / 60);
    db::bead::upsert_demo(pool, town, &demo.beads(first, end), spec.range.to()).await?;

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
    db::coverage::add(pool, town, spec.range).await?;
    if spec.fill_tank {
        fill_tank(pool, town, spec.range.to()).await.context("filling the made-up tank")?;
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
