//! The list behind signals: live events at one end, older ones on demand at the other, and where its reader is.

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::TownName;
use model::event_line::{EventLine, EventPage};

use super::EventFilter;
use super::tape::{Entry, Moved, Tape};
use crate::fetch;
use crate::live::Live;
use crate::reader::ReadError;

/// Pages that a list reads by itself until there is something to scroll.
const UNASKED: u32 = 8;

/// How it is with older events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Older {
    /// There are more.
    More,
    /// They are on their way.
    Coming,
    /// They could not be read.
    Failed(ReadError),
    /// There are none.
    Done,
    /// The list is as long as it gets.
    Full,
}

/// The list of the Live page.
#[derive(Clone, Copy)]
pub(crate) struct Reel {
    tape: RwSignal<Tape>,
    /// What is shown.
    pub filter: RwSignal<EventFilter>,
    /// Lines at the new end that a paused list does not show yet.
    held: RwSignal<usize>,
    /// Whether the list stands still.
    pub paused: RwSignal<bool>,
    /// Whether the reader is at the new end.
    pub following: RwSignal<bool>,
    /// Lines that came since the reader left the new end.
    pub unread: RwSignal<usize>,
    /// How it is with older events.
    pub older: RwSignal<Older>,
    /// Lines that were added at the old end in all, less those that went.
    pub shift: RwSignal<i64>,
    before: StoredValue<Option<String>>,
    /// Pages that were read without anybody asking, since the filter was chosen.
    unasked: StoredValue<u32>,
    skipped: StoredValue<u64>,
    snapshots: StoredValue<u32>,
    /// Tells an answer that nobody waits for any more.
    turn: StoredValue<u32>,
}

impl Reel {
    /// Begins with what the page came with.
    pub(crate) fn new(filter: EventFilter, first: Result<EventPage, ReadError>) -> Self {
        let reel = Self {
            tape: RwSignal::new(Tape::default()),
            filter: RwSignal::new(filter),
            held: RwSignal::new(0),
            paused: RwSignal::new(false),
            following: RwSignal::new(true),
            unread: RwSignal::new(0),
            older: RwSignal::new(Older::More),
            shift: RwSignal::new(0),
            before: StoredValue::new(None),
            unasked: StoredValue::new(0),
            skipped: StoredValue::new(0),
            snapshots: StoredValue::new(0),
            turn: StoredValue::new(0),
        };
        reel.take_older(first);
        reel
    }

    /// Follows the live state.
    pub(crate) fn follow(self, live: Live, town: TownName) {
        Effect::new(move |_| {
            let filter = self.filter.get();
            let newest: Vec<_> = live.newest_events(usize::MAX).into_iter().filter(|row| filter.matches(row)).collect();
            let skipped = live.skipped();
            let left_out = skipped.saturating_sub(self.skipped.get_value());
            self.skipped.set_value(skipped);
            let snapshots = live.snapshots();
            let is_anew = self.snapshots.get_value() != snapshots;
            self.snapshots.set_value(snapshots);
            let Some(moved) = self.tape.try_update(|tape| {
                // After a pause of the link, something may lie between: then everything is read anew.
                let joins = newest.is_empty() || tape.len() == 0 || newest.iter().any(|row| tape.knows(row.key));
                if is_anew && !joins {
                    return None;
                }
                Some(tape.absorb(&newest, left_out))
            }) else {
                return;
            };
            match moved {
                Some(moved) => self.moved(moved),
                None => self.restart(&town),
            }
        });
    }

    fn moved(self, moved: Moved) {
        if self.paused.get_untracked() {
            self.held.update(|held| *held += moved.came);
        } else if !self.following.get_untracked() && moved.came > 0 {
            self.unread.update(|unread| *unread += moved.came);
        }
        if moved.went > 0 {
            self.shift.update(|shift| *shift -= i64::try_from(moved.went).unwrap_or(0));
            self.older.set(Older::Full);
        }
    }

