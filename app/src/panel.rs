//! What the Tank page's panels say: put into words by the server, so that the page carries neither the rules nor readers
//! for what they are made of.

use serde::{Deserialize, Serialize};

/// One line of a small table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The first cell, which names the line.
    pub head: String,
    /// What the pointer is told of it.
    pub title: String,
    /// The other cells.
    pub cells: Vec<String>,
    /// A class of the last cell, for its colour.
    pub class: String,
}

/// What stops agents at an empty tank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopCard {
    /// `off` or `empty`.
    pub mode: String,
    /// `off`, `going`, `stopping` or `unknown`: the verdict's colour.
    pub state: String,
    /// What happens to agents now.
    pub verdict: String,
    /// What happens to them when it is switched on.
    pub rule: String,
    /// What to paste to switch it on; none where it is on.
    pub switch_on: Option<String>,
    /// What was asked and answered.
    pub counts: String,
    /// What stands over those that obey, or why there are none.
    pub asked: String,
    /// Agents whose hooks asked lately: agent, rig, asked, told to stop, last.
    pub obeying: Vec<Line>,
    /// Agents at work that do not ask; may be empty.
    pub deaf: String,
    /// Settings for hooks over HTTP.
    pub http_hooks: String,
    /// Settings for hooks that run a command.
    pub command_hooks: String,
    /// Whether hooks need a key.
    pub keys_required: bool,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookCard {
    /// As far as it is no secret.
    pub address: String,
    /// What it is told of, and of which town.
    pub told: String,
    /// What it was told: what, town, when, result.
    pub deliveries: Vec<Line>,
}
