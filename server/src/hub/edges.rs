//! The right edge of the charts: the newest bucket of each tier, kept whole.

use std::collections::BTreeMap;

use model::event::PricedEvent;
use model::id::Role;
use model::time::Timestamp;
use model::wire::Edge;
use model::{Aggregate, Nanodollars, Resolution};

/// The tiers that the windows draw.
const TIERS: [Resolution; 4] = [Resolution::S10, Resolution::M1, Resolution::M5, Resolution::M30];
/// How many buckets ahead of the clock are remembered, for senders whose clock runs ahead.
const AHEAD: i64 = 1;

/// One bucket's sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Its measures.
    pub sum: Aggregate,
    /// Cost by role.
    pub cost_by_role: [Nanodollars; 7],
}

#[derive(Debug, Clone, Default)]
struct Tier {
    /// By beginning in seconds: the previous bucket, the current one, and those just ahead.
    buckets: BTreeMap<i64, Bucket>,
    /// The current bucket changed since the last [`Edges::take`].
    dirty: bool,
    /// The previous one did: a late event.
    late: bool,
    /// The bucket in which the last [`Edges::take`] happened.
    shown_s: i64,
}

/// The current and the previous bucket of each tier.
#[derive(Debug, Clone)]
pub struct Edges {
    tiers: [Tier; 4],
}

impl Edges {
    /// No events yet.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { tiers: TIERS.map(|tier| Tier { shown_s: now.floor_to(tier.step_s()).seconds(), ..Tier::default() }) }
    }

    /// Adds what happened in the finest bucket that begins at `from`; used to load history.
    pub fn add_bucket(&mut self, from: Timestamp, bucket: &Bucket, now: Timestamp) {
        for (tier, state) in TIERS.into_iter().zip(&mut self.tiers) {
            if let Some(slot) = state.slot(tier, from, now) {
                slot.sum.add(&bucket.sum);
                for (mine, theirs) in slot.cost_by_role.iter_mut().zip(bucket.cost_by_role) {
                    *mine += theirs;
                }
            }
        }
    }

    /// Adds an event, or takes it back.
    pub fn fold(&mut self, priced: &PricedEvent, sum: &Aggregate, taken_back: bool, now: Timestamp) {
        let envelope = &priced.envelope;
        for (tier, state) in TIERS.into_iter().zip(&mut self.tiers) {
            let Some(slot) = state.slot(tier, envelope.at, now) else { continue };
            let cost = &mut slot.cost_by_role[envelope.role.index()];
            if taken_back {
                slot.sum.subtract(sum);
                *cost -= sum.cost;
            } else {
                slot.sum.add(sum);
                *cost += sum.cost;
            }
            if envelope.at < now.floor_to(tier.step_s()) {
                state.late = true;
            } else {
                state.dirty = true;
            }
        }
    }

    /// Whether a tier moved on to its next bucket since the last [`Edges::take`].
    #[must_use]
    pub fn rolled_over(&self, now: Timestamp) -> bool {
        TIERS.into_iter().zip(&self.tiers).any(|(tier, state)| now.floor_to(tier.step_s()).seconds() > state.shown_s)
    }

    /// The buckets that viewers do not have yet: the current one where it changed, and after a rollover the one
    /// before once more. Forgets what is older.
    pub fn take(&mut self, now: Timestamp) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (tier, state) in TIERS.into_iter().zip(&mut self.tiers) {
            let step_s = tier.step_s();
            let current_s = now.floor_to(step_s).seconds();
            let rolled = current_s > state.shown_s;
            if state.late || rolled {
                edges.push(state.edge(step_s, current_s - step_s));
            }
            // Last, because a client keeps the last one of a tier as its newest.
            if state.late || state.dirty || rolled {
                edges.push(state.edge(step_s, current_s));
            }
            (state.dirty, state.late) = (false, false);
            state.shown_s = current_s;
            state.buckets.retain(|from_s, _| *from_s >= current_s - step_s);
        }
        edges
    }

    /// The newest bucket of each tier.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> Vec<Edge> {
        let newest =
            |(tier, state): (Resolution, &Tier)| state.edge(tier.step_s(), now.floor_to(tier.step_s()).seconds());
        TIERS.into_iter().zip(&self.tiers).map(newest).collect()
    }

    /// The previous and the newest bucket of each tier.
    #[must_use]
    pub fn recent(&self, now: Timestamp) -> Vec<Edge> {
        let both = |(tier, state): (Resolution, &Tier)| {
            let step_s = tier.step_s();
            let current_s = now.floor_to(step_s).seconds();
            [state.edge(step_s, current_s - step_s), state.edge(step_s, current_s)]
        };
        TIERS.into_iter().zip(&self.tiers).flat_map(both).collect()
    }

    /// The earliest instant that [`Edges`] wants to know of.
    #[must_use]
    pub const fn oldest(now: Timestamp) -> Timestamp {
        let step_s = Resolution::M30.step_s();
        now.floor_to(step_s).plus_seconds(-step_s)
    }
}

