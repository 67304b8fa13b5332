//! Windows of subscriptions as they stop agents: a window that is used up is an empty tank until its reset.

use serde::{Deserialize, Serialize};

use crate::fuel::{FuelKind, FuelState, FuelTank, span};
use crate::time::Timestamp;

/// Whether windows stop agents too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopWindows {
    /// Those of the agent's own subscription: Codex's windows stop no Claude Code.
    #[default]
    Own,
    /// None: only money does.
    Off,
}

impl StopWindows {
    /// As in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Off => "off",
        }
    }
    /// Reads [`StopWindows::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Own, Self::Off].into_iter().find(|windows| windows.name() == raw)
    }
}

/// What is known of the windows that cover an agent's calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowLevel {
    /// Nobody told of one: the agent may have no subscription.
    #[default]
    Untold,
    /// Something is left in each, as far as anybody knows.
    Open,
    /// One is used up.
    Empty {
        /// Its name, such as `Claude Code 5 h`.
        name: String,
        /// When it begins anew.
        resets_at: Option<Timestamp>,
    },
}

impl WindowLevel {
    /// What `tanks` say at `now` of the windows of whoever `sources` tell of. Of several that are used up the one that
    /// resets last.
    #[must_use]
    pub fn of(tanks: &[FuelTank], sources: &[&str], now: Timestamp) -> Self {
        let own = tanks.iter().filter(|tank| covers(tank, sources) && tank.read_at.is_some());
        let empty = own.clone().filter(|tank| is_used_up(tank, now));
        match empty.max_by_key(|tank| tank.resets_at) {
            Some(tank) => Self::Empty { name: tank.name.clone(), resets_at: tank.resets_at },
            None if own.count() > 0 => Self::Open,
            None => Self::Untold,
        }
    }

    /// Why agents are stopped, if a window is used up.
    pub(super) fn reason(&self, now: Timestamp) -> Option<String> {
        let Self::Empty { name, resets_at } = self else { return None };
        let resets = match resets_at {
            Some(at) => format!("resets in {}, at {at}", span(at.seconds() - now.seconds())),
            None => "nobody said when it resets".to_owned(),
        };
        Some(format!("Subscription window used up: {name} has 0 % left, {resets}"))
    }
}

/// Whether every call of the sources' agent draws from the tank. A window of one model only, such as `Claude Code 7 d opus`,
/// does not count: a hook does not say which model its agent uses.
fn covers(tank: &FuelTank, sources: &[&str]) -> bool {
    let words = || tank.name.split_whitespace();
    let is_length = |unit: &str| matches!(unit, "h" | "d" | "min");
    let after_length = words().position(is_length).map_or(0, |place| words().count() - place - 1);
    tank.kind == FuelKind::Window && sources.contains(&tank.source.as_str()) && after_length == 0
}

