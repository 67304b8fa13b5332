//! Where the money went: sums of model calls by who made them and for what, and one pure projection per cost picture.

mod answer;
mod choice;
mod day;
mod filter;
mod spender;
mod sum;
mod zone;

pub use answer::{
    BeadCost, BeadCosts, BeadState, BurnToday, CostBoard, CostCards, CostSummary, CostTotal, DaySum, GroupSum,
    MAX_BEAD_AGENTS, MAX_OPTIONS, Options, RiverRow, RiverRows, SessionCost, SessionCosts, TreeRow,
};
pub use choice::{ChoiceError, GroupName, UNATTRIBUTED};
pub use day::{DayError, LocalDay, WEEK_DAYS};
pub use filter::{CostFilter, CostRange, FilterError, MAX_CHOICES, MAX_QUERY_BYTES, MAX_RANGE_DAYS};
pub use spender::{Dimension, Spender};
pub use sum::{SPEND_MEASURES, SpendSum};
pub use zone::{beginning, local_day, local_range};
