//! The spool: batches on disk until the server has them, and with each how far its files were read.

use std::fmt;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use model::id::{SourceName, TownName};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::log::{Log, LogError};
use super::parked::Parked;
use super::state::{Kept, Progress, StateFolder};
use super::wire::{Line, Rejected, spell};
use crate::clock::Clock;
use crate::source::destination::{Batch, CommitError, Cursors, Destination, Taken};

/// Lines of one record, before they are packed: packed they pass every proxy.
const RECORD_BYTES: usize = 1 << 20;
/// What is under way is news for so many seconds.
const REQUESTS_S: i64 = 86_400;
/// A segment of a large spool.
const MAX_SEGMENT_BYTES: u64 = 8 << 20;

/// Why the spool cannot be used. What was read stays unread until it can.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The queue.
    #[error("{0}; if it stays so, remove the state folder: everything is read again, and nothing is counted twice")]
    Log(#[from] LogError),
    /// The state folder.
    #[error("{}: {error}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Something else ships from it.
    #[error("another \"towngauge watch --to\" uses {}; stop it, or give this one a --state-dir of its own", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// It remembers what another server has.
    #[error(
        "{} belongs to what goes to town \"{town}\" at {url}; give another --state-dir, or remove it to send everything \
         to the new place", path.display()
    )]
    OtherTarget {
        /// Which.
        path: PathBuf,
        /// Where its batches go.
        url: String,
        /// To which town.
        town: String,
    },
    /// Not what this version wrote.
    #[error(
        "{} cannot be understood by this version of Towngauge; remove its folder to read everything again: nothing is \
         counted twice", path.display()
    )]
    Unreadable {
        /// Which.
        path: PathBuf,
    },
    /// It was full until the end.
    #[error("the spool was full when shipping stopped")]
    Stopping,
}

/// What a spool is for, and how large it may grow.
#[derive(Debug, Clone)]
pub struct SpoolSettings {
    /// State folder.
    pub folder: PathBuf,
    /// The server.
    pub url: String,
    /// The town there.
    pub town: TownName,
    /// Bytes on disk at most.
    pub max_bytes: u64,
}

/// Before each record's lines.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    /// When it was read, microseconds since 1970.
    at: i64,
    /// Lines that are to be sent.
    lines: u64,
    /// What they take unpacked.
    plain_bytes: u64,
    /// What is known once it is kept.
    #[serde(flatten)]
    progress: Progress,
}

/// A batch that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub seq: u64,
    /// When it was read.
    pub at: Timestamp,
    pub lines: u64,
    pub plain_bytes: u64,
    /// Its lines, gzip.
    pub packed: Vec<u8>,
}

/// How it stands with what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub batches: u64,
    pub bytes: u64,
    pub parked: u64,
    pub dropped: u64,
}

/// The spool; clones are the same one.
#[derive(Clone)]
pub struct Spool(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    clock: Clock,
    max_bytes: u64,
    /// Told when something was removed.
    room: Notify,
    /// Told when something came.
    news: Notify,
    stop: CancellationToken,
    shipper: Uuid,
}

struct State {
    folder: StateFolder,
    log: Log,
    progress: Progress,
    parked: Parked,
    is_full: bool,
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("shipper", &self.0.shipper).field("max_bytes", &self.0.max_bytes).finish()
    }
}

impl Spool {
    /// Opens the spool, or makes it. Once `stop` is cancelled, nobody waits for room any more.
    ///
    /// # Errors
    /// The folder cannot be used; the message says what to do.
    pub fn open(settings: &SpoolSettings, clock: Clock, stop: CancellationToken) -> Result<Self, SpoolError> {
        let folder = StateFolder::open(&settings.folder, &settings.url, settings.town.as_str())?;
        let kept = folder.snapshot()?;
        let segment_bytes = (settings.max_bytes / 8).clamp(4 << 10, MAX_SEGMENT_BYTES);
        let mut log = Log::open(&folder.spool(), folder.acknowledged(), segment_bytes)?;
        // Numbers are never used twice, even if every file and the note are gone.
        log.skip_to(kept.seq);
        let mut progress = kept.progress;
        log.replay(kept.seq, &mut |record| {
            if let Some((meta, _)) = parts(&record.body) {
                progress.apply(meta.progress);
            }
        })?;
        let parked = Parked::open(folder.rejected());
        let shipper = folder.shipper;
        let state = Mutex::new(State { folder, log, progress, parked, is_full: false });
        let (room, news) = (Notify::new(), Notify::new());
        Ok(Self(Arc::new(Inner { state, clock, max_bytes: settings.max_bytes, room, news, stop, shipper })))
    }

