//! What a town is at: its newest run, and the tokens of it.

use std::collections::HashMap;
use std::sync::Arc;

use app::reader::{ReadError, SeriesRange};
use model::host::{Run, RunStatus, TokenMetrics, WorkRun, newest_run};
use model::id::TownName;
use model::series::Metric;
use model::time::{TimeRange, Timestamp, Window};
use model::wire::Gauges;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::read::Reader;

/// How long what was read is good for.
const FRESH_US: i64 = 5_000_000;
/// Towns remembered at most.
const MAX_KEPT: usize = 2_000;

/// What was read of a town.
#[derive(Debug, Clone, Copy)]
struct Kept {
    at: Timestamp,
    run: Option<WorkRun>,
    since_start: i64,
}

/// The runs of every town, read at most every five seconds, and only when somebody asks.
pub struct RunBook {
    reader: Arc<Reader>,
    clock: Clock,
    started: Timestamp,
    towns: Mutex<HashMap<TownName, Kept>>,
}

impl RunBook {
    /// Reads with `reader`. `started` is when this server did.
    #[must_use]
    pub fn new(reader: Arc<Reader>, clock: Clock, started: Timestamp) -> Self {
        Self { reader, clock, started, towns: Mutex::default() }
    }

    /// The run of a town whose dials stand at `gauges`. When the store does not answer, what was known before.
    pub async fn of(&self, town: &TownName, gauges: Option<&Gauges>) -> (Run, TokenMetrics) {
        let mut towns = self.towns.lock().await;
        let now = self.clock.now();
        let known = towns.get(town).copied();
        let kept = match known {
            Some(kept) if now.micros_since(kept.at) < FRESH_US => Some(kept),
            _ => match self.read(town, now).await {
                Ok(kept) => {
                    if towns.len() >= MAX_KEPT {
                        towns.clear();
                    }
                    towns.insert(town.clone(), kept);
                    Some(kept)
                }
                // The reader has logged it.
                Err(_) => known,
            },
        };
        drop(towns);
        (run(town, gauges, kept), tokens(gauges, kept, self.started))
    }

    async fn read(&self, town: &TownName, now: Timestamp) -> Result<Kept, ReadError> {
        let subject = Metric::Tokens.into();
        let page = |range| self.reader.series(town, &subject, range);
        let mut run = newest_run(&page(SeriesRange::Window(Window::Day)).await?);
        if run.is_none_or(|run| run.is_cut) {
            run = newest_run(&page(SeriesRange::Window(Window::Week)).await?).or(run);
        }
        let since_start = match TimeRange::new(self.started, now) {
            Ok(range) => {
                let page = page(SeriesRange::Between(range)).await?;
                page.series
                    .iter()
                    .flat_map(|series| &series.sums)
                    .flatten()
                    .fold(0, |sum: i64, n| sum.saturating_add(*n))
            }
            // Not a moment old.
            Err(_) => 0,
        };
        Ok(Kept { at: now, run, since_start })
    }
}

fn run(town: &TownName, gauges: Option<&Gauges>, kept: Option<Kept>) -> Run {
    let work = kept.and_then(|kept| kept.run);
    let status = if gauges.is_some_and(is_running) { RunStatus::Live } else { RunStatus::Idle };
    Run {
        status,
        pid: None,
        started_at: work.map(|run| Timestamp::from_seconds(run.from_s)),
        run_id: work.map(|run| format!("{town}-{}", run.from_s)),
    }
}

fn tokens(gauges: Option<&Gauges>, kept: Option<Kept>, started: Timestamp) -> TokenMetrics {
    let Some(kept) = kept else { return TokenMetrics::default() };
    let current_run = kept.run.map_or(0, |run| run.tokens);
    let is_earlier = kept.run.is_some_and(|run| run.from_s < started.seconds());
    // The run's first bucket may hold tokens from before the start.
    let total_session = if is_earlier { current_run } else { kept.since_start.max(current_run) };
    TokenMetrics { current_run, total_session, available: gauges.is_some_and(|gauges| gauges.flow.is_some()) }
}

/// Whether a town runs: agents work, or tokens came within the last minute.
pub(super) fn is_running(gauges: &Gauges) -> bool {
    gauges.working > 0 || gauges.flow.is_some_and(|flow| flow.tokens > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(from_s: i64, tokens: i64, since_start: i64) -> Option<Kept> {
        Some(Kept { at: Timestamp(0), run: Some(WorkRun { from_s, tokens, is_cut: false }), since_start })
    }

    #[test]
    fn the_session_holds_the_run() {
        let started = Timestamp::from_seconds(1_000);
        let check = |kept, expected: (i64, i64)| {
            let tokens = tokens(None, kept, started);
            assert_eq!((tokens.current_run, tokens.total_session), expected);
        };
        check(kept(2_000, 5, 9), (5, 9));
        check(kept(500, 50, 9), (50, 50));
        check(kept(2_000, 5, 4), (5, 5));
        check(None, (0, 0));
    }
}
