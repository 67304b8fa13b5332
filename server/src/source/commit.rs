//! From what was read to batches: what comes together goes on together, wherever it goes.

use std::sync::{Arc, Mutex, PoisonError};

use model::time::Timestamp;

use super::claude_code::Projects;
use super::destination::{Batch, CommitError, Destination};
use super::tail::Piece;
use crate::ingest::Rejection;

/// Events, bad lines and beads that are stored together: a full batch of the writer.
const FLUSH_ITEMS: usize = 5_000;
/// Files whose cursors are kept together.
const FLUSH_FILES: usize = 500;

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

/// Collects what readers found, and hands it on in batches.
#[derive(Debug)]
pub struct Committer {
    destination: Arc<dyn Destination>,
    projects: Arc<Mutex<Projects>>,
    batch: Batch,
    /// Events, bad lines and beads.
    items: usize,
    files: usize,
    lines: u64,
    ignored: u64,
    unknown: u64,
    totals: Totals,
}

impl Committer {
    /// A committer for one town; names of `projects` are kept with what they were given for.
    #[must_use]
    pub fn new(destination: Arc<dyn Destination>, projects: Arc<Mutex<Projects>>) -> Self {
        Self {
            destination,
            projects,
            batch: Batch::default(),
            items: 0,
            files: 0,
            lines: 0,
            ignored: 0,
            unknown: 0,
            totals: Totals::default(),
        }
    }

    /// What became of everything that was flushed.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// Takes a piece of the file `path`, and hands on when enough has come together.
    ///
    /// # Errors
    /// As [`Committer::flush`].
    pub async fn add(&mut self, source: &'static str, path: &str, piece: Piece) -> Result<(), CommitError> {
        self.items += piece.found.items();
        self.lines += piece.found.lines;
        self.ignored += piece.found.ignored;
        self.unknown += piece.found.unknown;
        self.batch.events.extend(piece.found.events);
        self.batch.beads.extend(piece.found.beads);
        if !piece.found.rejected.is_empty() {
            self.batch.rejected.entry(source).or_default().extend(piece.found.rejected);
        }
        let before = self.batch.cursors.entry(source).or_default().insert(path.to_owned(), piece.cursor);
        self.files += usize::from(before.is_none());
        if self.items >= FLUSH_ITEMS || self.files >= FLUSH_FILES { self.flush().await } else { Ok(()) }
    }

    /// Takes something that could not be read; it is counted with the next flush.
    pub fn reject(&mut self, source: &'static str, rejection: Rejection) {
        self.items += 1;
        self.batch.rejected.entry(source).or_default().push(rejection);
    }

    /// Hands on everything taken so far.
    ///
    /// # Errors
    /// The destination does not take it. What was taken is forgotten; the cursors were not kept, so reading begins again
    /// before it.
    pub async fn flush(&mut self) -> Result<(), CommitError> {
        let mut batch = std::mem::take(&mut self.batch);
        self.files = 0;
        self.items = 0;
        let mut totals = self.totals;
        totals.lines += std::mem::take(&mut self.lines);
        totals.ignored += std::mem::take(&mut self.ignored);
        totals.unknown += std::mem::take(&mut self.unknown);

        batch.names = self.projects.lock().unwrap_or_else(PoisonError::into_inner).take_fresh();
        let first = batch.events.iter().map(|event| event.at).min();
        totals.first = [totals.first, first].into_iter().flatten().min();
        if !batch.is_empty() {
            let taken = self.destination.take(batch).await?;
            totals.stored += taken.stored;
            totals.duplicate += taken.duplicate;
            totals.rejected += taken.rejected;
        }
        if totals.unknown > self.totals.unknown {
            let lines = totals.unknown - self.totals.unknown;
            tracing::info!(lines, "lines of kinds that this version does not know were passed over");
        }
        self.totals = totals;
        Ok(())
    }
}
