//! What the page and the API say about the stop: would it stop now, and which agents obey.

use serde::{Deserialize, Serialize};

use super::{Balance, StopPolicy, WindowLevel};
use crate::id::{AgentName, RigName, SessionId, TownName};
use crate::time::Timestamp;

/// A conversation whose hooks ask before its agent goes on: one that obeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// The conversation; none when its hooks did not say.
    pub session: Option<SessionId>,
    /// Its agent, as far as the roster knows it.
    pub agent: Option<AgentName>,
    /// The agent's rig.
    pub rig: Option<RigName>,
    /// When it asked last.
    pub at: Timestamp,
    /// How often it asked since the server's start.
    pub asked: u64,
    /// How often it was told to stop.
    pub denied: u64,
}

/// Everything about the stop of a town.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopView {
    /// The town.
    pub town: TownName,
    /// When this was so.
    pub at: Timestamp,
    /// The rule in force.
    pub policy: StopPolicy,
    /// What is known of the tank.
    pub balance: Balance,
    /// What is known of the windows of Claude Code's subscription.
    pub windows: WindowLevel,
    /// Why agents would be stopped now; none: they would not.
    pub stopping: Option<String>,
    /// Questions of hooks since the server's start.
    pub asked: u64,
    /// Of these: answered with a stop.
    pub denied: u64,
    /// Of these: asked while the balance was not known.
    pub failed: u64,
    /// Who asked in the last `lately_s` seconds, the newest first.
    pub obeying: Vec<Asker>,
    /// Agents that worked in that time, and whose hooks did not ask: nothing here stops them.
    pub deaf: Vec<(Option<RigName>, AgentName)>,
    /// What counts as lately, in seconds.
    pub lately_s: i64,
    /// Where hooks ask, such as `http://127.0.0.1:4680`.
    pub address: String,
    /// Whether hooks need a key of scope "ingest".
    pub keys_required: bool,
}
