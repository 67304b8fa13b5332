//! What was found at a look, and which of it has held long enough to be a step.
//!
//! Pure, and independent of the order in which things are looked at: each is judged by itself.

use std::collections::BTreeMap;

use super::{AlertLimits, AlertState, Step};
use crate::time::Timestamp;

/// The conditions that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// What a tank holds, or how long it lasts.
    Tank,
    /// Whether a source is heard.
    Source,
    /// Whether an agent's hooked work goes on.
    Agent,
    /// How often an agent is started.
    Restarts,
    /// How many calls fail.
    Errors,
    /// How many beads wait.
    Review,
}

impl Condition {
    /// Seconds for which it must hold before an alert begins, and its end before the alert ends.
    #[must_use]
    pub fn hold_s(self, limits: &AlertLimits) -> i64 {
        i64::from(match self {
            Self::Tank => limits.low_hold_s,
            Self::Source => limits.silent_hold_s,
            Self::Agent => limits.stalled_hold_s,
            Self::Restarts => limits.restart_hold_s,
            Self::Errors => limits.error_hold_s,
            Self::Review => limits.review_hold_s,
        })
    }
}

/// What was found of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is, unique within its town.
    pub subject: String,
    /// What is watched of it.
    pub condition: Condition,
    /// The state that it is in.
    pub from: AlertState,
    /// The step that its reading asks for; none: it stays.
    pub step: Option<Step>,
}

/// A step that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    /// Towards worse, or towards better.
    up: bool,
    since: Timestamp,
}

/// What waits of one town, by subject. In memory only: after a restart an alert begins or ends a little later, not twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds(BTreeMap<String, Waiting>);

impl Holds {
    /// The steps that are due at `now`, by subject, each of which must have been found once. What was not found, or asks
    /// for no step any more, waits no longer.
    pub fn look(&mut self, found: &[Found], limits: &AlertLimits, now: Timestamp) -> Vec<(String, Step)> {
        let mut waits = BTreeMap::new();
        let mut due = BTreeMap::new();
        for Found { subject, condition, from, step } in found {
            let Some(step) = step else { continue };
            let up = step.to.rank() > from.rank();
            let since = self.0.get(subject).filter(|waiting| waiting.up == up).map_or(now, |waiting| waiting.since);
            if now.seconds() - since.seconds() >= condition.hold_s(limits) {
                due.insert(subject.clone(), *step);
            } else {
                waits.insert(subject.clone(), Waiting { up, since });
            }
        }
        self.0 = waits;
        due.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::{AlertKind, Calls, error_step, restart_step, review_step};

    const T0: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn held(error_hold_s: u32, review_hold_s: u32) -> AlertLimits {
        AlertLimits::resolve(|name| match name {
            "error_hold_s" => Some(error_hold_s),
            "review_hold_s" => Some(review_hold_s),
            _ => None,
        })
        .unwrap()
    }

    /// What is found of a town in these states, with readings.
    fn found(states: &BTreeMap<&'static str, AlertState>, counts: [i64; 3], limits: &AlertLimits) -> Vec<Found> {
        let state = |subject| states.get(subject).copied().unwrap_or_default();
        let [starts, failed, waiting] = counts;
        let one = |subject: &'static str, condition, step: &dyn Fn(AlertState) -> Option<Step>| Found {
            subject: subject.to_owned(),
            condition,
            from: state(subject),
            step: step(state(subject)),
        };
        vec![
            one("loop/a", Condition::Restarts, &|state| restart_step(state, starts, limits)),
            one("errors", Condition::Errors, &|state| error_step(state, Calls { all: 20, failed }, limits)),
            one("review", Condition::Review, &|state| review_step(state, waiting, limits)),
        ]
    }

    /// Looks at readings, one every five seconds; gives what is told of each subject.
    fn told(readings: &[[i64; 3]], limits: &AlertLimits, mixed: bool) -> BTreeMap<&'static str, Vec<(i64, AlertKind)>> {
        let mut holds = Holds::default();
        let mut states: BTreeMap<&'static str, AlertState> = BTreeMap::new();
        let mut all: BTreeMap<&'static str, Vec<(i64, AlertKind)>> = BTreeMap::new();
        for (at_s, counts) in (0_i64..).step_by(5).zip(readings) {
            let mut found = found(&states, *counts, limits);
            if mixed {
                found.rotate_left(usize::try_from(at_s / 5 % 3).unwrap());
                found.reverse();
            }
            for (subject, step) in holds.look(&found, limits, T0.plus_seconds(at_s)) {
                let subject = ["loop/a", "errors", "review"].into_iter().find(|known| *known == subject).unwrap();
                states.insert(subject, step.to);
                all.entry(subject).or_default().push((at_s, step.tell.unwrap()));
            }
        }
        all
    }

    #[test]
    fn what_does_not_hold_is_not_told_and_what_holds_is_told_once() {
        let limits = held(30, 60);
        let blip = [[0, 15, 0], [0, 15, 0], [0, 0, 0]].repeat(20);
        assert!(told(&blip, &limits, false).is_empty());
        let spike: Vec<_> = (0..30).map(|look| [0, if look < 12 { 15 } else { 0 }, 0]).collect();
        assert_eq!(told(&spike, &limits, false)["errors"], [(30, AlertKind::ErrorSpike), (90, AlertKind::Cleared)]);
    }

    proptest! {
        /// Each alert begins and ends in turn: raised once and cleared once per episode, and never sooner than it must hold.
        #[test]
        fn an_episode_is_raised_once_and_cleared_once(readings in proptest::collection::vec([0_i64..9, 0_i64..20, 0_i64..16], 1..80), hold_s in 0_u32..40) {
            let limits = held(hold_s, hold_s);
            for (subject, told) in told(&readings, &limits, false) {
                for (place, (at_s, kind)) in told.iter().enumerate() {
                    prop_assert_eq!(*kind == AlertKind::Cleared, place % 2 == 1, "{}", subject);
                    let before_s = place.checked_sub(1).map_or(0, |before| told[before].0);
                    if subject != "loop/a" {
                        prop_assert!(at_s - before_s >= i64::from(hold_s));
                    }
                }
            }
        }

        /// Within the band between the thresholds nothing is told but, at most, what was so before.
        #[test]
        fn nothing_flaps_within_the_band(readings in proptest::collection::vec([3_i64..5, 6_i64..10, 6_i64..10], 1..60), on in any::<bool>()) {
            let limits = held(0, 0);
            let first = if on { [9, 19, 19] } else { [0, 0, 0] };
            let readings = [vec![first], readings].concat();
            for (subject, told) in told(&readings, &limits, false) {
                prop_assert!(on && told.len() == 1, "{} {:?}", subject, told);
            }
        }

        /// The order in which things are looked at does not matter.
        #[test]
        fn the_order_of_looking_does_not_matter(readings in proptest::collection::vec([0_i64..9, 0_i64..20, 0_i64..16], 1..80), hold_s in 0_u32..40) {
            let limits = held(hold_s, hold_s);
            prop_assert_eq!(told(&readings, &limits, false), told(&readings, &limits, true));
        }
    }
}
