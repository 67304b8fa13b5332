//! Alerts: which state a tank, a source, an agent or a town's work is in, and which step to another one is worth telling.
//! What pages show and what webhooks are told are the same states and steps.
//!
//! Pure state machines with hysteresis: a value that trembles at a threshold tells one step, not many. What was told is
//! kept by whoever asks, so that a restart neither repeats nor loses one.

mod count;
mod delivery;
mod hold;
mod limits;
mod silence;
mod stall;
mod tank;
mod view;

pub use count::{Calls, error_step, restart_step, review_step};
pub use delivery::{MAX_TRIES, retry_after_s};
pub use hold::{Condition, Found, Holds};
pub use limits::{AlertLimits, Knob, LimitError};
pub use silence::{SourceReading, silence_step};
pub use stall::stall_step;
pub use tank::{fuel_step, tank_step};
pub use view::{AlertView, AlertsView, DeliveryView, WebhookView, WebhooksView};

use serde::{Deserialize, Serialize};

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
    /// An agent is started again and again.
    #[serde(rename = "agent.restart_loop")]
    RestartLoop,
    /// Many calls fail.
    #[serde(rename = "errors.spike")]
    ErrorSpike,
    /// Many beads wait for somebody.
    #[serde(rename = "review.queue")]
    ReviewQueue,
    /// Any alert but a tank's has ended.
    #[serde(rename = "alert.cleared")]
    Cleared,
    /// Somebody tries whether a webhook works.
    #[serde(rename = "test")]
    Test,
}

impl AlertKind {
    /// Those that can be chosen, which is also the default.
    pub const CHOICE: [Self; 9] = [
        Self::TankLow,
        Self::TankEmpty,
        Self::TankRefilled,
        Self::SourceSilent,
        Self::AgentStalled,
        Self::RestartLoop,
        Self::ErrorSpike,
        Self::ReviewQueue,
        Self::Cleared,
    ];

    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TankLow => "tank.low",
            Self::TankEmpty => "tank.empty",
            Self::TankRefilled => "tank.refilled",
            Self::SourceSilent => "source.silent",
            Self::AgentStalled => "agent.stalled",
            Self::RestartLoop => "agent.restart_loop",
            Self::ErrorSpike => "errors.spike",
            Self::ReviewQueue => "review.queue",
            Self::Cleared => "alert.cleared",
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
    /// An agent that is started again and again.
    Looping,
    /// Calls that fail, many of them.
    Failing,
    /// Beads that wait, many of them.
    Waiting,
}

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Look at it soon.
    Warning,
    /// Look at it now.
    Critical,
}

impl AlertState {
    const ALL: [Self; 9] = [
        Self::Fine,
        Self::Low,
        Self::Empty,
        Self::Silent,
        Self::Stalled,
        Self::Gupp,
        Self::Looping,
        Self::Failing,
        Self::Waiting,
    ];

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
            Self::Looping => "looping",
            Self::Failing => "failing",
            Self::Waiting => "waiting",
        }
    }
    /// What webhooks are told when it begins.
    #[must_use]
    pub const fn kind(self) -> AlertKind {
        match self {
            Self::Fine => AlertKind::Cleared,
            Self::Low => AlertKind::TankLow,
            Self::Empty => AlertKind::TankEmpty,
            Self::Silent => AlertKind::SourceSilent,
            Self::Stalled | Self::Gupp => AlertKind::AgentStalled,
            Self::Looping => AlertKind::RestartLoop,
            Self::Failing => AlertKind::ErrorSpike,
            Self::Waiting => AlertKind::ReviewQueue,
        }
    }
    /// How much it matters.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Fine | Self::Low | Self::Silent | Self::Stalled | Self::Looping | Self::Waiting => Severity::Warning,
            Self::Empty | Self::Gupp | Self::Failing => Severity::Critical,
        }
    }
    /// How bad it is among the states of the same thing: fine, an alert, a worse one.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Low | Self::Silent | Self::Stalled | Self::Looping | Self::Failing | Self::Waiting => 1,
            Self::Empty | Self::Gupp => 2,
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

impl Step {
    /// To `to`, telling of its beginning, or of the end.
    const fn new(to: AlertState) -> Self {
        Self { to, tell: Some(to.kind()) }
    }
}

/// The step of something that is on or off: none between its thresholds.
const fn switch(state: AlertState, on: AlertState, begins: bool, ends: bool) -> Option<Step> {
    match state {
        AlertState::Fine if begins => Some(Step::new(on)),
        AlertState::Fine => None,
        _ if ends => Some(Step::new(AlertState::Fine)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
