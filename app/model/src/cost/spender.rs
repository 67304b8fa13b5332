//! Who spent and on what: everything that costs are filtered and grouped by.

use serde::{Deserialize, Serialize};

use crate::event::{Envelope, Provenance};
use crate::id::{AgentName, BeadId, ModelName, RigName, Role, SessionId};

/// What a sum of model calls has in common. What is not known stays `None` and is shown as a part of its own
/// ("unattributed"), never spread over the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spender {
    /// Role of the agent.
    pub role: Role,
    /// Rig, or project folder.
    pub rig: Option<RigName>,
    /// The agent.
    pub agent: Option<AgentName>,
    /// The model, as reported.
    pub model: Option<ModelName>,
    /// Issue that was worked on.
    pub bead: Option<BeadId>,
    /// Conversation.
    pub session: Option<SessionId>,
    /// Where the amounts come from.
    pub provenance: Provenance,
}

impl Spender {
    /// Of an event with its model and the provenance of its cost.
    #[must_use]
    pub fn of(envelope: &Envelope, model: Option<ModelName>, provenance: Provenance) -> Self {
        Self {
            role: envelope.role,
            rig: envelope.rig.clone(),
            agent: envelope.agent.clone(),
            model,
            bead: envelope.bead.clone(),
            session: envelope.session.clone(),
            provenance,
        }
    }
}

/// One thing that costs are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// [`Spender::role`]
    Role,
    /// [`Spender::rig`]
    Rig,
    /// [`Spender::agent`], within its rig
    Agent,
    /// [`Spender::model`]
    Model,
    /// The model's provider, told by its name
    Provider,
    /// [`Spender::bead`]
    Bead,
    /// [`Spender::session`]
    Session,
    /// [`Spender::provenance`]
    Provenance,
}
