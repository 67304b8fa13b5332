//! tmux as the last of the sources that know what an agent of a Gas Town does: when something moved in its terminal.
//!
//! Asked once a minute, and only while a Gas Town is watched. It shows less than heartbeats, beads and `gt status`
//! do, and ranks below them (model::evidence). Nothing of what stands in a terminal is read.

mod command;
mod poll;
mod sessions;

pub(super) use poll::poll;

/// The name of this source.
pub const SOURCE: &str = model::evidence::TMUX_SOURCE;
