//! What lies under a pointer or a keyboard cursor: buckets, and the range of a drag.

use crate::layout::Plot;
use crate::viewport::TimeRange;

/// A drag shorter than this is a click.
const DRAG_PX: f64 = 4.0;

/// Where the keyboard cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One bucket back in time.
    Left,
    /// One bucket on.
    Right,
    /// The first bucket in sight.
    Home,
    /// The last bucket in sight.
    End,
}

/// The buckets whose centres lie in `range`, as indexes into `t`.
pub fn visible(t: &[f64], step_s: f64, range: TimeRange) -> std::ops::Range<usize> {
    let from = t.partition_point(|t| t + step_s / 2.0 < range.from_s);
    let to = t.partition_point(|t| t + step_s / 2.0 <= range.to_s);
    from..to.max(from)
}

/// The visible bucket whose centre is nearest to an x (CSS px). None when none is in sight.
pub fn bucket_at(plot: &Plot, t: &[f64], step_s: f64, x_px: f64) -> Option<usize> {
    let seen = visible(t, step_s, plot.range);
    let at = plot.time_at(x_px) - step_s / 2.0;
    let next = (seen.start + t[seen.clone()].partition_point(|t| *t < at)).min(seen.end.checked_sub(1)?);
    if !seen.contains(&next) {
        return None;
    }
    let before = next.saturating_sub(1).max(seen.start);
    Some(if (at - t[before]).abs() <= (t[next] - at).abs() { before } else { next })
}

/// Where a key takes the cursor. With no cursor yet, or one out of sight, left and right begin at the newest bucket.
pub fn step_bucket(t: &[f64], step_s: f64, range: TimeRange, cursor: Option<usize>, step: Step) -> Option<usize> {
    let seen = visible(t, step_s, range);
    let last = seen.end.checked_sub(1).filter(|last| seen.contains(last))?;
    let cursor = cursor.filter(|c| seen.contains(c));
    Some(match (step, cursor) {
        (Step::Home, _) => seen.start,
        (Step::End, _) | (_, None) => last,
        (Step::Left, Some(c)) => c.saturating_sub(1).max(seen.start),
        (Step::Right, Some(c)) => (c + 1).min(last),
    })
}

/// The time range of a drag between two x (CSS px), within the plot. None for a click.
pub fn drag_range(plot: &Plot, a_px: f64, b_px: f64) -> Option<TimeRange> {
    let within = |x: f64| x.clamp(plot.layout.plot.x0, plot.layout.plot.x1);
    let (a, b) = (within(a_px), within(b_px));
    ((a - b).abs() >= DRAG_PX).then(|| TimeRange::new(plot.time_at(a), plot.time_at(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Gutters, Layout};
    use proptest::prelude::*;

    fn plot(from: f64, to: f64) -> Plot {
        let gutters = Gutters { left: 0.0, right: 0.0, top: 0.0, bottom: 0.0 };
        Plot::new(Layout::new(100.0, 50.0, &gutters), TimeRange::new(from, to), 1.0)
    }

    #[test]
    fn the_nearest_centre_is_hit() {
        let t = [0.0, 10.0, 20.0, 30.0, 40.0];
        let check = |x, expected| assert_eq!(bucket_at(&plot(0.0, 50.0), &t, 10.0, x), expected, "{x}");
        check(-50.0, Some(0));
        check(19.0, Some(0)); // 9.5 s lies in the first bucket
        check(21.0, Some(1));
        check(99.0, Some(4));
        check(500.0, Some(4));
        assert_eq!(bucket_at(&plot(500.0, 600.0), &t, 10.0, 5.0), None);
        assert_eq!(bucket_at(&plot(0.0, 50.0), &[], 10.0, 5.0), None);
    }

    #[test]
    fn keys_walk_the_buckets_in_sight() {
        let t = [0.0, 10.0, 20.0, 30.0, 40.0];
        let check = |cursor, step, expected| {
            assert_eq!(step_bucket(&t, 10.0, TimeRange::new(10.0, 40.0), cursor, step), expected);
        };
        check(None, Step::Left, Some(3));
        check(Some(3), Step::Left, Some(2));
        check(Some(1), Step::Left, Some(1));
        check(Some(3), Step::Right, Some(3));
        check(Some(0), Step::Right, Some(3));
        check(Some(2), Step::Home, Some(1));
        check(Some(2), Step::End, Some(3));
        assert_eq!(step_bucket(&[], 10.0, TimeRange::new(0.0, 1.0), None, Step::End), None);
    }

    #[test]
    fn a_drag_is_a_range_either_way_and_a_click_is_none() {
        let plot = plot(0.0, 50.0);
        assert_eq!(drag_range(&plot, 20.0, 60.0), Some(TimeRange::new(10.0, 30.0)));
        assert_eq!(drag_range(&plot, 60.0, 20.0), Some(TimeRange::new(10.0, 30.0)));
        assert_eq!(drag_range(&plot, 80.0, 900.0), Some(TimeRange::new(40.0, 50.0)));
        assert_eq!(drag_range(&plot, 20.0, 22.0), None);
    }

    proptest! {
        #[test]
        fn the_centre_of_a_bucket_hits_it(count in 1usize..200, pick in 0usize..200, step in 1f64..1e5) {
            let t: Vec<f64> = (0..count).map(|i| i as f64 * step).collect();
            let plot = plot(0.0, count as f64 * step);
            let pick = pick % count;
            prop_assert_eq!(bucket_at(&plot, &t, step, plot.x_of(t[pick] + step / 2.0)), Some(pick));
        }

        #[test]
        fn any_pointer_is_survived(t in prop::collection::vec(any::<f64>(), 0..20), x in any::<f64>(), step in any::<f64>(), a in any::<f64>(), b in any::<f64>()) {
            let plot = plot(a, b);
            if let Some(i) = bucket_at(&plot, &t, step, x) {
                prop_assert!(i < t.len());
            }
            let _ = (step_bucket(&t, step, plot.range, Some(3), Step::Left), drag_range(&plot, x, a));
        }
    }
}
