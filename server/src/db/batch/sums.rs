//! What follows from inserted and taken-back events. Pure; every list comes out sorted by its key.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt as _};
use model::Aggregate;
use model::event::{BeadEdge, Envelope, Event, ModelCall, PricedEvent, SessionEdge};
use model::evidence::{Evidence, RANKS, Saying};
use model::hook::Hook;
use model::id::{BeadId, RigName, Role, SessionId};
use model::roster::{AgentRow, WORKING_HOLD_S};
use model::time::{Resolution, Timestamp};
use model::unit::Nanodollars;

use super::{Row, Verdict};
use crate::db::TownKey;
use crate::db::headline::{BucketSum, RoleSum};
use crate::db::presence::PresenceSum;
use crate::db::session::{Reported, SessionRow, is_nameless, lacks_rig};
use crate::db::source_count::{BothCosts, Refused, SourceSum};
use crate::db::unpriced::UnpricedSum;

const BUCKET_S: i64 = Resolution::S10.step_s();
const MINUTE_S: i64 = 60;
/// What unpriced calls are summed over.
const UNPRICED_S: i64 = Resolution::H6.step_s();
/// What rollup_dirty speaks of.
const SPAN_S: i64 = Resolution::M30.step_s();

type Located<'a> = (TownKey, &'a PricedEvent);

/// Sums per bucket. `inserted` comes sorted by town and time.
pub(super) fn buckets<'a>(
    inserted: impl Iterator<Item = Located<'a>>,
    taken: impl Iterator<Item = Located<'a>>,
) -> Vec<BucketSum> {
    let mut sums: Vec<BucketSum> = Vec::new();
    for (town, event) in inserted {
        let bucket = event.envelope.at.floor_to(BUCKET_S);
        match sums.last_mut() {
            Some(sum) if sum.town == town && sum.bucket == bucket => sum.apply(event, 1),
            _ => sums.push(BucketSum::of(town, bucket, event, 1)),
        }
    }
    for (town, event) in taken {
        let bucket = event.envelope.at.floor_to(BUCKET_S);
        match sums.binary_search_by_key(&(town, bucket), |sum| (sum.town, sum.bucket)) {
            Ok(found) => sums[found].apply(event, -1),
            Err(place) => sums.insert(place, BucketSum::of(town, bucket, event, -1)),
        }
    }
    sums
}

impl BucketSum {
    fn of(town: TownKey, bucket: Timestamp, event: &PricedEvent, sign: i64) -> Self {
        let roles = [RoleSum::default(); Role::ALL.len()];
        let mut sum = Self { town, bucket, total: Aggregate::default(), roles };
        sum.apply(event, sign);
        sum
    }
    fn apply(&mut self, event: &PricedEvent, sign: i64) {
        let part = Aggregate::of(event);
        if sign > 0 {
            self.total.add(&part)
        } else {
            self.total.subtract(&part)
        }
        let role = &mut self.roles[event.envelope.role.index()];
        // As the total does: what nobody could have spent stops at the bound instead of turning negative.
        let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(sign.saturating_mul(more));
        add(&mut role.cost, part.cost.0);
        add(&mut role.tokens, part.total_tokens());
        add(&mut role.calls, part.calls);
        add(&mut role.events, 1);
    }
}

/// Signs of work per minute and agent.
pub(super) fn presence<'a>(
    inserted: impl Iterator<Item = Located<'a>>,
    taken: impl Iterator<Item = Located<'a>>,
) -> Vec<PresenceSum<'a>> {
    let mut counts: HashMap<(TownKey, Timestamp, &str, &str), i64> = HashMap::new();
    let signed = inserted.map(|located| (located, 1)).chain(taken.map(|located| (located, -1)));
    for ((town, event), sign) in signed {
        let envelope = &event.envelope;
        let Some(agent) = envelope.agent.as_ref().filter(|_| envelope.is_activity()) else { continue };
        let rig = envelope.rig.as_ref().map_or("", RigName::as_str);
        *counts.entry((town, envelope.at.floor_to(MINUTE_S), rig, agent.as_str())).or_default() += sign;
    }
    let changed = counts.into_iter().filter(|(_, n)| *n != 0);
    let mut sums: Vec<PresenceSum<'_>> =
        changed.map(|((town, minute, rig, agent), n)| PresenceSum { town, minute, rig, agent, n }).collect();
    sums.sort_unstable_by_key(|sum| (sum.town, sum.minute, sum.rig, sum.agent));
    sums
}

