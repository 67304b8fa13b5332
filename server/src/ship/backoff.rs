//! How long to wait before sending again: the one schedule of retries.

use std::time::Duration;

/// After the first failure.
const SHORTEST: Duration = Duration::from_secs(1);
/// However many follow.
const LONGEST: Duration = Duration::from_secs(60);
/// A server may ask for more, but not for this much: its clock or a proxy's may be wrong.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// Failures in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Backoff(u32);

impl Backoff {
    /// Something worked.
    pub(super) const fn reset(&mut self) {
        self.0 = 0;
    }

    /// How long to wait after one more failure: 1 s, doubling to 60 s, each shortened by up to half of it, by chance
    /// (`dice`), so that many senders do not come back at once.
    pub(super) fn next(&mut self, dice: u32) -> Duration {
        let whole = SHORTEST.saturating_mul(1 << self.0.min(16)).min(LONGEST);
        self.0 = self.0.saturating_add(1);
        let half = whole / 2;
        half + half.mul_f64(f64::from(dice) / f64::from(u32::MAX))
    }

    /// What the server asked for, bounded; at least what [`Backoff::next`] gives the first time.
    pub(super) fn asked(seconds: u64) -> Duration {
        Duration::from_secs(seconds).clamp(SHORTEST, LONGEST_ASKED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_minute_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let longest: Vec<u64> = (0..8).map(|_| backoff.next(u32::MAX).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.reset();
        assert_eq!(backoff.next(0), Duration::from_millis(500));
        assert_eq!(backoff.next(0), Duration::from_secs(1));
    }

    #[test]
    fn what_a_server_asks_for_is_bounded() {
        assert_eq!(Backoff::asked(7), Duration::from_secs(7));
        assert_eq!(Backoff::asked(0), Duration::from_secs(1));
        assert_eq!(Backoff::asked(u64::MAX), Duration::from_secs(600));
    }
}
