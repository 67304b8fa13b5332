//! From what was read to batches: what comes together goes on together, wherever it goes.

use std::sync::{Arc, Mutex, PoisonError};

use super::claude_code::Projects;
use super::destination::{CommitError, Destination, Taken};
use super::gathered::{Enough, Gathered, Totals};
use super::tail::Piece;
use crate::ingest::Rejection;

/// What is stored together: what a live page waits for is never much.
const ENOUGH: Enough = Enough { items: 5_000, files: 500 };

/// Collects what readers found, and hands it on in batches.
#[derive(Debug)]
pub struct Committer {
    destination: Arc<dyn Destination>,
    projects: Arc<Mutex<Projects>>,
    gathered: Gathered,
    totals: Totals,
}

impl Committer {
    /// A committer for one town; names of `projects` are kept with what they were given for.
    #[must_use]
    pub fn new(destination: Arc<dyn Destination>, projects: Arc<Mutex<Projects>>) -> Self {
        Self { destination, projects, gathered: Gathered::new(ENOUGH), totals: Totals::default() }
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
        if self.gathered.add(source, path, piece) { self.flush().await } else { Ok(()) }
    }

    /// Takes something that could not be read; it is counted with the next flush.
    pub fn reject(&mut self, source: &'static str, rejection: Rejection) {
        self.gathered.reject(source, rejection);
    }

    /// Hands on everything taken so far.
    ///
    /// # Errors
    /// The destination does not take it. What was taken is forgotten; the cursors were not kept, so reading begins again
    /// before it.
    pub async fn flush(&mut self) -> Result<(), CommitError> {
        let (mut batch, read) = self.gathered.take();
        batch.names = self.projects.lock().unwrap_or_else(PoisonError::into_inner).take_fresh();
        let taken = if batch.is_empty() { Taken::default() } else { self.destination.take(batch).await? };
        self.totals.add(&read, taken);
        Ok(())
    }
}
