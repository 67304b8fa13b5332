//! Many sketches added up for their percentiles, without making a sketch of each.

use super::sketch::{BINS, middle_us, read};
use super::{Percentile, SketchError};

/// Counts of durations for every bin there is: adding costs what the sketch's bytes cost to read, where merging sketches
/// sorts their bins again and again. For reading, not for keeping: it is 20 KB, reused from one bucket to the next.
#[derive(Debug, Clone)]
pub struct Tally {
    counts: Vec<i64>,
    count: i64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: vec![0; usize::from(BINS)], count: 0 }
    }
}

impl Tally {
    /// Adds a sketch by its bytes ([`Sketch::to_bytes`](super::Sketch::to_bytes)).
    ///
    /// # Errors
    /// The bytes are no sketch; then what was added of it is part of the tally.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), SketchError> {
        let Self { counts, count } = self;
        read(bytes, |bin, n| {
            if let Some(slot) = counts.get_mut(usize::from(bin)) {
                *slot = slot.saturating_add(n);
                *count = count.saturating_add(n);
            }
        })
    }

    /// How many durations it holds.
    #[must_use]
    pub const fn count(&self) -> i64 {
        self.count
    }

    /// A percentile by nearest rank in microseconds, as [`Sketch::percentile_us`](super::Sketch::percentile_us) has it;
    /// none when nothing is in it.
    #[must_use]
    pub fn percentile_us(&self, percentile: Percentile) -> Option<f64> {
        let n = u64::try_from(self.count).ok()?;
        let rank = i64::try_from(percentile.rank(n)).ok().filter(|rank| *rank > 0)?;
        let mut passed = 0_i64;
        let found = (0..BINS).zip(&self.counts).find(|(_, n)| {
            passed = passed.saturating_add(**n);
            passed >= rank
        });
        found.map(|(bin, _)| middle_us(bin))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Sketch;
    use super::*;

    proptest! {
        #[test]
        fn a_tally_says_what_the_merged_sketches_say(parts in proptest::collection::vec(proptest::collection::vec(0_u64..10_000_000_000, 0..60), 0..6)) {
            let mut tally = Tally::default();
            let mut merged = Sketch::default();
            for round in 0..2 {
                for part in &parts {
                    let sketch = Sketch::of(part.iter().map(|us| (*us + round, 1)));
                    merged.merge(&sketch);
                    tally.add(&sketch.to_bytes()).unwrap();
                }
                prop_assert_eq!(tally.count(), merged.count());
                for percentile in Percentile::ALL {
                    prop_assert_eq!(tally.percentile_us(percentile), merged.percentile_us(percentile));
                }
                tally.clear();
                merged = Sketch::default();
            }
        }
    }

    #[test]
    fn what_is_no_sketch_is_an_error() {
        assert_eq!(Tally::default().add(&[1]), Err(SketchError::Truncated));
        assert_eq!(Tally::default().percentile_us(Percentile::P95), None);
    }
}
