//! From typed events to committed rows: a bounded queue and the batch writer.

mod attribution;
mod check;
mod intake;
mod outcome;
mod price;
mod writer;

pub use intake::{Intake, IntakeLimits, Rejection, WriterHandle, instance_id};
pub use outcome::{Changes, Committed, Outcome, SubmitError};
