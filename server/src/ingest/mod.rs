//! From typed events to committed rows: a bounded queue and the batch writer.

mod outcome;

pub use outcome::{Changes, Committed, Outcome, SubmitError};
