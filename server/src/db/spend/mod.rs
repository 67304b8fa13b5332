//! What model calls cost whom: kept as sums that add up (`model::cost`), so that any combination of filters is answered
//! without looking at events.

mod call;
mod detail;
mod fold;
mod read;
mod rebuild;
mod row;
mod tier;
mod verify;

pub use call::{Calls, calls};
pub use detail::{BeadPart, KnownBead, KnownSession, bead_parts, beads, landed, session_count, sessions, since};
pub(super) use fold::{SpendPart, bind, parts};
pub use read::{Columns, Sums, sums};
pub use rebuild::{rebuild, waiting};
pub use tier::{join, towns};
pub(super) use verify::verify;

/// Seconds of the finest buckets: every zone's day begins on a quarter of an hour.
pub const QUARTER_S: i64 = 900;

/// A tier that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tier {
    table: &'static str,
    step_s: i64,
    /// Whether it knows beads and conversations.
    is_whole: bool,
}

/// The tiers, finest first.
const TIERS: [Tier; 5] = [
    Tier { table: "spend_15m", step_s: QUARTER_S, is_whole: true },
    Tier { table: "account_1h", step_s: 3_600, is_whole: false },
    Tier { table: "account_6h", step_s: 21_600, is_whole: false },
    Tier { table: "spend_day", step_s: 86_400, is_whole: true },
    Tier { table: "account_day", step_s: 86_400, is_whole: false },
];
