//! When a delivery that failed is tried again.

/// Tries of a delivery at most; over these it takes almost a day, so that a receiver may be away for a night.
pub const MAX_TRIES: u32 = 10;
const FIRST_S: u64 = 10;
const LONGEST_S: u64 = 6 * 3_600;

/// Seconds until the next try after `tries` (1 or more) that failed: four times as long each time, from ten seconds to
/// six hours, give or take a fifth by `dice`, so that receivers that come back are not run over. None: given up.
#[must_use]
pub fn retry_after_s(tries: u32, dice: u64) -> Option<i64> {
    if tries >= MAX_TRIES {
        return None;
    }
    let plain = FIRST_S.saturating_mul(4_u64.saturating_pow(tries.saturating_sub(1))).min(LONGEST_S);
    let span = plain / 5;
    i64::try_from(plain - span + dice % (2 * span + 1)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn delays_grow_from_ten_seconds_to_six_hours_and_end_after_almost_a_day() {
        let middle = |tries| retry_after_s(tries, retry_after_s(tries, 0).map_or(0, |s| s.unsigned_abs() / 4));
        let delays: Vec<_> = (1..=MAX_TRIES).map(middle).collect();
        assert_eq!(delays[..4], [Some(10), Some(40), Some(160), Some(640)]);
        assert_eq!(delays[5..], [Some(10_240), Some(21_600), Some(21_600), Some(21_600), None]);
        let hours = delays.iter().flatten().sum::<i64>() / 3_600;
        assert_eq!(hours, 21);
    }

    proptest! {
        #[test]
        fn every_delay_is_within_its_bounds(tries in 1_u32..MAX_TRIES, dice in any::<u64>()) {
            let delay = retry_after_s(tries, dice).unwrap();
            prop_assert!((8..=25_920).contains(&delay));
        }
    }
}
