//! Gas Town's own files.

mod address;
mod costs;

pub use address::Address;
pub use costs::{Costs, CostsFile, CostsLine, reported_total};
