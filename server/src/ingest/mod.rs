//! From typed events to committed rows: a bounded queue and the batch writer.

mod intake;
mod outcome;

pub use intake::{Intake, IntakeLimits, Rejection, WriterHandle};
pub use outcome::{Changes, Committed, Outcome, SubmitError};
