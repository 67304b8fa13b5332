//! Reading the past once: whole files, by two threads, into the store. Doing it again changes nothing.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use model::id::TownName;
use tokio::sync::mpsc;

use super::claude_code::Projects;
use super::destination::{CommitError, Destination as _, StoreDestination};
use super::file_source::{FileSource, Reading, Shared, cursor_path};
pub use super::gathered::{Enough, Totals};
use super::pipeline::{ENOUGH, Pipeline};
use super::tail::{LastLine, Piece};
use crate::db::Pool;
use crate::ingest::Intake;

/// Threads that parse.
const READERS: usize = 2;
/// Pieces that may wait for the store.
const WAITING_PIECES: usize = 8;

/// What a backfill did.
#[derive(Debug, Default)]
pub struct Report {
    /// Files that were read.
    pub files: u64,
    /// What became of their content.
    pub totals: Totals,
    /// What could not be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Why a backfill ended early. What was stored stays stored; run it again.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// The store did not take it.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A reading thread could not be started or ended badly.
    #[error("a reading thread failed: {0}")]
    Thread(#[from] io::Error),
}

/// What a backfill reads, and for whom.
#[derive(Debug, Clone)]
pub struct Order {
    /// Whose files the paths hold.
    pub source: &'static dyn FileSource,
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// For which town.
    pub town: TownName,
    /// Keep no paths.
    pub no_paths: bool,
}

enum Message {
    Piece(PathBuf, Box<Piece>),
    Done(PathBuf, Option<String>),
}

/// Reads everything in `order`. `progress` is told of the bytes in all, and of those read.
///
/// # Errors
/// The store does not answer. What cannot be read is no error but in the report.
pub async fn run(
    order: &Order,
    pool: &Pool,
    intake: &Intake,
    progress: impl FnMut(Progress),
) -> Result<Report, BackfillError> {
    run_in(order, ENOUGH, pool, intake, progress).await
}

/// As [`run`], in batches of another size.
///
/// # Errors
/// As [`run`].
pub async fn run_in(
    order: &Order,
    batches: Enough,
    pool: &Pool,
    intake: &Intake,
    mut progress: impl FnMut(Progress),
) -> Result<Report, BackfillError> {
    let destination = Arc::new(StoreDestination::new(order.town.clone(), pool.clone(), intake.clone()));
    let mut report = Report::default();
    let mut files = Vec::new();
    for path in &order.paths {
        match order.source.files(path) {
            Ok(found) => {
                files.extend(found.files);
                report.unreadable.extend(found.unreadable);
            }
            Err(error) => report.unreadable.push((path.clone(), error.to_string())),
        }
    }
    files.sort();
    files.dedup();
    let bytes = files.iter().filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum();
    progress(Progress::Begin { bytes });

    let given = destination.project_names().await?;
    let projects = Arc::new(Mutex::new(Projects::new(given, order.no_paths)));
    let shared = Shared { projects: Arc::clone(&projects), no_paths: order.no_paths };
    let mut pipeline = Pipeline::new(destination, projects, batches).await?;
    let mut pieces = start_readers(order.source, files, &shared)?;
    let source = order.source.name();
    while let Some(message) = pieces.recv().await {
        match message {
            Message::Piece(path, piece) => {
                progress(Progress::Read { bytes: piece.bytes });
                pipeline.add(source, &cursor_path(&path), *piece).await?;
            }
            Message::Done(_, None) => report.files += 1,
            Message::Done(path, Some(reason)) => report.unreadable.push((path, reason)),
        }
    }
    report.totals = pipeline.finish().await?;
    progress(Progress::End);
    Ok(report)
}

/// How far a backfill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes are to be read.
    Begin {
        /// In all files.
        bytes: u64,
    },
    /// So many more were read.
    Read {
        /// Since the last time.
        bytes: u64,
    },
    /// Everything is stored.
    End,
}

/// Readers take the next file each until none is left, or until nobody listens.
fn start_readers(
    source: &'static dyn FileSource,
    files: Vec<PathBuf>,
    shared: &Shared,
) -> io::Result<mpsc::Receiver<Message>> {
    let (sender, receiver) = mpsc::channel(WAITING_PIECES);
    let next = Arc::new(AtomicUsize::new(0));
    let files = Arc::new(files);
    for number in 0..READERS.min(files.len()) {
        let (sender, next, files, shared) = (sender.clone(), Arc::clone(&next), Arc::clone(&files), shared.clone());
        std::thread::Builder::new().name(format!("reader-{number}")).spawn(move || {
            while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let reading = Reading { path, from: None, last_line: LastLine::Take, shared: &shared };
                let mut emit = |piece| sender.blocking_send(Message::Piece(path.clone(), Box::new(piece))).is_ok();
                let result = source.read(&reading, &mut emit);
                let reason = result.err().map(|error| error.to_string());
                if sender.blocking_send(Message::Done(path.clone(), reason)).is_err() {
                    break;
                }
            }
        })?;
    }
    Ok(receiver)
}
