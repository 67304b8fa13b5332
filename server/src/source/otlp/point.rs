//! A metric's point: how it becomes events that are exact under duplicates, restarts and replicas.
//!
//! A **series** is a resource, a scope, a metric, a point's attributes and its start time; the start time changes with
//! every reset and every process, so nothing is ever subtracted across them, and no clock is compared with another.
//!
//! - **Delta** points are told apart by series and time: each is one event, however often it comes.
//! - **Cumulative** points are cut into increments. An increment's identity is its series and the value at which it
//!   begins. Values at which increments begin are always values that a committed one ended with (the head), so the
//!   increments of a series form a chain without gap or overlap: of two writers that continue from the same head, in
//!   one process or in two, one is told *duplicate*, reads the head again (`store`) and goes on from there. What was
//!   counted is thus kept with the events and committed with them (`claim`: the increment's end in `rank.tokens`);
//!   what a process remembers of it only saves reading. A restart forgets nothing, a repeated point adds nothing, and
//!   a point that comes late adds nothing because a later one has counted it.
//!
//! The head is forgotten with the events, when retention drops them: a series must not be silent for longer than that.

use model::dedupe::{Basis, Claim, Rank};
use model::event::Envelope;
use model::time::Timestamp;

use super::belonging::{Belonging, group};
use super::measure::Measure;
use crate::source::identity;

/// A series, with the group that its claims belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Series {
    /// Group of the claims (`identity::group`).
    pub group: u128,
    /// Hash of everything that makes the series, without the sign bit, as `Rank::origin` wants it.
    pub id: u64,
}

/// A point of a series that becomes an event.
#[derive(Debug, Clone)]
pub struct Point {
    /// Its series.
    pub series: Series,
    /// When it was taken, by the sender's clock.
    pub at: Timestamp,
    /// Units: all that the series counted so far, or since the point before.
    pub value: u64,
    pub(super) nanos: u64,
    pub(super) measure: Measure,
    pub(super) who: Belonging,
}

impl Point {
    pub(super) fn new(
        measure: Measure,
        who: Belonging,
        conversation: &str,
        series: u128,
        (at, nanos): (Timestamp, u64),
        value: u64,
    ) -> Option<Self> {
        let group = group(&measure.event(value)?, conversation);
        let id = u64::try_from(series & u128::from(u64::MAX >> 1)).ok()?;
        Some(Self { series: Series { group, id }, at, value, nanos, measure, who })
    }

    /// The event of a delta point; none when it adds nothing.
    pub(super) fn delta(&self) -> Option<Envelope> {
        let key = self.key("otel delta", self.nanos);
        (self.value > 0).then(|| self.envelope(self.value, key, 0))?
    }

    /// The event of a cumulative point whose series was counted up to `head`; none when it adds nothing.
    #[must_use]
    pub fn increment(&self, head: u64) -> Option<Envelope> {
        let more = self.value.checked_sub(head).filter(|more| *more > 0)?;
        self.envelope(more, self.key("otel increment", head), self.value)
    }

    fn key(&self, kind: &str, number: u64) -> u128 {
        let Series { group, id } = self.series;
        identity::hash(kind, &[&group.to_le_bytes(), &id.to_le_bytes(), &number.to_le_bytes()])
    }

    fn envelope(&self, units: u64, key: u128, end: u64) -> Option<Envelope> {
        let rank = Rank { sidechain: false, tokens: end, has_speed: false, at: self.at.0, origin: self.series.id };
        let claim = Claim { message: self.series.group, request: key, rank, basis: Basis::Metric };
        Some(self.who.envelope(self.at, key, Some(claim), self.measure.event(units)?))
    }
}
