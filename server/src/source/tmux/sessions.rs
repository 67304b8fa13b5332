//! What tmux says of its sessions, as signs that something moves in agents' terminals.

use std::collections::HashMap;

use model::event::{AgentState, Envelope, Event};
use model::id::{EventKey, SourceName};
use model::time::Timestamp;

use super::SOURCE;
use crate::source::gas_town::Rigs;
use crate::source::identity;

/// Sessions that are looked at.
const MAX_SESSIONS: usize = 2_000;

/// When something moved last in each session.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    seen: HashMap<String, Timestamp>,
}

impl Sessions {
    /// The news in an answer: of each session that belongs to an agent of `rigs`, that something moved since it was told of
    /// last. What is no line of an answer, and everybody else's session, is passed over.
    pub(super) fn news(&mut self, answer: &str, rigs: &Rigs) -> Vec<Envelope> {
        let mut seen = HashMap::new();
        let mut news = Vec::new();
        for line in answer.lines().take(MAX_SESSIONS) {
            let Some((session, activity)) = line.rsplit_once('|') else { continue };
            let Some(event) = activity.trim().parse().ok().and_then(|second| sign(session, second, rigs)) else {
                continue;
            };
            if self.seen.get(session).is_none_or(|told| *told < event.at) {
                seen.insert(session.to_owned(), event.at);
                news.push(event);
            }
        }
        // Who is not there any more is forgotten with the next server's answer at the latest.
        if self.seen.len() + seen.len() > MAX_SESSIONS {
            self.seen.clear();
        }
        self.seen.extend(seen);
        news
    }

    /// Forgets what was told: it did not arrive.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }
}

fn sign(session: &str, second: i64, rigs: &Rigs) -> Option<Envelope> {
    // Seconds of other ages are none, such as 0 for a window in which nothing ever moved.
    let at = Timestamp(second.checked_mul(1_000_000)?).believed().ok()?;
    let member = rigs.member(session)?;
    Some(Envelope {
        at,
        key: EventKey(identity::hash("tmux session", &[session.as_bytes()])),
        claim: None,
        source: SourceName::new(SOURCE).ok()?,
        rig: member.rig,
        role: member.role,
        agent: Some(member.agent),
        session: None,
        bead: None,
        event: Event::AgentState(AgentState::Working),
    })
}

#[cfg(test)]
mod tests {
    use model::id::Role;
    use proptest::prelude::*;

    use super::*;

    fn rigs() -> Rigs {
        Rigs::parse(br#"{"rigs":{"gastown":{"beads":{"prefix":"gt"}}}}"#)
    }

    #[test]
    fn agents_sessions_are_told_when_something_moved_and_other_sessions_never() {
        let mut sessions = Sessions::default();
        let mut names = |answer: &str| -> Vec<(String, Role, i64)> {
            let news = sessions.news(answer, &rigs());
            news.iter().map(|e| (e.agent.as_ref().unwrap().to_string(), e.role, e.at.seconds())).collect()
        };
        let toast = |s| ("toast".to_owned(), Role::Polecat, s);
        let first = "gt-toast|1772000000\nhq-mayor|1772000005\nmy notes|1772000009\ngt-crew-max|0\n";
        assert_eq!(names(first), [toast(1_772_000_000), ("mayor".to_owned(), Role::Mayor, 1_772_000_005)]);
        assert!(names(first).is_empty(), "nothing moved");
        assert_eq!(names("gt-toast|1772000060\nhq-mayor|1772000005"), [toast(1_772_000_060)]);
        assert!(names("gt-toast|1771000000").is_empty(), "a clock that went back");
        assert!(names("no line\n|\ngt-toast|\ngt-toast|soon\ngt-toast|99999999999999999").is_empty());
    }

    #[test]
    fn the_same_moment_is_the_same_event_whoever_asks_and_what_did_not_arrive_is_told_again() {
        let answer = "gt-toast|1772000000";
        let (mut one, mut other) = (Sessions::default(), Sessions::default());
        let first = one.news(answer, &rigs());
        assert_eq!(first, other.news(answer, &rigs()));
        one.forget();
        assert_eq!(one.news(answer, &rigs()), first);
    }

    proptest! {
        #[test]
        fn whatever_is_answered_never_panics(answer in "(?s).{0,300}") {
            let _ = Sessions::default().news(&answer, &rigs());
        }
    }
}