/// What the events say of their agents; they come sorted by time.
pub(super) fn agents<'a>(inserted: impl Iterator<Item = Located<'a>>) -> Vec<(TownKey, AgentRow)> {
    let mut seen: HashMap<(TownKey, &str, &str), Seen<'a>> = HashMap::new();
    for (town, event) in inserted {
        let envelope = &event.envelope;
        let Some(name) = &envelope.agent else { continue };
        let rig = envelope.rig.as_ref().map_or("", RigName::as_str);
        seen.entry((town, rig, name.as_str())).or_insert_with(|| Seen::first(envelope)).take(envelope);
    }
    let mut rows: Vec<(TownKey, AgentRow)> =
        seen.into_iter().filter_map(|((town, ..), seen)| Some((town, seen.row()?))).collect();
    rows.sort_unstable_by(|(a_town, a), (b_town, b)| (a_town, &a.rig, &a.name).cmp(&(b_town, &b.rig, &b.name)));
    rows
}

/// An [`AgentRow`] in the making: borrowed, because most of a batch's events say the same of their agent.
struct Seen<'a> {
    first: &'a Envelope,
    last: &'a Envelope,
    role: Role,
    session: Option<&'a SessionId>,
    bead: Option<&'a BeadId>,
    /// What each rank said last.
    said: [Option<Saying>; RANKS],
    worked: Option<Timestamp>,
    progressed: Option<Timestamp>,
    hook: Option<Hook>,
}

impl<'a> Seen<'a> {
    const fn first(first: &'a Envelope) -> Self {
        Self {
            first,
            last: first,
            role: Role::Other,
            session: None,
            bead: None,
            said: [None; RANKS],
            worked: None,
            progressed: None,
            hook: None,
        }
    }
    fn take(&mut self, envelope: &'a Envelope) {
        self.last = envelope;
        if envelope.role != Role::Other {
            self.role = envelope.role;
        }
        self.session = envelope.session.as_ref().or(self.session);
        self.bead = envelope.bead.as_ref().or(self.bead);
        if let Event::AgentState(state) = envelope.event {
            let by = Evidence::of(&envelope.source);
            self.said[by.index()] = Some(Saying { by, state, at: envelope.at });
            if let Some(told) = Hook::said(state, envelope.bead.as_ref(), envelope.at) {
                self.hook = Some(match self.hook.take() {
                    Some(hook) => hook.merge(told),
                    None => told,
                });
            }
        }
        if envelope.event.is_progress() {
            self.progressed = Some(envelope.at);
        }
        if envelope.is_activity() {
            self.worked = Some(envelope.at);
        }
    }
    fn row(self) -> Option<AgentRow> {
        let mut row = AgentRow {
            session: self.session.cloned(),
            bead: self.bead.cloned(),
            worked: self.worked,
            progressed: self.progressed,
            hook: self.hook,
            last_seen: self.last.at,
            ..AgentRow::new(self.last.rig.clone(), self.last.agent.clone()?, self.role, self.first.at)
        };
        self.said.into_iter().flatten().for_each(|saying| row.hear(saying));
        Some(row)
    }
}

/// Beads that the events close, each once: nobody's hooked work any more.
pub(super) fn closed_beads<'a>(inserted: impl Iterator<Item = Located<'a>>) -> Vec<(TownKey, &'a str)> {
    let closed = inserted.filter(|(_, event)| event.envelope.event == Event::Bead(BeadEdge::Closed));
    let mut beads: Vec<_> =
        closed.filter_map(|(town, event)| Some((town, event.envelope.bead.as_ref()?.as_str()))).collect();
    beads.sort_unstable();
    beads.dedup();
    beads
}

