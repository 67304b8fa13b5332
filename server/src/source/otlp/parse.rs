//! What a request holds, per town: events, points of running sums, names that nobody understands.

use std::collections::BTreeMap;

use model::event::{Envelope, Event};
use model::id::{NameError, SourceName, TownName};
use model::request::Implied;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::attributes::{Attributes, Indexed, Reason, fingerprint, index};
use super::belonging::{Belonging, Tool, town};
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
    /// What is shown to be under way, and what of it is over.
    pub requests: Vec<Implied>,
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

/// A resource, looked at once for all that comes from it.
#[derive(Debug)]
pub(super) struct Place<'a> {
    attributes: Indexed<'a>,
    /// Of the attributes.
    hash: u128,
}

impl<'a> Place<'a> {
    pub(super) fn of(resource: Option<&'a Resource>) -> Self {
        let attributes = resource.map_or(&[][..], |resource| &resource.attributes);
        Self { attributes: index(attributes), hash: fingerprint(attributes) }
    }
}

/// Where the items of one scope come from.
pub(super) struct Origin<'a> {
    pub tool: Tool,
    pub source: SourceName,
    pub place: &'a Place<'a>,
    /// Resource and scope, as part of a series.
    pub hash: u128,
}

impl<'a> Origin<'a> {
    pub(super) fn of(place: &'a Place<'a>, scope: Option<&InstrumentationScope>) -> Result<Self, NameError> {
        let (scope, version) = scope.map_or(("", ""), |scope| (scope.name.as_str(), scope.version.as_str()));
        let tool = Tool::of(&Attributes { own: &[], resource: Some(&place.attributes) }, scope);
        let hash = identity::hash("otel scope", &[&place.hash.to_le_bytes(), scope.as_bytes(), version.as_bytes()]);
        Ok(Self { tool, source: SourceName::new(tool.source())?, place, hash })
    }

    /// Of the resource.
    pub(super) const fn place_hash(&self) -> [u8; 16] {
        self.place.hash.to_le_bytes()
    }

    pub(super) fn attributes(&self, own: &'a [KeyValue]) -> Attributes<'a> {
        Attributes { own, resource: Some(&self.place.attributes) }
    }

    /// The conversation that an item belongs to, which is what its tool names; none when it does not. Senders that
    /// nothing is known of name it in some of their signals only, so their process stands for it: its resource.
    pub(super) fn conversation(&self, who: &Belonging, attributes: &Attributes<'_>) -> Option<String> {
        match self.tool {
            Tool::Generic => Some(format!("process {:032x}", self.place.hash)),
            // Gas Town's name for the session (`gt.session`), which Claude Code has too when it is told not to name its
            // own, is not what transcripts and other signals call it: nothing would ever know that they tell the same.
            Tool::ClaudeCode | Tool::Gemini => attributes.text("session.id").map(str::to_owned),
            Tool::Codex | Tool::GasTown => who.session.as_ref().map(|session| session.as_str().to_owned()),
        }
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

    /// Adds what the same town is told under another name.
    pub fn merge(&mut self, other: Self) {
        self.events.extend(other.events);
        self.requests.extend(other.requests);
        for point in other.totals.into_values() {
            self.keep_furthest(point);
        }
        for (name, times) in other.unmapped {
            *self.unmapped.entry(name).or_default() += times;
        }
        for (source, rejections) in other.rejected {
            self.rejected.entry(source).or_default().extend(rejections);
        }
    }

    /// Of several points of a running sum only the furthest says something.
    pub(super) fn keep_furthest(&mut self, point: Point) {
        match self.totals.get_mut(&point.series) {
            Some(known) if known.value >= point.value => {}
            Some(known) => *known = point,
            None => {
                self.totals.insert(point.series, point);
            }
        }
    }

    pub(super) fn unmapped(&mut self, source: &SourceName, name: &str, times: usize) {
        let times = i64::try_from(times).unwrap_or(i64::MAX);
        *self.unmapped.entry((source.clone(), shown(name).to_owned())).or_default() += times;
    }

    /// Takes out the lines of logs that are too many: of all the first `room` stay.
    pub fn leave_out(&mut self, mut room: usize, reason: &str) {
        let mut out = Vec::new();
        self.events.retain(|event| {
            let is_log = matches!(event.event, Event::Log(_));
            let stays = !is_log || room > 0;
            room -= usize::from(stays && is_log);
            if !stays {
                out.push(event.source.clone());
            }
            stays
        });
        for source in out {
            let rejection = Rejection { place: "log line".to_owned(), reason: reason.to_owned() };
            self.rejected.entry(source).or_default().push(rejection);
        }
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
