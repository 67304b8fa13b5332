//! Readings of a tank over time, and what was burnt between them.

use crate::fuel::WINDOW_FULL;
use crate::runway::{BURN_SPAN_S, BURN_STEP_S};
use crate::time::Timestamp;

/// Resets that are told apart by less than this are the same: agents count it from now, and round.
pub const SAME_RESET_S: i64 = 120;

/// What a tank held at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When it was true.
    pub at: Timestamp,
    /// What was left, in the tank's unit.
    pub left: i64,
    /// When its window begins anew; none for money.
    pub resets_at: Option<Timestamp>,
}

impl Reading {
    /// What was burnt since `before`. In a new window what is missing of a whole one; a balance that grew was filled,
    /// and what was burnt meanwhile nobody knows. Nor does anybody when the window is an earlier one, or its reset was
    /// not told before: then two subscriptions tell of one tank.
    #[must_use]
    pub fn burnt_since(&self, before: &Self) -> i64 {
        let in_the_same = before.left.saturating_sub(self.left).max(0);
        match (self.resets_at, before.resets_at) {
            (Some(now), Some(then)) => match now.seconds().saturating_sub(then.seconds()) {
                later if later > SAME_RESET_S => WINDOW_FULL.saturating_sub(self.left).max(0),
                earlier if earlier < -SAME_RESET_S => 0,
                _ => in_the_same,
            },
            (None, None) => in_the_same,
            (Some(_), None) | (None, Some(_)) => 0,
        }
    }
}

/// What was burnt per bucket of [`BURN_STEP_S`], oldest first, from the first of `readings` (in order of time) to the
/// last whole bucket before `now`, at most [`BURN_SPAN_S`] of them. What was burnt between two readings is spread evenly
/// over the buckets between them, without losing any of it.
#[must_use]
pub fn burn(readings: &[Reading], now: Timestamp) -> Vec<i64> {
    let bucket = |at: Timestamp| at.seconds().div_euclid(BURN_STEP_S);
    let end = bucket(now);
    let Some(first) = readings.first().map(|reading| bucket(reading.at)) else { return Vec::new() };
    let start = first.max(end - BURN_SPAN_S / BURN_STEP_S);
    let mut buckets = vec![0_i64; usize::try_from(end - start).unwrap_or(0)];
    for pair in readings.windows(2) {
        let [before, after] = pair else { continue };
        let burnt = after.burnt_since(before);
        let (to, from) = (bucket(after.at), bucket(before.at) + 1);
        let from = from.min(to);
        let count = to - from + 1;
        for (i, index) in (from..=to).enumerate() {
            let Some(slot) = usize::try_from(index - start).ok().and_then(|index| buckets.get_mut(index)) else {
                continue;
            };
            let extra = i64::from(i64::try_from(i).is_ok_and(|i| i < burnt % count));
            *slot = slot.saturating_add(burnt / count + extra);
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T0: i64 = 1_700_000_100 - 1_700_000_100 % BURN_STEP_S;

    fn reading(minute: i64, left: i64) -> Reading {
        Reading { at: Timestamp::from_seconds(T0 + minute * 60), left, resets_at: None }
    }

    fn after(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(T0 + minutes * 60)
    }

    #[test]
    fn what_was_burnt_between_readings_is_spread_over_the_time_between() {
        let readings = [reading(0, 100), reading(1, 90), reading(16, 80)];
        assert_eq!(burn(&readings, after(25)), [10, 4, 3, 3, 0]);
        // The bucket that is not over does not count.
        assert_eq!(burn(&readings, after(17)), [10, 4, 3]);
    }

    #[test]
    fn a_filled_balance_hides_what_was_burnt_meanwhile() {
        assert_eq!(burn(&[reading(0, 10), reading(6, 100), reading(11, 95)], after(15)), [0, 0, 5]);
    }

    #[test]
    fn a_new_window_counts_from_a_whole_one() {
        let window = |minute: i64, left: i64, resets_minute: i64| Reading {
            resets_at: Some(after(resets_minute)),
            ..reading(minute, left)
        };
        let readings = [window(0, 400_000, 3), window(6, 990_000, 303), window(12, 970_000, 302)];
        assert_eq!(burn(&readings, after(15)), [0, 10_000, 20_000]);
    }

    #[test]
    fn two_subscriptions_that_tell_of_one_window_in_turn_invent_no_burn_backwards() {
        let told = |resets_at: Option<i64>, left| Reading { resets_at: resets_at.map(after), ..reading(0, left) };
        assert_eq!(told(Some(100), 400_000).burnt_since(&told(Some(300), 900_000)), 0, "an earlier window");
        assert_eq!(told(Some(100), 400_000).burnt_since(&told(None, 900_000)), 0, "whose reset was not told before");
        assert_eq!(told(Some(300), 400_000).burnt_since(&told(Some(100), 900_000)), 600_000, "a new one");
    }

    #[test]
    fn only_the_last_day_is_looked_at() {
        let readings = [reading(-3_000, 100), reading(0, 40)];
        assert_eq!(burn(&readings, after(5)).len(), 288);
        assert!(burn(&[], after(5)).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost(steps in proptest::collection::vec((0_i64..40, 0_i64..10_000), 1..30)) {
            let (mut minute, mut left) = (0, 1_000_000);
            let mut readings = vec![reading(0, left)];
            for (minutes, burnt) in steps {
                minute += minutes;
                left -= burnt;
                readings.push(reading(minute, left));
            }
            prop_assert_eq!(burn(&readings, after(minute + 5)).iter().sum::<i64>(), 1_000_000 - left);
        }
    }
}
