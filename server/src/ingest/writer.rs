//! The batch writer: takes what is queued, writes it in one transaction, answers after the commit.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::event::{Envelope, PricedEvent};
use model::time::Timestamp;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::attribution::Sessions;
use super::group::{Group, Sender};
use super::intake::instance_id;
use super::queue::{Queue, Submission};
use super::{Committed, IntakeLimits, SubmitError, WriterStats, check, price};
use crate::db::batch::{self, Approach, Notices, Row, Verdict, Written};
use crate::db::partition::{self, Day};
use crate::db::price::Prices;
use crate::db::{DbError, Pool, TownKey, retention};

/// How long a batch is tried again while Postgres does not answer; a crashed one is back within seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tries with another writer in the way; each failure means that somebody else got on.
const CONFLICTS: u32 = 20;
/// How long the retention floor is believed; far below the pause between announcing and dropping.
const FLOOR_AGE: Duration = Duration::from_secs(60);
/// Replays come in runs: when this share of what was to be copied was stored already (1 of 8), the next batch probes
/// first. What its claim told to be a duplicate is none of it: that costs no probing, and a transcript is full of it.
const KNOWN_SHARE: usize = 8;

/// What the lanes share.
pub(super) struct Writer {
    pool: Pool,
    prices: Arc<Prices>,
    committed: mpsc::Sender<Committed>,
    batch_events: usize,
    queue: Mutex<Queue>,
    /// Whoever has one of the few turns copies its events. The others meanwhile gather, fold and wait for the disk.
    turn: Arc<Semaphore>,
    sessions: Mutex<Sessions>,
    days: Mutex<BTreeSet<Day>>,
    floor: Mutex<Option<(Option<Timestamp>, Instant)>>,
    replay: AtomicBool,
    stats: Arc<WriterStats>,
}

/// The right to copy events.
type Turn = OwnedSemaphorePermit;

impl Writer {
    pub(super) fn new(
        pool: Pool,
        prices: Arc<Prices>,
        committed: mpsc::Sender<Committed>,
        submissions: mpsc::Receiver<Submission>,
        limits: IntakeLimits,
        stats: Arc<WriterStats>,
    ) -> Self {
        Self {
            pool,
            prices,
            committed,
            batch_events: limits.batch_events,
            queue: Mutex::new(Queue::new(submissions)),
            turn: Arc::new(Semaphore::new(limits.copies.max(1))),
            sessions: Mutex::default(),
            days: Mutex::default(),
            floor: Mutex::default(),
            replay: AtomicBool::new(false),
            stats,
        }
    }