    /// Shows something else from now on.
    pub(crate) fn set_filter(self, town: &TownName, filter: EventFilter) {
        if self.filter.get_untracked() != filter {
            self.restart_with(town, filter);
        }
    }

    fn restart(self, town: &TownName) {
        self.restart_with(town, self.filter.get_untracked());
    }

    fn restart_with(self, town: &TownName, filter: EventFilter) {
        self.before.set_value(None);
        self.unasked.set_value(0);
        self.held.set(0);
        self.unread.set(0);
        self.following.set(true);
        self.tape.set(Tape::default());
        self.older.set(Older::More);
        self.filter.set(filter);
        self.read_older(town.clone());
    }

    /// Reads the next older events, unless they are on their way or there are none.
    pub(crate) fn read_older(self, town: TownName) {
        if matches!(self.older.get_untracked(), Older::Coming | Older::Done | Older::Full) {
            return;
        }
        self.older.set(Older::Coming);
        let turn = self.turn.get_value().wrapping_add(1);
        self.turn.set_value(turn);
        let (filter, before) = (self.filter.get_untracked(), self.before.get_value());
        spawn_local_scoped_with_cancellation(async move {
            let page = fetch::events(&town, &filter, before.as_deref()).await;
            if self.turn.get_value() == turn {
                self.take_older(page);
            }
        });
    }

    /// Reads on where a page brought too little to scroll, some times: a filter that little fits must not read all of
    /// history by itself.
    pub(crate) fn fill(self, town: TownName) {
        let unasked = self.unasked.get_value();
        if unasked < UNASKED && self.older.with_untracked(|older| *older == Older::More) {
            self.unasked.set_value(unasked + 1);
            self.read_older(town);
        }
    }

    fn take_older(self, page: Result<EventPage, ReadError>) {
        match page {
            Err(error) => self.older.set(Older::Failed(error)),
            Ok(EventPage { events, next, .. }) => {
                let is_last = next.is_none();
                let rows = events.into_iter().map(|EventLine { row, .. }| row).collect();
                self.before.set_value(next);
                let (added, is_full) =
                    self.tape.try_update(|tape| (tape.extend(rows), tape.is_full())).unwrap_or_default();
                self.shift.update(|shift| *shift += i64::try_from(added).unwrap_or(0));
                self.older.set(match (is_full, is_last) {
                    (true, _) => Older::Full,
                    (false, true) => Older::Done,
                    (false, false) => Older::More,
                });
            }
        }
    }

    /// Stands still, or goes on with everything that came meanwhile.
    pub(crate) fn pause(self, paused: bool) {
        self.paused.set(paused);
        if !paused {
            let held = self.held.get_untracked();
            self.held.set(0);
            if !self.following.get_untracked() {
                self.unread.update(|unread| *unread += held);
            }
        }
    }

    /// The reader is at the new end, or left it.
    pub(crate) fn set_following(self, following: bool) {
        if self.following.get_untracked() != following {
            self.following.set(following);
        }
        if following && self.unread.get_untracked() > 0 {
            self.unread.set(0);
        }
    }

    /// Lines that are shown. Tracked.
    pub(crate) fn len(self) -> usize {
        self.tape.with(Tape::len).saturating_sub(self.held.get())
    }

    /// Lines that a paused list holds back. Tracked.
    pub(crate) fn held(self) -> usize {
        self.held.get()
    }

    /// Lines from the oldest on: `from` up to `to`, oldest first. Tracked.
    pub(crate) fn lines(self, from: usize, to: usize) -> Vec<Entry> {
        let held = self.held.get();
        self.tape.with(|tape| {
            let shown = tape.len().saturating_sub(held);
            let to = to.min(shown);
            (from.min(to)..to).filter_map(|place| tape.get(held + shown - 1 - place).cloned()).collect()
        })
    }
}