/// Nothing comes back before the reset, so an old reading is as good as a new one; without a reset only while it is new.
fn is_used_up(tank: &FuelTank, now: Timestamp) -> bool {
    let holds = match tank.state(now) {
        FuelState::Fresh => true,
        FuelState::Stale => tank.resets_at.is_some(),
        FuelState::Unread | FuelState::Reset => false,
    };
    holds && tank.left <= 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuel::{WINDOW_FULL, WINDOW_STALE_S};

    const NOW: Timestamp = Timestamp::from_seconds(1_772_128_800);

    fn window(name: &str, source: &str, left: i64, resets_in_s: Option<i64>) -> FuelTank {
        FuelTank {
            name: name.into(),
            source: source.into(),
            kind: FuelKind::Window,
            meter: false,
            left,
            full: WINDOW_FULL,
            currency: String::new(),
            resets_at: resets_in_s.map(|s| NOW.plus_seconds(s)),
            read_at: Some(NOW.plus_seconds(-60)),
            trouble: None,
            band: None,
        }
    }

    fn empty(tanks: &[FuelTank]) -> Option<String> {
        match WindowLevel::of(tanks, &["claude_code"], NOW) {
            WindowLevel::Empty { name, .. } => Some(name),
            WindowLevel::Open | WindowLevel::Untold => None,
        }
    }

    #[test]
    fn a_window_that_is_used_up_is_empty_until_its_reset() {
        let tank = window("Claude Code 5 h", "claude_code", 0, Some(2_400));
        let level = WindowLevel::of(std::slice::from_ref(&tank), &["claude_code"], NOW);
        let want =
            "Subscription window used up: Claude Code 5 h has 0 % left, resets in 40 min, at 2026-02-26T18:40:00Z";
        assert_eq!(level.reason(NOW).as_deref(), Some(want));
        let at = |s: i64| WindowLevel::of(std::slice::from_ref(&tank), &["claude_code"], NOW.plus_seconds(s));
        assert!(matches!(at(2_399), WindowLevel::Empty { .. }));
        assert_eq!(at(2_400), WindowLevel::Open);
        assert_eq!(empty(&[FuelTank { left: 1, ..tank.clone() }]), None);
        assert!(empty(&[FuelTank { left: -20_000, ..tank.clone() }]).is_some());
        // However old the reading: nothing comes back before.
        let old = FuelTank { read_at: Some(NOW.plus_seconds(-9_000)), ..tank };
        assert!(empty(std::slice::from_ref(&old)).is_some());
        assert_eq!(empty(&[FuelTank { resets_at: None, ..old.clone() }]), None);
        let fresh = FuelTank { resets_at: None, read_at: Some(NOW.plus_seconds(-WINDOW_STALE_S)), ..old };
        let level = WindowLevel::of(&[fresh], &["claude_code"], NOW);
        assert!(level.reason(NOW).unwrap().ends_with("nobody said when it resets"));
    }

    #[test]
    fn only_windows_that_cover_every_call_of_the_agent_stop_it() {
        let check = |name: &str, source: &str, want: bool| {
            assert_eq!(empty(&[window(name, source, 0, Some(60))]).is_some(), want, "{name} {source}");
        };
        check("Claude Code 5 h", "claude_code", true);
        check("Claude Code 7 d", "claude_code", true);
        check("My Max plan", "claude_code", true);
        check("Claude Code 7 d opus", "claude_code", false);
        check("Codex 5 h", "codex", false);
        let money = FuelTank { kind: FuelKind::Money, ..window("Claude Code 5 h", "claude_code", 0, None) };
        assert_eq!(WindowLevel::of(&[money], &["claude_code"], NOW), WindowLevel::Untold);
        let unread = FuelTank { read_at: None, ..window("Claude Code 5 h", "claude_code", 0, None) };
        assert_eq!(WindowLevel::of(&[unread], &["claude_code"], NOW), WindowLevel::Untold);
    }

    #[test]
    fn of_several_the_one_that_resets_last_is_named() {
        let tanks = [("5 h", 60), ("7 d", 90_000)]
            .map(|(name, s)| window(&format!("Claude Code {name}"), "claude_code", 0, Some(s)));
        assert_eq!(empty(&tanks).as_deref(), Some("Claude Code 7 d"));
        let open = [window("Claude Code 5 h", "claude_code", 5, Some(60))];
        assert_eq!(WindowLevel::of(&open, &["claude_code"], NOW), WindowLevel::Open);
    }

    proptest! {
        /// Whatever other agents' windows hold, it changes nothing.
        #[test]
        fn others_windows_never_matter(own in 0_i64..3, lefts in proptest::collection::vec(-5_i64..5, 0..6)) {
            let mut tanks = vec![window("Claude Code 5 h", "claude_code", own, Some(60))];
            let alone = WindowLevel::of(&tanks, &["claude_code"], NOW);
            tanks.extend(lefts.iter().map(|left| window("Codex 5 h", "codex", *left, Some(6_000))));
            prop_assert_eq!(WindowLevel::of(&tanks, &["claude_code"], NOW), alone);
        }
    }
}
