//! What `check` and `test` did: one row per step, and the numbers of the real runners summed.

use crate::{context::Context, progress::human, tally::Tally};
use anyhow::{Result, bail};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Lanes run side by side and report here.
pub struct Report<'a> {
    context: &'a Context,
    rows: Mutex<Vec<Row>>,
    started: Instant,
}

struct Row {
    name: String,
    elapsed: Duration,
    tally: Option<Tally>,
    ended: Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    Badly,
    /// What it needs had failed.
    NotRun,
}

/// A step's numbers, when it runs tests, and its error, when it failed.
pub struct Outcome {
    pub tally: Option<Tally>,
    pub error: Option<anyhow::Error>,
}

impl From<Result<()>> for Outcome {
    fn from(result: Result<()>) -> Self {
        Self { tally: None, error: result.err() }
    }
}

impl<'a> Report<'a> {
    pub fn new(context: &'a Context) -> Self {
        Self { context, rows: Mutex::default(), started: Instant::now() }
    }

    /// Runs a step and says whether it ended well. A failure does not stop the others.
    pub fn step<T: Into<Outcome>>(&self, name: &str, work: impl FnOnce() -> T) -> bool {
        let started = Instant::now();
        let mut outcome: Outcome = work().into();
        if let (None, Some(Tally { failed: 1.., .. })) = (&outcome.error, outcome.tally) {
            outcome.error = Some(anyhow::anyhow!("{name}: some tests failed"));
        }
        let ended = match &outcome.error {
            None => Ended::Well,
            Some(error) => {
                self.context.progress.say(&format!("✗ {error:#}"));
                Ended::Badly
            }
        };
        self.push(Row { name: name.to_owned(), elapsed: started.elapsed(), tally: outcome.tally, ended });
        ended == Ended::Well
    }

    pub fn not_run(&self, name: &str) {
        self.push(Row { name: name.to_owned(), elapsed: Duration::ZERO, tally: None, ended: Ended::NotRun });
    }

    /// The table, the line `N passed, N failed`, and an error when anything went wrong.
    pub fn finish(self) -> Result<()> {
        let rows = self.rows();
        println!("\n{}", table(&rows));
        println!("{} in all", human(self.started.elapsed()));
        let sum = sum(&rows);
        println!("{} passed, {} failed", sum.passed, sum.failed);
        let bad: Vec<&str> = rows.iter().filter(|row| row.ended != Ended::Well).map(|row| row.name.as_str()).collect();
        if !bad.is_empty() {
            bail!("not well: {}. The output is above and in target/xtask/*.log", bad.join(", "));
        }
        Ok(())
    }

    fn push(&self, row: Row) {
        self.rows().push(row);
    }

    fn rows(&self) -> MutexGuard<'_, Vec<Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step that failed without numbers of its own (clippy, a build) is one failure: the last line must not look well.
fn sum(rows: &[Row]) -> Tally {
    let mut sum = Tally::default();
    for row in rows {
        match row.tally {
            Some(tally) => sum += tally,
            None if row.ended != Ended::Well => sum.failed += 1,
            None => {}
        }
        if row.ended == Ended::Badly && row.tally.is_some_and(|tally| tally.failed == 0) {
            sum.failed += 1;
        }
    }
    sum
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let mut table = format!("  {:width$}  {:>7} {:>7} {:>7}  {:>12}\n", "step", "passed", "failed", "skipped", "time");
    for row in rows {
        let mark = match row.ended {
            Ended::Well => '✓',
            Ended::Badly => '✗',
            Ended::NotRun => '-',
        };
        let elapsed = if row.ended == Ended::NotRun { "not run".to_owned() } else { human(row.elapsed) };
        table.push_str(&format!(
            "{mark} {:width$}  {:>7} {:>7} {:>7}  {elapsed:>12}\n",
            row.name,
            number(row.tally.map(|tally| tally.passed)),
            number(row.tally.map(|tally| tally.failed)),
            number(row.tally.map(|tally| tally.skipped)),
        ));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tally: Option<Tally>, ended: Ended) -> Row {
        Row { name: "step".to_owned(), elapsed: Duration::ZERO, tally, ended }
    }

    #[test]
    fn a_failed_step_without_tests_is_one_failure() {
        let tests = Tally { passed: 7, failed: 2, skipped: 1 };
        let rows =
            [row(Some(tests), Ended::Badly), row(None, Ended::Badly), row(None, Ended::NotRun), row(None, Ended::Well)];
        assert_eq!(sum(&rows), Tally { passed: 7, failed: 4, skipped: 1 });
    }

    #[test]
    fn a_runner_that_breaks_after_its_tests_is_a_failure() {
        let tests = Tally { passed: 7, failed: 0, skipped: 0 };
        assert_eq!(sum(&[row(Some(tests), Ended::Badly)]).failed, 1);
    }
}
