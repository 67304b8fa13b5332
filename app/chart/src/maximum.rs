//! The maximum of a dial or an axis: round, and calm. It grows at once and shrinks late, so that scales do not jump about.

use crate::ticks::{Unit, round_up, step};

/// Below this share of the maximum the recent peak lets the scale shrink.
const SHRINK_BELOW: f64 = 0.35;

/// The smallest of 1, 2, 2.5, 5 or 10 x 10^n that is not below `value`; each has five to seven round ticks.
pub fn dial_max(value: f64) -> f64 {
    round_up(value)
}

/// The next maximum of a dial that shows `current_max` now.
///
/// Grows at once to the next round step when `value` exceeds it. Shrinks only while `recent_peak` (the largest value
/// of the last five minutes) lies under 35 % of it, and then to the step that holds the peak with room above, so that
/// the same peak does not ask for growth again. `floor` is the least maximum that makes sense in the unit.
pub fn next_max(current_max: f64, value: f64, recent_peak: f64, floor: f64) -> f64 {
    let usable = |v: f64| if v.is_finite() { v.max(0.0) } else { 0.0 };
    let (value, peak) = (usable(value), usable(recent_peak).max(usable(value)));
    let floor = dial_max(usable(floor).max(1e-12));
    if !current_max.is_finite() || current_max <= 0.0 {
        return dial_max(peak).max(floor).min(if peak == 0.0 { floor } else { f64::MAX });
    }
    if value > current_max {
        return dial_max(value).max(floor);
    }
    if peak < current_max * SHRINK_BELOW {
        // Room for the peak to double before the dial has to grow again.
        let roomy = if peak == 0.0 { floor } else { dial_max(peak * 1.25).max(floor) };
        return roomy.min(current_max).max(floor);
    }
    current_max
}

/// The least whole number of round steps that holds `value`, for an axis of at most `intervals` steps.
pub fn axis_max(value: f64, intervals: usize, unit: Unit) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let step = step(value, intervals, unit);
    (value / step * (1.0 - 1e-9)).ceil().max(1.0) * step
}

/// [`axis_max`] that keeps `current_max` while the data still fill the better part of it, so that a live chart does
/// not change its scale with every bucket.
pub fn next_axis_max(current_max: f64, value: f64, intervals: usize, unit: Unit) -> f64 {
    let wanted = axis_max(value, intervals, unit);
    let fits = current_max.is_finite() && wanted <= current_max && wanted > current_max * 0.6;
    if fits && value > 0.0 { current_max } else { wanted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grows_at_once_and_shrinks_late() {
        let check = |current, value, peak, expected| assert_eq!(next_max(current, value, peak, 1.0), expected);
        check(100.0, 101.0, 101.0, 200.0);
        check(100.0, 100.0, 100.0, 100.0);
        check(100.0, 0.0, 36.0, 100.0); // the peak is still in sight
        check(100.0, 0.0, 34.0, 50.0);
        check(100.0, 0.0, 0.0, 1.0);
        check(0.0, 3.0, 3.0, 5.0);
        check(f64::NAN, f64::NAN, f64::NAN, 1.0);
        check(100.0, f64::INFINITY, 80.0, 100.0);
    }

    #[test]
    fn an_axis_is_whole_steps() {
        let check = |value, expected| assert_eq!(axis_max(value, 4, Unit::Number), expected, "{value}");
        check(1_800.0, 2_000.0);
        check(2_100.0, 3_000.0);
        check(0.0, 1.0);
        check(f64::NAN, 1.0);
        assert_eq!(next_axis_max(3_000.0, 1_900.0, 4, Unit::Number), 3_000.0);
        assert_eq!(next_axis_max(3_000.0, 900.0, 4, Unit::Number), 1_000.0);
        assert_eq!(next_axis_max(3_000.0, 3_100.0, 4, Unit::Number), 4_000.0);
    }

    proptest! {
        #[test]
        fn an_axis_holds_its_value(value in 1e-6f64..1e12, intervals in 1usize..8) {
            let max = axis_max(value, intervals, Unit::Number);
            prop_assert!(max >= value * (1.0 - 1e-8));
        }

        #[test]
        fn a_steady_input_reaches_a_steady_scale(current in 1e-3f64..1e9, peak in 0f64..1e9, share in 0f64..=1.0) {
            let value = peak * share;
            let once = next_max(current, value, peak, 1.0);
            prop_assert!(once >= value);
            prop_assert_eq!(next_max(once, value, peak, 1.0), once);
            prop_assert_eq!(next_max(once, peak, peak, 1.0), next_max(next_max(once, peak, peak, 1.0), peak, peak, 1.0));
        }
    }
}
