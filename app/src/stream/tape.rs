//! The list of events as the Live page keeps it: bounded, newest first, with what was left out counted where it was.

use std::collections::{HashSet, VecDeque};

use model::wire::{EventRow, RowKey};
use model::{AgentName, Role};

/// Events kept at most; older ones are read again when somebody scrolls to them.
pub(crate) const KEPT: usize = 10_000;

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(target_pointer_width = "64", expect(clippy::large_enum_variant, reason = "nearly every line is an event"))]
pub(crate) enum Entry {
    /// An event.
    Event(EventRow),
    /// Here events were left out for speed.
    LeftOut {
        /// How many.
        events: u64,
        /// Tells it from other gaps.
        id: u64,
    },
}

/// What tells one line from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EntryKey {
    /// An event.
    Event(RowKey),
    /// A gap.
    LeftOut(u64),
}

impl Entry {
    /// A line is made anew when its event is told otherwise: with its agent known, say.
    pub(crate) fn told(&self) -> (EntryKey, Option<Role>, Option<AgentName>) {
        match self {
            Self::Event(row) => (self.key(), Some(row.role), row.agent.clone()),
            // It grows.
            Self::LeftOut { events, id } => (EntryKey::LeftOut(id.wrapping_mul(1 << 32) ^ events), None, None),
        }
    }
    /// What tells it from others.
    pub(crate) const fn key(&self) -> EntryKey {
        match self {
            Self::Event(row) => EntryKey::Event(row.key),
            Self::LeftOut { id, .. } => EntryKey::LeftOut(*id),
        }
    }
}

/// How the list moved, so that a reader's place can stay where it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Lines that came at the new end.
    pub came: usize,
    /// Lines that went at the old end.
    pub went: usize,
}

/// Lines, newest first.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    entries: VecDeque<Entry>,
    known: HashSet<RowKey>,
    gaps: u64,
}

impl Tape {
    /// Every line, newest first.
    #[cfg(test)]
    fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// Lines there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The line that is `index` lines below the newest.
    pub(crate) fn get(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// Whether an event is in it.
    pub(crate) fn knows(&self, key: RowKey) -> bool {
        self.known.contains(&key)
    }

    /// Whether it takes no older events.
    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= KEPT
    }

    /// Takes over the newest events, newest first, as the live state has them: those that are not known yet stand in front.
    /// What is told otherwise is replaced, what was taken back goes, and `left_out` events are counted behind those that
    /// came.
    pub(crate) fn absorb(&mut self, newest: &[EventRow], left_out: u64) -> Moved {
        let fresh = newest.iter().take_while(|row| !self.known.contains(&row.key)).count();
        let (fresh, told) = newest.split_at(fresh);
        self.retell(told);
        let mut came = 0;
        if left_out > 0 {
            match self.entries.front_mut() {
                Some(Entry::LeftOut { events, .. }) => *events += left_out,
                _ => {
                    self.gaps += 1;
                    self.entries.push_front(Entry::LeftOut { events: left_out, id: self.gaps });
                    came += 1;
                }
            }
        }
        for row in fresh.iter().rev() {
            self.known.insert(row.key);
            self.entries.push_front(Entry::Event(row.clone()));
            came += 1;
        }
        Moved { came, went: self.trim() }
    }

    /// Takes over older events, newest first. Gives how many lines that added at the old end.
    pub(crate) fn extend(&mut self, older: Vec<EventRow>) -> usize {
        let before = self.entries.len();
        for row in older {
            if self.entries.len() == KEPT {
                break;
            }
            if self.known.insert(row.key) {
                self.entries.push_back(Entry::Event(row));
            }
        }
        self.entries.len() - before
    }

    /// Rows that are known already, newest first and without a hole: the same part of the list follows them.
    fn retell(&mut self, told: &[EventRow]) {
        let Some(last) = told.last() else { return };
        let mut kept = VecDeque::with_capacity(self.entries.len());
        let mut is_past = !self.known.contains(&last.key);
        for entry in self.entries.drain(..) {
            match entry {
                Entry::Event(row) if !is_past => {
                    is_past = row.key == last.key;
                    match told.iter().find(|told| told.key == row.key) {
                        Some(told) => kept.push_back(Entry::Event(told.clone())),
                        None => {
                            self.known.remove(&row.key);
                        }
                    }
                }
                entry => kept.push_back(entry),
            }
        }
        self.entries = kept;
    }

    fn trim(&mut self) -> usize {
        let surplus = self.entries.len().saturating_sub(KEPT);
        for entry in self.entries.drain(self.entries.len() - surplus..) {
            if let Entry::Event(row) = entry {
                self.known.remove(&row.key);
            }
        }
        surplus
    }
}

