//! One chart's data: exact sums per bucket, the rates that are drawn, and the live edge.

use model::Role;
use model::series::{Metric, SeriesPage};
use model::wire::Edge;

/// The running bucket is drawn once this share of it has passed: before that its rate says nothing.
const DRAWN_FROM: f64 = 0.3;

/// What is drawn of a value, per unit of the chart's axis: beads are read per hour, errors per minute, latency in seconds.
pub(crate) const fn axis_scale(metric: Metric) -> f64 {
    match metric {
        Metric::Beads => 3_600.0,
        Metric::Errors => 60.0,
        Metric::Latency => 1e-3,
        Metric::Tokens | Metric::Cost | Metric::Agents | Metric::Lines | Metric::Requests => 1.0,
    }
}

/// A page with its columns ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChartData {
    /// The exact sums.
    pub page: SeriesPage,
    /// Beginnings of the buckets in seconds.
    pub t: Vec<f64>,
    /// Per series the values on the axis; NaN where nothing is known, or not enough yet.
    pub values: Vec<Vec<f64>>,
}

/// The metric's sums of an edge; none where edges do not carry them.
fn sums_of(metric: Metric, edge: &Edge) -> Option<Vec<i64>> {
    match metric {
        Metric::Cost => Some(edge.cost_by_role.iter().map(|cost| cost.0).take(Role::ALL.len()).collect()),
        Metric::Agents | Metric::Latency | Metric::Requests => None,
        Metric::Tokens | Metric::Beads | Metric::Lines | Metric::Errors => metric.headline(&edge.sum),
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970, and values for pixels")]
impl ChartData {
    /// Takes over a page as of `now_s`.
    pub(crate) fn new(page: SeriesPage, now_s: i64) -> Self {
        let t = page.times().map(|at| at as f64).collect();
        let mut data = Self { values: vec![Vec::new(); page.series.len()], page, t };
        for series in 0..data.values.len() {
            data.values[series] = (0..data.t.len()).map(|bucket| data.drawn(series, bucket, now_s)).collect();
        }
        data
    }

    /// The value on the axis. The running bucket counts over the time that has passed of it.
    fn drawn(&self, series: usize, bucket: usize, now_s: i64) -> f64 {
        let Some(sum) = self.page.series.get(series).and_then(|s| s.sums.get(bucket).copied().flatten()) else {
            return f64::NAN;
        };
        let rate = self.page.value(sum) * axis_scale(self.page.metric);
        let share = self.passed(bucket, now_s);
        if share >= 1.0 || !self.page.metric.adds_up() {
            rate
        } else if share >= DRAWN_FROM && self.page.metric != Metric::Agents {
            // Presence is known when its minute is over; flows are known as they come.
            rate / share
        } else {
            f64::NAN
        }
    }

    /// The share of a bucket that has passed, 0 to 1.
    pub(crate) fn passed(&self, bucket: usize, now_s: i64) -> f64 {
        let step = self.page.step_s.max(1) as f64;
        let from = self.t.get(bucket).copied().unwrap_or_default();
        ((now_s as f64 + 1.0 - from) / step).clamp(0.0, 1.0)
    }

    /// Takes in a bucket at the right edge. True when something changed. Buckets between the newest known one and
    /// this were heard of and stayed empty: zero, where anything was known before.
    pub(crate) fn apply(&mut self, edge: &Edge, now_s: i64) -> bool {
        let Some(sums) = sums_of(self.page.metric, edge) else { return false };
        if edge.step_s != self.page.step_s || edge.from_s < self.page.from_s || sums.len() != self.page.series.len() {
            return false;
        }
        if edge.from_s >= self.page.to_s.saturating_add(400 * self.page.step_s) {
            return false;
        }
        let before = self.t.len();
        while self.page.to_s <= edge.from_s {
            self.push_zero();
        }
        let Some(bucket) = self.page.bucket_at(edge.from_s) else { return false };
        let mut changed = self.t.len() != before;
        for (series, sum) in self.page.series.iter_mut().zip(sums) {
            if let Some(slot) = series.sums.get_mut(bucket) {
                changed |= *slot != Some(sum);
                *slot = Some(sum);
            }
        }
        // The bucket before may have been running when it was last drawn.
        let from = before.saturating_sub(2).min(bucket);
        for series in 0..self.values.len() {
            self.values[series].truncate(from);
            let tail: Vec<f64> = (from..self.t.len()).map(|bucket| self.drawn(series, bucket, now_s)).collect();
            self.values[series].extend(tail);
        }
        changed
    }

    /// One more bucket, which is over.
    pub(crate) fn push(&mut self, sums: impl Iterator<Item = Option<i64>>, calls: Option<i64>) {
        let bucket = self.t.len();
        self.t.push(self.page.to_s as f64);
        self.page.to_s += self.page.step_s;
        for (series, sum) in self.page.series.iter_mut().zip(sums) {
            series.sums.push(sum);
        }
        if self.page.metric.is_percentile() {
            self.page.calls.push(calls);
        }
        for series in 0..self.values.len() {
            let value = self.drawn(series, bucket, i64::MAX);
            self.values[series].push(value);
        }
    }

    /// One more bucket in which nothing happened, as far as anything is known.
    fn push_zero(&mut self) {
        for series in &mut self.page.series {
            let last = series.sums.last().copied().flatten();
            series.sums.push(last.map(|_| 0));
        }
        self.t.push(self.page.to_s as f64);
        self.page.to_s += self.page.step_s;
    }

    /// Forgets buckets that ended before `from_s`.
    pub(crate) fn forget_before(&mut self, from_s: i64) {
        let step = self.page.step_s.max(1);
        let surplus = usize::try_from(from_s.saturating_sub(self.page.from_s).div_euclid(step))
            .unwrap_or_default()
            .min(self.t.len());
        if surplus == 0 {
            return;
        }
        self.t.drain(..surplus);
        self.values.iter_mut().for_each(|column| drop(column.drain(..surplus)));
        self.page.series.iter_mut().for_each(|series| drop(series.sums.drain(..surplus)));
        self.page.calls.drain(..surplus.min(self.page.calls.len()));
        self.page.from_s += i64::try_from(surplus).unwrap_or_default() * step;
    }

    /// Whether all that is known is that nothing happened.
    pub(crate) fn is_quiet(&self) -> bool {
        self.known().flatten().all(|sum| *sum == 0)
    }
    /// Whether there is nothing but gaps.
    pub(crate) fn is_empty(&self) -> bool {
        self.known().all(Option::is_none)
    }
    /// What tells whether anything is known of a bucket: of percentiles, the calls they are of.
    fn known(&self) -> impl Iterator<Item = &Option<i64>> {
        let has_sums = !self.page.metric.is_percentile();
        let sums = self.page.series.iter().filter(move |_| has_sums).flat_map(|series| &series.sums);
        sums.chain(&self.page.calls)
    }

    /// The newest bucket that is drawn.
    pub(crate) fn newest(&self) -> Option<usize> {
        (0..self.t.len()).rev().find(|bucket| self.values.iter().any(|column| column[*bucket].is_finite()))
    }

    /// The exact sum of a series in a bucket.
    pub(crate) fn sum(&self, series: usize, bucket: usize) -> Option<i64> {
        self.page.series.get(series)?.sums.get(bucket).copied().flatten()
    }

    /// Of percentiles: how many calls those of a bucket are of.
    pub(crate) fn calls(&self, bucket: usize) -> Option<i64> {
        self.page.calls.get(bucket).copied().flatten()
    }

    /// The value of a series on the axis; none where there is none.
    pub(crate) fn value(&self, series: usize, bucket: usize) -> Option<f64> {
        self.values.get(series)?.get(bucket).copied().filter(|v| v.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use model::aggregate::Aggregate;
    use model::unit::Nanodollars;

    use super::*;

    fn lines(from_s: i64, sums: &[Option<i64>]) -> ChartData {
        let to_s = from_s + 10 * i64::try_from(sums.len()).unwrap();
        let mut page = SeriesPage::empty(Metric::Lines, from_s, to_s, 10);
        page.series[0].sums = sums.to_vec();
        page.series[1].sums = sums.to_vec();
        ChartData::new(page, 10_000)
    }

    fn edge(from_s: i64, added: i64) -> Edge {
        let sum = Aggregate { lines_added: added, lines_removed: 1, ..Aggregate::default() };
        Edge { step_s: 10, from_s, sum, cost_by_role: [Nanodollars(0); 7] }
    }

    #[test]
    fn nothing_recorded_is_not_the_same_as_nothing_happened() {
        let state = |sums: &[Option<i64>]| (lines(100, sums).is_empty(), lines(100, sums).is_quiet());
        assert_eq!(state(&[None, None]), (true, true));
        assert_eq!(state(&[None, Some(0)]), (false, true));
        assert_eq!(state(&[None, Some(1)]), (false, false));
    }

    #[test]
    fn gaps_stay_gaps_and_flows_are_per_second() {
        let data = lines(100, &[Some(50), None, Some(0)]);
        assert_eq!((data.value(0, 0), data.value(0, 1), data.value(0, 2)), (Some(5.0), None, Some(0.0)));
        assert_eq!(data.newest(), Some(2));
        assert!(!data.is_empty() && lines(100, &[None]).is_empty());
    }

    #[test]
    fn an_edge_extends_the_page_and_repeats_harmlessly() {
        let mut data = lines(100, &[Some(50), Some(20)]);
        assert!(data.apply(&edge(140, 30), 200));
        assert!(!data.apply(&edge(140, 30), 200));
        assert_eq!(data.page.series[0].sums, [Some(50), Some(20), Some(0), Some(0), Some(30)]);
        assert_eq!(data.values[0], [5.0, 2.0, 0.0, 0.0, 3.0]);
        assert_eq!((data.t.len(), data.page.to_s), (5, 150));
        data.forget_before(125);
        assert_eq!((data.page.from_s, data.t[0], data.values[0].len()), (120, 120.0, 3));
    }

    #[test]
    fn a_range_without_a_beginning_forgets_nothing() {
        let mut data = lines(100, &[Some(50), Some(20)]);
        data.forget_before(i64::MIN);
        assert_eq!(data.t.len(), 2);
        data.forget_before(i64::MAX);
        assert!(data.t.is_empty());
    }

    #[test]
    fn edges_of_other_tiers_and_of_the_past_are_not_ours() {
        let mut data = lines(100, &[Some(50)]);
        assert!(!data.apply(&Edge { step_s: 60, ..edge(120, 5) }, 200));
        assert!(!data.apply(&edge(90, 5), 200));
        assert!(!data.apply(&edge(9_000_000, 5), 200));
        assert_eq!(data.t.len(), 1);
    }

    #[test]
    fn the_running_bucket_counts_over_the_time_that_has_passed() {
        let mut data = lines(100, &[Some(50)]);
        data.apply(&edge(110, 20), 111);
        assert_eq!(data.value(0, 1), None, "a fifth of it says nothing");
        data.apply(&edge(110, 20), 114);
        assert_eq!(data.value(0, 1), Some(4.0));
        data.apply(&edge(110, 20), 119);
        assert_eq!(data.value(0, 1), Some(2.0));
    }

    #[test]
    fn a_percentile_of_the_running_bucket_is_what_it_is() {
        let mut page = SeriesPage::empty(Metric::Latency, 100, 130, 10);
        page.series[1].sums = vec![None, Some(2_000_000), Some(500_000)];
        page.calls = vec![Some(0), Some(3), Some(1)];
        let mut data = ChartData::new(page, 121);
        assert_eq!((data.value(1, 0), data.value(1, 1), data.value(1, 2)), (None, Some(2.0), Some(0.5)));
        assert_eq!((data.calls(1), data.is_empty(), data.is_quiet()), (Some(3), false, false));
        assert!(!data.apply(&edge(130, 5), 200), "edges know no durations");
        data.forget_before(120);
        assert_eq!(data.page.calls, [Some(1)]);
    }

    #[test]
    fn that_no_tool_ran_is_known_where_the_town_was_observed() {
        let mut page = SeriesPage::empty(Metric::Latency, 100, 120, 10);
        let state = |page: &SeriesPage| {
            let data = ChartData::new(page.clone(), 10_000);
            (data.is_empty(), data.is_quiet())
        };
        assert_eq!(state(&page), (true, true));
        page.calls = vec![Some(0), None];
        assert_eq!(state(&page), (false, true));
    }

    #[test]
    fn costs_by_role_come_from_the_edge_too() {
        let mut data = ChartData::new(SeriesPage::empty(Metric::Cost, 100, 110, 10), 10_000);
        let mut edge = edge(100, 0);
        edge.cost_by_role[1] = Nanodollars(25_000_000);
        assert!(data.apply(&edge, 10_000));
        assert_eq!((data.sum(1, 0), data.value(1, 0)), (Some(25_000_000), Some(2_500.0)));
        let mut agents = ChartData::new(SeriesPage::empty(Metric::Agents, 100, 110, 10), 10_000);
        assert!(!agents.apply(&edge, 10_000));
    }
}
