//! What is watched on this machine, looked at again now and then: agents that are installed later appear.

use std::sync::Arc;

use app::reader::WatchedRoot;
use model::time::Timestamp;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use crate::source::registry::{Root, Roots};

/// How long a look is good: it walks through every folder.
const FRESH_S: i64 = 30;

/// What was seen last, and when.
type Seen = Option<(Timestamp, Vec<WatchedRoot>)>;

/// The folders that the server's own watcher follows.
#[derive(Clone, Default)]
pub struct Folders {
    /// None: this server does not watch.
    watch: Option<(Roots, AbortHandle)>,
    seen: Arc<Mutex<Seen>>,
}

impl Folders {
    /// What `watcher` follows.
    #[must_use]
    pub fn followed(roots: Roots, watcher: AbortHandle) -> Self {
        Self { watch: Some((roots, watcher)), seen: Arc::default() }
    }

    /// Whether there is a watcher, and whether it runs.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        match &self.watch {
            None => Watcher::Off,
            Some((_, task)) if task.is_finished() => Watcher::Ended,
            Some(_) => Watcher::Running,
        }
    }

    /// The folders and files, with the home folder written as `~`.
    pub async fn roots(&self, now: Timestamp) -> Vec<WatchedRoot> {
        let Some((roots, _)) = &self.watch else { return Vec::new() };
        let mut seen = self.seen.lock().await;
        if let Some((at, found)) = seen.as_ref()
            && now.micros_since(*at) < FRESH_S * 1_000_000
        {
            return found.clone();
        }
        let roots = roots.clone();
        let look = tokio::task::spawn_blocking(move || roots.now().iter().map(shown).collect::<Vec<_>>());
        let found = look.await.unwrap_or_default();
        *seen = Some((now, found.clone()));
        found
    }
}

/// The server's own watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watcher {
    /// It runs.
    Running,
    /// It was switched off.
    Off,
    /// It ended although nobody told it to.
    Ended,
}

fn shown(root: &Root) -> WatchedRoot {
    let home = std::env::var("HOME").unwrap_or_default();
    let path = root.path.display().to_string();
    let path = path.strip_prefix(&home).filter(|_| !home.is_empty()).map_or(path.clone(), |rest| format!("~{rest}"));
    let files = root.source.files(&root.path).map_or(0, |found| found.files.len());
    WatchedRoot { source: root.source.name().to_owned(), path, files: u64::try_from(files).unwrap_or_default() }
}
