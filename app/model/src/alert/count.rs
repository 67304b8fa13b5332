//! Steps of what is counted: starts of an agent, calls that fail, beads that wait.

use super::{AlertLimits, AlertState, Step, switch};
use crate::aggregate::Aggregate;

/// Calls of models and tools within the window of errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// All of them.
    pub all: i64,
    /// Those that failed.
    pub failed: i64,
}

impl Calls {
    /// The calls of a sum.
    #[must_use]
    pub const fn of(sum: &Aggregate) -> Self {
        Self { all: sum.calls + sum.tool_calls, failed: sum.call_errors + sum.tool_errors }
    }

    /// Whether at least (or, `strictly`, more than) `percent` of them failed.
    fn share_is(self, percent: u32, strictly: bool) -> bool {
        let (failed, bound) = (i128::from(self.failed) * 100, i128::from(self.all) * i128::from(percent));
        failed > bound || (failed == bound && !strictly)
    }
}

/// The step of an agent that was started `starts` times within the window; none when it stays.
#[must_use]
pub fn restart_step(state: AlertState, starts: i64, limits: &AlertLimits) -> Option<Step> {
    count_step(state, AlertState::Looping, starts, limits.restarts, limits.restarts_clear)
}

/// The step of a town whose beads wait, `waiting` of them; none when it stays.
#[must_use]
pub fn review_step(state: AlertState, waiting: i64, limits: &AlertLimits) -> Option<Step> {
    count_step(state, AlertState::Waiting, waiting, limits.review, limits.review_clear)
}

/// The step of a town's calls; none when it stays. Both must be many, the errors and their share: one failed call of two
/// is no spike, nor are ten of a thousand.
#[must_use]
pub fn error_step(state: AlertState, calls: Calls, limits: &AlertLimits) -> Option<Step> {
    let on = limits.errors > 0;
    let begins = on && calls.failed >= i64::from(limits.errors) && calls.share_is(limits.error_percent, false);
    let ends = calls.failed <= i64::from(limits.errors_clear) || !calls.share_is(limits.error_clear_percent, true);
    switch(state, AlertState::Failing, begins, ends || !on)
}

fn count_step(state: AlertState, to: AlertState, count: i64, raise: u32, clear: u32) -> Option<Step> {
    switch(state, to, raise > 0 && count >= i64::from(raise), count <= i64::from(clear) || raise == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::AlertKind;

    fn errors(state: AlertState, failed: i64, all: i64) -> Option<AlertState> {
        error_step(state, Calls { all, failed }, &AlertLimits::default()).map(|step| step.to)
    }

    #[test]
    fn errors_spike_by_their_number_and_their_share() {
        let (fine, failing) = (AlertState::Fine, AlertState::Failing);
        assert_eq!(errors(fine, 9, 9), None, "too few");
        assert_eq!(errors(fine, 10, 51), None, "too small a share");
        assert_eq!(errors(fine, 10, 50), Some(failing));
        assert_eq!(errors(failing, 6, 50), None);
        assert_eq!(errors(failing, 5, 6), Some(fine), "few");
        assert_eq!(errors(failing, 20, 200), Some(fine), "a small share");
        assert_eq!(errors(failing, 21, 200), None);
        assert_eq!(errors(failing, 0, 0), Some(fine), "nobody calls any more");
    }

    #[test]
    fn starts_and_waiting_beads_are_told_at_their_thresholds() {
        let limits = AlertLimits::default();
        let told = |step: Option<Step>| step.map(|step| step.tell.unwrap());
        assert_eq!(told(restart_step(AlertState::Fine, 4, &limits)), None);
        assert_eq!(told(restart_step(AlertState::Fine, 5, &limits)), Some(AlertKind::RestartLoop));
        assert_eq!(told(restart_step(AlertState::Looping, 3, &limits)), None);
        assert_eq!(told(restart_step(AlertState::Looping, 2, &limits)), Some(AlertKind::Cleared));
        assert_eq!(told(review_step(AlertState::Fine, 10, &limits)), Some(AlertKind::ReviewQueue));
        assert_eq!(told(review_step(AlertState::Waiting, 6, &limits)), None);
        let off = AlertLimits::resolve(|name| ["restarts", "review", "errors"].contains(&name).then_some(0)).unwrap();
        assert_eq!(told(restart_step(AlertState::Fine, 500, &off)), None);
        assert_eq!(told(review_step(AlertState::Waiting, 500, &off)), Some(AlertKind::Cleared));
        assert_eq!(told(error_step(AlertState::Failing, Calls { all: 9, failed: 9 }, &off)), Some(AlertKind::Cleared));
    }

    proptest! {
        /// The same reading causes no second step, and between the thresholds there is none at all.
        #[test]
        fn a_reading_causes_one_step_at_most(count in 0_i64..20, all in 0_i64..60, on in any::<bool>()) {
            let limits = AlertLimits::default();
            let calls = Calls { all: all.max(count), failed: count };
            type Rule<'a> = &'a dyn Fn(AlertState) -> Option<Step>;
            let rules: [(AlertState, Rule<'_>); 3] = [
                (AlertState::Looping, &|state| restart_step(state, count, &limits)),
                (AlertState::Waiting, &|state| review_step(state, count, &limits)),
                (AlertState::Failing, &|state| error_step(state, calls, &limits)),
            ];
            for (alert, rule) in rules {
                let state = if on { alert } else { AlertState::Fine };
                if let Some(step) = rule(state) {
                    prop_assert_ne!(step.to, state);
                    prop_assert_eq!(rule(step.to), None);
                }
            }
        }
    }
}
