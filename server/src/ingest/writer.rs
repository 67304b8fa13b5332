//! The batch writer: takes what is queued, writes it in one transaction, answers after the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::event::{Envelope, PricedEvent};
use model::id::TownName;
use model::time::Timestamp;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

use super::attribution::Sessions;
use super::intake::{Room, instance_id};
use super::{Changes, Committed, Outcome, SubmitError, WriterStats, check, price};
use crate::db::batch::{self, Approach, Row, Verdict, Written};
use crate::db::partition::{self, Day};
use crate::db::price::Prices;
use crate::db::source_count::Refused;
use crate::db::{DbError, Pool, TownKey, retention};

/// How long a batch is tried again while Postgres does not answer; a crashed one is back within seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tries with another writer in the way; each failure means that somebody else got on.
const CONFLICTS: u32 = 20;
/// How long the retention floor is believed; far below the pause between announcing and dropping.
const FLOOR_AGE: Duration = Duration::from_secs(60);
/// Replays come in runs: after a batch in which this share was known already (1 of 8), the next one probes first.
const KNOWN_SHARE: usize = 8;

/// Events of one sender, waiting for their outcomes.
#[derive(Debug)]
pub(super) struct Submission {
    /// None: no more submissions follow.
    pub town: Option<(TownKey, TownName)>,
    pub events: Vec<Envelope>,
    pub reply: oneshot::Sender<Result<Vec<Outcome>, SubmitError>>,
    pub room: Option<Room>,
}

impl Submission {
    /// Tells the writer to finish.
    pub(super) const fn close(reply: oneshot::Sender<Result<Vec<Outcome>, SubmitError>>) -> Self {
        Self { town: None, events: Vec::new(), reply, room: None }
    }
}

/// What the lanes share.
pub(super) struct Writer {
    pool: Pool,
    prices: Arc<Prices>,
    committed: mpsc::Sender<Committed>,
    batch_events: usize,
    queue: Mutex<Queue>,
    sessions: Mutex<Sessions>,
    days: Mutex<BTreeSet<Day>>,
    floor: Mutex<Option<(Option<Timestamp>, Instant)>>,
    replay: AtomicBool,
    stats: Arc<WriterStats>,
}

/// Submissions in order; a lane holds it while it gathers a batch.
struct Queue {
    submissions: mpsc::Receiver<Submission>,
    /// Did not fit into the batch before.
    carried: Option<Submission>,
}

/// A group of submissions on their way through one transaction.
struct Group {
    senders: Vec<Sender>,
    /// Accepted events, in the order of submission.
    rows: Vec<Row>,
    /// Refused events: position among all events of the group, town, source, reason.
    refused: Vec<(usize, TownKey, String, String)>,
    towns: BTreeMap<TownKey, TownName>,
}

struct Sender {
    events: usize,
    reply: oneshot::Sender<Result<Vec<Outcome>, SubmitError>>,
    room: Option<Room>,
}

impl Writer {
    pub(super) fn new(
        pool: Pool,
        prices: Arc<Prices>,
        committed: mpsc::Sender<Committed>,
        submissions: mpsc::Receiver<Submission>,
        batch_events: usize,
        stats: Arc<WriterStats>,
    ) -> Self {
        Self {
            pool,
            prices,
            committed,
            batch_events,
            queue: Mutex::new(Queue { submissions, carried: None }),
            sessions: Mutex::default(),
            days: Mutex::default(),
            floor: Mutex::default(),
            replay: AtomicBool::new(false),
            stats,
        }
    }

