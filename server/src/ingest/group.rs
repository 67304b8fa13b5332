//! Submissions on their way through one transaction, and their answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::event::PricedEvent;
use model::id::TownName;
use model::price::PriceBook;
use model::wire::Canary;
use tokio::sync::mpsc;

use super::intake::Room;
use super::queue::Reply;
use super::{Changes, Committed, Outcome, SubmitError, price};
use crate::db::TownKey;
use crate::db::batch::{Row, Verdict, Written};
use crate::db::copy_rows::CopyRows;
use crate::db::custody::Custody;
use crate::db::source_count::Refused;

/// A group of submissions on their way through one transaction.
#[derive(Default)]
pub(super) struct Group {
    pub senders: Vec<Sender>,
    /// Accepted events, in the order of submission.
    pub rows: Vec<Row>,
    /// The same, ready to be copied.
    pub encoded: CopyRows,
    /// Refused events: position among all events of the group, town, source, reason.
    pub refused: Vec<(usize, TownKey, String, String)>,
    pub towns: BTreeMap<TownKey, TownName>,
    /// What flies with it: of each town the newest.
    pub canaries: BTreeMap<TownKey, (TownName, Canary)>,
    /// Accepted and refused.
    pub events: usize,
    /// Set when all of it may be written beside other groups of the same sender.
    pub custody: Option<Arc<Custody>>,
    /// What the rows are priced with; none: nothing is priced yet.
    pub book: Option<Arc<PriceBook>>,
}

pub(super) struct Sender {
    pub events: usize,
    pub reply: Reply,
    pub room: Option<Room>,
}

impl Group {
    /// Whether there is nothing to write, and nothing that flies with it.
    pub(super) fn is_empty(&self) -> bool {
        self.events == 0 && self.canaries.is_empty()
    }

    /// Places in the hub's channel that it may need.
    pub(super) fn places(&self) -> usize {
        self.towns.len() + self.canaries.len()
    }

    /// Prices the rows with `book`, unless they are: a new price holds for everything that is not stored yet.
    pub(super) fn price_with(&mut self, book: Arc<PriceBook>) {
        if self.book.as_ref().is_some_and(|known| !Arc::ptr_eq(known, &book)) {
            for event in self.rows.iter_mut().map(|row| &mut row.event) {
                let cost = price::new_cost_of(&event.envelope, price::is_sum(&event.envelope), &book);
                event.cost = cost.or(event.cost);
            }
            self.encoded = CopyRows::of(self.rows.iter().map(|row| (row.town, &row.event)));
        }
        self.book = Some(book);
    }

    /// Accepts an event that is priced with the group's book.
    pub(super) fn accept(&mut self, town: TownKey, event: PricedEvent) {
        self.encoded.push(town, &event);
        self.rows.push(Row { town, event });
    }

    /// Takes notice that another submission with or without custody belongs to the group.
    pub(super) fn entrust(&mut self, custody: Option<Arc<Custody>>) {
        let is_same = match (&self.custody, &custody) {
            (Some(known), Some(new)) => Arc::ptr_eq(known, new),
            _ => false,
        };
        self.custody = custody.filter(|_| self.senders.is_empty() || is_same);
    }

    pub(super) fn notices(&self, from: &str) -> Vec<String> {
        self.towns.values().map(|town| format!("{from}:{town}")).collect()
    }

