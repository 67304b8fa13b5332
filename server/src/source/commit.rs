//! From what was read to what is stored: events first, and only after their commit the cursors.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::event::Envelope;
use model::id::{NameError, SourceName, TownName};
use model::time::Timestamp;

use super::claude_code::Projects;
use super::tail::Piece;
use crate::db::bead::BeadRow;
use crate::db::cursor::Cursor;
use crate::db::tank::Told;
use crate::db::{self, DbError, Pool, TownKey};
use crate::ingest::{Intake, Outcome, Rejection, SubmitError};

/// Events, bad lines and beads that are stored together: a full batch of the writer.
const FLUSH_ITEMS: usize = 5_000;
/// Files whose cursors are kept together.
const FLUSH_FILES: usize = 500;

/// Why what was read could not be stored. The cursors stay where they were, so it is read again.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The intake did not take it.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The database refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A source's name is none, which does not happen.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl CommitError {
    /// Whether the store refuses what was read, and would do so again.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Db(error) if error.is_refusal())
    }
}

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

/// Collects what readers found, and stores it in batches.
#[derive(Debug)]
pub struct Committer {
    town: TownName,
    key: TownKey,
    pool: Pool,
    intake: Intake,
    projects: Arc<Mutex<Projects>>,
    events: Vec<Envelope>,
    rejected: HashMap<&'static str, Vec<Rejection>>,
    cursors: HashMap<&'static str, HashMap<String, Cursor>>,
    beads: Vec<BeadRow>,
    readings: Vec<Told>,
    /// Events, bad lines and beads.
    items: usize,
    files: usize,
    lines: u64,
    ignored: u64,
    unknown: u64,
    totals: Totals,
}

impl Committer {
    /// A committer for one town.
    #[must_use]
    pub fn new(town: TownName, key: TownKey, pool: Pool, intake: Intake, projects: Arc<Mutex<Projects>>) -> Self {
        Self {
            town,
            key,
            pool,
            intake,
            projects,
            events: Vec::new(),
            rejected: HashMap::new(),
            cursors: HashMap::new(),
            beads: Vec::new(),
            readings: Vec::new(),
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

    /// Takes a piece of the file `path`, and stores when enough has come together.
    ///
    /// # Errors
    /// As [`Committer::flush`].
    pub async fn add(&mut self, source: &'static str, path: &str, piece: Piece) -> Result<(), CommitError> {
        self.items += piece.found.items();
        self.lines += piece.found.lines;
        self.ignored += piece.found.ignored;
        self.unknown += piece.found.unknown;
        self.events.extend(piece.found.events);
        self.beads.extend(piece.found.beads);
        self.readings.extend(piece.found.readings);
        if !piece.found.rejected.is_empty() {
            self.rejected.entry(source).or_default().extend(piece.found.rejected);
        }
        let before = self.cursors.entry(source).or_default().insert(path.to_owned(), piece.cursor);
        self.files += usize::from(before.is_none());
        if self.items >= FLUSH_ITEMS || self.files >= FLUSH_FILES { self.flush().await } else { Ok(()) }
    }

    /// Takes something that could not be read; it is counted with the next flush.
    pub fn reject(&mut self, source: &'static str, rejection: Rejection) {
        self.items += 1;
        self.rejected.entry(source).or_default().push(rejection);
    }

    /// Stores everything taken so far: events, then bad lines, and after both the cursors.
    ///
    /// # Errors
    /// The store does not answer or the server stops. What was taken is forgotten; the cursors were not kept, so
    /// reading begins again before it.
    pub async fn flush(&mut self) -> Result<(), CommitError> {
        let events = std::mem::take(&mut self.events);
        let rejected = std::mem::take(&mut self.rejected);
        let cursors = std::mem::take(&mut self.cursors);
        let beads = std::mem::take(&mut self.beads);
        let readings = std::mem::take(&mut self.readings);
        self.files = 0;
        self.items = 0;
        let mut totals = self.totals;
        totals.lines += std::mem::take(&mut self.lines);
        totals.ignored += std::mem::take(&mut self.ignored);
        totals.unknown += std::mem::take(&mut self.unknown);

        let fresh = self.projects.lock().unwrap_or_else(PoisonError::into_inner).take_fresh();
        if !fresh.is_empty() {
            db::cursor::save_project_names(&self.pool, self.key, &fresh).await?;
        }
        if !events.is_empty() {
            let first = events.iter().map(|event| event.at).min();
            totals.first = [totals.first, first].into_iter().flatten().min();
            for outcome in self.intake.submit_waiting(&self.town, events).await? {
                match outcome {
                    Outcome::Stored => totals.stored += 1,
                    Outcome::Duplicate => totals.duplicate += 1,
                    Outcome::Rejected(_) => totals.rejected += 1,
                }
            }
        }
        for (source, items) in rejected {
            totals.rejected += u64::try_from(items.len()).unwrap_or(0);
            self.intake.reject(&self.town, &SourceName::new(source)?, items).await?;
        }
        if !beads.is_empty() {
            // Of several readings of one bead the newest counts, of equals the last: a statement may touch a row only once.
            let mut by_id: HashMap<String, BeadRow> = HashMap::new();
            for row in beads {
                if by_id.get(&row.bead).is_none_or(|known| known.updated_at <= row.updated_at) {
                    by_id.insert(row.bead.clone(), row);
                }
            }
            let rows: Vec<BeadRow> = by_id.into_values().collect();
            db::bead::upsert(&self.pool, self.key, &rows).await?;
        }
        db::tank::save(&self.pool, self.key, &readings).await?;
        for (source, cursors) in cursors {
            db::cursor::save(&self.pool, self.key, source, &cursors).await?;
        }
        if totals.unknown > self.totals.unknown {
            let lines = totals.unknown - self.totals.unknown;
            tracing::info!(lines, "lines of kinds that this version does not know were passed over");
        }
        self.totals = totals;
        Ok(())
    }
}
