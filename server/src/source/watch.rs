//! Following files as they grow: told by the system where it can, and looking every second where it cannot.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use model::id::TownName;
use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::claude_code::{self, Projects};
use super::commit::{CommitError, Committer};
use super::input::{self, Kind, Read, Shared};
use super::tail::LastLine;
use super::town_beads;
use crate::db::cursor::Cursor;
use crate::db::{self, Pool, TownKey};
use crate::ingest::{Intake, Rejection};

/// How often all files are looked at when the system does not tell of changes.
const POLL: Duration = Duration::from_secs(1);
/// How often when it does: for what it may have missed, such as files in a folder made a moment before.
const RESCAN: Duration = Duration::from_secs(5);
/// Changes that come within this time are read together.
const GATHER: Duration = Duration::from_millis(40);
/// After the store did not answer.
const RETRY: Duration = Duration::from_secs(2);
/// Changes that may wait; beyond them everything is looked at.
const WAITING_CHANGES: usize = 1_024;
/// Pieces that may wait for the store.
const WAITING_PIECES: usize = 4;

/// Something to be followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Root {
    /// What it holds.
    pub kind: Kind,
    /// A folder or a file; it need not exist yet.
    pub path: PathBuf,
}

/// The roots that exist on this machine by convention, and files of `beads` besides: Claude Code's folders, Gas Town's
/// `costs.jsonl`, and the beads of the town and its rigs.
#[must_use]
pub fn discover_roots(beads: &[PathBuf]) -> Vec<Root> {
    let mut roots: Vec<Root> =
        claude_code::default_roots().into_iter().map(|path| Root { kind: Kind::ClaudeCode, path }).collect();
    let home = std::env::var_os("GT_HOME").or_else(|| std::env::var_os("HOME")).map(PathBuf::from);
    let costs = home.map(|home| home.join(".gt").join("costs.jsonl")).filter(|costs| costs.is_file());
    roots.extend(costs.map(|path| Root { kind: Kind::GasTownCosts, path }));
    let named = beads.iter().cloned();
    let found = town_beads::root().into_iter().flat_map(|town| town_beads::files(&town));
    for path in named.chain(found) {
        let root = Root { kind: Kind::Beads, path };
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// Follows `roots` for `town` until `cancel`. Nothing ends it otherwise: what cannot be read now is tried again.
#[must_use]
pub fn spawn(
    roots: Vec<Root>,
    town: TownName,
    intake: Intake,
    pool: Pool,
    cancel: CancellationToken,
    no_paths: bool,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let begun = follow(&roots, &town, &intake, &pool, &cancel, no_paths);
            match begun.await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "the watcher begins again in {} s", RETRY.as_secs()),
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    })
}

/// How a file looked when it was last read: as long as it looks the same, there is nothing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    bytes: u64,
    changed: Option<SystemTime>,
}

impl Look {
    fn at(path: &Path) -> Option<Self> {
        let meta = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Self { bytes: meta.len(), changed: meta.modified().ok() })
    }
}

struct Following {
    shared: Shared,
    committer: Committer,
    looks: HashMap<PathBuf, Look>,
    cursors: HashMap<(Kind, String), Cursor>,
    /// Said once per file, until it can be read again.
    complained: HashSet<PathBuf>,
}

async fn follow(
    roots: &[Root],
    town: &TownName,
    intake: &Intake,
    pool: &Pool,
    cancel: &CancellationToken,
    no_paths: bool,
) -> Result<(), CommitError> {
    let key = db::town::ensure(pool, town, false).await?;
    let names = db::cursor::project_names(pool, key).await?;
    let projects = Arc::new(Mutex::new(Projects::new(names, no_paths)));
    let mut following = Following {
        shared: Shared { projects: Arc::clone(&projects), no_paths },
        committer: Committer::new(town.clone(), key, pool.clone(), intake.clone(), projects),
        looks: HashMap::new(),
        cursors: load_cursors(roots, pool, key).await?,
        complained: HashSet::new(),
    };
    let (mut changes, missed, _watcher) = watch_system(roots);
    let period = if changes.is_some() { RESCAN } else { POLL };
    let mut tick = tokio::time::interval(period);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let mut changed: Vec<PathBuf> = Vec::new();
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            _ = tick.tick() => {}
            Some(path) = next(&mut changes) => {
                tokio::time::sleep(GATHER).await;
                changed.push(path);
                while let Some(path) = changes.as_mut().and_then(|changes| changes.try_recv().ok()) {
                    changed.push(path);
                }
            }
        }
        // A new folder may have files that nobody told of.
        let all = changed.is_empty() || missed.swap(false, Ordering::Relaxed) || changed.iter().any(|p| p.is_dir());
        let (files, unreadable) = files(roots, if all { None } else { Some(changed) }).await;
        for (kind, path, reason) in unreadable {
            following.complain(kind, &path, reason).await?;
        }
        following.read(files, cancel).await?;
    }
}

async fn next(changes: &mut Option<mpsc::Receiver<PathBuf>>) -> Option<PathBuf> {
    match changes {
        Some(changes) => changes.recv().await,
        None => std::future::pending().await,
    }
}

async fn load_cursors(
    roots: &[Root],
    pool: &Pool,
    key: TownKey,
) -> Result<HashMap<(Kind, String), Cursor>, CommitError> {
    let kinds: HashSet<Kind> = roots.iter().map(|root| root.kind).collect();
    let mut cursors = HashMap::new();
    for kind in kinds {
        let of_kind = db::cursor::load(pool, key, kind.source()).await?;
        cursors.extend(of_kind.into_iter().map(|(path, cursor)| ((kind, path), cursor)));
    }
    Ok(cursors)
}

