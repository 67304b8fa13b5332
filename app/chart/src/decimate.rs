//! At most four points per pixel column (first, least, greatest, last; of a crowded one the extremes), so that every peak
//! survives and a chart costs what its pixels cost, not what its data do.
//!
//! A bucket `[t, t + step)` that carries a rate or a mean is drawn at its centre, and lines join centres. A value that
//! is not finite is a gap, and so is a missing bucket: a jump in `t` of more than one and a half steps.

use std::ops::Range;

use crate::viewport::TimeRange;

/// Columns of buckets on one time axis, as the server sends them.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Starts of the buckets in Unix seconds, ascending.
    pub t: &'a [f64],
    /// Length of a bucket in seconds; 0 for instants, between which there is never a gap.
    pub step_s: f64,
    /// One column of values per series, each as long as `t`; NaN where there is none.
    pub series: &'a [&'a [f64]],
}

impl Columns<'_> {
    /// The value of a series in a bucket; NaN where there is none.
    pub fn value(&self, series: usize, bucket: usize) -> f64 {
        self.series.get(series).and_then(|v| v.get(bucket)).copied().unwrap_or(f64::NAN)
    }

    /// The middle of a bucket in Unix seconds.
    pub fn center(&self, bucket: usize) -> f64 {
        self.t[bucket] + self.step_s / 2.0
    }
}

/// What decimation keeps, in order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pick {
    /// A bucket.
    At(usize),
    /// A point on the edge of the range, a share of the way from one bucket to the next.
    Between(usize, usize, f64),
    /// The line is interrupted.
    Gap,
}

/// Walks the buckets that `range` touches and emits what `columns_px` pixel columns can show of `value`.
pub(crate) fn decimate(
    columns: &Columns<'_>,
    range: TimeRange,
    columns_px: usize,
    value: impl Fn(usize) -> f64,
    mut emit: impl FnMut(Pick),
) {
    let t = columns.t;
    let half = columns.step_s / 2.0;
    let span = range.span_s();
    if t.is_empty() || !span.is_finite() || span <= 0.0 || !half.is_finite() {
        return;
    }
    let start = t.partition_point(|t| t + half < range.from_s);
    let end = start + t[start..].partition_point(|t| t + half <= range.to_s);
    let joined = |a: usize, b: usize| half == 0.0 || t[b] - t[a] <= half * 3.0;
    let crossing = |a: usize, b: usize, edge: f64| {
        let share = (edge - t[a] - half) / (t[b] - t[a]);
        (joined(a, b) && value(a).is_finite() && value(b).is_finite() && (0.0..=1.0).contains(&share))
            .then_some(Pick::Between(a, b, share))
    };

    // A line that runs across the whole range with no bucket in it has both of its edges, and nothing between.
    if start > 0
        && start < t.len()
        && let Some(edge) = crossing(start - 1, start, range.from_s)
    {
        emit(edge);
    }
    let s_per_px = span / columns_px.max(1) as f64;
    let column_end = |t: f64| range.from_s - half + (((t + half - range.from_s) / s_per_px).floor() + 1.0) * s_per_px;
    // Where the next pixel column begins: with every bucket in place, a step away from being known.
    let beyond = |i: usize| {
        let edge = column_end(t[i]);
        let guess = i.saturating_add(((edge - t[i]) / (half * 2.0)).ceil() as usize).clamp(i + 1, end);
        let right = t[guess - 1] < edge && (guess == end || t[guess] >= edge);
        if right { guess } else { i + 1 + t[i + 1..end].partition_point(|t| *t < edge) }
    };
    // Buckets do not overlap: with none missing between two of them, those are no further apart than their number says.
    let unbroken = |a: usize, b: usize| half == 0.0 || t[b] - t[a] <= half * ((b - a) * 2 + 1) as f64;

    let mut before: Option<usize> = None;
    let mut i = start;
    while i < end {
        if !value(i).is_finite() {
            emit(Pick::Gap);
            before = None;
            i += 1;
            continue;
        }
        if before.is_some_and(|before| !joined(before, i)) {
            emit(Pick::Gap);
        }
        let next = beyond(i);
        let whole = if unbroken(i, next - 1) { Extremes::within(i..next, &value) } else { None };
        let stop = if whole.is_some() {
            next
        } else {
            (i + 1..next).find(|k| !value(*k).is_finite() || !joined(k - 1, *k)).unwrap_or(next)
        };
        if let Some(extremes) = whole.or_else(|| Extremes::within(i..stop, &value)) {
            extremes.emit(i..stop, &mut emit);
        }
        before = Some(stop - 1);
        i = stop;
    }
    if end > 0
        && end < t.len()
        && let Some(edge) = crossing(end - 1, end, range.to_s)
    {
        emit(edge);
    }
}

/// A column with more buckets than this is drawn by its extremes alone: where it begins and ends lies between them, less
/// than a pixel away.
const CROWDED: usize = 4;

/// The buckets with the least and the greatest value.
#[derive(Clone, Copy)]
struct Extremes {
    least: usize,
    greatest: usize,
}

impl Extremes {
    /// Of some buckets; none when a value is not finite.
    fn within(buckets: Range<usize>, value: impl Fn(usize) -> f64) -> Option<Self> {
        let v = value(buckets.start);
        let (mut least, mut greatest) = ((buckets.start, v), (buckets.start, v));
        // Stays zero as long as all are finite: one test for a column instead of one for each bucket.
        let mut zero = v * 0.0;
        for i in buckets.start + 1..buckets.end {
            let v = value(i);
            zero += v * 0.0;
            if v < least.1 {
                least = (i, v);
            }
            if v > greatest.1 {
                greatest = (i, v);
            }
        }
        (zero == 0.0).then_some(Self { least: least.0, greatest: greatest.0 })
    }

