//! From typed events to committed rows: a bounded queue and the batch writer.

mod attribution;
mod check;
mod group;
mod histogram;
mod intake;
mod log_gate;
mod outcome;
mod price;
mod queue;
mod stats;
mod writer;

pub use histogram::{Histogram, Reading};
pub use intake::{Intake, IntakeLimits, Rejection, WriterHandle, instance_id};
pub use log_gate::{LogGate, left_out};
pub use outcome::{Changes, Committed, Outcome, SubmitError};
pub use price::new_cost_of;
pub use stats::WriterStats;
