//! What the writer does, in figures.

use super::histogram::Histogram;

/// Counted since the start, for `/metrics`.
#[derive(Debug)]
pub struct WriterStats {
    /// Events of each committed batch, duplicates included.
    pub batch_events: Histogram<9>,
    /// Microseconds from a batch's first try until its commit, whatever came in between.
    pub commit_us: Histogram<12>,
}

impl Default for WriterStats {
    fn default() -> Self {
        Self {
            batch_events: Histogram::new([1, 5, 10, 50, 100, 500, 1_000, 2_500, 5_000]),
            commit_us: Histogram::new([
                1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
                30_000_000,
            ]),
        }
    }
}
