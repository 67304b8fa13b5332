//! How long calls and tools take: percentiles that can be merged, taken back, and kept in few bytes.

mod rank;
mod sketch;
mod sum;
mod tally;

pub use rank::{Percentile, nearest_rank};
pub use sketch::{Sketch, SketchError};
pub use sum::{LatencySum, Subject};
pub use tally::Tally;
