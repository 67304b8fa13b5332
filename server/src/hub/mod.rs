//! The hub: one live state per town, one frame per tick, encoded once and written to every viewer.
//!
//! One task owns everything (invariant 6). Its channels are bounded; whoever asks it waits.

mod audience;
mod canary;
mod command;
mod edges;
#[cfg(test)]
mod fixture;
mod frame;
mod handle;
mod load;
mod look;
mod news;
mod parse;
mod reader;
#[cfg(test)]
mod reload;
mod roster;
mod row;
mod seeds;
mod shared;
mod stats;
mod tank;
mod task;
mod town;
mod viewer;

pub use canary::Canaries;
pub use edges::{Bucket, Edges, role_slot};
pub use handle::{Hub, HubSettings};
pub use look::Lookers;
pub use roster::MAX_AGENTS;
pub use row::{event_row, row_key};
pub use seeds::{SeedView, Seeds};
pub use stats::HubStats;
pub use tank::Tank;
pub use town::{LiveSums, Seed, Watched};
