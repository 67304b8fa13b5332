//! Alerts: which state a tank, a source or an agent is in, and which step to another one is worth telling.
//!
//! Pure state machines with hysteresis: a value that trembles at a threshold tells one step, not many. What was told is
//! kept by whoever asks, so that a restart neither repeats nor loses one.

mod delivery;
mod silence;
mod tank;
mod view;

pub use delivery::{MAX_TRIES, retry_after_s};
pub use silence::{SourceReading, silence_step};
pub use tank::{TankLimits, fuel_step, tank_step};
pub use view::{DeliveryView, WebhookView, WebhooksView};

use serde::{Deserialize, Serialize};

use crate::roster::AgentStatus;

/// What a webhook may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AlertKind {
    /// The needle came into the red.
    #[serde(rename = "tank.low")]
    TankLow,
    /// Nothing is left.
    #[serde(rename = "tank.empty")]
    TankEmpty,
    /// There is money again, after low or empty.
    #[serde(rename = "tank.refilled")]
    TankRefilled,
    /// A source says nothing while its town works.
    #[serde(rename = "source.silent")]
    SourceSilent,
    /// An agent's hooked work sees no progress.
    #[serde(rename = "agent.stalled")]
    AgentStalled,
    /// Somebody tries whether a webhook works.
    #[serde(rename = "test")]
    Test,
}

impl AlertKind {
    /// Those that can be chosen, which is also the default.
    pub const CHOICE: [Self; 5] =
        [Self::TankLow, Self::TankEmpty, Self::TankRefilled, Self::SourceSilent, Self::AgentStalled];

    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TankLow => "tank.low",
            Self::TankEmpty => "tank.empty",
            Self::TankRefilled => "tank.refilled",
            Self::SourceSilent => "source.silent",
            Self::AgentStalled => "agent.stalled",
            Self::Test => "test",
        }
    }
    /// Reads [`AlertKind::name`] of those that can be chosen.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::CHOICE.into_iter().find(|kind| kind.name() == raw)
    }
}

/// The state of something that is watched. `Fine` is where everything begins, and needs no memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nothing to tell.
    #[default]
    Fine,
    /// A tank in the red.
    Low,
    /// A tank with nothing left.
    Empty,
    /// A source that says nothing.
    Silent,
    /// An agent without progress.
    Stalled,
    /// The same for so long that it violates GUPP.
    Gupp,
}

impl AlertState {
    const ALL: [Self; 6] = [Self::Fine, Self::Low, Self::Empty, Self::Silent, Self::Stalled, Self::Gupp];

    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Low => "low",
            Self::Empty => "empty",
            Self::Silent => "silent",
            Self::Stalled => "stalled",
            Self::Gupp => "gupp",
        }
    }
    /// Reads [`AlertState::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == raw)
    }
}

/// A step from one state to another, and what is told of it, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The new state; another than before.
    pub to: AlertState,
    /// What webhooks are told.
    pub tell: Option<AlertKind>,
}

/// The step of an agent; none when it stays. Only progress, or the end of its hooked work, lets it out again, so that
/// no further hysteresis is needed.
#[must_use]
pub fn agent_step(state: AlertState, status: AgentStatus) -> Option<Step> {
    let to = match status {
        AgentStatus::Stalled => AlertState::Stalled,
        AgentStatus::GuppViolation => AlertState::Gupp,
        AgentStatus::Working | AgentStatus::Stuck | AgentStatus::Idle | AgentStatus::Exiting | AgentStatus::Gone => {
            AlertState::Fine
        }
    };
    (to != state).then_some(Step { to, tell: (to != AlertState::Fine).then_some(AlertKind::AgentStalled) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stalled_agent_is_told_once_and_once_more_at_the_violation() {
        let check = |state, status, want: Option<(AlertState, bool)>| {
            let step = agent_step(state, status).map(|step| (step.to, step.tell.is_some()));
            assert_eq!(step, want, "{state:?} {status:?}");
        };
        check(AlertState::Fine, AgentStatus::Working, None);
        check(AlertState::Fine, AgentStatus::Stalled, Some((AlertState::Stalled, true)));
        check(AlertState::Stalled, AgentStatus::Stalled, None);
        check(AlertState::Stalled, AgentStatus::GuppViolation, Some((AlertState::Gupp, true)));
        check(AlertState::Gupp, AgentStatus::GuppViolation, None);
        check(AlertState::Gupp, AgentStatus::Working, Some((AlertState::Fine, false)));
    }

    #[test]
    fn names_are_read_back() {
        for kind in AlertKind::CHOICE {
            assert_eq!(AlertKind::parse(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        for state in AlertState::ALL {
            assert_eq!(AlertState::parse(state.name()), Some(state));
        }
        assert_eq!(AlertKind::parse("test"), None, "a test is asked for, not chosen");
    }
}