/// What the events say of their sessions; they come sorted by time.
pub(super) fn sessions<'a>(inserted: impl Iterator<Item = Located<'a>>) -> Vec<SessionRow> {
    let mut rows: HashMap<(TownKey, &SessionId), SessionRow> = HashMap::new();
    for (town, event) in inserted {
        let envelope = &event.envelope;
        let Some(session) = &envelope.session else { continue };
        let row = rows.entry((town, session)).or_insert_with(|| SessionRow {
            town,
            session: session.clone(),
            source: envelope.source.clone(),
            rig: None,
            role: Role::Other,
            agent: None,
            bead: None,
            reported: None,
            first_seen: envelope.at,
            last_seen: envelope.at,
            ended_at: None,
            lacks_agent: 0,
            lacks_role: 0,
            lacks_rig: 0,
        });
        row.lacks_agent += i64::from(is_nameless(envelope));
        row.lacks_role += i64::from(envelope.role == Role::Other);
        row.lacks_rig += i64::from(lacks_rig(envelope));
        row.last_seen = row.last_seen.max(envelope.at);
        row.first_seen = row.first_seen.min(envelope.at);
        keep_newest(&mut row.rig, envelope.rig.as_ref());
        keep_newest(&mut row.bead, envelope.bead.as_ref());
        // A session stands in for an agent that is not known; that is no attribution.
        keep_newest(&mut row.agent, envelope.agent.as_ref().filter(|agent| agent.as_str() != session.as_str()));
        if envelope.role != Role::Other {
            row.role = envelope.role;
        }
        match &envelope.event {
            Event::Session(SessionEdge::Ended) => row.ended_at = row.ended_at.max(Some(envelope.at)),
            Event::CostSnapshot(snapshot) => {
                let total = snapshot.total.0;
                let gain = match row.reported {
                    // A drop: the session counts anew.
                    Some(before) if total < before.last => before.sum.saturating_add(total),
                    Some(before) => before.sum.saturating_add(total - before.last),
                    None => total,
                };
                row.reported = Some(Reported { sum: gain, last: total, at: envelope.at });
            }
            _ => {}
        }
    }
    let mut rows: Vec<SessionRow> = rows.into_values().collect();
    rows.sort_unstable_by(|a, b| (a.town, &a.session).cmp(&(b.town, &b.session)));
    rows
}

fn keep_newest<T: Clone + PartialEq>(slot: &mut Option<T>, newer: Option<&T>) {
    if let Some(newer) = newer
        && slot.as_ref() != Some(newer)
    {
        *slot = Some(newer.clone());
    }
}

/// The counters of every source that the batch touches.
pub(super) fn sources<'a>(
    rows: &'a [Row],
    verdicts: &[Verdict],
    removed: &'a [(TownKey, PricedEvent)],
    refused: &[Refused<'a>],
) -> Vec<SourceSum<'a>> {
    let mut sums: BTreeMap<(TownKey, &str), SourceSum<'a>> = BTreeMap::new();
    for (row, verdict) in rows.iter().zip(verdicts) {
        let (at, source) = (row.event.envelope.at, row.event.envelope.source.as_str());
        let sum = sums.entry((row.town, source)).or_insert(SourceSum::none(row.town, source));
        sum.last_event = sum.last_event.max(Some(at));
        match verdict {
            Verdict::Stored => {
                sum.stored += 1;
                sum.newest_stored = sum.newest_stored.max(Some(at));
                let (reported, computed) = both_costs(&row.event);
                sum.reported += reported;
                sum.computed += computed;
            }
            Verdict::Duplicate => sum.duplicate += 1,
        }
    }
    for (town, event) in removed {
        let source = event.envelope.source.as_str();
        let sum = sums.entry((*town, source)).or_insert(SourceSum::none(*town, source));
        sum.stored -= 1;
        sum.duplicate += 1;
        let (reported, computed) = both_costs(event);
        sum.reported -= reported;
        sum.computed -= computed;
    }
    for item in refused {
        sums.entry((item.town, item.source)).or_insert(SourceSum::none(item.town, item.source)).rejected += 1;
    }
    sums.into_values().collect()
}

