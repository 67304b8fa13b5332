//! The door to the store: a bounded queue in front of the batch writer.

use std::sync::Arc;

use model::event::Envelope;
use model::id::{SourceName, TownName};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Committed, Outcome, SubmitError};
use crate::db::Pool;
use crate::db::price::Prices;

/// Bounds of the intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeLimits {
    /// Events that may wait or be in hand.
    pub queue_events: usize,
    /// Bytes that they may take.
    pub queue_bytes: usize,
    /// Events in one transaction; a larger single submission is one transaction of its own.
    pub batch_events: usize,
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self { queue_events: 50_000, queue_bytes: 64 << 20, batch_events: 5_000 }
    }
}

/// Something that a source could not turn into an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Where it was: file and line, or the item's number.
    pub place: String,
    /// Why it was rejected, never its content.
    pub reason: String,
}

/// The writer's task; ends after [`Intake::close_and_drain`].
#[derive(Debug)]
pub struct WriterHandle(JoinHandle<()>);

/// Takes events in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    pool: Pool,
}

impl Intake {
    /// Starts the writer. What it commits goes to `committed`, after the commit and in the order of commits; while
    /// that channel is full the writer waits, and a closed one is ignored.
    #[must_use]
    pub fn start(
        pool: Pool,
        prices: Arc<Prices>,
        committed: mpsc::Sender<Committed>,
        limits: IntakeLimits,
    ) -> (Self, WriterHandle) {
        let _ = (prices, committed, limits);
        (Self { pool }, WriterHandle(tokio::spawn(async {})))
    }

    /// Stores events; returns after their commit, with one outcome per event, in order.
    ///
    /// # Errors
    /// At once when the queue is full; when the store does not answer or the server stops.
    pub async fn submit(&self, town: &TownName, events: Vec<Envelope>) -> Result<Vec<Outcome>, SubmitError> {
        let _ = (town, events, &self.pool);
        Err(SubmitError::Unavailable)
    }

    /// As [`Intake::submit`], but waits for room in the queue: for readers of files, which can pause.
    ///
    /// # Errors
    /// The store does not answer, or the server stops.
    pub async fn submit_waiting(&self, town: &TownName, events: Vec<Envelope>) -> Result<Vec<Outcome>, SubmitError> {
        self.submit(town, events).await
    }

    /// Counts items that never became events, and keeps the newest of them for the owner to see.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn reject(&self, town: &TownName, source: &SourceName, items: Vec<Rejection>) -> Result<(), SubmitError> {
        let _ = (town, source, items);
        Err(SubmitError::Unavailable)
    }

    /// Events that wait or are in hand.
    #[must_use]
    pub fn depth(&self) -> usize {
        0
    }

    /// Takes nothing more, and returns when everything taken before is committed.
    pub async fn close_and_drain(&self, writer: WriterHandle) {
        if let Err(error) = writer.0.await {
            tracing::error!(%error, "the writer ended badly");
        }
    }
}
