//! The batch writer: takes what is queued, writes it in one transaction, answers after the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::event::{Envelope, PricedEvent};
use model::id::TownName;
use model::time::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::attribution::Sessions;
use super::intake::{Room, instance_id};
use super::{Changes, Committed, Outcome, SubmitError, check, price};
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

/// Writes batches, one after the other.
pub(super) struct Writer {
    pool: Pool,
    prices: Arc<Prices>,
    committed: mpsc::Sender<Committed>,
    batch_events: usize,
    sessions: Sessions,
    days: BTreeSet<Day>,
    floor: Option<(Option<Timestamp>, Instant)>,
    approach: Approach,
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
        batch_events: usize,
    ) -> Self {
        Self {
            pool,
            prices,
            committed,
            batch_events,
            sessions: Sessions::default(),
            days: BTreeSet::new(),
            floor: None,
            approach: Approach::Optimistic,
        }
    }

    /// Ends when told to, or when every sender is gone.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Submission>) {
        let mut carried: Option<Submission> = None;
        let mut open = true;
        while open || carried.is_some() {
            let first = match carried.take() {
                Some(submission) => submission,
                None => match queue.recv().await {
                    Some(submission) => submission,
                    None => return,
                },
            };
            let mut group = Vec::new();
            let mut events = 0;
            let mut next = Some(first);
            // Takes what is there and waits for nothing: alone, an event goes at once; in a crowd, many share a commit.
            while let Some(submission) = next {
                if submission.town.is_none() {
                    open = false;
                    queue.close();
                    let _closing_needs_no_answer = submission.reply.send(Ok(Vec::new()));
                } else if !group.is_empty() && events + submission.events.len() > self.batch_events {
                    carried = Some(submission);
                    break;
                } else {
                    events += submission.events.len();
                    group.push(submission);
                }
                next = queue.try_recv().ok();
            }
            if !group.is_empty() {
                self.serve(group).await;
            }
            if !open && carried.is_none() {
                // What was sent before the channel closed.
                carried = queue.recv().await;
            }
        }
    }

    async fn serve(&mut self, submissions: Vec<Submission>) {
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
    async fn prepare(&mut self, submissions: Vec<Submission>) -> Result<Group, (Vec<Sender>, DbError)> {
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

    async fn complete(&mut self, events: &mut [(TownKey, Envelope)]) -> Result<(), DbError> {
        let deadline = Instant::now() + PATIENCE;
        let mut backoff = Backoff::default();
        loop {
            match self.sessions.complete(&self.pool, events, Instant::now()).await {
                Err(error) if error.is_transient() && Instant::now() < deadline => backoff.wait().await,
                other => return other,
            }
        }
    }

    /// The age below which nothing can be stored any more.
    async fn floor(&mut self) -> Result<Option<Timestamp>, DbError> {
        if let Some((floor, read)) = self.floor
            && read.elapsed() < FLOOR_AGE
        {
            return Ok(floor);
        }
        let deadline = Instant::now() + PATIENCE;
        let mut backoff = Backoff::default();
        loop {
            match retention::floor(&self.pool).await {
                Ok(floor) => {
                    self.floor = Some((floor, Instant::now()));
                    return Ok(floor);
                }
                Err(error) if error.is_transient() && Instant::now() < deadline => backoff.wait().await,
                Err(error) => return Err(error),
            }
        }
    }

    /// One transaction, tried again as long as that can help.
    async fn write(&mut self, group: &Group) -> Result<Written, DbError> {
        let refused: Vec<Refused<'_>> = group
            .refused
            .iter()
            .map(|(_, town, source, reason)| Refused { town: *town, source, place: "", reason })
            .collect();
        let mut notices = group.notices(instance_id());
        let mut approach = self.approach;
        let deadline = Instant::now() + PATIENCE;
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
                    let replay = known * KNOWN_SHARE > group.rows.len();
                    self.approach = if replay { Approach::Probing } else { Approach::Optimistic };
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
                    self.days.clear();
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

    async fn make_days(&mut self, rows: &[Row]) -> Result<(), DbError> {
        let mut missing = BTreeSet::new();
        let mut last = None;
        for row in rows {
            let day = Day::of(row.event.envelope.at);
            if last != Some(day) && !self.days.contains(&day) {
                missing.insert(day);
            }
            last = Some(day);
        }
        if missing.is_empty() {
            return Ok(());
        }
        if self.days.is_empty() {
            self.days = partition::list(&self.pool).await?;
            missing.retain(|day| !self.days.contains(day));
        }
        partition::ensure(&self.pool, &missing).await?;
        self.days.extend(missing);
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