    fn emit(self, buckets: Range<usize>, emit: &mut impl FnMut(Pick)) {
        let (a, b) = (self.least.min(self.greatest), self.least.max(self.greatest));
        let (first, last) = if buckets.len() > CROWDED { (a, b) } else { (buckets.start, buckets.end - 1) };
        emit(Pick::At(first));
        let mut previous = first;
        for index in [a, b, last] {
            if index > previous {
                emit(Pick::At(index));
                previous = index;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picks(t: &[f64], v: &[f64], step_s: f64, range: TimeRange, px: usize) -> Vec<Pick> {
        let mut out = Vec::new();
        let series = [v];
        let columns = Columns { t, step_s, series: &series };
        decimate(&columns, range, px, |i| columns.value(0, i), |p| out.push(p));
        out
    }

    #[test]
    fn a_column_keeps_first_least_greatest_last() {
        let t = [0.0, 1.0, 2.0, 3.0];
        let kept = picks(&t, &[5.0, 9.0, 1.0, 5.0], 0.0, TimeRange::new(0.0, 8.0), 1);
        assert_eq!(kept, [0, 1, 2, 3].map(Pick::At));
        let kept = picks(&t, &[5.0, 9.0, 6.0, 5.0], 0.0, TimeRange::new(0.0, 8.0), 1);
        assert_eq!(kept, [0, 1, 3].map(Pick::At));
    }

    #[test]
    fn a_crowded_column_keeps_its_extremes() {
        let t: Vec<f64> = (0..8).map(f64::from).collect();
        let v = [5.0, 9.0, 5.0, 1.0, 5.0, 5.0, 4.0, 5.0];
        let kept = picks(&t, &v, 0.0, TimeRange::new(0.0, 8.0), 1);
        assert_eq!(kept, [1, 3].map(Pick::At));
    }

    #[test]
    fn a_gap_within_a_column_is_a_gap() {
        use Pick::{At, Gap};
        let range = TimeRange::new(0.0, 100.0);
        let t = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0];
        let kept = picks(&t, &[1.0, 2.0, f64::NAN, 4.0, 3.0, 5.0], 10.0, range, 1);
        assert_eq!(kept, [At(0), At(1), Gap, At(3), At(4), At(5)]);
        let kept = picks(&[0.0, 10.0, 50.0, 60.0], &[1.0, 2.0, 3.0, 4.0], 10.0, range, 1);
        assert_eq!(kept, [At(0), At(1), Gap, At(2), At(3)]);
    }

    #[test]
    fn gaps_stay_gaps() {
        use Pick::{At, Gap};
        let t = [0.0, 10.0, 20.0, 30.0, 70.0, 80.0];
        let v = [1.0, f64::NAN, 1.0, f64::INFINITY, 1.0, 1.0];
        let kept = picks(&t, &v, 10.0, TimeRange::new(0.0, 100.0), 1_000);
        assert_eq!(kept, [At(0), Gap, At(2), Gap, At(4), At(5)]);
        // A bucket that is not there at all is a gap too.
        let kept = picks(&[0.0, 10.0, 40.0], &[1.0; 3], 10.0, TimeRange::new(0.0, 100.0), 1_000);
        assert_eq!(kept, [At(0), At(1), Gap, At(2)]);
    }

    #[test]
    fn a_line_reaches_the_edges_of_the_range() {
        use Pick::{At, Between};
        let t = [0.0, 10.0, 20.0, 30.0];
        let kept = picks(&t, &[1.0; 4], 10.0, TimeRange::new(10.0, 30.0), 100);
        assert_eq!(kept, [Between(0, 1, 0.5), At(1), At(2), Between(2, 3, 0.5)]);
        // Zoomed in between two centres: the line crosses with no bucket of its own.
        let kept = picks(&t, &[1.0; 4], 10.0, TimeRange::new(6.0, 14.0), 100);
        assert_eq!(kept, [Between(0, 1, 0.1), Between(0, 1, 0.9)]);
    }

    proptest! {
        #[test]
        fn peaks_survive_and_points_are_few(v in prop::collection::vec(-1e6f64..1e6, 1..3_000), px in 1usize..200) {
            let t: Vec<f64> = (0..v.len()).map(|i| i as f64).collect();
            let kept = picks(&t, &v, 1.0, TimeRange::new(0.0, v.len() as f64), px);
            prop_assert!(kept.len() <= px * 4 + 4);
            let values: Vec<f64> = kept.iter().map(|p| match p { Pick::At(i) => v[*i], _ => f64::NAN }).collect();
            let greatest = |v: &[f64]| v.iter().copied().fold(f64::MIN, f64::max);
            let least = |v: &[f64]| v.iter().copied().fold(f64::MAX, f64::min);
            prop_assert_eq!((greatest(&values), least(&values)), (greatest(&v), least(&v)));
            let indexes: Vec<_> = kept.iter().filter_map(|p| match p { Pick::At(i) => Some(*i), _ => None }).collect();
            prop_assert!(indexes.windows(2).all(|w| w[0] < w[1]));
        }

        #[test]
        fn any_data_is_survived(t in prop::collection::vec(any::<f64>(), 0..50), v in prop::collection::vec(any::<f64>(), 0..50), a in any::<f64>(), b in any::<f64>(), step in any::<f64>()) {
            picks(&t, &v, step, TimeRange::new(a, b), 100);
        }
    }
}
