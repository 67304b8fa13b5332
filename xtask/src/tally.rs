//! Reads how many tests passed and failed from what the runners themselves say.

use anyhow::{Context as _, Result};
use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// From cargo-nextest's summary line; None when it never got that far.
///
///     Summary [   1.234s] 12 tests run: 10 passed (1 slow, 1 flaky), 1 failed, 1 timed out, 3 skipped
pub fn nextest(output: &str) -> Option<Tally> {
    let line = output.lines().rev().find(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, counts) = line.split_once(" run: ")?;
    let mut tally = Tally::default();
    for (count, what) in numbers(&without_brackets(counts)) {
        match what.as_str() {
            "passed" => tally.passed += count,
            "skipped" => tally.skipped += count,
            _ => tally.failed += count,
        }
    }
    // What was not run after an early end: "5/12 tests run".
    if let Some((run, planned)) = line.split_once("] ").and_then(|(_, rest)| rest.split(' ').next()?.split_once('/')) {
        let not_run = planned.parse::<u64>().ok()?.saturating_sub(run.parse().ok()?);
        tally.failed += not_run;
    }
    Some(tally)
}

/// The sum of libtest's result lines, one per test binary and per crate's documentation; None when there is none.
///
///     test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s
pub fn libtest(output: &str) -> Option<Tally> {
    let mut sum = None;
    for line in output.lines().filter_map(|line| line.trim_start().strip_prefix("test result: ")) {
        let tally = sum.get_or_insert_with(Tally::default);
        let counts = line.split_once(". ").map_or("", |(_, counts)| counts);
        for (count, what) in numbers(counts) {
            match what.as_str() {
                "passed" => tally.passed += count,
                "failed" => tally.failed += count,
                "ignored" => tally.skipped += count,
                _ => {}
            }
        }
    }
    sum
}

/// From Playwright's JSON reporter. What passed only when tried again is counted as passed, as Playwright does.
pub fn playwright(json: &str) -> Result<Tally> {
    let report: serde_json::Value = serde_json::from_str(json).context("Playwright's report is not JSON")?;
    let count =
        |name: &str| report["stats"][name].as_u64().with_context(|| format!("Playwright's report has no stats.{name}"));
    // Errors outside of any test: a spec that does not compile, a fixture that broke.
    let outside = report["errors"].as_array().map_or(0, |errors| errors.len() as u64);
    Ok(Tally {
        passed: count("expected")? + count("flaky")?,
        failed: count("unexpected")? + outside,
        skipped: count("skipped")?,
    })
}

/// "3 passed; 1 failed" -> (3, "passed"), (1, "failed"); also with commas.
fn numbers(text: &str) -> Vec<(u64, String)> {
    text.split([';', ','])
        .filter_map(|part| {
            let (count, what) = part.trim().split_once(' ')?;
            Some((count.parse().ok()?, what.trim().to_owned()))
        })
        .collect()
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|character| {
            match character {
                '(' => depth += 1,
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn nextest_counts_every_way_to_fail() {
        let check = |line: &str, expected| assert_eq!(nextest(&format!("noise\n{line}\nafter")), expected, "{line}");
        check("     Summary [   0.004s] 1 test run: 1 passed, 0 skipped", Some(tally(1, 0, 0)));
        check(
            "Summary [   1.234s] 12 tests run: 9 passed (1 slow, 1 flaky), 1 failed, 1 timed out, 1 exec failed, 3 skipped",
            Some(tally(9, 3, 3)),
        );
        check("Summary [  10.000s] 5/12 tests run: 4 passed, 1 failed, 0 skipped", Some(tally(4, 8, 0)));
        check("error: could not compile `server`", None);
    }

    #[test]
    fn libtest_lines_are_summed() {
        let output = "\
            running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.50s\n";
        assert_eq!(libtest(output), Some(tally(4, 2, 1)));
        assert_eq!(libtest("error: could not compile"), None);
    }

    #[test]
    fn playwright_counts_tests_and_errors_outside_of_tests() {
        let json = r#"{"errors":[{"message":"boom"}],"stats":{"expected":4,"flaky":1,"unexpected":2,"skipped":3}}"#;
        assert_eq!(playwright(json).unwrap(), tally(5, 3, 3));
        assert!(playwright("{}").is_err());
        assert!(playwright("not json").is_err());
    }
}
