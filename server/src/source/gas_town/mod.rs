//! Gas Town's own files: its events, heartbeats, `costs.jsonl` and the state of its accounts.
//!
//! They say who works and where, and join agents to conversations. Of what is spent they know nothing exact: tokens and
//! cost come from the agents' own transcripts or telemetry.

mod address;
mod costs;
mod event;
mod heartbeat;
mod member;
mod quota;
mod town;
mod watched;

use model::event::AgentState;

pub use address::Address;
pub use costs::{Costs, CostsFile, CostsLine, reported_total};
pub(in crate::source) use member::{Member, Rigs};
pub use town::Town;
pub(in crate::source) use watched::watched;

/// The name of the town's events, heartbeats and accounts as a source.
pub const SOURCE: &str = "gas_town";

/// An agent's state in Gas Town's words; `None` for one that says nothing (`checked`) or is not known.
pub(in crate::source) fn state(raw: &str) -> Option<AgentState> {
    Some(match raw {
        "working" | "running" | "spawning" => AgentState::Working,
        // Waiting for somebody else's decision is no call for help.
        "idle" | "done" | "awaiting-gate" => AgentState::Idle,
        "stuck" | "escalated" | "stalled" | "zombie" => AgentState::Stuck,
        "exiting" => AgentState::Exiting,
        "nuked" => AgentState::Gone,
        _ => return None,
    })
}
