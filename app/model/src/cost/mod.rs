//! Where the money went: sums of model calls by who made them and for what, and one pure projection per cost picture.

mod spender;
mod sum;

pub use spender::{Dimension, Spender};
pub use sum::SpendSum;