impl Tier {
    fn slot(&mut self, tier: Resolution, at: Timestamp, now: Timestamp) -> Option<&mut Bucket> {
        let step_s = tier.step_s();
        let (from_s, current_s) = (at.floor_to(step_s).seconds(), now.floor_to(step_s).seconds());
        let kept = from_s >= current_s - step_s && from_s <= current_s + AHEAD * step_s;
        kept.then(|| self.buckets.entry(from_s).or_default())
    }

    fn edge(&self, step_s: i64, from_s: i64) -> Edge {
        let bucket = self.buckets.get(&from_s).copied().unwrap_or_default();
        Edge { step_s, from_s, sum: bucket.sum, cost_by_role: bucket.cost_by_role }
    }
}

/// Where a role's cost stands in [`Bucket::cost_by_role`], by the number in the database.
#[must_use]
pub fn role_slot(index: i16) -> usize {
    usize::try_from(index).ok().filter(|i| *i < Role::ALL.len()).unwrap_or(Role::Other.index())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::fixture::{T0, call};

    fn at(edges: &[Edge], step_s: i64, from_s: i64) -> i64 {
        edges.iter().find(|e| e.step_s == step_s && e.from_s == from_s).map_or(-1, |e| e.sum.calls)
    }

    #[test]
    fn a_bucket_is_shown_whole_and_once_more_after_it_ended() {
        let mut edges = Edges::new(T0);
        let event = call(T0, 100);
        edges.fold(&event, &Aggregate::of(&event), false, T0);
        edges.fold(&event, &Aggregate::of(&event), false, T0);
        let from_s = T0.floor_to(10).seconds();
        assert_eq!(at(&edges.take(T0), 10, from_s), 2);
        assert!(edges.take(T0).is_empty(), "nothing changed since");
        let later = T0.floor_to(10).plus_seconds(10);
        assert!(edges.rolled_over(later));
        let rolled = edges.take(later);
        assert_eq!((at(&rolled, 10, from_s), at(&rolled, 10, from_s + 10)), (2, 0));
        assert_eq!(at(&edges.current(later), 1_800, later.floor_to(1_800).seconds()), 2);
    }

    #[test]
    fn what_is_taken_back_is_gone_and_far_futures_are_not_kept() {
        let mut edges = Edges::new(T0);
        let event = call(T0, 100);
        edges.fold(&event, &Aggregate::of(&event), false, T0);
        edges.fold(&event, &Aggregate::of(&event), true, T0);
        assert!(edges.current(T0).iter().all(|e| e.sum.is_zero() && e.cost_by_role == <[Nanodollars; 7]>::default()));
        let ahead = call(T0.plus_seconds(86_400), 1);
        edges.fold(&ahead, &Aggregate::of(&ahead), false, T0);
        assert!(edges.tiers.iter().all(|tier| tier.buckets.len() <= 3));
    }
}
