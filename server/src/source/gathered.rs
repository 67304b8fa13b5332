//! What readers found, until it is enough to go on together.

use model::time::Timestamp;

use super::destination::{Batch, Taken};
use super::tail::Piece;
use crate::ingest::Rejection;

/// What became of everything so far. `stored`, `duplicate` and `rejected` are events and bad lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Lines read, empty ones included.
    pub lines: u64,
    /// Events that are new, or replaced a lesser report of the same call.
    pub stored: u64,
    /// Events that were there already, or lesser reports of a call that is.
    pub duplicate: u64,
    /// Bad lines, and events that the store refused.
    pub rejected: u64,
    /// Lines that were understood, and hold nothing that is measured.
    pub ignored: u64,
    /// Lines of a kind that this version does not know.
    pub unknown: u64,
    /// The earliest event.
    pub first: Option<Timestamp>,
}

impl Totals {
    /// Adds what was read, and what became of it.
    pub(super) fn add(&mut self, read: &Self, taken: Taken) {
        self.lines += read.lines;
        self.ignored += read.ignored;
        self.unknown += read.unknown;
        self.first = [self.first, read.first].into_iter().flatten().min();
        self.stored += taken.stored;
        self.duplicate += taken.duplicate;
        self.rejected += taken.rejected;
        if read.unknown > 0 {
            let lines = read.unknown;
            tracing::info!(lines, "lines of kinds that this version does not know were passed over");
        }
    }
}

/// When it is enough to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enough {
    /// Events, bad lines, beads and readings.
    pub items: usize,
    /// Files whose cursors are kept together.
    pub files: usize,
}

/// What came together since something was last handed on.
#[derive(Debug)]
pub(super) struct Gathered {
    enough: Enough,
    batch: Batch,
    items: usize,
    files: usize,
    read: Totals,
}

impl Gathered {
    pub(super) fn new(enough: Enough) -> Self {
        Self { enough, batch: Batch::default(), items: 0, files: 0, read: Totals::default() }
    }

    /// Takes a piece of the file `path`. True: it is enough now.
    pub(super) fn add(&mut self, source: &'static str, path: &str, piece: Piece) -> bool {
        self.items += piece.found.items();
        self.read.lines += piece.found.lines;
        self.read.ignored += piece.found.ignored;
        self.read.unknown += piece.found.unknown;
        let first = piece.found.events.iter().map(|event| event.at).min();
        self.read.first = [self.read.first, first].into_iter().flatten().min();
        self.batch.events.extend(piece.found.events);
        self.batch.beads.extend(piece.found.beads);
        self.batch.readings.extend(piece.found.readings);
        self.batch.requests.extend(piece.found.requests);
        if !piece.found.rejected.is_empty() {
            self.batch.rejected.entry(source).or_default().extend(piece.found.rejected);
        }
        let before = self.batch.cursors.entry(source).or_default().insert(path.to_owned(), piece.cursor);
        self.files += usize::from(before.is_none());
        self.items >= self.enough.items || self.files >= self.enough.files
    }

    /// Takes something that could not be read.
    pub(super) fn reject(&mut self, source: &'static str, rejection: Rejection) {
        self.items += 1;
        self.batch.rejected.entry(source).or_default().push(rejection);
    }

    /// Everything taken so far, and what was read for it; nothing stays.
    pub(super) fn take(&mut self) -> (Batch, Totals) {
        let Self { batch, read, .. } = std::mem::replace(self, Self::new(self.enough));
        (batch, read)
    }
}
