//! The empty tank that stops agents: when a hook is answered "no", and in which words.

mod reply;
mod view;
mod window;

pub use reply::{HookEvent, HookReply, HookSpecific};
pub use view::{Asker, StopView};
pub use window::{StopWindows, WindowLevel};

use serde::{Deserialize, Serialize};

use crate::format::dollars;
use crate::time::Timestamp;
use crate::unit::Nanodollars;

/// Whether hooks stop agents at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopMode {
    /// Every hook is told to go on.
    #[default]
    Off,
    /// Hooks are told to stop once the balance is down to the reserve, or a window of the agent's subscription used up.
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
    /// Whether windows of subscriptions stop agents too.
    pub windows: StopWindows,
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

/// Everything that an agent draws from, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fuel {
    /// The town's money.
    pub balance: Balance,
    /// The windows that cover the agent's calls.
    pub windows: WindowLevel,
}

impl Fuel {
    /// Whether nobody can tell what is left. Who has a subscription, and never filled a tank, is measured by its windows.
    #[must_use]
    pub fn is_unknown(&self, policy: StopPolicy) -> bool {
        let by_windows = policy.windows == StopWindows::Own && self.windows != WindowLevel::Untold;
        match self.balance {
            Balance::Known(_) => false,
            Balance::NoTank => !by_windows,
            Balance::NoTown | Balance::NoAnswer => true,
        }
    }
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

/// Decides. The only place that does: money first, then the windows, and the first that says stop counts.
#[must_use]
pub fn decide(policy: StopPolicy, fuel: &Fuel, now: Timestamp) -> Decision {
    if policy.mode == StopMode::Off {
        return Decision::Go;
    }
    if let Balance::Known(left) = fuel.balance
        && left <= policy.reserve
    {
        return Decision::Stop(reason(left, policy.reserve));
    }
    let used_up = (policy.windows == StopWindows::Own).then(|| fuel.windows.reason(now)).flatten();
    if let Some(reason) = used_up {
        return Decision::Stop(reason);
    }
    let unknown = match fuel.balance {
        _ if !fuel.is_unknown(policy) => return Decision::Go,
        Balance::Known(_) | Balance::NoTank => "the tank was never filled, so its balance is not known",
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

    const NOW: Timestamp = Timestamp::from_seconds(1_772_128_800);

    fn policy(reserve: i64, fail: StopFail) -> StopPolicy {
        StopPolicy { mode: StopMode::Empty, reserve: Nanodollars(reserve), fail, windows: StopWindows::Own }
    }

    fn told(policy: StopPolicy, balance: Balance) -> Decision {
        decide(policy, &Fuel { balance, windows: WindowLevel::Untold }, NOW)
    }

    #[test]
    fn agents_stop_at_the_reserve_and_are_told_the_balance() {
        let check = |left: i64, reserve: i64, want: Option<&str>| {
            let decision = told(policy(reserve, StopFail::Open), Balance::Known(Nanodollars(left)));
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
            assert_eq!(told(policy(0, StopFail::Open), balance), Decision::Go);
            let Decision::Stop(reason) = told(policy(0, StopFail::Closed), balance) else { panic!("{balance:?}") };
            assert!(reason.starts_with("Towngauge is configured to fail closed"), "{reason}");
        }
    }

    fn used_up() -> WindowLevel {
        WindowLevel::Empty { name: "Claude Code 5 h".into(), resets_at: Some(NOW.plus_seconds(600)) }
    }

    #[test]
    fn a_window_that_is_used_up_stops_agents_whatever_money_is_left() {
        let stops = |policy: StopPolicy, balance, windows| match decide(policy, &Fuel { balance, windows }, NOW) {
            Decision::Go => None,
            Decision::Stop(reason) => Some(reason),
        };
        let open = policy(0, StopFail::Open);
        let rich = Balance::Known(Nanodollars(50 * DOLLAR));
        let reason = stops(open, rich, used_up()).unwrap();
        assert!(reason.contains("Claude Code 5 h") && reason.contains("resets in 10 min"), "{reason}");
        for balance in [Balance::NoTank, Balance::NoAnswer] {
            assert!(stops(open, balance, used_up()).unwrap().contains("Claude Code 5 h"), "{balance:?}");
        }
        assert_eq!(stops(open, rich, WindowLevel::Open), None);
        assert_eq!(stops(StopPolicy { windows: StopWindows::Off, ..open }, rich, used_up()), None);
        assert_eq!(stops(StopPolicy { mode: StopMode::Off, ..open }, rich, used_up()), None);
        // Money that has run out is said first.
        assert!(stops(open, Balance::Known(Nanodollars(0)), used_up()).unwrap().starts_with("Gas tank empty"));
    }

    #[test]
    fn who_has_windows_and_never_filled_a_tank_is_known_by_its_windows() {
        let closed = policy(0, StopFail::Closed);
        let fuel = Fuel { balance: Balance::NoTank, windows: WindowLevel::Open };
        assert_eq!((decide(closed, &fuel, NOW), fuel.is_unknown(closed)), (Decision::Go, false));
        let money_only = StopPolicy { windows: StopWindows::Off, ..closed };
        assert!(matches!(decide(money_only, &fuel, NOW), Decision::Stop(_)) && fuel.is_unknown(money_only));
        let fuel = Fuel { balance: Balance::NoAnswer, ..fuel };
        assert!(matches!(decide(closed, &fuel, NOW), Decision::Stop(_)), "nobody answered");
    }

    proptest! {
        #[test]
        fn off_never_stops_and_more_money_never_stops_sooner(left in any::<i64>(), more in 0_i64..i64::MAX, reserve in 0_i64..i64::MAX) {
            let off = StopPolicy { mode: StopMode::Off, ..policy(reserve, StopFail::Closed) };
            prop_assert_eq!(told(off, Balance::Known(Nanodollars(left))), Decision::Go);
            prop_assert_eq!(told(off, Balance::NoAnswer), Decision::Go);
            let goes = |left| told(policy(reserve, StopFail::Closed), Balance::Known(Nanodollars(left))) == Decision::Go;
            prop_assert!(!goes(left) || goes(left.saturating_add(more)));
        }
    }
}
