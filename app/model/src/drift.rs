//! How far an agent's own figures of cost are from the price book's.

use crate::unit::Nanodollars;

/// What agents reported, and what the price book says of the same calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drift {
    /// The agents' own figures, summed.
    pub reported: Nanodollars,
    /// Tokens times the price book, summed over the same calls.
    pub computed: Nanodollars,
}

/// Further apart than this is worth a warning, in percent of the price book's figure.
const TOLERATED_PERCENT: i128 = 2;

/// Below this there is no judgement: agents round to as little as four decimals of a dollar, which is noise on a
/// single call and nothing on five cents.
pub const LEAST: Nanodollars = Nanodollars(50_000_000);

impl Drift {
    /// The two sums, unless there was nothing to compare.
    #[must_use]
    pub fn of(reported: Nanodollars, computed: Nanodollars) -> Option<Self> {
        (!reported.is_zero() || !computed.is_zero()).then_some(Self { reported, computed })
    }

    /// The difference in hundredths of a percent of what is computed, cut towards zero, positive when more is reported.
    /// `None` when nothing is computed.
    #[must_use]
    pub fn basis_points(self) -> Option<i32> {
        let computed = i128::from(self.computed.0);
        let points = (self.difference() * 10_000).checked_div(computed)?;
        Some(i32::try_from(points).unwrap_or(if points < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Whether the two are more than 2 % apart, and enough was spent to tell.
    #[must_use]
    pub fn warns(self) -> bool {
        let larger = self.reported.max(self.computed);
        let computed = i128::from(self.computed.0).abs();
        larger >= LEAST && self.difference().abs() * 100 > computed * TOLERATED_PERCENT
    }

    fn difference(self) -> i128 {
        i128::from(self.reported.0) - i128::from(self.computed.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drift(reported: i64, computed: i64) -> Drift {
        Drift { reported: Nanodollars(reported), computed: Nanodollars(computed) }
    }

    #[test]
    fn exactly_two_percent_is_tolerated_and_a_nanodollar_more_is_not() {
        let check = |reported, computed, warns| {
            assert_eq!(drift(reported, computed).warns(), warns, "{reported} of {computed}");
        };
        check(1_020_000_000, 1_000_000_000, false);
        check(1_020_000_001, 1_000_000_000, true);
        check(980_000_000, 1_000_000_000, false);
        check(979_999_999, 1_000_000_000, true);
        check(1_000_000_000, 1_000_000_000, false);
        check(i64::MAX, 1, true);
        check(i64::MIN, i64::MAX, true);
    }

    #[test]
    fn small_change_is_noise() {
        assert!(!drift(49_999_999, 10_000_000).warns());
        assert!(drift(50_000_000, 10_000_000).warns());
        assert!(drift(10_000_000, 50_000_000).warns(), "too little reported is a drift as well");
        assert!(drift(50_000_000, 0).warns(), "reported, and the tokens come to nothing");
    }

    #[test]
    fn the_difference_is_told_in_hundredths_of_a_percent() {
        assert_eq!(drift(1_050_000_000, 1_000_000_000).basis_points(), Some(500));
        assert_eq!(drift(987_600_000, 1_000_000_000).basis_points(), Some(-124));
        assert_eq!(drift(1, 0).basis_points(), None);
        assert_eq!(drift(i64::MAX, 1).basis_points(), Some(i32::MAX));
        assert_eq!(Drift::of(Nanodollars::ZERO, Nanodollars::ZERO), None);
    }

    proptest! {
        #[test]
        fn what_is_off_by_more_than_the_tolerance_warns(computed in 50_000_000_i64..9_000_000_000_000_000, off in -100_000_i32..100_000) {
            let reported = computed + i64::try_from(i128::from(computed) * i128::from(off) / 1_000_000).unwrap();
            let drift = drift(reported, computed);
            // A part of a nanodollar may be lost above; at the edge itself the exact test speaks.
            prop_assume!(off.abs() != 20_000);
            prop_assert_eq!(drift.warns(), off.abs() > 20_000);
            prop_assert!((drift.basis_points().unwrap() - off / 100).abs() <= 1);
        }
    }
}
