//! The list of newest events: what viewers have, and what they have to be told.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};

use model::event::PricedEvent;
use model::time::Timestamp;
use model::wire::{EVENTS_KEPT, EVENTS_PER_TICK, EventRow, RowKey};

use super::row::{event_row, row_key};
use crate::ingest::Changes;

/// An event that is older than the newest one by more than this is history, not news.
const NEWS_S: i64 = 60;

/// The newest events of a town.
#[derive(Debug, Clone)]
pub struct News {
    /// What viewers have as of the last frame, newest first, less what was taken back since.
    events: VecDeque<EventRow>,
    /// News since the last frame, at most [`EVENTS_PER_TICK`] per batch.
    pending: Vec<EventRow>,
    /// Rows of `events` that read otherwise now.
    retold: Vec<EventRow>,
    /// Rows that viewers have and should not have any more.
    gone: Vec<RowKey>,
    skipped: u64,
    newest: Option<Timestamp>,
}

/// What a frame says of the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// As in [`model::wire::Delta::events`].
    pub events: Vec<EventRow>,
    /// As in [`model::wire::Delta::gone`].
    pub gone: Vec<RowKey>,
    /// As in [`model::wire::Delta::skipped`].
    pub skipped: u64,
}

impl News {
    /// A list that begins with `events`, newest first.
    #[must_use]
    pub fn new(events: Vec<EventRow>) -> Self {
        Self {
            newest: events.first().map(|row| row.at),
            events: events.into(),
            pending: Vec::new(),
            retold: Vec::new(),
            gone: Vec::new(),
            skipped: 0,
        }
    }

    /// Takes over what was committed.
    pub fn fold(&mut self, changes: &Changes) {
        let known: HashSet<RowKey> = changes.removed.iter().map(row_key).collect();
        if !known.is_empty() {
            let again = changes.added.iter().map(|priced| (row_key(priced), priced));
            let again: HashMap<RowKey, &PricedEvent> = again.filter(|(key, _)| known.contains(key)).collect();
            for key in &known {
                self.correct(*key, again.get(key).map(|priced| event_row(priced)));
            }
        }
        let Some(newest) = changes.added.iter().map(|priced| priced.envelope.at).max() else { return };
        let newest = self.newest.map_or(newest, |known| known.max(newest));
        self.newest = Some(newest);
        let news = changes.added.iter().rev().filter(|priced| priced.envelope.at > newest.plus_seconds(-NEWS_S));
        // What only reads otherwise than before is no news.
        let news = news.filter(|priced| known.is_empty() || !known.contains(&row_key(priced)));
        for (i, priced) in news.enumerate() {
            if i < EVENTS_PER_TICK {
                self.pending.push(event_row(priced));
            } else {
                self.skipped += 1;
            }
        }
        self.trim();
    }

    /// Replaces a row, or strikes it out, wherever it stands.
    fn correct(&mut self, key: RowKey, row: Option<EventRow>) {
        if let Some(i) = self.pending.iter().position(|known| known.key == key) {
            match row {
                Some(row) => self.pending[i] = row,
                None => drop(self.pending.remove(i)),
            }
        } else if let Some(i) = self.events.iter().position(|known| known.key == key) {
            self.retold.retain(|known| known.key != key);
            match row {
                Some(row) => {
                    self.events[i] = row.clone();
                    self.retold.push(row);
                }
                None => {
                    self.events.remove(i);
                    self.gone.push(key);
                }
            }
        }
    }

    fn trim(&mut self) {
        if self.pending.len() > EVENTS_PER_TICK {
            self.pending.sort_by_key(|row| Reverse(row.at));
            self.skipped += u64::try_from(self.pending.len() - EVENTS_PER_TICK).unwrap_or_default();
            self.pending.truncate(EVENTS_PER_TICK);
        }
    }

    /// What viewers have to be told now.
    pub fn take(&mut self) -> Told {
        let mut events = std::mem::take(&mut self.pending);
        events.sort_by_key(|row| Reverse(row.at));
        for row in events.iter().rev() {
            self.events.push_front(row.clone());
        }
        self.events.truncate(EVENTS_KEPT);
        events.append(&mut self.retold);
        Told { events, gone: std::mem::take(&mut self.gone), skipped: std::mem::take(&mut self.skipped) }
    }

    /// The list as of the last frame; the next [`News::take`] applies to it without loss or repetition.
    #[must_use]
    pub fn shown(&self) -> Vec<EventRow> {
        self.events.iter().cloned().collect()
    }

    /// The list with everything that was committed.
    #[must_use]
    pub fn all(&self) -> Vec<EventRow> {
        let mut events = self.pending.clone();
        events.sort_by_key(|row| Reverse(row.at));
        events.extend(self.events.iter().cloned());
        events.truncate(EVENTS_KEPT);
        events
    }
}

#[cfg(test)]
mod tests {
    use model::Role;

    use super::*;
    use crate::hub::fixture::{T0, call};

    fn changes(added: &[&PricedEvent], removed: &[&PricedEvent]) -> Changes {
        let of = |events: &[&PricedEvent]| events.iter().map(|event| (*event).clone()).collect();
        Changes { added: of(added), removed: of(removed) }
    }

    #[test]
    fn a_replaced_report_leaves_the_list_whether_viewers_have_it_or_not() {
        let (lesser, better, best) = (call(T0, 1), call(T0.plus_seconds(1), 2), call(T0.plus_seconds(2), 3));
        let mut news = News::new(Vec::new());
        news.fold(&changes(&[&lesser], &[]));
        news.fold(&changes(&[&better], &[&lesser]));
        assert_eq!(news.take(), Told { events: vec![event_row(&better)], ..Told::default() });
        news.fold(&changes(&[&best], &[&better]));
        assert_eq!(news.shown(), [], "who joins now is not shown it");
        let told = Told { events: vec![event_row(&best)], gone: vec![row_key(&better)], skipped: 0 };
        assert_eq!(news.take(), told);
        assert_eq!(news.shown(), [event_row(&best)]);
    }

    #[test]
    fn an_event_told_again_keeps_its_line() {
        let (first, second) = (call(T0, 1), call(T0.plus_seconds(1), 2));
        let mut known = first.clone();
        known.envelope.role = Role::Crew;
        let mut news = News::new(Vec::new());
        news.fold(&changes(&[&first, &second], &[]));
        news.take();
        news.fold(&changes(&[&known], &[&first]));
        assert_eq!(news.take().events, [event_row(&known)]);
        assert_eq!(news.shown(), [event_row(&second), event_row(&known)]);
    }
}
