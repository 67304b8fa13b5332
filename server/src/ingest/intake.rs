//! The door to the store: a bounded queue in front of the batch writer.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use model::event::{Envelope, Event};
use model::id::{SourceName, TownName};
use model::wire::Canary;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::queue::Submission;
use super::writer::Writer;
use super::{Committed, Outcome, SubmitError, WriterStats};
use crate::db::custody::Custody;
use crate::db::price::Prices;
use crate::db::source_count::{self, Refused, SourceSum};
use crate::db::{Pool, TownKey, apart, town};

/// Submissions that may wait, whatever their size.
const QUEUE_SUBMISSIONS: usize = 4_096;
/// Bytes are counted in units of 1 KiB: a semaphore holds 32 bits.
const BYTES_PER_PERMIT: usize = 1_024;
/// Events of a request that are submitted at once: half a batch, so that no request fills one alone.
const PART_EVENTS: usize = 5_000;
/// Senders should come back after this long.
const RETRY_AFTER_S: u32 = 1;

/// Bounds of the intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeLimits {
    /// Events that may wait or be in hand.
    pub queue_events: usize,
    /// Bytes that they may take.
    pub queue_bytes: usize,
    /// Events in one transaction; a larger single submission is one transaction of its own.
    pub batch_events: usize,
    /// Transactions under way at once.
    pub lanes: usize,
    /// Of these, how many may copy events at once.
    pub copies: usize,
}

/// Measured (P1) on two cores: with three copying and one at the disk, neither core waits long and batches still come out
/// full. More at once would make them small: what a statement costs besides its rows then weighs more.
impl Default for IntakeLimits {
    fn default() -> Self {
        Self { queue_events: 50_000, queue_bytes: 64 << 20, batch_events: 10_000, lanes: 4, copies: 3 }
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
pub struct Intake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    limits: IntakeLimits,
    queue: mpsc::Sender<Submission>,
    events: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    towns: Mutex<HashMap<TownName, TownKey>>,
    stats: Arc<WriterStats>,
}

/// Room in the queue; given back when the submission is answered.
#[derive(Debug)]
pub(super) struct Room(#[expect(dead_code, reason = "held, not read")] [OwnedSemaphorePermit; 2]);

/// This process's mark in notifications, so that it can tell its own from others'.
#[must_use]
pub fn instance_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| uuid::Uuid::now_v7().simple().to_string())
}

impl Intake {
    /// Starts the writer. What it commits goes to `committed`, after the commit; while that channel is full
    /// the writer waits, and a closed one is ignored.
    #[must_use]
    pub fn start(
        pool: Pool,
        prices: Arc<Prices>,
        committed: mpsc::Sender<Committed>,
        limits: IntakeLimits,
    ) -> (Self, WriterHandle) {
        let (queue, submissions) = mpsc::channel(QUEUE_SUBMISSIONS);
        let stats = Arc::default();
        // Its own connections: each keeps its plans and its memory for what it does all the time.
        let own = apart(&pool, limits.lanes);
        let writer = Writer::new(own, prices, committed, submissions, limits, Arc::clone(&stats));
        let handle = tokio::spawn(writer.run(limits.lanes));
        let inner = Inner {
            pool,
            queue,
            events: Arc::new(Semaphore::new(limits.queue_events)),
            bytes: Arc::new(Semaphore::new(limits.queue_bytes.div_ceil(BYTES_PER_PERMIT))),
            towns: Mutex::default(),
            stats,
            limits,
        };
        (Self(Arc::new(inner)), WriterHandle(handle))
    }

