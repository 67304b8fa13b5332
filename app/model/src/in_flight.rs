//! How many requests were in flight, over time: exact from when each began and ended.
//!
//! Each bucket has the mean (the time that requests spent in it, by its length) and the maximum (the most at any instant).
//! A request is in flight from its start up to, and not including, its end.

use serde::{Deserialize, Serialize};

use crate::time::{MICROS_PER_SECOND, TimeRange, Timestamp};

/// One bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InFlight {
    /// Mean over the part of the bucket that is known.
    pub mean: f64,
    /// The most at any instant of it.
    pub max: u32,
}

/// How many requests were in flight over a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InFlightPage {
    /// Beginning of the first bucket, seconds since 1970; a multiple of the step.
    pub from_s: i64,
    /// Seconds per bucket.
    pub step_s: i64,
    /// Since when all requests are known.
    pub since: Timestamp,
    /// Each bucket; none where nothing is known.
    pub buckets: Vec<Option<InFlight>>,
}

/// When a request began, and when it was over; none: it is not yet.
pub type Span = (Timestamp, Option<Timestamp>);

/// One value per bucket of `step_s` seconds from the beginning of `range` on, which is aligned to it. Known is what lies
/// between `since` and `now`: a bucket of which nothing does has no value.
#[must_use]
pub fn in_flight(
    spans: &[Span],
    range: TimeRange,
    step_s: i64,
    since: Timestamp,
    now: Timestamp,
) -> Vec<Option<InFlight>> {
    let step = step_s.max(1).saturating_mul(MICROS_PER_SECOND);
    let from = range.from().0;
    let buckets = usize::try_from((range.to().0 - from + step - 1) / step).unwrap_or(0);
    let (first, last) = (from.max(since.0), range.to().0.min(now.0));
    let mut edges: Vec<(i64, i64)> = Vec::with_capacity(spans.len() * 2);
    for (start, end) in spans {
        let (start, end) = (start.0.max(first), end.map_or(last, |end| end.0).min(last));
        if start < end {
            edges.push((start, 1));
            edges.push((end, -1));
        }
    }
    edges.sort_unstable();
    let mut sums = vec![(0_i64, 0_u32); buckets];
    let mut count = 0_i64;
    for (place, (at, change)) in edges.iter().enumerate() {
        count += change;
        // Ends of the same instant come first, so that nothing between counts: such a stretch has no length.
        let until = edges.get(place + 1).map_or(*at, |(next, _)| *next);
        spread(&mut sums, (from, step), (*at, until), count);
    }
    let value = |(bucket, (sum, max)): (usize, (i64, u32))| {
        let begin = from.saturating_add(i64::try_from(bucket).ok()?.saturating_mul(step));
        let known = (begin + step).min(last) - begin.max(first);
        #[expect(clippy::cast_precision_loss, reason = "a mean, for people")]
        (known > 0).then(|| InFlight { mean: sum as f64 / known as f64, max })
    };
    sums.into_iter().enumerate().map(value).collect()
}

/// Adds `count` requests from `at` until `until` to the buckets that lie there.
fn spread(sums: &mut [(i64, u32)], (from, step): (i64, i64), (at, until): (i64, i64), count: i64) {
    if count == 0 {
        return;
    }
    let mut at = at;
    while at < until {
        let bucket = (at - from) / step;
        let end = (from + (bucket + 1) * step).min(until);
        let Some((sum, max)) = usize::try_from(bucket).ok().and_then(|bucket| sums.get_mut(bucket)) else { return };
        *sum = sum.saturating_add((end - at).saturating_mul(count));
        *max = (*max).max(u32::try_from(count).unwrap_or(u32::MAX));
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_seconds(s)
    }

    fn of(spans: &[(i64, Option<i64>)], to: i64, now: i64) -> Vec<Option<(f64, u32)>> {
        let spans: Vec<Span> = spans.iter().map(|(start, end)| (at(*start), end.map(at))).collect();
        let range = TimeRange::new(at(0), at(to)).unwrap();
        let found = in_flight(&spans, range, 10, at(0), at(now));
        found.into_iter().map(|bucket| bucket.map(|bucket| (bucket.mean, bucket.max))).collect()
    }

    #[test]
    fn a_bucket_has_the_mean_and_the_most() {
        assert_eq!(of(&[(2, Some(7)), (5, Some(15))], 20, 100), [Some((1.0, 2)), Some((0.5, 1))]);
        assert_eq!(of(&[], 20, 100), [Some((0.0, 0)), Some((0.0, 0))]);
    }

    #[test]
    fn one_that_ends_as_another_begins_is_not_in_flight_beside_it() {
        assert_eq!(of(&[(0, Some(5)), (5, Some(10))], 10, 100), [Some((1.0, 1))]);
        assert_eq!(of(&[(3, Some(3))], 10, 100), [Some((0.0, 0))]);
    }

    #[test]
    fn what_began_before_and_what_is_not_over_counts_and_the_future_is_not_known() {
        assert_eq!(of(&[(-50, None)], 40, 15), [Some((1.0, 1)), Some((1.0, 1)), None, None]);
    }

    proptest! {
        #[test]
        fn it_is_what_looking_at_every_second_finds(
            spans in prop::collection::vec((-20..80_i64, prop::option::of(0..40_i64)), 0..30), since in -5..30_i64, now in 20..90_i64
        ) {
            let spans: Vec<(i64, Option<i64>)> = spans.into_iter().map(|(start, len)| (start, len.map(|len| start + len))).collect();
            let told: Vec<Span> = spans.iter().map(|(start, end)| (at(*start), end.map(at))).collect();
            let range = TimeRange::new(at(0), at(60)).unwrap();
            let found = in_flight(&told, range, 10, at(since), at(now));
            prop_assert_eq!(found.len(), 6);
            for (bucket, found) in (0_i64..).zip(found) {
                let seconds: Vec<i64> = (bucket * 10..bucket * 10 + 10).filter(|s| *s >= since && *s < now).collect();
                let counts: Vec<usize> = seconds.iter().map(|s| {
                    spans.iter().filter(|(start, end)| start <= s && end.is_none_or(|end| end > *s)).count()
                }).collect();
                match found {
                    None => prop_assert!(counts.is_empty()),
                    Some(found) => {
                        let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
                        prop_assert!((found.mean - mean).abs() < 1e-9, "{} {}", found.mean, mean);
                        prop_assert_eq!(found.max as usize, counts.iter().copied().max().unwrap_or(0));
                    }
                }
            }
        }
    }
}
