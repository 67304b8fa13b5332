//! A town's runs: stretches of work, told apart by pauses.

use crate::series::SeriesPage;

/// A pause of this long ends a run.
const PAUSE_S: i64 = 600;

/// The newest stretch of work within a page of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkRun {
    /// Beginning of its first bucket, seconds since 1970.
    pub from_s: i64,
    /// Its tokens of all kinds.
    pub tokens: i64,
    /// Whether it may have begun before the page does.
    pub is_cut: bool,
}

/// The newest run on a page of [`Metric::Tokens`](crate::series::Metric::Tokens); none when nothing happened there.
#[must_use]
pub fn newest_run(page: &SeriesPage) -> Option<WorkRun> {
    let total = |bucket: usize| {
        let sums = page.series.iter().filter_map(|series| series.sums.get(bucket).copied().flatten());
        sums.fold(0_i64, i64::saturating_add)
    };
    let pause = usize::try_from(PAUSE_S / page.step_s.max(1)).unwrap_or(1).max(1);
    let last = (0..page.buckets()).rev().find(|bucket| total(*bucket) > 0)?;
    let (mut first, mut tokens, mut quiet) = (last, 0_i64, 0);
    for bucket in (0..=last).rev() {
        match total(bucket) {
            0 => quiet += 1,
            sum => {
                (first, quiet) = (bucket, 0);
                tokens = tokens.saturating_add(sum);
            }
        }
        if quiet >= pause {
            break;
        }
    }
    let from_s = page.times().nth(first)?;
    Some(WorkRun { from_s, tokens, is_cut: quiet < pause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Metric;

    fn check(sums: &[i64], run: Option<(i64, i64, bool)>) {
        let step_s = 300;
        let to_s = 300 * i64::try_from(sums.len()).unwrap();
        let mut page = SeriesPage::empty(Metric::Tokens, 0, to_s, step_s);
        page.series[1].sums = sums.iter().map(|sum| Some(*sum)).collect();
        let found = newest_run(&page).map(|run| (run.from_s / step_s, run.tokens, run.is_cut));
        assert_eq!(found, run, "{sums:?}");
    }

    #[test]
    fn a_run_begins_after_the_last_pause_of_ten_minutes() {
        check(&[], None);
        check(&[0, 0, 0], None);
        check(&[9, 0, 0, 4, 0, 5, 0, 0, 0], Some((3, 9, false)));
        check(&[9, 0, 4, 5], Some((0, 18, true)));
        check(&[0, 0, 4], Some((2, 4, false)));
    }
}
