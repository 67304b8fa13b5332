//! The tanks' steps: low, empty, refilled.

use super::{AlertKind, AlertState, Step};
use crate::fuel::{FuelKind, FuelState, FuelTank, WINDOW_FULL};
use crate::tank::GasTank;
use crate::time::Timestamp;
use crate::unit::Nanodollars;

/// Where a tank's steps are, in percent of full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TankLimits {
    /// At or below it, the tank is low: the red zone of the scale by default.
    pub low_percent: u8,
}

impl Default for TankLimits {
    fn default() -> Self {
        Self { low_percent: 20 }
    }
}

/// To be no longer low, a tank must be this much above the limit, in percent of full.
const LOW_MARGIN_PERCENT: u8 = 5;
/// To be no longer empty, it must hold this much, in percent of full: a correction by cents is no filling.
const EMPTY_MARGIN_PERCENT: u8 = 2;

/// The step of a tank; none when it stays. Every way up is told as one filling, every way down once per state.
#[must_use]
pub fn tank_step(state: AlertState, tank: &GasTank, limits: TankLimits) -> Option<Step> {
    let above =
        |percent: u8| i128::from(tank.balance.0) * 100 > i128::from(tank.capacity.0.max(0)) * i128::from(percent);
    let is_empty = tank.balance.0 <= 0;
    let is_low = !above(limits.low_percent);
    let is_clear = above(limits.low_percent.saturating_add(LOW_MARGIN_PERCENT).min(99));
    let step = |to, kind| Some(Step { to, tell: Some(kind) });
    match state {
        AlertState::Empty if is_empty || !above(EMPTY_MARGIN_PERCENT) => None,
        AlertState::Empty if is_clear => step(AlertState::Fine, AlertKind::TankRefilled),
        // Filled, though not far: still low, and that is not told again.
        AlertState::Empty => step(AlertState::Low, AlertKind::TankRefilled),
        _ if is_empty => step(AlertState::Empty, AlertKind::TankEmpty),
        AlertState::Low if is_clear => step(AlertState::Fine, AlertKind::TankRefilled),
        AlertState::Low => None,
        _ if is_low => step(AlertState::Low, AlertKind::TankLow),
        _ => None,
    }
}

/// The step of a tank beside the meter; none when it stays, or nobody knows what it holds. A window whose reset has passed
/// is whole again, also before anybody tells of the new one.
#[must_use]
pub fn fuel_step(state: AlertState, tank: &FuelTank, limits: TankLimits, now: Timestamp) -> Option<Step> {
    let gas = match (tank.state(now), tank.kind) {
        (FuelState::Unread, _) => return None,
        (FuelState::Reset, FuelKind::Window) => {
            GasTank { balance: Nanodollars(WINDOW_FULL), capacity: Nanodollars(WINDOW_FULL) }
        }
        (FuelState::Reset | FuelState::Stale | FuelState::Fresh, _) => tank.gas(),
    };
    tank_step(state, &gas, limits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Steps that balances of a tank of 10,000 cause, one after the other.
    fn told(balances: &[i64]) -> Vec<&'static str> {
        let mut state = AlertState::Fine;
        let mut told = Vec::new();
        for balance in balances {
            let tank = GasTank { balance: Nanodollars(*balance), capacity: Nanodollars(10_000) };
            if let Some(step) = tank_step(state, &tank, TankLimits::default()) {
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
            let step = fuel_step(state, tank, TankLimits::default(), now.plus_seconds(s))?;
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
        assert_eq!(tank_step(AlertState::Fine, &tank(5), TankLimits::default()), None);
        assert_eq!(tank_step(AlertState::Fine, &tank(0), TankLimits::default()).unwrap().to, AlertState::Empty);
    }

    proptest! {
        /// Whatever the balances: a state is never told twice in a row, and a filling is told only from below.
        #[test]
        fn every_step_leads_somewhere_else(balances in proptest::collection::vec(-2_000_i64..12_000, 0..200)) {
            let mut state = AlertState::Fine;
            for balance in balances {
                let tank = GasTank { balance: Nanodollars(balance), capacity: Nanodollars(10_000) };
                let Some(step) = tank_step(state, &tank, TankLimits::default()) else { continue };
                let rank = |state| [AlertState::Empty, AlertState::Low, AlertState::Fine].iter().position(|s| *s == state);
                let (before, after) = (rank(state), rank(step.to));
                prop_assert_ne!(before, after);
                prop_assert_eq!(step.tell == Some(AlertKind::TankRefilled), after > before);
                // The same reading causes no second step.
                prop_assert_eq!(tank_step(step.to, &tank, TankLimits::default()), None);
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
