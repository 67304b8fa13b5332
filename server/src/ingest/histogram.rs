//! Counts of values by size, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many values were at most how large, and their sum. Values are whole numbers of a unit that its owner names.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    bounds: [u64; N],
    /// Values above the bound before and up to this one.
    counts: [AtomicU64; N],
    /// Values above every bound.
    above: AtomicU64,
    sum: AtomicU64,
}

/// A histogram at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Each bound, ascending, with the number of values up to it.
    pub up_to: Vec<(u64, u64)>,
    /// Number of all values.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
}

impl<const N: usize> Histogram<N> {
    /// A histogram without values. `bounds` ascend.
    #[must_use]
    pub const fn new(bounds: [u64; N]) -> Self {
        Self { bounds, counts: [const { AtomicU64::new(0) }; N], above: AtomicU64::new(0), sum: AtomicU64::new(0) }
    }

    /// Counts a value.
    pub fn observe(&self, value: u64) {
        let bucket = self.bounds.iter().position(|bound| value <= *bound);
        bucket.map_or(&self.above, |i| &self.counts[i]).fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Reads it. What is counted meanwhile may be in the sum and not yet in the count.
    #[must_use]
    pub fn read(&self) -> Reading {
        let mut count = 0;
        let up_to = self.bounds.iter().zip(&self.counts).map(|(bound, n)| {
            count += n.load(Ordering::Relaxed);
            (*bound, count)
        });
        let up_to = up_to.collect();
        Reading { up_to, count: count + self.above.load(Ordering::Relaxed), sum: self.sum.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_in_its_own_bucket_and_in_all_above() {
        let histogram = Histogram::new([1, 10, 100]);
        for value in [0, 1, 2, 10, 11, 1_000] {
            histogram.observe(value);
        }
        assert_eq!(histogram.read(), Reading { up_to: vec![(1, 2), (10, 4), (100, 5)], count: 6, sum: 1_024 });
    }
}
