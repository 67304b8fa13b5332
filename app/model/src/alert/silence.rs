//! A source's steps: silent, and heard again.
//!
//! Silence alone is no alarm: at night nobody works. A source is silent when its town worked all through the limit, as
//! other sources tell, while nothing came from this one; and only if it was heard within the last day, since what was
//! not is not in use. So a person who turns from one agent to another is told of it once, and nights are never told.

use super::{AlertLimits, AlertState, Step, switch};
use crate::time::Timestamp;

/// What was not heard for this long is not in use.
const IN_USE_S: i64 = 24 * 3_600;

/// What is known of a source and of its town.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceReading {
    /// When anything came from the source.
    pub heard: Timestamp,
    /// Since when other sources have told of work without a pause; none: they tell of none now.
    pub working_since: Option<Timestamp>,
}

/// The step of a source; none when it stays. Only hearing from it ends a silence.
#[must_use]
pub fn silence_step(state: AlertState, reading: SourceReading, limits: &AlertLimits, now: Timestamp) -> Option<Step> {
    let limit_s = i64::from(limits.silent_minutes) * 60;
    let quiet_s = now.seconds() - reading.heard.seconds();
    let worked_s = reading.working_since.map_or(0, |since| now.seconds() - since.seconds());
    let begins = quiet_s >= limit_s && quiet_s < IN_USE_S && worked_s >= limit_s;
    switch(state, AlertState::Silent, begins, quiet_s < i64::from(limits.silent_clear_minutes) * 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn step(state: AlertState, quiet_s: i64, worked_s: Option<i64>) -> Option<AlertState> {
        let heard = NOW.plus_seconds(-quiet_s);
        let reading = SourceReading { heard, working_since: worked_s.map(|s| NOW.plus_seconds(-s)) };
        silence_step(state, reading, &AlertLimits::default(), NOW).map(|step| step.to)
    }

    #[test]
    fn a_source_is_silent_only_while_its_town_works() {
        let silent = Some(AlertState::Silent);
        assert_eq!(step(AlertState::Fine, 900, Some(900)), silent);
        assert_eq!(step(AlertState::Fine, 899, Some(5_000)), None, "not long enough");
        assert_eq!(step(AlertState::Fine, 9_000, None), None, "the town sleeps");
        assert_eq!(step(AlertState::Fine, 30_000, Some(60)), None, "the town has just woken");
        assert_eq!(step(AlertState::Fine, 24 * 3_600, Some(5_000)), None, "not in use");
        assert_eq!(step(AlertState::Silent, 5_000, Some(5_000)), None, "told once");
        assert_eq!(step(AlertState::Silent, 5_000, None), None, "the night does not end a silence");
        assert_eq!(step(AlertState::Silent, 300, None), None, "not heard lately");
        assert_eq!(step(AlertState::Silent, 299, None), Some(AlertState::Fine));
    }

    proptest! {
        #[test]
        fn a_reading_causes_one_step_at_most(quiet_s in 0_i64..100_000, worked_s in proptest::option::of(0_i64..100_000), silent in any::<bool>()) {
            let state = if silent { AlertState::Silent } else { AlertState::Fine };
            if let Some(to) = step(state, quiet_s, worked_s) {
                prop_assert_eq!(step(to, quiet_s, worked_s), None);
            }
        }
    }
}
