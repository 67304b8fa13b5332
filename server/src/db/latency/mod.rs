//! How long calls and tools took: kept per bucket as sums that merge (`model::latency`), tier by tier.

mod fold;
mod read;
mod rebuild;
mod row;
mod tier;
mod verify;

pub(super) use fold::{LatencyPart, bind, parts};
pub use read::{Sums, Who, window};
pub use rebuild::rebuild;
pub use tier::{dirty_towns, redo};
pub(super) use verify::verify;

use model::time::Resolution;

/// The tiers that are kept, finest first.
pub const TIERS: [Resolution; 4] = [Resolution::S10, Resolution::M5, Resolution::M30, Resolution::H6];
/// What latency_dirty speaks of.
const SPAN: Resolution = Resolution::M5;