    /// Stores events; returns after their commit, with one outcome per event, in order.
    ///
    /// # Errors
    /// At once when the queue is full; when the store does not answer or the server stops.
    pub async fn submit(&self, town: &TownName, events: Vec<Envelope>) -> Result<Vec<Outcome>, SubmitError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let full = |_| {
            if self.0.events.is_closed() {
                SubmitError::Closed
            } else {
                SubmitError::Full { retry_after_s: RETRY_AFTER_S }
            }
        };
        let (n, bytes) = self.size(&events);
        let room = Room([
            Arc::clone(&self.0.events).try_acquire_many_owned(n).map_err(full)?,
            Arc::clone(&self.0.bytes).try_acquire_many_owned(bytes).map_err(full)?,
        ]);
        let (reply, answer) = oneshot::channel();
        let submission = self.submission(town, events, reply, room).await?;
        self.0.queue.try_send(submission).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Full { retry_after_s: RETRY_AFTER_S },
            mpsc::error::TrySendError::Closed(_) => SubmitError::Closed,
        })?;
        answer.await.map_err(|_| SubmitError::Closed)?
    }

    /// Stores the events of a request in parts of [`PART_EVENTS`]. Only the first part asks for room in the queue, unless
    /// the request has `begun` already: what has begun is finished, or sent again as a whole.
    ///
    /// # Errors
    /// As [`Intake::submit`].
    pub async fn submit_parts(
        &self,
        town: &TownName,
        mut events: Vec<Envelope>,
        begun: &mut bool,
    ) -> Result<Vec<Outcome>, SubmitError> {
        let mut outcomes = Vec::with_capacity(events.len());
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(PART_EVENTS));
            let part = std::mem::replace(&mut events, rest);
            let stored = if *begun { self.submit_waiting(town, part).await? } else { self.submit(town, part).await? };
            *begun = true;
            outcomes.extend(stored);
        }
        Ok(outcomes)
    }

    /// As [`Intake::submit`], but waits for room in the queue: for readers of files, which can pause.
    ///
    /// # Errors
    /// The store does not answer, or the server stops.
    pub async fn submit_waiting(&self, town: &TownName, events: Vec<Envelope>) -> Result<Vec<Outcome>, SubmitError> {
        self.submit_beside(town, events, None).await
    }

    /// As [`Intake::submit_waiting`]. With custody it may be written beside other submissions: none that is under way at
    /// the same time may speak of a message that this one speaks of.
    ///
    /// # Errors
    /// As [`Intake::submit_waiting`].
    pub async fn submit_beside(
        &self,
        town: &TownName,
        events: Vec<Envelope>,
        custody: Option<Arc<Custody>>,
    ) -> Result<Vec<Outcome>, SubmitError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let closed = |_| SubmitError::Closed;
        let (n, bytes) = self.size(&events);
        let room = Room([
            Arc::clone(&self.0.events).acquire_many_owned(n).await.map_err(closed)?,
            Arc::clone(&self.0.bytes).acquire_many_owned(bytes).await.map_err(closed)?,
        ]);
        let (reply, answer) = oneshot::channel();
        let submission = Submission { custody, ..self.submission(town, events, reply, room).await? };
        self.0.queue.send(submission).await.map_err(|_| SubmitError::Closed)?;
        answer.await.map_err(|_| SubmitError::Closed)?
    }

    /// Lets a canary into the queue, to take the way of events: behind what waits, with the batch that is due then. It takes
    /// no room from them.
    ///
    /// # Errors
    /// As [`Intake::submit`].
    pub async fn release(&self, town: &TownName, canary: Canary) -> Result<(), SubmitError> {
        let key = self.key(town).await?;
        self.0.queue.try_send(Submission::canary((key, town.clone()), canary)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Full { retry_after_s: RETRY_AFTER_S },
            mpsc::error::TrySendError::Closed(_) => SubmitError::Closed,
        })
    }

    /// Counts items that never became events, and keeps the newest of them for the owner to see.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn reject(&self, town: &TownName, source: &SourceName, items: Vec<Rejection>) -> Result<(), SubmitError> {
        if items.is_empty() {
            return Ok(());
        }
        let town = self.key(town).await?;
        let source = source.as_str();
        let rejected = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let sum = SourceSum { rejected, ..SourceSum::none(town, source) };
        // Only the newest are kept; the rest is counted.
        let newest = &items[items.len().saturating_sub(source_count::KEPT)..];
        let refused: Vec<Refused<'_>> =
            newest.iter().map(|item| Refused { town, source, place: &item.place, reason: &item.reason }).collect();
        source_count::reject(&self.0.pool, sum, &refused).await.map_err(|error| {
            tracing::error!(%error, "rejected items could not be counted");
            SubmitError::Unavailable
        })
    }

    /// Events that wait or are in hand.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.limits.queue_events.saturating_sub(self.0.events.available_permits())
    }

    /// What the writer did so far.
    #[must_use]
    pub fn stats(&self) -> &WriterStats {
        &self.0.stats
    }

    /// Takes nothing more, and returns when everything taken before is committed.
    pub async fn close_and_drain(&self, writer: WriterHandle) {
        self.0.events.close();
        self.0.bytes.close();
        // The writer ends when it has answered everything: its own receiver is closed by this mark.
        let (reply, answered) = oneshot::channel();
        if self.0.queue.send(Submission::close(reply)).await.is_ok() {
            let _the_writer_has_seen_it = answered.await;
        }
        if let Err(error) = writer.0.await {
            tracing::error!(%error, "the writer ended badly");
        }
    }

    async fn submission(
        &self,
        town: &TownName,
        events: Vec<Envelope>,
        reply: oneshot::Sender<Result<Vec<Outcome>, SubmitError>>,
        room: Room,
    ) -> Result<Submission, SubmitError> {
        let key = self.key(town).await?;
        let (town, room, received) = (Some((key, town.clone())), Some(room), Instant::now());
        Ok(Submission { town, events, reply, room, custody: None, received, canary: None })
    }

    async fn key(&self, name: &TownName) -> Result<TownKey, SubmitError> {
        let mut towns = self.0.towns.lock().await;
        if let Some(key) = towns.get(name) {
            return Ok(*key);
        }
        let key = town::ensure(&self.0.pool, name, false).await.map_err(|error| {
            tracing::error!(%error, "a town could not be looked up");
            SubmitError::Unavailable
        })?;
        towns.insert(name.clone(), key);
        Ok(key)
    }

    /// Events and KiB, at most what the queue can hold at all: a larger submission waits for an empty queue.
    fn size(&self, events: &[Envelope]) -> (u32, u32) {
        let file = |envelope: &Envelope| match &envelope.event {
            Event::ToolCall(call) => call.file.as_ref().map_or(0, |file| file.len()),
            Event::LinesChanged(lines) => lines.file.as_ref().map_or(0, |file| file.len()),
            Event::Log(line) => line.text.len(),
            _ => 0,
        };
        let bytes: usize = events.iter().map(|envelope| size_of::<Envelope>() + file(envelope)).sum();
        let most = |n: usize, bound: usize| u32::try_from(n.min(bound)).unwrap_or(u32::MAX);
        (
            most(events.len(), self.0.limits.queue_events),
            most(bytes.div_ceil(BYTES_PER_PERMIT), self.0.limits.queue_bytes.div_ceil(BYTES_PER_PERMIT)),
        )
    }
}
