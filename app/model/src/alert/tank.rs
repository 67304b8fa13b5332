//! The tanks' steps: low, empty, refilled.

use super::{AlertKind, AlertLimits, AlertState, Step};
use crate::fuel::{FuelKind, FuelState, FuelTank, WINDOW_FULL};
use crate::tank::{GasTank, PACE_WINDOW_S, Pace, Runway};
use crate::time::Timestamp;
use crate::unit::Nanodollars;

/// To be no longer empty, it must hold this much, in percent of full: a correction by cents is no filling.
const EMPTY_MARGIN_PERCENT: u32 = 2;

/// The step of the meter; none when it stays. Its pace counts once it was measured over its whole window: a town that is
/// a minute old has none to speak of.
#[must_use]
pub fn tank_step(state: AlertState, tank: &GasTank, pace: Pace, limits: &AlertLimits) -> Option<Step> {
    let lasts_s = match tank.runway(pace) {
        Runway::Seconds(seconds) if pace.over_s >= PACE_WINDOW_S => Some(seconds),
        Runway::Seconds(_) | Runway::NoSpend | Runway::Empty => None,
    };
    level_step(state, tank, lasts_s, limits)
}

/// The step of a tank beside the meter; none when it stays, or nobody knows what it holds. A window whose reset has passed
/// is whole again, also before anybody tells of the new one.
#[must_use]
pub fn fuel_step(state: AlertState, tank: &FuelTank, limits: &AlertLimits, now: Timestamp) -> Option<Step> {
    let gas = match (tank.state(now), tank.kind) {
        (FuelState::Unread, _) => return None,
        (FuelState::Reset, FuelKind::Window) => {
            GasTank { balance: Nanodollars(WINDOW_FULL), capacity: Nanodollars(WINDOW_FULL) }
        }
        (FuelState::Reset | FuelState::Stale | FuelState::Fresh, _) => tank.gas(),
    };
    level_step(state, &gas, tank.dry_in_s(now), limits)
}

