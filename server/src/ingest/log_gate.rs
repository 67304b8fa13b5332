//! How many lines of logs a town takes: what comes faster is left out, so that a program in trouble does not bury what agents
//! do.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use model::id::TownName;
use model::time::{MICROS_PER_SECOND, Timestamp};

/// So many seconds' lines may come at once.
const BURST_S: i64 = 10;
/// Towns remembered; beyond that all begin anew.
const MOST_TOWNS: usize = 1_000;

/// What each town may still bring, in millionths of a line, and when that was.
#[derive(Debug, Default)]
pub struct LogGate(Mutex<HashMap<TownName, (i64, Timestamp)>>);

impl LogGate {
    /// How many of `lines` that come at `now` are taken, the first ones, where `per_s` are in the long run.
    #[must_use]
    pub fn admit(&self, town: &TownName, lines: usize, per_s: u32, now: Timestamp) -> usize {
        if lines == 0 || per_s == 0 {
            return 0;
        }
        let per_s = i64::from(per_s);
        let most = per_s * BURST_S * MICROS_PER_SECOND;
        let mut towns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if towns.len() >= MOST_TOWNS && !towns.contains_key(town) {
            towns.clear();
        }
        let (left, at) = towns.entry(town.clone()).or_insert((most, now));
        let more = now.micros_since(*at).clamp(0, BURST_S * MICROS_PER_SECOND) * per_s;
        (*left, *at) = ((*left + more).min(most), now);
        let taken = usize::try_from(*left / MICROS_PER_SECOND).unwrap_or(0).min(lines);
        *left -= i64::try_from(taken).unwrap_or(0) * MICROS_PER_SECOND;
        taken
    }
}

/// Why a line is left out.
#[must_use]
pub fn left_out(per_s: u32) -> String {
    match per_s {
        0 => "log lines are not taken (log_lines_per_s = 0)".to_owned(),
        n => format!("left out: more than {n} log lines a second (log_lines_per_s)"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn town(name: &str) -> TownName {
        TownName::new(name).unwrap()
    }

    #[test]
    fn a_burst_is_taken_and_then_so_many_a_second() {
        let (gate, at) = (LogGate::default(), Timestamp::from_seconds);
        assert_eq!(gate.admit(&town("a"), 500, 20, at(100)), 200);
        assert_eq!(gate.admit(&town("a"), 500, 20, at(100)), 0);
        assert_eq!(gate.admit(&town("b"), 5, 20, at(100)), 5, "each town for itself");
        assert_eq!(gate.admit(&town("a"), 500, 20, at(101)), 20);
        assert_eq!(gate.admit(&town("a"), 500, 20, at(50)), 0, "a clock that went back brings nothing");
        assert_eq!(gate.admit(&town("a"), 500, 0, at(999)), 0);
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_rate(steps in prop::collection::vec((0..3_000_000_i64, 0..80_usize), 1..60)) {
            let gate = LogGate::default();
            let (mut now, mut taken) = (Timestamp(0), 0_i64);
            for (pause, lines) in steps {
                now = Timestamp(now.0 + pause);
                taken += i64::try_from(gate.admit(&town("a"), lines, 7, now)).unwrap();
                prop_assert!(taken <= 7 * BURST_S + now.0 * 7 / MICROS_PER_SECOND + 1);
            }
        }
    }
}