/// What the sums of both costs become when `taken` are stored again as `inserted`.
pub(super) fn repriced<'a>(
    inserted: impl Iterator<Item = Located<'a>>,
    taken: impl Iterator<Item = Located<'a>>,
) -> Vec<BothCosts<'a>> {
    let mut sums: BTreeMap<(TownKey, &str), BothCosts<'a>> = BTreeMap::new();
    let signed = inserted.map(|located| (located, 1)).chain(taken.map(|located| (located, -1)));
    for ((town, event), sign) in signed {
        let (reported, computed) = both_costs(event);
        let source = event.envelope.source.as_str();
        let sum = sums.entry((town, source)).or_insert(BothCosts { town, source, reported: 0, computed: 0 });
        sum.reported = sum.reported.saturating_add(reported.0.saturating_mul(sign));
        sum.computed = sum.computed.saturating_add(computed.0.saturating_mul(sign));
    }
    sums.into_values().filter(|sum| (sum.reported, sum.computed) != (0, 0)).collect()
}

/// Calls without a price, per model and six hours. What is taken back and stored again without one cancels out.
pub(super) fn unpriced<'a>(
    inserted: impl Iterator<Item = Located<'a>>,
    taken: impl Iterator<Item = Located<'a>>,
) -> Vec<UnpricedSum<'a>> {
    let mut sums: BTreeMap<(TownKey, &str, Timestamp), UnpricedSum<'a>> = BTreeMap::new();
    let signed = inserted.map(|located| (located, 1)).chain(taken.map(|located| (located, -1)));
    for ((town, event), sign) in signed {
        let Event::ModelCall(call) = &event.envelope.event else { continue };
        if event.cost.is_some_and(|cost| cost.amount.is_some()) {
            continue;
        }
        let (at, model) = (event.envelope.at, call.model.as_str());
        let bucket = at.floor_to(UNPRICED_S);
        let sum = sums.entry((town, model, bucket)).or_insert(UnpricedSum {
            town,
            model,
            bucket,
            calls: 0,
            tokens: [0; 5],
            first_seen: at,
            last_seen: at,
        });
        sum.calls += sign;
        for (sum, n) in sum.tokens.iter_mut().zip(Aggregate::of(event).tokens) {
            *sum = sum.saturating_add(sign.saturating_mul(n));
        }
        sum.first_seen = sum.first_seen.min(at);
        sum.last_seen = sum.last_seen.max(at);
    }
    sums.into_values().filter(|sum| sum.calls != 0 || sum.tokens != [0; 5]).collect()
}

/// Of a call that has both, what its agent says it cost and what the price book says; of everything else nothing.
fn both_costs(event: &PricedEvent) -> (Nanodollars, Nanodollars) {
    match (&event.envelope.event, event.cost.and_then(|cost| cost.computed)) {
        (Event::ModelCall(ModelCall { reported: Some(reported), .. }), Some(computed)) => (*reported, computed),
        _ => (Nanodollars::ZERO, Nanodollars::ZERO),
    }
}

/// The spans that the rollup worker has to redo. Work at the end of a span holds on into the next one.
pub(super) fn dirty(buckets: &[BucketSum], present: &[PresenceSum<'_>]) -> Vec<(TownKey, Timestamp)> {
    let mut spans: Vec<(TownKey, Timestamp)> =
        buckets.iter().map(|sum| (sum.town, sum.bucket.floor_to(SPAN_S))).collect();
    for sum in present {
        let last_minute_of_hold = sum.minute.plus_seconds(WORKING_HOLD_S - MINUTE_S);
        spans.push((sum.town, last_minute_of_hold.floor_to(SPAN_S)));
    }
    spans.sort_unstable();
    spans.dedup();
    spans
}
