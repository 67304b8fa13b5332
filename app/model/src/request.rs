//! A request from its start to its end: what is known of it, in whichever order and however often it is told.
//!
//! Whoever begins something (a model's answer, a tool's work) tells its start and later its end. What is known of a
//! request is a merge of everything told: neither order nor repetition matters. An end that never comes is *lost* once its
//! time is over, and lost is never finished; an end that comes after that makes it ended all the same.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::id::{AgentName, BeadId, EventKey, ModelName, RigName, Role, SessionId, SourceName, ToolName};
use crate::time::Timestamp;

/// An end that did not come after this many seconds is lost, unless the configuration says otherwise.
pub const LOST_AFTER_S: i64 = 600;
/// Requests in flight that are shown at most, those that began first.
pub const MOST_REQUESTS: usize = 100;

/// Which request: a hash of what its source calls it. Its last two bits are free for the [`RequestEdge`] that an event of
/// it is about, so that each edge has one key, and the request is known by the keys of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(u128);

impl RequestId {
    const EDGES: u128 = 3;

    /// The request that a source calls by a name with this hash.
    #[must_use]
    pub const fn of(hash: u128) -> Self {
        Self(hash & !Self::EDGES)
    }
    /// The request that an event with this key is about.
    #[must_use]
    pub const fn of_key(key: EventKey) -> Self {
        Self::of(key.0)
    }
    /// The key of the event that tells this edge.
    #[must_use]
    pub const fn key(self, edge: RequestEdge) -> EventKey {
        let edge = match edge {
            RequestEdge::Started => 0,
            RequestEdge::Ended => 1,
            RequestEdge::Lost => 2,
        };
        EventKey(self.0 | edge)
    }
    /// The number itself.
    #[must_use]
    pub const fn number(self) -> u128 {
        self.0
    }
}

/// What happened to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestEdge {
    /// It began.
    Started,
    /// It is over.
    Ended,
    /// Its end did not come in time: nobody knows what became of it.
    Lost,
}

impl RequestEdge {
    /// Every edge; the position is the number stored in the database.
    pub const ALL: [Self; 3] = [Self::Started, Self::Ended, Self::Lost];

    /// As in JSON and on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ended => "ended",
            Self::Lost => "lost",
        }
    }
}

/// A step of a request, as an event.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestStep {
    /// Which step.
    pub edge: RequestEdge,
    /// The model that was asked, if a model was.
    pub model: Option<ModelName>,
    /// The tool that was asked, if a tool was.
    pub tool: Option<ToolName>,
    /// `false` when it ended badly.
    pub ok: bool,
    /// How long it took, if its end tells.
    pub duration_us: Option<u64>,
}

/// What a request was or is: whose, and from where it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOf {
    /// Which source tells of it.
    pub source: SourceName,
    /// Rig.
    pub rig: Option<RigName>,
    /// Role of the agent.
    pub role: Role,
    /// Agent.
    pub agent: Option<AgentName>,
    /// Conversation.
    pub session: Option<SessionId>,
    /// Bead.
    pub bead: Option<BeadId>,
    /// The model that was asked.
    pub model: Option<ModelName>,
    /// The tool that was asked.
    pub tool: Option<ToolName>,
}

/// When a request began and ended, as far as it was told. Merging is associative, commutative and idempotent; the store
/// merges in the same way (`db/sql/request_fold.sql`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestSpan {
    /// The earliest start that was told.
    pub started: Option<Timestamp>,
    /// The earliest end that was told, and whether it ended well; of two at the same time the bad one.
    pub ended: Option<(Timestamp, bool)>,
    /// When its time was over.
    pub lost: Option<Timestamp>,
}

/// How it is with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Its end was told before its start was.
    Unbegun,
    /// It began, and may still end.
    Active,
    /// Its end was told.
    Ended,
    /// Its end was not told in time.
    Lost,
}

impl RequestSpan {
    /// What one step tells.
    #[must_use]
    pub const fn told(edge: RequestEdge, at: Timestamp, ok: bool) -> Self {
        match edge {
            RequestEdge::Started => Self { started: Some(at), ended: None, lost: None },
            RequestEdge::Ended => Self { started: None, ended: Some((at, ok)), lost: None },
            RequestEdge::Lost => Self { started: None, ended: None, lost: Some(at) },
        }
    }

    /// What both together tell.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            started: earlier(self.started, other.started),
            ended: earlier(self.ended, other.ended),
            lost: earlier(self.lost, other.lost),
        }
    }

    /// How it is at `now`, where an end is lost after `lost_after_s` seconds. Whether somebody noted that it is lost makes
    /// no difference: its age decides.
    #[must_use]
    pub fn state(&self, now: Timestamp, lost_after_s: i64) -> RequestState {
        match (self.started, self.ended) {
            (_, Some(_)) if self.started.is_some() || self.lost.is_some() => RequestState::Ended,
            (None, Some(_)) => RequestState::Unbegun,
            (Some(started), None) if self.lost.is_none() && now < started.plus_seconds(lost_after_s) => {
                RequestState::Active
            }
            (None, None) if self.lost.is_none() => RequestState::Unbegun,
            _ => RequestState::Lost,
        }
    }
}

fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    [one, other].into_iter().flatten().min()
}

/// A request that its source shows to be under way, or over, without an event of its own: a transcript's tool without a
/// result, a prompt without an answer. It is no line of the stream; the call itself will be, when it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Implied {
    /// [`RequestId::number`].
    pub id: u128,
    /// Whose.
    pub of: RequestOf,
    /// When it began or ended.
    pub at: Timestamp,
    /// Whether it is over.
    pub over: bool,
    /// The claim of the event that tells its end, where there will be one ([`crate::dedupe::Claim::message`]).
    pub claim: Option<u128>,
}

/// A request in flight, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRow {
    /// Tells it from others.
    pub id: CompactString,
    /// When it began; its duration is counted from here.
    pub started: Timestamp,
    /// Which source tells of it.
    pub channel: SourceName,
    /// The model or tool that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<CompactString>,
    /// Role of the agent.
    pub role: Role,
    /// Rig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig: Option<RigName>,
    /// Agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// Conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Bead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bead: Option<BeadId>,
}

impl RequestOf {
    /// The step of a request like this.
    #[must_use]
    pub fn step(&self, edge: RequestEdge) -> Event {
        let (model, tool) = (self.model.clone(), self.tool.clone());
        Event::Request(RequestStep { edge, model, tool, ok: true, duration_us: None })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_seconds(s)
    }

    fn told(steps: &[(RequestEdge, i64)]) -> RequestSpan {
        let span = |(edge, s): &(RequestEdge, i64)| RequestSpan::told(*edge, at(*s), true);
        steps.iter().map(span).fold(RequestSpan::default(), RequestSpan::merge)
    }

    #[test]
    fn each_edge_has_a_key_of_its_own_and_every_key_names_the_request() {
        for hash in [0, 1, 7, u128::MAX] {
            let id = RequestId::of(hash);
            let keys = RequestEdge::ALL.map(|edge| id.key(edge));
            assert!(keys.iter().all(|key| RequestId::of_key(*key) == id));
            assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
        }
    }

    #[test]
    fn a_request_is_active_until_its_end_or_until_its_time_is_over() {
        use RequestEdge::{Ended, Lost, Started};
        let state = |steps: &[(RequestEdge, i64)], now| told(steps).state(at(now), 600);
        assert_eq!(state(&[(Started, 100)], 100), RequestState::Active);
        assert_eq!(state(&[(Started, 100)], 699), RequestState::Active);
        assert_eq!(state(&[(Started, 100)], 700), RequestState::Lost, "also when nobody noted it");
        assert_eq!(state(&[(Started, 100), (Lost, 700)], 150), RequestState::Lost);
        assert_eq!(state(&[(Started, 100), (Ended, 130)], 120), RequestState::Ended);
        assert_eq!(state(&[(Ended, 130)], 120), RequestState::Unbegun);
        assert_eq!(state(&[(Ended, 130), (Started, 100)], 120), RequestState::Ended, "in any order");
        assert_eq!(state(&[(Started, 100), (Lost, 700), (Ended, 900)], 1_000), RequestState::Ended, "a late end");
        assert_eq!(state(&[], 0), RequestState::Unbegun);
    }

    fn step() -> impl Strategy<Value = RequestSpan> {
        (0..3_usize, 0..50_i64, any::<bool>())
            .prop_map(|(edge, s, ok)| RequestSpan::told(RequestEdge::ALL[edge], at(s), ok))
    }

    proptest! {
        #[test]
        fn neither_order_nor_repetition_of_what_is_told_matters(
            steps in prop::collection::vec(step(), 0..12), picks in prop::collection::vec(any::<prop::sample::Index>(), 0..40)
        ) {
            let whole = steps.iter().copied().fold(RequestSpan::default(), RequestSpan::merge);
            // Some of them again, in any order, then all of them backwards.
            let again = picks.iter().filter(|_| !steps.is_empty()).map(|pick| steps[pick.index(steps.len())]);
            let mixed = again.chain(steps.iter().rev().copied()).fold(RequestSpan::default(), RequestSpan::merge);
            prop_assert_eq!(mixed, whole);
            // And in any grouping.
            let (left, right) = steps.split_at(steps.len() / 2);
            let sum = |part: &[RequestSpan]| part.iter().copied().fold(RequestSpan::default(), RequestSpan::merge);
            prop_assert_eq!(sum(left).merge(sum(right)), whole);
        }

        #[test]
        fn what_ended_is_never_active_or_lost_again(steps in prop::collection::vec(step(), 0..12), now in 0..2_000_i64) {
            let told = steps.iter().copied().fold(RequestSpan::default(), RequestSpan::merge);
            let state = told.state(at(now), 600);
            prop_assert_eq!(state == RequestState::Active || state == RequestState::Lost,
                            told.ended.is_none() && (told.started.is_some() || told.lost.is_some()));
        }
    }
}
