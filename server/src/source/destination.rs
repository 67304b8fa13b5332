//! Where what was read goes: into the store of this machine, or into a spool on its way to another.

use std::collections::HashMap;
use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;

use async_trait::async_trait;
use model::event::Envelope;
use model::id::{NameError, SourceName, TownName};
use model::request::{Implied, LOST_AFTER_S};
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::db::bead::{self, BeadRow};
use crate::db::cursor::{self, Cursor};
use crate::db::custody::Custody;
use crate::db::tank::{self, Told as Reading};
use crate::db::{self, DbError, Pool, TownKey};
use crate::ingest::{Intake, Outcome, Rejection, SubmitError};
use crate::request::{self, ImplyError, Told};
use crate::ship::SpoolError;

/// Cursors of one source, by file.
pub type Cursors = HashMap<String, Cursor>;

/// Why what was read was not taken. The cursors stay where they were, so it is read again.
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
    /// The spool cannot be written.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl From<ImplyError> for CommitError {
    fn from(error: ImplyError) -> Self {
        match error {
            ImplyError::Submit(error) => Self::Submit(error),
            ImplyError::Db(error) => Self::Db(error),
        }
    }
}

impl CommitError {
    /// Whether the store refuses what was read, and would do so again.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Db(error) if error.is_refusal())
    }
}

/// What goes on together: the cursors are kept exactly when the rest is.
#[derive(Debug, Default)]
pub struct Batch {
    /// Names that projects were given: (folder, name).
    pub names: Vec<(String, String)>,
    /// Events, in the order of their files.
    pub events: Vec<Envelope>,
    /// Bad lines, by source.
    pub rejected: HashMap<&'static str, Vec<Rejection>>,
    /// Beads as read; one may stand here several times.
    pub beads: Vec<BeadRow>,
    /// Readings of tanks.
    pub readings: Vec<Reading>,
    /// What files show to be under way, and what of it is over.
    pub requests: Vec<Implied>,
    /// How far files were read, by source.
    pub cursors: HashMap<&'static str, Cursors>,
}

impl Batch {
    /// Nothing was read at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
            && self.events.is_empty()
            && self.rejected.is_empty()
            && self.beads.is_empty()
            && self.readings.is_empty()
            && self.requests.is_empty()
            && self.cursors.is_empty()
    }
}

/// What became of a batch's events and bad lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// New, or replacing a lesser report; on the way to another machine: all that is kept for it.
    pub stored: u64,
    /// There already.
    pub duplicate: u64,
    /// Bad lines, and events that were refused.
    pub rejected: u64,
}

impl AddAssign for Taken {
    fn add_assign(&mut self, more: Self) {
        self.stored += more.stored;
        self.duplicate += more.duplicate;
        self.rejected += more.rejected;
    }
}

/// Where batches go.
#[async_trait]
pub trait Destination: fmt::Debug + Send + Sync {
    /// How far the files of a source were read.
    async fn cursors(&self, source: &'static str) -> Result<Cursors, CommitError>;
    /// The names that projects were given.
    async fn project_names(&self) -> Result<Vec<(String, String)>, CommitError>;
    /// Keeps a batch for good, and its cursors with it. May wait for room.
    async fn take(&self, batch: Batch) -> Result<Taken, CommitError>;
}

/// The store: events first, and only after their commit the cursors.
#[derive(Debug)]
pub struct StoreDestination {
    town: TownName,
    key: OnceCell<TownKey>,
    pool: Pool,
    intake: Intake,
    clock: Clock,
    lost_after_s: i64,
}

impl StoreDestination {
    /// The store of one town, which is founded with the first use.
    #[must_use]
    pub fn new(town: TownName, pool: Pool, intake: Intake) -> Self {
        let (key, clock) = (OnceCell::new(), Clock::system());
        Self { town, key, pool, intake, clock, lost_after_s: LOST_AFTER_S }
    }

    /// The same, where requests are lost after so many seconds.
    #[must_use]
    pub fn losing_after(self, lost_after_s: i64) -> Self {
        Self { lost_after_s, ..self }
    }

    /// The right to have several batches under way at once; none when another process has it.
    pub(super) async fn custody(&self) -> Result<Option<Custody>, CommitError> {
        Ok(Custody::take(&self.pool, self.key().await?).await?)
    }

    pub(super) async fn keep_names(&self, names: &[(String, String)]) -> Result<(), CommitError> {
        if !names.is_empty() {
            cursor::save_project_names(&self.pool, self.key().await?, names).await?;
        }
        Ok(())
    }

    /// Stores events; `custody` as in [`Intake::submit_beside`].
    pub(super) async fn keep_events(
        &self,
        events: Vec<Envelope>,
        custody: Option<Arc<Custody>>,
    ) -> Result<Taken, CommitError> {
        let mut taken = Taken::default();
        for outcome in self.intake.submit_beside(&self.town, events, custody).await? {
            match outcome {
                Outcome::Stored => taken.stored += 1,
                Outcome::Duplicate => taken.duplicate += 1,
                Outcome::Rejected(_) => taken.rejected += 1,
            }
        }
        Ok(taken)
    }

    /// Keeps what goes with events that are committed; the cursors last.
    pub(super) async fn settle(&self, batch: Batch) -> Result<Taken, CommitError> {
        let key = self.key().await?;
        let mut taken = Taken::default();
        for (source, items) in batch.rejected {
            taken.rejected += u64::try_from(items.len()).unwrap_or(0);
            self.intake.reject(&self.town, &SourceName::new(source)?, items).await?;
        }
        if !batch.beads.is_empty() {
            bead::upsert(&self.pool, key, &bead::newest(batch.beads)).await?;
        }
        tank::save(&self.pool, key, &batch.readings).await?;
        let told = Told { town: &self.town, key, requests: &batch.requests, lost_after_s: self.lost_after_s };
        request::imply(&self.pool, &self.intake, told, self.clock.now()).await?;
        for (source, cursors) in batch.cursors {
            cursor::save(&self.pool, key, source, &cursors).await?;
        }
        Ok(taken)
    }

    async fn key(&self) -> Result<TownKey, DbError> {
        self.key.get_or_try_init(|| db::town::ensure(&self.pool, &self.town, false)).await.copied()
    }
}

#[async_trait]
impl Destination for StoreDestination {
    async fn cursors(&self, source: &'static str) -> Result<Cursors, CommitError> {
        Ok(cursor::load(&self.pool, self.key().await?, source).await?)
    }

    async fn project_names(&self) -> Result<Vec<(String, String)>, CommitError> {
        Ok(cursor::project_names(&self.pool, self.key().await?).await?)
    }

    async fn take(&self, mut batch: Batch) -> Result<Taken, CommitError> {
        self.keep_names(&batch.names).await?;
        let mut taken = self.keep_events(std::mem::take(&mut batch.events), None).await?;
        taken += self.settle(batch).await?;
        Ok(taken)
    }
}