    /// Runs lanes until told to end, or until every sender is gone. While one lane waits for its commit, another
    /// copies and a third prepares; what they all touch they touch last, and in the same order.
    pub(super) async fn run(self, lanes: usize) {
        let writer = Arc::new(self);
        let mut tasks = JoinSet::new();
        for _ in 0..lanes.max(1) {
            let writer = Arc::clone(&writer);
            tasks.spawn(async move {
                while let Some((group, turn)) = writer.gather().await {
                    writer.serve(group, turn).await;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a lane of the writer ended badly");
            }
        }
    }

    /// Takes what is queued, and more as long as another lane copies: alone, an event goes at once; in a crowd, many
    /// share a commit. None when no more will come.
    async fn gather(&self) -> Option<(Group, Turn)> {
        let mut queue = self.queue.lock().await;
        let mut group = Group::default();
        while group.is_empty() {
            let first = queue.next().await?;
            self.prepare(first, &mut group).await;
        }
        let mut turn = pin!(Arc::clone(&self.turn).acquire_owned());
        while group.events < self.batch_events && !self.is_full(&group) {
            let next = tokio::select! {
                biased;
                next = queue.next() => next,
                turn = &mut turn => return Some((group, turn.ok()?)),
            };
            match next {
                None => break,
                Some(next) if group.events + next.events.len() > self.batch_events => {
                    queue.carry(next);
                    break;
                }
                Some(next) => {
                    // Postgres did not answer: what is prepared already does not wait for more.
                    if !self.prepare(next, &mut group).await {
                        break;
                    }
                }
            }
        }
        Some((group, turn.await.ok()?))
    }

    /// Whether the hub's channel has no place for a further town of this batch.
    fn is_full(&self, group: &Group) -> bool {
        group.places() >= self.committed.max_capacity()
    }

    async fn serve(&self, mut group: Group, turn: Turn) {
        // Places in the hub's channel are taken before the commit: who holds all of them knows that everything
        // committed is in the channel (hub::load).
        let committed = self.committed.clone();
        let places = group.places().min(committed.max_capacity());
        let places = committed.reserve_many(places).await.ok();
        match self.write(&mut group, Some(turn)).await {
            Ok(written) => group.answer(written, places),
            Err(error) if group.senders.len() > 1 && !error.is_transient() => {
                // One sender's data must not fail the others: each for itself.
                tracing::error!(%error, "a batch was refused; its parts are tried one by one");
                drop(places);
                for mut part in group.split() {
                    let places = part.towns.len().min(committed.max_capacity());
                    let places = committed.reserve_many(places).await.ok();
                    match self.write(&mut part, None).await {
                        Ok(written) => part.answer(written, places),
                        Err(error) => {
                            tracing::error!(%error, events = part.rows.len(), "a submission was refused");
                            part.fail(&SubmitError::Unavailable);
                        }
                    }
                }
            }
            // It is told as lost.
            Err(error) if group.events == 0 => tracing::debug!(%error, "a canary could not be written"),
            Err(error) => {
                tracing::error!(%error, events = group.rows.len(), "a batch could not be written");
                group.fail(&SubmitError::Unavailable);
            }
        }
    }

    /// Completes, prices and checks a submission, and puts it into the group. False: its sender was told that it cannot
    /// be stored.
    async fn prepare(&self, submission: Submission, group: &mut Group) -> bool {
        let Submission { town: Some((key, name)), mut events, reply, room, received, custody, canary } = submission
        else {
            return true;
        };
        let deadline = received + PATIENCE;
        let sender = Sender { events: events.len(), reply, room };
        let floor = match self.floor(deadline).await {
            Ok(floor) => floor,
            Err(error) => {
                unprepared(sender, &error);
                return false;
            }
        };
        if let Err(error) = self.complete(key, &mut events, deadline).await {
            unprepared(sender, &error);
            return false;
        }
        if let Some(canary) = canary {
            group.canaries.insert(key, (name, canary));
            return true;
        }
        let book = self.prices.current();
        group.price_with(Arc::clone(&book));
        group.rows.reserve(events.len());
        for (position, envelope) in (group.events..).zip(events) {
            let cost = price::cost_of(&envelope, price::is_sum(&envelope), &book);
            let event = PricedEvent { envelope, cost };
            match check::refuse(&event, floor) {
                None => group.accept(key, event),
                Some(reason) => {
                    group.refused.push((position, key, event.envelope.source.as_str().to_owned(), reason));
                }
            }
        }
        group.events += sender.events;
        group.entrust(custody);
        group.senders.push(sender);
        group.towns.insert(key, name);
        true
    }

    async fn complete(&self, town: TownKey, events: &mut [Envelope], deadline: Instant) -> Result<(), DbError> {
        let mut backoff = Backoff::default();
        loop {
            let outcome = self.sessions.lock().await.complete(&self.pool, town, events, Instant::now()).await;
            match outcome {
                Err(error) if error.is_transient() && Instant::now() < deadline => backoff.wait().await,
                other => return other,
            }
        }
    }

    /// The age below which nothing can be stored any more.
    async fn floor(&self, deadline: Instant) -> Result<Option<Timestamp>, DbError> {
        let mut known = self.floor.lock().await;
        if let Some((floor, read)) = *known
            && read.elapsed() < FLOOR_AGE
        {
            return Ok(floor);
        }
        let mut backoff = Backoff::default();
        loop {
            match retention::floor(&self.pool).await {
                Ok(floor) => {
                    *known = Some((floor, Instant::now()));
                    return Ok(floor);
                }
                Err(error) if error.is_transient() && Instant::now() < deadline => backoff.wait().await,
                Err(error) => return Err(error),
            }
        }
    }

    /// One transaction, tried again as long as that can help.
    async fn write(&self, group: &mut Group, mut turn: Option<Turn>) -> Result<Written, DbError> {
        if group.events == 0 {
            drop(turn);
            return batch::write_nothing(&self.pool).await;
        }
        let mut custody = group.custody.clone();
        let mut notices = Notices::OfChanges(group.notices(instance_id()));
        let replay = self.replay.load(Ordering::Relaxed);
        let mut approach = if replay { Approach::Probing } else { Approach::Optimistic };
        let began = Instant::now();
        let deadline = began + PATIENCE;
        let mut backoff = Backoff::default();
        let mut conflicts = 0;
        loop {
            // It may have waited long: what is stored from now on has the price that holds now, or a repricing that went
            // through its span meanwhile would have to come again.
            group.price_with(self.prices.current());
            let refused = group.refusals();
            let attempt = async {
                self.make_days(&group.rows).await?;
                let turn = turn.take();
                let custody = custody.as_deref();
                let rows = (group.rows.as_slice(), &group.encoded);
                batch::write(&self.pool, rows, &refused, &notices, approach, custody, || drop(turn)).await
            };
            let error = match attempt.await {
                Ok(written) => {
                    let new = written.verdicts.iter().filter(|v| **v == Verdict::Stored).count();
                    self.replay.store(written.known * KNOWN_SHARE > written.known + new, Ordering::Relaxed);
                    self.stats.batch_events.observe(u64::try_from(group.rows.len()).unwrap_or(u64::MAX));
                    self.stats.commit_us.observe(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
                    return Ok(written);
                }
                Err(error) => error,
            };
            if matches!(error, DbError::Contested) && custody.take().is_some() {
                continue;
            }
            match error.code().as_deref() {
                // Something is stored already, perhaps by a writer who was quicker just now.
                Some("23505") if conflicts < CONFLICTS => {
                    approach = Approach::Probing;
                    conflicts += 1;
                }
                // A day without a partition: retention was here, or another process's schema is older.
                Some("23514" | "42P01") if conflicts < CONFLICTS => {
                    self.days.lock().await.clear();
                    conflicts += 1;
                }
                _ if error.is_transient() && Instant::now() < deadline => {
                    tracing::warn!(%error, "a batch is tried again");
                    // The commit may have happened. Then this process's own viewers have to be told as strangers.
                    notices = Notices::Always(group.notices("retry"));
                    approach = Approach::Probing;
                    backoff.wait().await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn make_days(&self, rows: &[Row]) -> Result<(), DbError> {
        let mut days = self.days.lock().await;
        let mut missing = BTreeSet::new();
        let mut last = None;
        for row in rows {
            let day = Day::of(row.event.envelope.at);
            if last != Some(day) && !days.contains(&day) {
                missing.insert(day);
            }
            last = Some(day);
        }
        if missing.is_empty() {
            return Ok(());
        }
        if days.is_empty() {
            *days = partition::list(&self.pool).await?;
            missing.retain(|day| !days.contains(day));
        }
        partition::ensure(&self.pool, &missing).await?;
        days.extend(missing);
        Ok(())
    }
}

fn unprepared(sender: Sender, error: &DbError) {
    tracing::error!(%error, "events could not be prepared");
    Group { senders: vec![sender], ..Group::default() }.fail(&SubmitError::Unavailable);
}

/// 50 ms doubling to 2 s.
struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Duration::from_millis(50))
    }
}

impl Backoff {
    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(2));
    }
}
