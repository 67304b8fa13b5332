//! The empty tank that stops agents: when a hook is answered "no", and in which words.

mod reply;
mod view;

pub use reply::{HookEvent, HookReply, HookSpecific};
pub use view::{Asker, StopView};

use serde::{Deserialize, Serialize};

use crate::format::dollars;
use crate::unit::Nanodollars;

/// Whether hooks stop agents at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopMode {
    /// Every hook is told to go on.
    #[default]
    Off,
    /// Hooks are told to stop once the balance is down to the reserve.
    Empty,
}

impl StopMode {
    /// As in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Empty => "empty",
        }
    }
    /// Reads [`StopMode::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Off, Self::Empty].into_iter().find(|mode| mode.name() == raw)
    }
}

/// What a hook is told while nobody knows the balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopFail {
    /// To go on: work matters more than money.
    #[default]
    Open,
    /// To stop: money matters more than work.
    Closed,
}

impl StopFail {
    /// As in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
    /// Reads [`StopFail::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|fail| fail.name() == raw)
    }
}

/// The owner's rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopPolicy {
    /// Whether agents are stopped.
    pub mode: StopMode,
    /// What is to be left when they are; 0 or more.
    pub reserve: Nanodollars,
    /// What happens while the balance is not known.
    pub fail: StopFail,
}

/// What is known of the tank at the moment of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// What is left.
    Known(Nanodollars),
    /// The town has never been filled, so that nobody counts it down.
    NoTank,
    /// There is no such town.
    NoTown,
    /// The live state did not answer in time.
    NoAnswer,
}

/// What agents are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go on.
    Go,
    /// Stop, and why, with the balance.
    Stop(String),
}

/// Decides. The only place that does: further tanks make further [`Balance`]s, and the first that says stop counts.
#[must_use]
pub fn decide(policy: StopPolicy, balance: Balance) -> Decision {
    if policy.mode == StopMode::Off {
        return Decision::Go;
    }
    let unknown = match balance {
        Balance::Known(left) if left <= policy.reserve => return Decision::Stop(reason(left, policy.reserve)),
        Balance::Known(_) => return Decision::Go,
        Balance::NoTank => "the tank was never filled, so its balance is not known",
        Balance::NoTown => "there is no such town, so its balance is not known",
        Balance::NoAnswer => "the balance is not known at the moment",
    };
    match policy.fail {
        StopFail::Open => Decision::Go,
        StopFail::Closed => Decision::Stop(format!("Towngauge is configured to fail closed: {unknown}")),
    }
}

fn reason(left: Nanodollars, reserve: Nanodollars) -> String {
    let overdrawn = if left.0 < 0 {
        format!(" ({} overdrawn)", dollars(Nanodollars(left.0.saturating_neg())))
    } else {
        String::new()
    };
    let shown = dollars(Nanodollars(left.0.max(0)));
    if reserve.0 > 0 {
        format!("Gas tank at its reserve: {shown} left{overdrawn}, {} are kept in reserve", dollars(reserve))
    } else {
        format!("Gas tank empty: {shown} left{overdrawn}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOLLAR: i64 = 1_000_000_000;

    fn policy(reserve: i64, fail: StopFail) -> StopPolicy {
        StopPolicy { mode: StopMode::Empty, reserve: Nanodollars(reserve), fail }
    }

    #[test]
    fn agents_stop_at_the_reserve_and_are_told_the_balance() {
        let check = |left: i64, reserve: i64, want: Option<&str>| {
            let decision = decide(policy(reserve, StopFail::Open), Balance::Known(Nanodollars(left)));
            let want = want.map_or(Decision::Go, |reason| Decision::Stop(reason.to_owned()));
            assert_eq!(decision, want, "{left} {reserve}");
        };
        check(1, 0, None);
        check(0, 0, Some("Gas tank empty: $0.00 left"));
        check(-DOLLAR / 2, 0, Some("Gas tank empty: $0.00 left ($0.50 overdrawn)"));
        check(5 * DOLLAR + 1, 5 * DOLLAR, None);
        check(5 * DOLLAR, 5 * DOLLAR, Some("Gas tank at its reserve: $5.00 left, $5.00 are kept in reserve"));
    }

    #[test]
    fn what_is_not_known_stops_only_who_fails_closed() {
        for balance in [Balance::NoTank, Balance::NoTown, Balance::NoAnswer] {
            assert_eq!(decide(policy(0, StopFail::Open), balance), Decision::Go);
            let Decision::Stop(reason) = decide(policy(0, StopFail::Closed), balance) else { panic!("{balance:?}") };
            assert!(reason.starts_with("Towngauge is configured to fail closed"), "{reason}");
        }
    }

    proptest! {
        #[test]
        fn off_never_stops_and_more_money_never_stops_sooner(left in any::<i64>(), more in 0_i64..i64::MAX, reserve in 0_i64..i64::MAX) {
            let off = StopPolicy { mode: StopMode::Off, ..policy(reserve, StopFail::Closed) };
            prop_assert_eq!(decide(off, Balance::Known(Nanodollars(left))), Decision::Go);
            prop_assert_eq!(decide(off, Balance::NoAnswer), Decision::Go);
            let goes = |left| decide(policy(reserve, StopFail::Closed), Balance::Known(Nanodollars(left))) == Decision::Go;
            prop_assert!(!goes(left) || goes(left.saturating_add(more)));
        }
    }
}
