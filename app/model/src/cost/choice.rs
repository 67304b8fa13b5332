//! What a part of the costs is called: the groups of every dimension, and what a filter chooses of them.

use compact_str::CompactString;

use super::{Dimension, Spender};
use crate::event::Provenance;
use crate::id::{AgentName, BeadId, ModelName, NameError, RigName, Role, SessionId};
use crate::provider::provider_of;

/// How what belongs to no group is spelled in addresses, in tables and by `towngauge report`.
pub const UNATTRIBUTED: &str = "(none)";

/// The name of a group; none: what is not attributed.
pub type GroupName = Option<CompactString>;

/// Why a group's name could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// Not a name at all.
    #[error("{0}")]
    Name(#[from] NameError),
    /// A word that is not among the few that there are.
    #[error("\"{given}\" is no {what}")]
    Unknown {
        /// Which dimension.
        what: &'static str,
        /// What was given, cut.
        given: String,
    },
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 8] =
        [Self::Role, Self::Rig, Self::Agent, Self::Model, Self::Provider, Self::Bead, Self::Session, Self::Provenance];

    /// As in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Rig => "rig",
            Self::Agent => "agent",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Bead => "bead",
            Self::Session => "session",
            Self::Provenance => "provenance",
        }
    }
    /// The inverse of [`Dimension::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == raw)
    }
    /// Reads the name of one of its groups; [`UNATTRIBUTED`] is what belongs to none.
    ///
    /// # Errors
    /// Empty, too long, with control characters, or a word that this dimension does not have.
    pub fn group(self, raw: &str) -> Result<GroupName, ChoiceError> {
        let raw = raw.trim();
        if raw == UNATTRIBUTED && self.may_be_unattributed() {
            return Ok(None);
        }
        let unknown = || ChoiceError::Unknown { what: self.name(), given: raw.chars().take(40).collect() };
        let name: CompactString = match self {
            Self::Role => Role::ALL.into_iter().find(|role| role.name() == raw).ok_or_else(unknown)?.name().into(),
            Self::Provenance => {
                let named = Provenance::ALL.into_iter().find(|provenance| provenance.name() == raw);
                named.ok_or_else(unknown)?.name().into()
            }
            // Providers are known by the spelling of `provider_of`; the name is checked as a model's is.
            Self::Model | Self::Provider => ModelName::new(raw)?.into(),
            Self::Rig => RigName::new(raw)?.into(),
            Self::Agent => AgentName::new(raw)?.into(),
            Self::Bead => BeadId::new(raw)?.into(),
            Self::Session => SessionId::new(raw)?.into(),
        };
        Ok(Some(name))
    }
    /// Whether calls may belong to none of its groups: every call has a model and a provenance, and what has no role is
    /// [`Role::Other`].
    #[must_use]
    pub const fn may_be_unattributed(self) -> bool {
        matches!(self, Self::Rig | Self::Agent | Self::Bead | Self::Session)
    }
}

impl Spender {
    /// The group of a dimension that its calls belong to.
    #[must_use]
    pub fn group(&self, dimension: Dimension) -> GroupName {
        match dimension {
            Dimension::Role => Some(self.role.name().into()),
            Dimension::Rig => self.rig.clone().map(Into::into),
            Dimension::Agent => self.agent.clone().map(Into::into),
            Dimension::Model => self.model.clone().map(Into::into),
            Dimension::Provider => Some(provider_of(self.model.as_ref().map_or("", ModelName::as_str)).into()),
            Dimension::Bead => self.bead.clone().map(Into::into),
            Dimension::Session => self.session.clone().map(Into::into),
            Dimension::Provenance => Some(self.provenance.name().into()),
        }
    }
}
