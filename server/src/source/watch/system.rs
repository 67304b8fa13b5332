//! What the system tells of changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::source::registry::Root;

/// How often all files are looked at when the system does not tell of changes.
const POLL: Duration = Duration::from_secs(1);
/// How often when it does: for what it may have missed, such as files in a folder made a moment before.
const RESCAN: Duration = Duration::from_secs(5);
/// Changes that may wait; beyond them everything is looked at.
const WAITING_CHANGES: usize = 1_024;

/// The folders that the system watches for us.
pub(super) struct SystemWatch {
    changes: mpsc::Receiver<PathBuf>,
    missed: Arc<AtomicBool>,
    /// None: the system cannot.
    watcher: Option<RecommendedWatcher>,
    /// Each with whether the folders in it are watched too.
    folders: HashMap<PathBuf, bool>,
    /// Something is not watched, so we look ourselves.
    blind: bool,
}

impl SystemWatch {
    /// Watches nothing yet.
    pub(super) fn new() -> Self {
        let missed = Arc::new(AtomicBool::new(false));
        let (sender, changes) = mpsc::channel(WAITING_CHANGES);
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
        let watcher = match notify::recommended_watcher(handler) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::info!(%error, "the system does not tell of changes; looking every second");
                None
            }
        };
        Self { changes, missed, blind: watcher.is_none(), watcher, folders: HashMap::new() }
    }

    /// Watches what of `roots` is not watched yet; a root that does not exist is looked at every second until it does.
    pub(super) fn watch(&mut self, roots: &[Root]) {
        let Some(watcher) = &mut self.watcher else { return };
        self.folders.retain(|folder, _| folder.is_dir());
        self.blind = false;
        for root in roots {
            // The folder of a file: the file itself may be replaced by another.
            let deep = root.path.is_dir();
            let above = root.path.parent().unwrap_or_else(|| Path::new("."));
            let folder = if deep { root.path.as_path() } else { above };
            if self.folders.get(folder).is_some_and(|watched| *watched || !deep) {
                continue;
            }
            let mode = if deep { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            match watcher.watch(folder, mode) {
                Ok(()) => {
                    self.folders.insert(folder.to_owned(), deep);
                }
                Err(error) => {
                    tracing::debug!(%error, folder = %folder.display(), "looked at every second");
                    self.blind = true;
                }
            }
        }
    }

    /// How long to wait before looking at everything again.
    pub(super) const fn period(&self) -> Duration {
        if self.blind { POLL } else { RESCAN }
    }

    /// The next path that changed; waits for ever when the system does not tell.
    pub(super) async fn next(&mut self) -> PathBuf {
        match self.changes.recv().await {
            Some(path) => path,
            None => std::future::pending().await,
        }
    }

    /// Further paths that changed already.
    pub(super) fn waiting(&mut self) -> Vec<PathBuf> {
        std::iter::from_fn(|| self.changes.try_recv().ok()).collect()
    }

    /// Whether changes were lost since the last time.
    pub(super) fn missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }
}