    /// Who sends.
    #[must_use]
    pub fn shipper(&self) -> Uuid {
        self.0.shipper
    }

    /// Returns when something came since the last time.
    pub(super) async fn news(&self) {
        self.0.news.notified().await;
    }

    /// How it stands.
    pub(super) fn standing(&self) -> Standing {
        let state = self.lock();
        let (batches, bytes) = (state.log.waiting(), state.log.waiting_bytes());
        Standing { batches, bytes, parked: state.parked.count(), dropped: state.parked.dropped() }
    }

    /// The oldest batches, of `max_bytes` together; at least one if any waits.
    pub(super) async fn oldest(&self, max_bytes: u64) -> Result<Vec<Waiting>, SpoolError> {
        self.work(move |state| {
            let records = state.log.peek(max_bytes)?;
            Ok(records
                .into_iter()
                .filter_map(|record| {
                    let (meta, packed) = parts(&record.body)?;
                    let packed = packed.to_vec();
                    let Meta { at, lines, plain_bytes, .. } = meta;
                    Some(Waiting { seq: record.seq, at: Timestamp(at), lines, plain_bytes, packed })
                })
                .collect())
        })
        .await
    }

    /// The server has everything up to the batch `seq`.
    pub(super) async fn acknowledge(&self, seq: u64) -> Result<(), SpoolError> {
        self.work(move |state| {
            state.log.acknowledge(seq)?;
            state.folder.note(state.log.acked())?;
            if state.log.has_finished() {
                // The files that go also say how far files were read: that is kept first.
                state.folder.keep(state.log.last(), &state.progress)?;
                state.log.drop_finished()?;
            }
            Ok(())
        })
        .await?;
        self.0.room.notify_waiters();
        Ok(())
    }

    /// Puts lines of the batch `seq` aside; returns where.
    pub(super) async fn park(&self, seq: u64, reason: String, lines: Vec<u8>) -> Result<PathBuf, SpoolError> {
        let rejected = move |state: &mut State| {
            let path = state.folder.rejected();
            state.parked.put(seq, &reason, &lines).map_err(|error| SpoolError::Folder { path, error })
        };
        self.work(rejected).await
    }

    /// How many batches wait, and how many bytes.
    #[must_use]
    pub fn waiting(&self) -> (u64, u64) {
        let Standing { batches, bytes, .. } = self.standing();
        (batches, bytes)
    }

    /// Keeps how far files were read, so that opening is quick.
    ///
    /// # Errors
    /// The disk fails; nothing is lost, because the batches say it too.
    pub async fn close(&self) -> Result<(), SpoolError> {
        self.work(|state| {
            state.folder.keep(state.log.last(), &state.progress)?;
            Ok(state.log.drop_finished()?)
        })
        .await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the disk, on a thread that may wait for it.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let spool = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&mut spool.lock())).await;
        done.unwrap_or(Err(SpoolError::Stopping))
    }

    /// Appends if there is room; gives everything back if not.
    async fn append(
        &self,
        bodies: Vec<Vec<u8>>,
        change: Progress,
    ) -> Result<Option<(Vec<Vec<u8>>, Progress)>, SpoolError> {
        let max_bytes = self.0.max_bytes;
        self.work(move |state| {
            let bytes: usize = bodies.iter().map(Vec::len).sum();
            let wanted = state.log.disk_bytes() + u64::try_from(bytes).unwrap_or(u64::MAX);
            // One that is larger than everything goes through an empty spool.
            if wanted > max_bytes && state.log.waiting() > 0 {
                if !std::mem::replace(&mut state.is_full, true) {
                    let (waiting, batches) = (state.log.waiting_bytes(), state.log.waiting());
                    tracing::warn!(
                        waiting,
                        batches,
                        "the spool is full: reading pauses until the server takes something"
                    );
                }
                return Ok(Some((bodies, change)));
            }
            state.log.append(&bodies)?;
            state.progress.apply(change);
            if std::mem::take(&mut state.is_full) {
                tracing::info!("the spool has room again: reading goes on");
            }
            Ok(None)
        })
        .await
    }
}

