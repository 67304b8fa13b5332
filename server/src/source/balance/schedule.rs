//! When a provider is asked again.

use std::time::Duration;

/// The longest wait after errors.
const LONGEST_S: u64 = 900;

/// The wait until the next attempt after so many `failures` in a row. It doubles with each, never longer than a quarter
/// of an hour, never shorter than what the provider asked for; and it is spread by up to a fifth (`dice`, 0 to 255), so
/// that many servers do not ask at the same moment.
pub(super) fn wait(period_s: u64, failures: u32, retry_after_s: Option<u64>, dice: u8) -> Duration {
    if failures == 0 {
        return Duration::from_secs(period_s);
    }
    let doubled = period_s.saturating_mul(1 << failures.min(10)).min(LONGEST_S.max(period_s));
    let wanted = doubled.max(retry_after_s.unwrap_or(0).min(LONGEST_S));
    Duration::from_secs(wanted) + Duration::from_millis(wanted.saturating_mul(200) * u64::from(dice) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_with_every_failure_up_to_a_quarter_of_an_hour() {
        let seconds = |failures| wait(60, failures, None, 0).as_secs();
        assert_eq!([0, 1, 2, 3, 4, 50].map(seconds), [60, 120, 240, 480, 900, 900]);
        assert_eq!(wait(60, 1, None, 255).as_secs(), 144);
    }

    #[test]
    fn what_the_provider_asks_for_is_respected_within_reason() {
        assert_eq!(wait(60, 1, Some(300), 0).as_secs(), 300);
        assert_eq!(wait(60, 1, Some(1_000_000), 0).as_secs(), 900);
        assert_eq!(wait(60, 1, Some(5), 0).as_secs(), 120);
    }
}