/// Files to look at, and what cannot be looked into.
type Listing = (Vec<(Kind, PathBuf)>, Vec<(Kind, PathBuf, String)>);

/// All files, or those of `changed` that belong to a root.
async fn files(roots: &[Root], changed: Option<Vec<PathBuf>>) -> Listing {
    let roots = roots.to_vec();
    let listing = tokio::task::spawn_blocking(move || match changed {
        None => list_all(&roots),
        Some(changed) => {
            let mut seen = HashSet::new();
            let of_root = |path: &PathBuf| {
                let root = roots.iter().find(|root| path.starts_with(&root.path))?;
                let fits = root.kind != Kind::ClaudeCode || path.extension().is_some_and(|e| e == "jsonl");
                fits.then_some(root.kind)
            };
            let of_kind = |path: PathBuf| Some((of_root(&path)?, path));
            let files = changed.into_iter().filter(|path| seen.insert(path.clone())).filter_map(of_kind).collect();
            (files, Vec::new())
        }
    });
    listing.await.unwrap_or_default()
}

fn list_all(roots: &[Root]) -> Listing {
    let mut listing = Listing::default();
    for root in roots {
        match root.kind.files(&root.path) {
            Ok(found) => {
                listing.0.extend(found.files.into_iter().map(|file| (root.kind, file)));
                listing.1.extend(found.unreadable.into_iter().map(|(path, reason)| (root.kind, path, reason)));
            }
            // It may come yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => listing.1.push((root.kind, root.path.clone(), error.to_string())),
        }
    }
    listing
}

impl Following {
    /// Reads what changed of `files`, and keeps how far that was once it is stored.
    async fn read(&mut self, files: Vec<(Kind, PathBuf)>, cancel: &CancellationToken) -> Result<(), CommitError> {
        let mut read: Vec<(PathBuf, Look)> = Vec::new();
        for (kind, path) in files {
            // Before reading: what is written meanwhile looks different afterwards.
            let Some(look) = Look::at(&path) else { continue };
            if self.looks.get(&path) == Some(&look) {
                continue;
            }
            if cancel.is_cancelled() {
                break;
            }
            self.read_file(kind, &path).await?;
            read.push((path, look));
        }
        if !read.is_empty() {
            self.committer.flush().await?;
            self.looks.extend(read);
        }
        Ok(())
    }

    /// Logs and counts what cannot be read, once until it can be.
    async fn complain(&mut self, kind: Kind, path: &Path, reason: String) -> Result<(), CommitError> {
        if self.complained.insert(path.to_owned()) {
            tracing::warn!(path = %path.display(), %reason, "cannot be read");
            let place = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let reason = format!("cannot be read: {reason}");
            self.committer.reject(kind.source(), Rejection { place, reason });
            self.committer.flush().await?;
        }
        Ok(())
    }

    async fn read_file(&mut self, kind: Kind, path: &Path) -> Result<(), CommitError> {
        let name = input::cursor_path(path);
        let from = self.cursors.get(&(kind, name.clone())).cloned();
        let (sender, mut pieces) = mpsc::channel::<Read>(WAITING_PIECES);
        let (file, shared) = (path.to_owned(), self.shared.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let mut emit = |read: Read| sender.blocking_send(read).is_ok();
            input::read(kind, &file, from.as_ref(), LastLine::Wait, &shared, &mut emit)
        });
        while let Some((piece, beads)) = pieces.recv().await {
            self.cursors.insert((kind, name.clone()), piece.cursor.clone());
            self.committer.add_beads(beads);
            // An error ends all following; it begins again from the cursors that are kept.
            self.committer.add(kind.source(), &name, piece).await?;
        }
        match reading.await {
            Ok(Ok(())) => {
                self.complained.remove(path);
            }
            // A file that vanished meanwhile is nothing to speak of.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Ok(Err(error)) => self.complain(kind, path, error.to_string()).await?,
            Err(error) => tracing::error!(path = %path.display(), %error, "reading ended badly"),
        }
        Ok(())
    }
}

type SystemWatch = (Option<mpsc::Receiver<PathBuf>>, Arc<AtomicBool>, Option<notify::RecommendedWatcher>);

/// Asks the system to tell of changes; without that, or for a root that does not exist yet, we look ourselves.
fn watch_system(roots: &[Root]) -> SystemWatch {
    let missed = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel(WAITING_CHANGES);
    let overflow = Arc::clone(&missed);
    let handler = move |event: notify::Result<notify::Event>| match event {
        Ok(event) if event.kind.is_access() => {}
        Ok(event) => {
            for path in event.paths {
                if sender.try_send(path).is_err() {
                    overflow.store(true, Ordering::Relaxed);
                }
            }
        }
        Err(_) => overflow.store(true, Ordering::Relaxed),
    };
    let watched = notify::recommended_watcher(handler).and_then(|mut watcher| {
        for root in roots {
            // The folder of a file: the file itself may be replaced by another.
            let (folder, mode) = match root.kind {
                Kind::ClaudeCode => (root.path.as_path(), RecursiveMode::Recursive),
                Kind::Beads | Kind::GasTownCosts => {
                    (root.path.parent().unwrap_or(&root.path), RecursiveMode::NonRecursive)
                }
            };
            watcher.watch(folder, mode)?;
        }
        Ok(watcher)
    });
    match watched {
        Ok(watcher) => (Some(receiver), missed, Some(watcher)),
        Err(error) => {
            tracing::info!(%error, "the system does not tell of changes; looking every second");
            (None, missed, None)
        }
    }
}