    /// Runs lanes until told to end, or until every sender is gone. While one lane waits for its commit, another
    /// prepares and copies; what they both touch they touch last, and in the same order.
    pub(super) async fn run(self, lanes: usize) {
        let writer = Arc::new(self);
        let mut tasks = JoinSet::new();
        for _ in 0..lanes.max(1) {
            let writer = Arc::clone(&writer);
            tasks.spawn(async move {
                while let Some(group) = writer.gather().await {
                    writer.serve(group).await;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a lane of the writer ended badly");
            }
        }
    }

    /// Takes what is queued, and waits only when that is nothing: alone, an event goes at once; in a crowd, many share
    /// a commit. None when no more will come.
    async fn gather(&self) -> Option<Vec<Submission>> {
        let mut queue = self.queue.lock().await;
        let mut group = Vec::new();
        let mut events = 0;
        while group.is_empty() {
            let mut next = match queue.carried.take() {
                Some(submission) => Some(submission),
                None => Some(queue.submissions.recv().await?),
            };
            while let Some(submission) = next {
                if submission.town.is_none() {
                    // What was sent before the channel closes is still taken.
                    queue.submissions.close();
                    let _closing_needs_no_answer = submission.reply.send(Ok(Vec::new()));
                } else if !group.is_empty() && events + submission.events.len() > self.batch_events {
                    queue.carried = Some(submission);
                    break;
                } else {
                    events += submission.events.len();
                    group.push(submission);
                }
                next = queue.submissions.try_recv().ok();
            }
        }
        Some(group)
    }

    async fn serve(&self, submissions: Vec<Submission>) {
        let group = match self.prepare(submissions).await {
            Ok(group) => group,
            Err((senders, error)) => {
                tracing::error!(%error, "events could not be prepared");
                return fail(senders, &SubmitError::Unavailable);
            }
        };
        // Places in the hub's channel are taken before the commit: who holds all of them knows that everything
        // committed is in the channel (hub::task::load).
        let committed = self.committed.clone();
        let places = group.towns.len().min(committed.max_capacity());
        let places = committed.reserve_many(places).await.ok();
        match self.write(&group).await {
            Ok(written) => Self::answer(group, written, places),
            Err(error) if group.senders.len() > 1 && !error.is_transient() => {
                // One sender's data must not fail the others: each for itself.
                tracing::error!(%error, "a batch was refused; its parts are tried one by one");
                drop(places);
                for part in group.split() {
                    let places = part.towns.len().min(committed.max_capacity());
                    let places = committed.reserve_many(places).await.ok();
                    match self.write(&part).await {
                        Ok(written) => Self::answer(part, written, places),
                        Err(error) => {
                            tracing::error!(%error, events = part.rows.len(), "a submission was refused");
                            fail(part.senders, &SubmitError::Unavailable);
                        }
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, events = group.rows.len(), "a batch could not be written");
                fail(group.senders, &SubmitError::Unavailable);
            }
        }
    }

    /// Completes, prices and checks.
    async fn prepare(&self, submissions: Vec<Submission>) -> Result<Group, (Vec<Sender>, DbError)> {
        let mut senders = Vec::with_capacity(submissions.len());
        let mut towns = BTreeMap::new();
        let mut events: Vec<(TownKey, Envelope)> = Vec::new();
        for submission in submissions {
            let Some((key, name)) = submission.town else { continue };
            towns.insert(key, name);
            senders.push(Sender { events: submission.events.len(), reply: submission.reply, room: submission.room });
            events.extend(submission.events.into_iter().map(|event| (key, event)));
        }
        let floor = match self.floor().await {
            Ok(floor) => floor,
            Err(error) => return Err((senders, error)),
        };
        if let Err(error) = self.complete(&mut events).await {
            return Err((senders, error));
        }
        let book = self.prices.current();
        let mut rows = Vec::with_capacity(events.len());
        let mut refused = Vec::new();
        for (position, (town, envelope)) in events.into_iter().enumerate() {
            let cost = price::price(&envelope, &book);
            let event = PricedEvent { envelope, cost };
            match check::refuse(&event, floor) {
                None => rows.push(Row { town, event }),
                Some(reason) => {
                    refused.push((position, town, event.envelope.source.as_str().to_owned(), reason));
                }
            }
        }
        Ok(Group { senders, rows, refused, towns })
    }

    async fn complete(&self, events: &mut [(TownKey, Envelope)]) -> Result<(), DbError> {
        let deadline = Instant::now() + PATIENCE;
        let mut backoff = Backoff::default();
        loop {
            let outcome = self.sessions.lock().await.complete(&self.pool, events, Instant::now()).await;
            match outcome {
                Err(error) if error.is_transient() && Instant::now() < deadline => backoff.wait().await,
                other => return other,
            }
        }
    }

    /// The age below which nothing can be stored any more.
    async fn floor(&self) -> Result<Option<Timestamp>, DbError> {
        let mut known = self.floor.lock().await;
        if let Some((floor, read)) = *known
            && read.elapsed() < FLOOR_AGE
        {
            return Ok(floor);
        }
        let deadline = Instant::now() + PATIENCE;
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
    async fn write(&self, group: &Group) -> Result<Written, DbError> {
        let refused: Vec<Refused<'_>> = group
            .refused
            .iter()
            .map(|(_, town, source, reason)| Refused { town: *town, source, place: "", reason })
            .collect();
        let mut notices = group.notices(instance_id());
        let replay = self.replay.load(Ordering::Relaxed);
        let mut approach = if replay { Approach::Probing } else { Approach::Optimistic };
        let began = Instant::now();
        let deadline = began + PATIENCE;
        let mut backoff = Backoff::default();
        let mut conflicts = 0;
        loop {
            let attempt = async {
                self.make_days(&group.rows).await?;
                batch::write(&self.pool, &group.rows, &refused, &notices, approach).await
            };
            let error = match attempt.await {
                Ok(written) => {
                    let known = written.verdicts.iter().filter(|v| **v == Verdict::Duplicate).count();
                    self.replay.store(known * KNOWN_SHARE > group.rows.len(), Ordering::Relaxed);
                    self.stats.batch_events.observe(u64::try_from(group.rows.len()).unwrap_or(u64::MAX));
                    self.stats.commit_us.observe(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
                    return Ok(written);
                }
                Err(error) => error,
            };
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
                    notices = group.notices("retry");
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

    /// Tells the hub, then the senders: who has its answer finds its events on the dials.
    fn answer(group: Group, written: Written, places: Option<mpsc::PermitIterator<'_, Committed>>) {
        let Group { senders, rows, refused, towns } = group;
        if let Some(mut places) = places {
            let mut changes: BTreeMap<TownKey, Changes> = BTreeMap::new();
            for (row, verdict) in rows.into_iter().zip(&written.verdicts) {
                if *verdict == Verdict::Stored {
                    changes.entry(row.town).or_default().added.push(row.event);
                }
            }
            for (town, event) in written.removed {
                changes.entry(town).or_default().removed.push(event);
            }
            for (key, changes) in changes {
                if let (Some(town), Some(place)) = (towns.get(&key), places.next()) {
                    place.send(Committed { town: town.clone(), changes });
                }
            }
        }
        let mut verdicts = written.verdicts.iter();
        let mut refused = refused.into_iter().peekable();
        let mut position = 0;
        for sender in senders {
            let mut outcomes = Vec::with_capacity(sender.events);
            for _ in 0..sender.events {
                let outcome = match refused.next_if(|(at, ..)| *at == position) {
                    Some((.., reason)) => Outcome::Rejected(reason),
                    None => match verdicts.next() {
                        Some(Verdict::Stored) => Outcome::Stored,
                        _ => Outcome::Duplicate,
                    },
                };
                outcomes.push(outcome);
                position += 1;
            }
            // Who has its answer may count on the room; who went away does not need the answer.
            drop(sender.room);
            let _gone = sender.reply.send(Ok(outcomes));
        }
    }
}

impl Group {
    fn notices(&self, from: &str) -> Vec<String> {
        self.towns.values().map(|town| format!("{from}:{town}")).collect()
    }

    /// One group per sender.
    fn split(self) -> Vec<Self> {
        let mut rows = self.rows.into_iter();
        let mut refused = self.refused.into_iter().peekable();
        let mut begin = 0;
        let mut parts = Vec::with_capacity(self.senders.len());
        for sender in self.senders {
            let end = begin + sender.events;
            let mut own_refused = Vec::new();
            while let Some((at, town, source, reason)) = refused.next_if(|(at, ..)| *at < end) {
                own_refused.push((at - begin, town, source, reason));
            }
            let own_rows = rows.by_ref().take(sender.events - own_refused.len()).collect();
            parts.push(Self { senders: vec![sender], rows: own_rows, refused: own_refused, towns: self.towns.clone() });
            begin = end;
        }
        parts
    }
}

fn fail(senders: Vec<Sender>, error: &SubmitError) {
    for sender in senders {
        drop(sender.room);
        let _gone = sender.reply.send(Err(error.clone()));
    }
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
