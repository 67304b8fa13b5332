//! Batches of the past on their way into the store, several at once: while one waits for the disk, another is copied and
//! the next one is read.
//!
//! What is read twice is told apart in the order of reading all the same: of one message, an event waits until all batches
//! before its own are stored. And cursors are kept in the order of the batches, each after everything before it is
//! committed: whoever is killed in between reads some of it again, and nothing counts twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashSet;
use model::event::{Envelope, Event};
use tokio::task::JoinHandle;

use super::claude_code::Projects;
use super::destination::{Batch, CommitError, StoreDestination, Taken};
use super::gathered::{Enough, Gathered, Totals};
use super::tail::Piece;
use crate::db::custody::{Custody, is_by_message};
use crate::ingest::SubmitError;

/// What is stored together: the more, the nearer to one another lie the keys that are put into an index.
pub(super) const ENOUGH: Enough = Enough { items: 15_000, files: 2_000 };
/// Batches under way: as many as the writer has lanes, and all of them find room in its queue.
const MOST: usize = 3;

/// Collects what readers found, and hands it on in batches.
#[derive(Debug)]
pub struct Pipeline {
    store: Arc<StoreDestination>,
    projects: Arc<Mutex<Projects>>,
    /// None: somebody else reads the past of this town. Then the batches go one by one.
    custody: Option<Arc<Custody>>,
    gathered: Gathered,
    /// The oldest first.
    under_way: VecDeque<UnderWay>,
    totals: Totals,
}

/// A batch whose events were handed to the writer.
#[derive(Debug)]
struct UnderWay {
    storing: JoinHandle<Result<Taken, CommitError>>,
    /// What its events speak of, the late ones included.
    messages: HashSet<u128>,
    /// Events of messages of which batches before it speak.
    late: Vec<Envelope>,
    /// Everything else of the batch.
    rest: Batch,
    read: Totals,
    /// Nothing may be under way beside it.
    alone: bool,
}

impl Pipeline {
    /// A pipeline into `store`, in batches of `enough`; names of `projects` are kept with what they were given for.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn new(
        store: Arc<StoreDestination>,
        projects: Arc<Mutex<Projects>>,
        enough: Enough,
    ) -> Result<Self, CommitError> {
        let custody = store.custody().await?.map(Arc::new);
        let (gathered, under_way) = (Gathered::new(enough), VecDeque::new());
        Ok(Self { store, projects, custody, gathered, under_way, totals: Totals::default() })
    }

    /// Takes a piece of the file `path`, and hands on when enough has come together; waits while too much is under way.
    ///
    /// # Errors
    /// The store did not take a batch. Later ones may be stored; no cursor from that batch on is.
    pub async fn add(&mut self, source: &'static str, path: &str, piece: Piece) -> Result<(), CommitError> {
        if self.gathered.add(source, path, piece) { self.hand_on().await } else { Ok(()) }
    }

    /// Hands on the rest, and returns when everything is stored: what became of it.
    ///
    /// # Errors
    /// As [`Pipeline::add`].
    pub async fn finish(mut self) -> Result<Totals, CommitError> {
        self.hand_on().await?;
        while !self.under_way.is_empty() {
            self.settle_first().await?;
        }
        Ok(self.totals)
    }

    async fn hand_on(&mut self) -> Result<(), CommitError> {
        let (mut batch, read) = self.gathered.take();
        let names = self.projects.lock().unwrap_or_else(PoisonError::into_inner).take_fresh();
        // Before events that carry them: a name that was given is never given otherwise.
        self.store.keep_names(&names).await?;
        let alone = self.custody.is_none() || batch.events.iter().any(depends_on_order);
        while self.must_wait(alone) {
            self.settle_first().await?;
        }

        let messages: HashSet<u128> = batch.events.iter().filter_map(message).collect();
        let is_late = |event: &mut Envelope| {
            message(event).is_some_and(|message| self.under_way.iter().any(|before| before.messages.contains(&message)))
        };
        let late: Vec<Envelope> = batch.events.extract_if(.., is_late).collect();
        let events = std::mem::take(&mut batch.events);
        let (store, custody) = (Arc::clone(&self.store), self.custody.clone().filter(|_| !alone));
        let storing = tokio::spawn(async move { store.keep_events(events, custody).await });
        self.under_way.push_back(UnderWay { storing, messages, late, rest: batch, read, alone });
        Ok(())
    }

    fn must_wait(&self, alone: bool) -> bool {
        let Some(first) = self.under_way.front() else { return false };
        // What is stored already has its cursors kept as soon as can be.
        first.storing.is_finished()
            || self.under_way.len() >= MOST
            || alone
            || self.under_way.iter().any(|before| before.alone)
    }

    /// Waits for the oldest batch, and keeps what goes with its events. When that fails, it is over: the others are waited
    /// for, so that nothing is stored any more once the failure is told.
    async fn settle_first(&mut self) -> Result<(), CommitError> {
        let Some(first) = self.under_way.pop_front() else { return Ok(()) };
        let settled = self.settle(first).await;
        if settled.is_err() {
            for other in self.under_way.drain(..) {
                let _stored_without_its_cursors = other.storing.await;
            }
        }
        settled
    }

    async fn settle(&mut self, first: UnderWay) -> Result<(), CommitError> {
        // The task ends without an answer only when the process stops.
        let mut taken = first.storing.await.unwrap_or(Err(SubmitError::Closed.into()))?;
        if !first.late.is_empty() {
            taken += self.store.keep_events(first.late, self.custody.clone()).await?;
        }
        taken += self.store.settle(first.rest).await?;
        self.totals.add(&first.read, taken);
        Ok(())
    }
}

/// What the event's claim is judged by.
fn message(event: &Envelope) -> Option<u128> {
    event.claim.map(|claim| claim.message)
}

/// Whether it matters which of two such events is stored first: running totals, and what is said of work on a bead.
fn depends_on_order(event: &Envelope) -> bool {
    let matters = match event.event {
        Event::ModelCall(_)
        | Event::ToolCall(_)
        | Event::LinesChanged(_)
        | Event::Session(_)
        | Event::Request(_)
        | Event::Log(_) => false,
        Event::AgentState(_) => event.bead.is_some(),
        Event::LinesLanded(_) | Event::Bead(_) | Event::CostSnapshot(_) => true,
    };
    matters || event.claim.is_some_and(|claim| !is_by_message(&claim))
}
