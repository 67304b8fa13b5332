//! Submissions on their way through one transaction, and their answers.

use std::collections::BTreeMap;

use model::id::TownName;
use tokio::sync::mpsc;

use super::intake::Room;
use super::queue::Reply;
use super::{Changes, Committed, Outcome, SubmitError};
use crate::db::TownKey;
use crate::db::batch::{Row, Verdict, Written};
use crate::db::source_count::Refused;

/// A group of submissions on their way through one transaction.
#[derive(Default)]
pub(super) struct Group {
    pub senders: Vec<Sender>,
    /// Accepted events, in the order of submission.
    pub rows: Vec<Row>,
    /// Refused events: position among all events of the group, town, source, reason.
    pub refused: Vec<(usize, TownKey, String, String)>,
    pub towns: BTreeMap<TownKey, TownName>,
    /// Accepted and refused.
    pub events: usize,
}

pub(super) struct Sender {
    pub events: usize,
    pub reply: Reply,
    pub room: Option<Room>,
}

impl Group {
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
            let own_rows = rows.by_ref().take(sender.events - own_refused.len()).collect();
            let events = sender.events;
            let towns = self.towns.clone();
            parts.push(Self { senders: vec![sender], rows: own_rows, refused: own_refused, towns, events });
            begin = end;
        }
        parts
    }

    /// Tells the hub, then the senders: who has its answer finds its events on the dials.
    pub(super) fn answer(self, written: Written, places: Option<mpsc::PermitIterator<'_, Committed>>) {
        let Self { senders, rows, refused, towns, .. } = self;
        if let Some(mut places) = places {
            let mut changes: BTreeMap<TownKey, Changes> = BTreeMap::new();
            for (row, verdict) in rows.into_iter().zip(&written.verdicts) {
                if *verdict == Verdict::Stored {
                    changes.entry(row.town).or_default().added.push(row.event);
                }
            }
            for (town, event) in written.removed {
                changes.entry(town).or_default().removed.push(event);
            }
            for (key, changes) in changes {
                if let (Some(town), Some(place)) = (towns.get(&key), places.next()) {
                    place.send(Committed { town: town.clone(), changes });
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
