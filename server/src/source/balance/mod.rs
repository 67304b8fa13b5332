//! Balances that providers tell when they are asked: Kilo, OpenRouter, DeepSeek.
//!
//! What is told becomes a reading of a tank (`db::tank`); the one that corrects the meter leads to ledger entries
//! (`model::correction`). Keys come from the environment or a file each time they are used; they are never kept, logged
//! or shown.

mod answer;
mod ask;
mod poll;
mod provider;
mod schedule;

pub use answer::{Balance, Trouble};
pub use ask::{Account, Asker, KeySource};
pub use poll::{Poller, spawn};
pub use provider::Provider;
