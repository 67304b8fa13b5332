//! What a request holds, per town: events, points of running sums, names that nobody understands.

use std::collections::BTreeMap;

use model::event::Envelope;
use model::id::{NameError, SourceName, TownName};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::attributes::{Attributes, Reason, fingerprint};
use super::belonging::{Tool, town};
use super::point::{Point, Series};
use super::record::Mapped;
use crate::ingest::Rejection;
use crate::source::identity;

/// Longest name that is counted.
const NAME_BYTES: usize = 100;
/// The name of what has none that may be kept.
const NAMELESS: &str = "(nameless)";

/// What a request holds for one town.
#[derive(Debug, Default)]
pub struct Share {
    /// Events.
    pub events: Vec<Envelope>,
    /// The newest point of each cumulative series.
    pub totals: BTreeMap<Series, Point>,
    /// What became no event, by source and name.
    pub unmapped: BTreeMap<(SourceName, String), i64>,
    /// What is refused, by source.
    pub rejected: BTreeMap<SourceName, Vec<Rejection>>,
}

/// What a request holds, by the town that its senders name.
#[derive(Debug, Default)]
pub struct Parsed {
    /// None: the sender names no town.
    pub shares: BTreeMap<Option<TownName>, Share>,
    /// Records, points and spans.
    pub items: usize,
}

/// Where the items of one scope come from.
pub(super) struct Origin<'a> {
    pub tool: Tool,
    pub source: SourceName,
    pub resource: &'a [KeyValue],
    /// Resource and scope, as part of a series.
    pub hash: u128,
}

impl<'a> Origin<'a> {
    pub(super) fn of(
        resource: Option<&'a Resource>,
        scope: Option<&'a InstrumentationScope>,
    ) -> Result<Self, NameError> {
        let resource = resource.map_or(&[][..], |resource| &resource.attributes);
        let (scope, version) = scope.map_or(("", ""), |scope| (scope.name.as_str(), scope.version.as_str()));
        let tool = Tool::of(&Attributes { own: &[], resource }, scope);
        let place = fingerprint(resource).to_le_bytes();
        let hash = identity::hash("otel scope", &[&place, scope.as_bytes(), version.as_bytes()]);
        Ok(Self { tool, source: SourceName::new(tool.source())?, resource, hash })
    }

    pub(super) fn attributes(&self, own: &'a [KeyValue]) -> Attributes<'a> {
        Attributes { own, resource: self.resource }
    }
}

impl Share {
    pub(super) fn settle(&mut self, source: &SourceName, name: &str, place: usize, mapped: Mapped) {
        match mapped {
            Ok(Some(events)) => self.events.extend(events),
            Ok(None) => self.unmapped(source, name, 1),
            Err(reason) => self.reject(source, place, reason),
        }
    }

    pub(super) fn unmapped(&mut self, source: &SourceName, name: &str, times: usize) {
        let times = i64::try_from(times).unwrap_or(i64::MAX);
        *self.unmapped.entry((source.clone(), shown(name).to_owned())).or_default() += times;
    }

    pub(super) fn reject(&mut self, source: &SourceName, place: usize, reason: Reason) {
        let rejection = Rejection { place: format!("item {place}"), reason };
        self.rejected.entry(source.clone()).or_default().push(rejection);
    }
}

/// A name that looks like one. Anything else may be what somebody said.
fn shown(name: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    let is_name = !name.is_empty() && name.len() <= NAME_BYTES && name.bytes().all(plain);
    if is_name { name } else { NAMELESS }
}

impl Parsed {
    /// Counts an item and returns the share that it belongs to, with the item's number.
    pub(super) fn next(&mut self, attributes: &Attributes<'_>) -> (&mut Share, usize) {
        self.items += 1;
        (self.shares.entry(town(attributes)).or_default(), self.items)
    }
}
