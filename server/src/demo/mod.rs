//! The made-up town in the database: its history, and its life while the server runs.
//!
//! `model::demo` says what happens in each minute; here it is stored like any other source's events. A town that is
//! made up is marked in the table `town`, and every page says so.

mod fill;
mod live;

pub use fill::{FillReport, FillSpec, fill};
pub use live::Keeper;

use model::demo::Rhythm;

/// The seed of every made-up town, unless another is asked for.
pub const SEED: u64 = 42;
/// Cycles per minute of a working agent in a town that is opened from the page.
const CYCLES_PER_MINUTE: f64 = 1.6;
/// The town never sleeps wholly while somebody may be looking.
const LIVE_FLOOR: f64 = 0.45;

/// The rhythm of the past of a town that was opened from the page: nights are idle.
const fn past_rhythm() -> Rhythm {
    Rhythm::steady(CYCLES_PER_MINUTE)
}

/// The rhythm of every made-up town while the server runs.
const fn live_rhythm() -> Rhythm {
    Rhythm { floor: LIVE_FLOOR, ..past_rhythm() }
}