#[cfg(test)]
mod tests {
    use model::event_line::Level;
    use model::time::Timestamp;
    use model::{EventKind, SourceName};
    use proptest::prelude::*;

    use super::*;

    fn row(n: u64) -> EventRow {
        EventRow {
            key: RowKey(n),
            at: Timestamp::from_seconds(i64::try_from(n).unwrap()),
            kind: EventKind::ToolCall,
            level: Level::Info,
            source: SourceName::new("api").unwrap(),
            ok: true,
            role: Role::Other,
            rig: None,
            agent: None,
            session: None,
            bead: None,
            what: "Bash".to_owned(),
            text: None,
            file: None,
            tokens: None,
            cost: None,
            provenance: None,
            duration_us: None,
            lines: None,
        }
    }

    /// `newest` down to `oldest`.
    fn rows(newest: u64, oldest: u64) -> Vec<EventRow> {
        (oldest..=newest).rev().map(row).collect()
    }

    fn spell(tape: &Tape) -> String {
        let word = |entry: &Entry| match entry {
            Entry::Event(row) => row.key.0.to_string(),
            Entry::LeftOut { events, .. } => format!("({events})"),
        };
        tape.entries().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn new_events_stand_in_front_and_what_was_left_out_behind_them() {
        let mut tape = Tape::default();
        assert_eq!(tape.absorb(&rows(3, 1), 0), Moved { came: 3, went: 0 });
        assert_eq!(tape.absorb(&rows(5, 2), 0), Moved { came: 2, went: 0 });
        assert_eq!(spell(&tape), "5 4 3 2 1");
        // A burst: nothing that was known is among the newest any more.
        assert_eq!(tape.absorb(&rows(109, 107), 101), Moved { came: 4, went: 0 });
        assert_eq!(spell(&tape), "109 108 107 (101) 5 4 3 2 1");
        // More is left out before anything comes: one gap.
        assert_eq!(tape.absorb(&rows(109, 107), 2), Moved { came: 1, went: 0 });
        assert_eq!(tape.absorb(&rows(109, 107), 3), Moved { came: 0, went: 0 });
        assert_eq!(spell(&tape), "(5) 109 108 107 (101) 5 4 3 2 1");
    }

    #[test]
    fn what_is_told_otherwise_is_replaced_and_what_was_taken_back_goes() {
        let mut tape = Tape::default();
        tape.absorb(&rows(4, 1), 0);
        let told = [row(5), EventRow { ok: false, ..row(4) }, row(2)];
        assert_eq!(tape.absorb(&told, 0), Moved { came: 1, went: 0 });
        assert_eq!(spell(&tape), "5 4 2 1");
        assert!(matches!(tape.get(1), Some(Entry::Event(row)) if !row.ok));
        // It comes again, as something new.
        assert_eq!(tape.absorb(&[row(3), row(5)], 0).came, 1);
        assert_eq!(spell(&tape), "3 5 4 2 1");
    }

    #[test]
    fn older_events_go_to_the_old_end_once() {
        let mut tape = Tape::default();
        tape.absorb(&rows(9, 7), 0);
        assert_eq!(tape.extend(rows(7, 4)), 3);
        assert_eq!(tape.extend(rows(6, 4)), 0);
        assert_eq!(spell(&tape), "9 8 7 6 5 4");
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_names_nothing_twice(
            steps in prop::collection::vec((0_u64..400, 0_u64..120, 0_u64..9, any::<bool>()), 1..200)
        ) {
            let (mut tape, mut newest) = (Tape::default(), 0);
            for (more, shown, left_out, older) in steps {
                newest += more;
                let before = tape.len();
                let moved = tape.absorb(&rows(newest, newest.saturating_sub(shown).max(1)), left_out);
                prop_assert_eq!(tape.len(), before + moved.came - moved.went);
                let oldest = tape.entries().rev().find_map(|entry| match entry {
                    Entry::Event(row) => Some(row.key.0),
                    Entry::LeftOut { .. } => None,
                });
                if older && let Some(top) = oldest {
                    tape.extend(rows(top, top.saturating_sub(100).max(1)));
                }
                prop_assert!(tape.len() <= KEPT);
                let mut seen = HashSet::<EntryKey>::default();
                prop_assert!(tape.entries().all(|entry| seen.insert(entry.key())));
                prop_assert_eq!(tape.known.len(), tape.entries().filter(|e| matches!(e, Entry::Event(_))).count());
            }
        }
    }
}