    pub(super) fn refusals(&self) -> Vec<Refused<'_>> {
        self.refused
            .iter()
            .map(|(_, town, source, reason)| Refused { town: *town, source, place: "", reason })
            .collect()
    }

    /// One group per sender.
    pub(super) fn split(self) -> Vec<Self> {
        let mut rows = self.rows.into_iter();
        let mut refused = self.refused.into_iter().peekable();
        let mut begin = 0;
        let mut parts = Vec::with_capacity(self.senders.len());
        for sender in self.senders {
            let end = begin + sender.events;
            let mut own_refused = Vec::new();
            while let Some((at, town, source, reason)) = refused.next_if(|(at, ..)| *at < end) {
                own_refused.push((at - begin, town, source, reason));
            }
            let own_rows: Vec<Row> = rows.by_ref().take(sender.events - own_refused.len()).collect();
            let encoded = CopyRows::of(own_rows.iter().map(|row| (row.town, &row.event)));
            let events = sender.events;
            let (towns, book, custody) = (self.towns.clone(), self.book.clone(), self.custody.clone());
            parts.push(Self {
                senders: vec![sender],
                rows: own_rows,
                encoded,
                refused: own_refused,
                towns,
                events,
                custody,
                book,
                // They flew with the whole.
                canaries: BTreeMap::new(),
            });
            begin = end;
        }
        parts
    }

    /// Tells the hub, then the senders: who has its answer finds its events on the dials.
    pub(super) fn answer(self, written: Written, places: Option<mpsc::PermitIterator<'_, Committed>>) {
        let Self { senders, rows, refused, towns, mut canaries, .. } = self;
        if let Some(mut places) = places {
            let mut changes: BTreeMap<TownKey, Changes> = BTreeMap::new();
            if let Some(row) = rows.first() {
                // Mostly all are of one town, and new.
                changes.entry(row.town).or_default().added.reserve(rows.len());
            }
            for (row, verdict) in rows.into_iter().zip(&written.verdicts) {
                if *verdict == Verdict::Stored {
                    changes.entry(row.town).or_default().added.push(row.event);
                }
            }
            for (town, event) in written.removed {
                changes.entry(town).or_default().removed.push(event);
            }
            for key in canaries.keys() {
                changes.entry(*key).or_default();
            }
            for (key, changes) in changes {
                let canary = canaries.remove(&key);
                let town = towns.get(&key).or(canary.as_ref().map(|(town, _)| town));
                if let (Some(town), Some(place)) = (town, places.next()) {
                    place.send(Committed { town: town.clone(), changes, canary: canary.map(|(_, canary)| canary) });
                }
            }
        }
        let mut verdicts = written.verdicts.iter();
        let mut refused = refused.into_iter().peekable();
        let mut position = 0;
        for sender in senders {
            let mut outcomes = Vec::with_capacity(sender.events);
            for _ in 0..sender.events {
                let outcome = match refused.next_if(|(at, ..)| *at == position) {
                    Some((.., reason)) => Outcome::Rejected(reason),
                    None => match verdicts.next() {
                        Some(Verdict::Stored) => Outcome::Stored,
                        _ => Outcome::Duplicate,
                    },
                };
                outcomes.push(outcome);
                position += 1;
            }
            // Who has its answer may count on the room; who went away does not need the answer.
            drop(sender.room);
            let _gone = sender.reply.send(Ok(outcomes));
        }
    }

    /// Tells the senders that nothing of theirs is stored.
    pub(super) fn fail(self, error: &SubmitError) {
        for sender in self.senders {
            drop(sender.room);
            let _gone = sender.reply.send(Err(error.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use model::dedupe::{Basis, Claim, Rank};
    use model::event::{Envelope, Event, ModelCall, PricedEvent};
    use model::id::{EventKey, ModelName, Role, SourceName};
    use model::price::{Price, Rates, Tier, TierRule};
    use model::time::Timestamp;
    use model::tokens::TokenCounts;
    use model::unit::Nanodollars;

    use super::*;

    fn book(input: i64) -> Arc<PriceBook> {
        let rates = Rates { input, ..Rates::default() };
        let tier = Tier { above_tokens: 10, rule: TierRule::WholeRequest, rates: Rates { input: input * 2, ..rates } };
        let effective = Timestamp::from_seconds(0);
        let model = "m".to_owned();
        Arc::new(PriceBook::new([Price { id: 1, model, effective, rates, tier: Some(tier), fast_percent: 100 }]))
    }

    fn row(basis: Option<Basis>, reported: Option<Nanodollars>) -> Row {
        let rank = Rank { sidechain: false, tokens: 1, has_speed: false, at: 1, origin: 1 };
        let event = Event::ModelCall(ModelCall {
            model: ModelName::new("m").unwrap(),
            tokens: TokenCounts { input: 1_000, ..TokenCounts::default() },
            reported,
            duration_us: None,
            ok: true,
            fast: false,
        });
        let envelope = Envelope {
            at: Timestamp::from_seconds(1_795_000_000),
            key: EventKey(1),
            claim: basis.map(|basis| Claim { message: 1, request: 2, rank, basis }),
            source: SourceName::new("api").unwrap(),
            rig: None,
            role: Role::Other,
            agent: None,
            session: None,
            bead: None,
            event,
        };
        let cost = price::cost_of(&envelope, price::is_sum(&envelope), &book(1_000));
        Row { town: TownKey(1), event: PricedEvent { envelope, cost } }
    }

    #[test]
    fn what_waits_is_priced_with_the_book_that_holds_when_it_is_written() {
        let mut group = Group::default();
        let (old, new) = (book(1_000), book(3_000));
        group.price_with(Arc::clone(&old));
        group.rows = vec![row(None, None), row(Some(Basis::Metric), None), row(None, Some(Nanodollars(7)))];
        let costs = |group: &Group| {
            let cost = |row: &Row| row.event.cost.map(|cost| (cost.amount.unwrap().0, cost.computed.unwrap().0));
            group.rows.iter().filter_map(cost).collect::<Vec<_>>()
        };
        group.price_with(old);
        assert_eq!(costs(&group), [(2_000, 2_000), (1_000, 1_000), (7, 2_000)]);
        group.price_with(new);
        assert_eq!(costs(&group), [(6_000, 6_000), (3_000, 3_000), (7, 6_000)]);
        // What would not be believed stays as it was.
        group.price_with(book(1_000_000_000_000_000));
        assert_eq!([costs(&group)[0], costs(&group)[2]], [(6_000, 6_000), (7, 6_000)]);
    }
}