#[async_trait]
impl Destination for Spool {
    async fn cursors(&self, source: &'static str) -> Result<Cursors, CommitError> {
        let known = self.lock().progress.cursors.get(source).cloned().unwrap_or_default();
        Ok(known.into_iter().map(|(path, kept)| (path, kept.into())).collect())
    }

    async fn project_names(&self) -> Result<Vec<(String, String)>, CommitError> {
        Ok(self.lock().progress.names.clone().into_iter().collect())
    }

    async fn take(&self, batch: Batch) -> Result<Taken, CommitError> {
        let rejected: usize = batch.rejected.values().map(Vec::len).sum();
        let count = |n: usize| u64::try_from(n).unwrap_or(0);
        let taken = Taken { stored: count(batch.events.len()), duplicate: 0, rejected: count(rejected) };
        let at = self.0.clock.now();
        let encoded = tokio::task::spawn_blocking(move || encode(batch, at)).await;
        let (mut bodies, mut change) = encoded.unwrap_or(Err(SpoolError::Stopping))?;
        loop {
            let mut room = std::pin::pin!(self.0.room.notified());
            room.as_mut().enable();
            match self.append(bodies, change).await? {
                None => break,
                Some(back) => (bodies, change) = back,
            }
            tokio::select! {
                () = room => {}
                () = self.0.stop.cancelled() => return Err(SpoolError::Stopping.into()),
            }
        }
        self.0.news.notify_one();
        Ok(taken)
    }
}

/// A batch as records. What has no identity of its own (bad lines) and what was read with it (cursors) are in the last:
/// if the end is torn off by a crash, they come again, and once.
fn encode(batch: Batch, at: Timestamp) -> Result<(Vec<Vec<u8>>, Progress), SpoolError> {
    let Batch { names, events, rejected, beads, readings, mut requests, cursors } = batch;
    // The past is not under way; who takes it in would not note it either.
    requests.retain(|told| told.at > at.plus_seconds(-REQUESTS_S));
    let kept = |cursors: Cursors| cursors.into_iter().map(|(path, cursor)| (path, Kept::from(cursor))).collect();
    let progress = Progress {
        names: names.into_iter().collect(),
        cursors: cursors.into_iter().map(|(source, cursors)| (source.to_owned(), kept(cursors))).collect(),
    };
    let mut bodies = Vec::new();
    let mut lines = Vec::new();
    let mut count = 0;
    let events = events.into_iter().map(|event| Line::Event(Box::new(event)));
    let beads = beads.into_iter().map(Line::Bead);
    let readings = readings.into_iter().map(Line::Reading);
    let requests = requests.into_iter().map(|told| Line::Request(Box::new(told)));
    let bad = rejected.into_iter().flat_map(|(source, items)| {
        let source = SourceName::new(source).ok();
        items.into_iter().filter_map(move |item| {
            Some(Line::Rejected(Rejected { source: source.clone()?, place: item.place, reason: item.reason }))
        })
    });
    for line in events.chain(beads).chain(readings).chain(requests).chain(bad) {
        if lines.len() >= RECORD_BYTES {
            bodies.push(body(at, count, &std::mem::take(&mut lines), Progress::default())?);
            count = 0;
        }
        lines.extend_from_slice(&spell(&line));
        count += 1;
    }
    bodies.push(body(at, count, &lines, progress.clone())?);
    Ok((bodies, progress))
}

fn body(at: Timestamp, lines: u64, plain: &[u8], progress: Progress) -> Result<Vec<u8>, SpoolError> {
    let fail = |error| SpoolError::Folder { path: PathBuf::new(), error };
    let plain_bytes = u64::try_from(plain.len()).unwrap_or(u64::MAX);
    let meta = Meta { at: at.0, lines, plain_bytes, progress };
    let meta = serde_json::to_vec(&meta).map_err(|error| fail(error.into()))?;
    let mut body = u32::try_from(meta.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    body.extend_from_slice(&meta);
    if lines > 0 {
        body.extend_from_slice(&pack(plain).map_err(fail)?);
    }
    Ok(body)
}

/// The parts of a record; none of one that this version did not write, which does not pass opening.
fn parts(body: &[u8]) -> Option<(Meta, &[u8])> {
    let (size, rest) = body.split_first_chunk::<4>()?;
    let (meta, packed) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*size)).ok()?)?;
    Some((serde_json::from_slice(meta).ok()?, packed))
}

/// Gzip; several packed pieces one after another unpack to all of them.
pub(super) fn pack(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish()
}

#[cfg(test)]
mod tests;
