//! An agent's steps: stalled, in violation of GUPP, and at it again.

use super::{AlertLimits, AlertState, Step};
use crate::roster::GUPP_S;

/// The step of an agent whose hooked work has seen no progress for `untouched_s` seconds; none when it stays. `None`:
/// nothing is hooked that it could work on. Only progress, or the end of its hooked work, lets it out again.
#[must_use]
pub fn stall_step(state: AlertState, untouched_s: Option<i64>, limits: &AlertLimits) -> Option<Step> {
    let minutes = |minutes: u32| i64::from(minutes) * 60;
    let to = match untouched_s {
        _ if limits.stalled_minutes == 0 => AlertState::Fine,
        Some(seconds) if seconds >= minutes(limits.stalled_minutes).max(GUPP_S) => AlertState::Gupp,
        Some(seconds) if seconds >= minutes(limits.stalled_minutes) => AlertState::Stalled,
        Some(seconds) if state != AlertState::Fine && seconds >= minutes(limits.stalled_clear_minutes) => return None,
        _ => AlertState::Fine,
    };
    // A violation does not become a mere stall again: it ends.
    (to.rank() > state.rank() || (to == AlertState::Fine && state != to)).then_some(Step::new(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertKind;

    fn step(state: AlertState, minutes: Option<i64>) -> Option<(AlertState, Option<AlertKind>)> {
        stall_step(state, minutes.map(|m| m * 60), &AlertLimits::default()).map(|step| (step.to, step.tell))
    }

    #[test]
    fn a_stalled_agent_is_told_once_and_once_more_at_the_violation() {
        let told = Some(AlertKind::AgentStalled);
        assert_eq!(step(AlertState::Fine, None), None);
        assert_eq!(step(AlertState::Fine, Some(14)), None);
        assert_eq!(step(AlertState::Fine, Some(15)), Some((AlertState::Stalled, told)));
        assert_eq!(step(AlertState::Stalled, Some(29)), None);
        assert_eq!(step(AlertState::Stalled, Some(30)), Some((AlertState::Gupp, told)));
        assert_eq!(step(AlertState::Gupp, Some(60)), None);
        assert_eq!(step(AlertState::Gupp, Some(16)), None);
        assert_eq!(step(AlertState::Gupp, Some(5)), None, "between its thresholds");
        for state in [AlertState::Stalled, AlertState::Gupp] {
            let cleared = Some((AlertState::Fine, Some(AlertKind::Cleared)));
            assert_eq!((step(state, Some(4)), step(state, None)), (cleared, cleared));
        }
    }

    #[test]
    fn nobody_stalls_where_it_is_switched_off() {
        let off = AlertLimits::resolve(|name| (name == "stalled_minutes").then_some(0)).unwrap();
        assert_eq!(stall_step(AlertState::Fine, Some(90_000), &off), None);
        assert_eq!(stall_step(AlertState::Gupp, Some(90_000), &off).unwrap().to, AlertState::Fine);
    }
}
