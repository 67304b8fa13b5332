//! Steps of requests as events: each with the key and the claim that make it the same event however often it is told.

use model::dedupe::{Claim, Rank};
use model::event::{Envelope, Event};
use model::request::{RequestEdge, RequestId, RequestOf};
use model::time::Timestamp;

use crate::source::identity;

/// A step that is to become an event.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// Which request.
    pub id: RequestId,
    /// Which step.
    pub edge: RequestEdge,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub of: &'a RequestOf,
    /// The claim of another event that tells the end, if one does.
    pub told_by: Option<u128>,
}

impl Step<'_> {
    /// The event.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        let RequestOf { source, rig, role, agent, session, bead, .. } = self.of.clone();
        Envelope {
            at: self.at,
            key: self.id.key(self.edge),
            claim: Some(claim(self.id, self.edge, self.at, true, self.told_by)),
            source,
            rig,
            role,
            agent,
            session,
            bead,
            event: self.of.step(self.edge),
        }
    }
}

/// The identity of a request's step. There is one start and one end of each, and the earliest of several counts. That it
/// is lost is the least of what can be said of its end: any end replaces it, also one that another event tells.
#[must_use]
pub fn claim(id: RequestId, edge: RequestEdge, at: Timestamp, ok: bool, told_by: Option<u128>) -> Claim {
    let lost = edge == RequestEdge::Lost;
    // Of two at the same time the one that went badly counts: the lower origin wins.
    let rank = Rank { sidechain: lost, tokens: 0, has_speed: false, at: at.0, origin: u64::from(ok) };
    let message = match edge {
        RequestEdge::Started => identity::hash("request started", &[&id.number().to_le_bytes()]),
        RequestEdge::Ended | RequestEdge::Lost => told_by.unwrap_or_else(|| end_claim(id)),
    };
    Claim::by_message(message, 0, rank)
}

/// What the end of a request claims, unless another event tells it.
#[must_use]
pub fn end_claim(id: RequestId) -> u128 {
    identity::hash("request ended", &[&id.number().to_le_bytes()])
}

/// The event of a step that a sender tells itself, in an envelope that has everything but its identity.
#[must_use]
pub fn told(envelope: Envelope, id: RequestId) -> Envelope {
    let Event::Request(step) = &envelope.event else { return envelope };
    let claim = claim(id, step.edge, envelope.at, step.ok, None);
    Envelope { key: id.key(step.edge), claim: Some(claim), ..envelope }
}
