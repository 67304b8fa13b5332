//! `gt status` as one of the sources that know what an agent of a Gas Town does: what `gt` itself makes of its beads and
//! its sessions. Where beads live in a database alone, it is the only one that tells of them.
//!
//! Asked every two minutes while a Gas Town is watched, because it is not cheap: it runs `bd` and `tmux`. It ranks
//! below agents' beads, of which it is a reading, and above their terminals (model::evidence).

mod agents;
mod answer;
mod poll;

pub(super) use poll::poll;

/// The name of this source.
pub const SOURCE: &str = model::evidence::STATUS_SOURCE;
