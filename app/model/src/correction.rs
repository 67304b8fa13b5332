//! How a provider's balance corrects the meter, without chasing what is only late.
//!
//! Two things are late by nature. A provider bills a call some time after the meter has seen it: its balance may then be
//! higher than the meter by what was spent within [`BILLING_LAG_S`], and is believed to agree. And calls reach the
//! meter after they were made (an exporter sends every minute, a session elsewhere is read later): the provider's
//! balance is then lower, until they come. So a balance that is too low is entered only when the next reading finds it
//! too low again, and then by the lesser of the two differences; one that is too high is entered at once, for nothing
//! late explains it.

use serde::{Deserialize, Serialize};

use crate::unit::Nanodollars;

/// How long a provider may take to bill a call.
pub const BILLING_LAG_S: i64 = 120;
/// Differences up to this are not entered: a cent.
pub const TOLERANCE: Nanodollars = Nanodollars(10_000_000);

/// The meter, as far as a correction needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// What it says is left.
    pub balance: Nanodollars,
    /// What of its spending is younger than [`BILLING_LAG_S`].
    pub recent: Nanodollars,
    /// What counts as full.
    pub capacity: Nanodollars,
}

/// What a balance leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The meter agrees.
    Agrees,
    /// The balance is too low by this much (a negative amount): to be seen again before it counts.
    Wait(Nanodollars),
    /// The meter is put right by this much.
    Correct(Nanodollars),
    /// Somebody filled the tank at the provider's: beyond what counted as full. A top-up, so that full means this.
    Fill(Nanodollars),
}

/// What a provider's `balance` leads to; `pending` is the [`Step::Wait`] of the reading before, or zero. Without a
/// meter the balance is where it begins.
#[must_use]
pub fn step(meter: Option<Meter>, balance: Nanodollars, pending: Nanodollars) -> Step {
    let Some(meter) = meter else { return Step::Fill(balance) };
    let (lowest, highest) = (meter.balance, meter.balance + meter.recent.max(Nanodollars::ZERO));
    if balance > highest + TOLERANCE {
        let more = balance - highest;
        if balance > meter.capacity + TOLERANCE { Step::Fill(more) } else { Step::Correct(more) }
    } else if balance + TOLERANCE < lowest {
        let less = balance - lowest;
        if pending < Nanodollars::ZERO { Step::Correct(less.max(pending)) } else { Step::Wait(less) }
    } else {
        Step::Agrees
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CENT: i64 = 10_000_000;

    const fn cents(n: i64) -> Nanodollars {
        Nanodollars(n * CENT)
    }

    fn meter(balance: i64, recent: i64) -> Option<Meter> {
        Some(Meter { balance: cents(balance), recent: cents(recent), capacity: cents(10_000) })
    }

    #[test]
    fn an_empty_ledger_begins_with_what_the_provider_says() {
        assert_eq!(step(None, cents(7_475), cents(0)), Step::Fill(cents(7_475)));
    }

    #[test]
    fn equal_is_no_entry_nor_is_less_than_a_cent() {
        for cent in [-1, 0, 1] {
            assert_eq!(step(meter(7_475, 0), cents(7_475 + cent), cents(0)), Step::Agrees);
        }
    }

    #[test]
    fn too_low_counts_when_it_is_seen_twice_and_then_by_the_lesser_difference() {
        let first = step(meter(7_510, 0), cents(7_475), cents(0));
        assert_eq!(first, Step::Wait(cents(-35)));
        assert_eq!(step(meter(7_510, 0), cents(7_475), cents(-35)), Step::Correct(cents(-35)));
        // A late call came meanwhile: only the rest is put right.
        assert_eq!(step(meter(7_490, 0), cents(7_475), cents(-35)), Step::Correct(cents(-15)));
        assert_eq!(step(meter(7_475, 0), cents(7_475), cents(-35)), Step::Agrees);
    }

    #[test]
    fn what_is_not_billed_yet_is_not_put_right() {
        assert_eq!(step(meter(7_000, 50), cents(7_050), cents(0)), Step::Agrees);
        assert_eq!(step(meter(7_000, 50), cents(7_020), cents(0)), Step::Agrees);
        assert_eq!(step(meter(7_000, 50), cents(7_060), cents(0)), Step::Correct(cents(10)));
    }

    #[test]
    fn more_than_full_is_a_top_up() {
        assert_eq!(step(meter(7_000, 0), cents(9_000), cents(0)), Step::Correct(cents(2_000)));
        assert_eq!(step(meter(7_000, 0), cents(12_000), cents(0)), Step::Fill(cents(5_000)));
    }

    proptest! {
        /// Whatever differs: after at most two readings the meter agrees, and stays so.
        #[test]
        fn the_meter_comes_to_agree(balance in -100_000_i64..100_000, told in -100_000_i64..100_000) {
            let (mut balance, told) = (Nanodollars(balance * 1_000_003), Nanodollars(told * 1_000_003));
            let (mut pending, mut entries) = (Nanodollars(0), 0);
            for _ in 0..4 {
                let meter = Some(Meter { balance, recent: Nanodollars(0), capacity: cents(10_000) });
                let step = step(meter, told, pending);
                pending = if let Step::Wait(less) = step { less } else { Nanodollars(0) };
                if let Step::Correct(amount) | Step::Fill(amount) = step {
                    balance += amount;
                    entries += 1;
                }
            }
            prop_assert!(entries <= 1);
            prop_assert!((balance.0 - told.0).abs() <= TOLERANCE.0);
        }

        /// A provider that bills within the lag never leads to an entry.
        #[test]
        fn a_provider_that_lags_is_not_chased(spent in proptest::collection::vec(0_i64..1_000_000_000, 2..60), lag in 0_usize..2) {
            // One reading a minute; the provider knows what was spent `lag` minutes ago and before.
            let start = 1_000_000_000_000_i64;
            let mut meter = start;
            for minute in 0..spent.len() {
                meter -= spent[minute];
                let billed: i64 = spent[..=minute - lag.min(minute)].iter().sum::<i64>()
                    - if lag > minute { spent[0] } else { 0 };
                let recent: i64 = spent[minute.saturating_sub(1)..=minute].iter().sum();
                let now = Meter { balance: Nanodollars(meter), recent: Nanodollars(recent), capacity: Nanodollars(start) };
                prop_assert_eq!(step(Some(now), Nanodollars(start - billed), Nanodollars(0)), Step::Agrees);
            }
        }
    }
}