/// Every way up is told as one filling, every way down once per state. `lasts_s`: seconds until it is dry; none: not as
/// far as one can see.
fn level_step(state: AlertState, tank: &GasTank, lasts_s: Option<i64>, limits: &AlertLimits) -> Option<Step> {
    let above =
        |percent: u32| i128::from(tank.balance.0) * 100 > i128::from(tank.capacity.0.max(0)) * i128::from(percent);
    let longer = |minutes: u32| minutes == 0 || lasts_s.is_none_or(|seconds| seconds > i64::from(minutes) * 60);
    let is_empty = tank.balance.0 <= 0;
    let is_low = !(above(limits.low_percent) && longer(limits.runway_minutes));
    let is_clear = above(limits.low_clear_percent) && longer(limits.runway_clear_minutes);
    let filled = |to| Some(Step { to, tell: Some(AlertKind::TankRefilled) });
    match state {
        AlertState::Empty if is_empty || !above(EMPTY_MARGIN_PERCENT) => None,
        AlertState::Empty if is_clear => filled(AlertState::Fine),
        // Filled, though not far: still low, and that is not told again.
        AlertState::Empty => filled(AlertState::Low),
        _ if is_empty => Some(Step::new(AlertState::Empty)),
        AlertState::Low if is_clear => filled(AlertState::Fine),
        AlertState::Low => None,
        _ if is_low => Some(Step::new(AlertState::Low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Without any pace.
    fn step_of(state: AlertState, tank: &GasTank) -> Option<Step> {
        tank_step(state, tank, Pace::default(), &AlertLimits::default())
    }

    #[test]
    fn a_full_tank_that_does_not_last_is_low_until_it_lasts_well() {
        let tank = GasTank { balance: Nanodollars(8_000), capacity: Nanodollars(10_000) };
        let lasting = |state, minutes: i64, over_s| {
            let pace = Pace { spent: Nanodollars(8_000 * over_s / (minutes * 60)), over_s };
            tank_step(state, &tank, pace, &AlertLimits::default()).map(|step| step.to)
        };
        assert_eq!(lasting(AlertState::Fine, 40, 300), None);
        assert_eq!(lasting(AlertState::Fine, 25, 300), Some(AlertState::Low));
        assert_eq!(lasting(AlertState::Fine, 25, 299), None, "no whole window of pace");
        assert_eq!(lasting(AlertState::Low, 40, 300), None);
        assert_eq!(lasting(AlertState::Low, 50, 300), Some(AlertState::Fine));
        let never = AlertLimits::resolve(|name| (name == "runway_minutes").then_some(0)).unwrap();
        let pace = Pace { spent: Nanodollars(8_000), over_s: 300 };
        assert_eq!(tank_step(AlertState::Fine, &tank, pace, &never), None);
    }

    /// Steps that balances of a tank of 10,000 cause, one after the other.
    fn told(balances: &[i64]) -> Vec<&'static str> {
        let mut state = AlertState::Fine;
        let mut told = Vec::new();
        for balance in balances {
            let tank = GasTank { balance: Nanodollars(*balance), capacity: Nanodollars(10_000) };
            if let Some(step) = step_of(state, &tank) {
                assert_ne!(step.to, state);
                state = step.to;
                told.extend(step.tell.map(AlertKind::name));
            }
        }
        told
    }

    #[test]
    fn each_step_is_told_once_and_trembling_at_a_limit_is_not() {
        let check = |balances: &[i64], want: &[&str]| assert_eq!(told(balances), want, "{balances:?}");
        check(&[10_000, 2_001, 2_000], &["tank.low"]);
        check(&[2_000, 2_001, 1_999, 2_400, 2_000], &["tank.low"]);
        check(&[2_000, 2_501, 2_000], &["tank.low", "tank.refilled", "tank.low"]);
        check(&[2_000, 0, -5, 3, 200, -1], &["tank.low", "tank.empty"]);
        check(&[5_000, -1], &["tank.empty"]);
        check(&[0, 201, 200, 0], &["tank.empty", "tank.refilled", "tank.empty"]);
        check(&[0, 10_000], &["tank.empty", "tank.refilled"]);
        check(&[0, 1_000, 5_000], &["tank.empty", "tank.refilled", "tank.refilled"]);
    }

    #[test]
    fn a_window_is_low_then_empty_and_refilled_by_its_reset() {
        let now = Timestamp::from_seconds(1_772_128_800);
        let window = |left| FuelTank {
            name: "Claude Code 5 h".into(),
            source: "claude_code".into(),
            kind: FuelKind::Window,
            meter: false,
            left,
            full: WINDOW_FULL,
            currency: String::new(),
            resets_at: Some(now.plus_seconds(600)),
            read_at: Some(now),
            trouble: None,
            band: None,
        };
        let mut state = AlertState::Fine;
        let mut told = |tank: &FuelTank, s: i64| {
            let step = fuel_step(state, tank, &AlertLimits::default(), now.plus_seconds(s))?;
            state = step.to;
            step.tell.map(AlertKind::name)
        };
        assert_eq!(told(&window(200_001), 0), None);
        assert_eq!(told(&window(200_000), 0), Some("tank.low"));
        assert_eq!(told(&window(0), 0), Some("tank.empty"));
        assert_eq!(told(&window(0), 599), None);
        assert_eq!(told(&window(0), 600), Some("tank.refilled"));
        assert_eq!(told(&window(0), 700), None);
        assert_eq!(told(&FuelTank { read_at: None, ..window(0) }, 0), None, "never read");
    }

    #[test]
    fn a_tank_without_a_capacity_is_empty_or_full() {
        let tank = |balance| GasTank { balance: Nanodollars(balance), capacity: Nanodollars(0) };
        assert_eq!(step_of(AlertState::Fine, &tank(5)), None);
        assert_eq!(step_of(AlertState::Fine, &tank(0)).unwrap().to, AlertState::Empty);
    }

    proptest! {
        /// Whatever the balances: a state is never told twice in a row, and a filling is told only from below.
        #[test]
        fn every_step_leads_somewhere_else(balances in proptest::collection::vec(-2_000_i64..12_000, 0..200)) {
            let mut state = AlertState::Fine;
            for balance in balances {
                let tank = GasTank { balance: Nanodollars(balance), capacity: Nanodollars(10_000) };
                let Some(step) = step_of(state, &tank) else { continue };
                let rank = |state| [AlertState::Empty, AlertState::Low, AlertState::Fine].iter().position(|s| *s == state);
                let (before, after) = (rank(state), rank(step.to));
                prop_assert_ne!(before, after);
                prop_assert_eq!(step.tell == Some(AlertKind::TankRefilled), after > before);
                // The same reading causes no second step.
                prop_assert_eq!(step_of(step.to, &tank), None);
                state = step.to;
            }
        }

        /// A balance that stays within the margin around a limit causes one step at most.
        #[test]
        fn trembling_within_the_margin_is_told_once(balances in proptest::collection::vec(1_801_i64..2_500, 1..200)) {
            prop_assert!(told(&balances).len() <= 1);
        }
    }
}
