//! Rates over the last minutes: a ring of one-second sums that forgets by itself.

use crate::aggregate::Aggregate;
use crate::time::Timestamp;

/// Seconds the ring holds.
pub const RING_S: i64 = 300;
/// Seconds over which the gauges' rates are taken: long enough for a calm needle when calls end every few seconds.
pub const RATE_WINDOW_S: i64 = 60;

/// One-second sums of the last [`RING_S`] seconds. A rate decays to zero when nothing comes, because the caller
/// names the present at every read.
#[derive(Debug, Clone)]
pub struct RateRing {
    slots: Vec<Aggregate>,
    /// The newest second that the ring covers.
    newest_s: i64,
}

impl RateRing {
    /// An empty ring that ends at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let length = usize::try_from(RING_S).unwrap_or_default();
        Self { slots: vec![Aggregate::default(); length], newest_s: now.seconds() }
    }

    /// Moves the ring's end to `now`, forgetting what is older than [`RING_S`]. Never moves back.
    pub fn advance(&mut self, now: Timestamp) {
        let now_s = now.seconds();
        let passed = now_s.saturating_sub(self.newest_s);
        if passed <= 0 {
            return;
        }
        for second in 0..passed.min(RING_S) {
            let slot = self.slot(now_s - second);
            self.slots[slot] = Aggregate::default();
        }
        self.newest_s = now_s;
    }

    /// Adds what happened at `at`. Older than the ring: ignored. Ahead of it (a sender's clock that runs ahead):
    /// counted in the newest second.
    pub fn add(&mut self, at: Timestamp, sum: &Aggregate) {
        if let Some(slot) = self.slot_at(at) {
            self.slots[slot].add(sum);
        }
    }

    /// Takes back what [`RateRing::add`] added.
    pub fn subtract(&mut self, at: Timestamp, sum: &Aggregate) {
        if let Some(slot) = self.slot_at(at) {
            self.slots[slot].subtract(sum);
        }
    }

    /// The sum over the last `seconds` (at most [`RING_S`]), the newest second included.
    #[must_use]
    pub fn last(&self, seconds: i64) -> Aggregate {
        self.between(self.newest_s - seconds.min(RING_S), self.newest_s)
    }

    /// The sum over the seconds after `from_s` up to and including `to_s`, as far as the ring covers them.
    #[must_use]
    pub fn between(&self, from_s: i64, to_s: i64) -> Aggregate {
        let first = from_s.max(self.newest_s - RING_S) + 1;
        let mut sum = Aggregate::default();
        for second in first..=to_s.min(self.newest_s) {
            sum.add(&self.slots[self.slot(second)]);
        }
        sum
    }

    /// The newest second that the ring covers.
    #[must_use]
    pub const fn newest_s(&self) -> i64 {
        self.newest_s
    }

    fn slot_at(&self, at: Timestamp) -> Option<usize> {
        let second = at.seconds().min(self.newest_s);
        (second > self.newest_s - RING_S).then(|| self.slot(second))
    }

    fn slot(&self, second: i64) -> usize {
        usize::try_from(second.rem_euclid(RING_S)).unwrap_or_default() % self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(n: i64) -> Aggregate {
        Aggregate { lines_added: n, ..Aggregate::default() }
    }

    #[test]
    fn a_rate_decays_to_zero_when_nothing_comes() {
        let start = Timestamp::from_seconds(1_000);
        let mut ring = RateRing::new(start);
        ring.add(start, &lines(60));
        ring.advance(start.plus_seconds(59));
        assert_eq!(ring.last(60), lines(60));
        ring.advance(start.plus_seconds(60));
        assert_eq!(ring.last(60), lines(0));
        assert_eq!(ring.last(RING_S), lines(60));
        ring.advance(start.plus_seconds(RING_S));
        assert_eq!(ring.last(RING_S), lines(0));
    }

    proptest! {
        #[test]
        fn the_ring_equals_a_sum_over_the_list(
            events in proptest::collection::vec((0_i64..900, 1_i64..100), 0..60), window in 1_i64..=RING_S
        ) {
            let mut sorted = events;
            sorted.sort_unstable();
            let mut ring = RateRing::new(Timestamp::from_seconds(0));
            for (second, n) in &sorted {
                ring.advance(Timestamp::from_seconds(*second));
                ring.add(Timestamp::from_seconds(*second), &lines(*n));
            }
            let now = 900;
            ring.advance(Timestamp::from_seconds(now));
            let expected: i64 = sorted.iter().filter(|(s, _)| *s > now - window && *s <= now).map(|(_, n)| n).sum();
            prop_assert_eq!(ring.last(window), lines(expected));
        }
    }
}
