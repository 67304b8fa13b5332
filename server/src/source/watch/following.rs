//! The files that are followed, and how far each was read.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::db::cursor::Cursor;
use crate::ingest::Rejection;
use crate::source::claude_code::Projects;
use crate::source::commit::Committer;
use crate::source::destination::{CommitError, Cursors, Destination};
use crate::source::file_source::{FileSource, Look, Reading, Shared, cursor_path};
use crate::source::registry::{Root, Roots};
use crate::source::tail::LastLine;

/// Pieces that may wait for the store.
const WAITING_PIECES: usize = 4;
/// When what took too long is read again.
const LATE_RETRY: Duration = Duration::from_secs(600);

type Source = &'static dyn FileSource;

pub(super) struct Following {
    destination: Arc<dyn Destination>,
    roots: Vec<Root>,
    /// The first look at the roots is told by who started the watcher.
    looked: bool,
    shared: Shared,
    committer: Committer,
    looks: HashMap<PathBuf, Look>,
    /// By source and file; those of a source are loaded with its first root.
    cursors: HashMap<&'static str, Cursors>,
    /// Said once per file, until it can be read again.
    complained: HashSet<PathBuf>,
    /// Files that took too long, and when each is read again.
    late: HashMap<PathBuf, Instant>,
    late_retry: Duration,
}

/// A file that does not look as it did.
struct Changed {
    source: Source,
    path: PathBuf,
    look: Look,
}

/// How far a source's file was read before.
type Before = (&'static str, String, Option<Cursor>);

/// Files to look at, and what cannot be looked into.
type Listing = (Vec<(Source, PathBuf)>, Vec<(Source, PathBuf, String)>);

impl Following {
    pub(super) async fn new(
        roots: &Roots,
        destination: Arc<dyn Destination>,
        no_paths: bool,
    ) -> Result<Self, CommitError> {
        let names = destination.project_names().await?;
        let projects = Arc::new(Mutex::new(Projects::new(names, no_paths)));
        let mut following = Self {
            destination: Arc::clone(&destination),
            roots: Vec::new(),
            looked: false,
            shared: Shared { projects: Arc::clone(&projects), no_paths },
            committer: Committer::new(destination, projects),
            looks: HashMap::new(),
            cursors: HashMap::new(),
            complained: HashSet::new(),
            late: HashMap::new(),
            late_retry: LATE_RETRY,
        };
        following.look_for_roots(roots).await?;
        Ok(following)
    }

    /// Takes up what there is to follow now.
    pub(super) async fn look_for_roots(&mut self, roots: &Roots) -> Result<&[Root], CommitError> {
        let roots = roots.clone();
        let found = tokio::task::spawn_blocking(move || roots.now()).await.unwrap_or_default();
        for root in &found {
            let source = root.source.name();
            if !self.cursors.contains_key(source) {
                let kept = self.destination.cursors(source).await?;
                self.cursors.insert(source, kept);
            }
            if self.looked && !self.roots.contains(root) {
                tracing::info!(path = %root.path.display(), source, "watching");
            }
        }
        self.roots = found;
        self.looked = true;
        Ok(&self.roots)
    }

    /// Reads every file that does not look as it did.
    pub(super) async fn read_all(&mut self, cancel: &CancellationToken) -> Result<(), CommitError> {
        let roots = self.roots.clone();
        let (files, unreadable) = tokio::task::spawn_blocking(move || list(&roots)).await.unwrap_or_default();
        for (source, path, reason) in unreadable {
            self.complain(source, &path, &reason, &reason).await?;
        }
        self.read(files, cancel).await
    }

    /// Reads what `changed` belongs to.
    pub(super) async fn read_changed(
        &mut self,
        changed: Vec<PathBuf>,
        cancel: &CancellationToken,
    ) -> Result<(), CommitError> {
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for path in changed {
            for root in &self.roots {
                let Some(file) = root.source.file_of(&path) else { continue };
                if file.starts_with(&root.path) && seen.insert((root.source.name(), file.clone())) {
                    files.push((root.source, file));
                }
            }
        }
        self.read(files, cancel).await
    }

    /// Reads what changed of `files`, and keeps how they looked once they are stored.
    async fn read(&mut self, files: Vec<(Source, PathBuf)>, cancel: &CancellationToken) -> Result<(), CommitError> {
        let mut changed = Vec::new();
        for (source, path) in files {
            // Before reading: what is written meanwhile looks different afterwards.
            let Some(look) = source.look(&path) else { continue };
            let is_due = self.late.get(&path).is_some_and(|due| *due <= Instant::now());
            if is_due || self.looks.get(&path) != Some(&look) {
                changed.push(Changed { source, path, look });
            }
        }
        match self.take(&changed, cancel).await {
            Err(error) if error.is_refusal() => {
                tracing::warn!(%error, "what was read is refused; the files are read one by one");
            }
            taken => return taken,
        }
        for one in changed {
            match self.take(std::slice::from_ref(&one), cancel).await {
                // It would be refused again: it waits for its next change, and the others do not wait for it.
                Err(error) if error.is_refusal() => {
                    self.complain(one.source, &one.path, "the store refuses what is in it", &error).await?;
                    self.looks.insert(one.path, one.look);
                }
                taken => taken?,
            }
        }
        Ok(())
    }

    /// Reads `files` and stores what is in them. If that fails, they are to be read again from where they were.
    async fn take(&mut self, files: &[Changed], cancel: &CancellationToken) -> Result<(), CommitError> {
        let mut before = Vec::new();
        let taken = self.take_all(files, &mut before, cancel).await;
        if taken.is_err() {
            for (source, name, cursor) in before {
                let cursors = self.cursors.entry(source).or_default();
                match cursor {
                    Some(cursor) => cursors.insert(name, cursor),
                    None => cursors.remove(&name),
                };
            }
        }
        taken
    }

    async fn take_all(
        &mut self,
        files: &[Changed],
        before: &mut Vec<Before>,
        cancel: &CancellationToken,
    ) -> Result<(), CommitError> {
        let mut read = Vec::new();
        for Changed { source, path, look } in files {
            if cancel.is_cancelled() {
                break;
            }
            let name = cursor_path(path);
            let from = self.cursors.entry(source.name()).or_default().get(&name).cloned();
            before.push((source.name(), name.clone(), from.clone()));
            // What could not be read is tried again, even if it looks the same then.
            if self.read_file(*source, path, name, from).await? {
                read.push((path.clone(), look.clone()));
            }
        }
        if !before.is_empty() {
            self.committer.flush().await?;
            self.looks.extend(read);
        }
        Ok(())
    }

    /// Logs and counts what cannot be read, once until it can be. The `error` is only logged: it may name folders.
    async fn complain(
        &mut self,
        source: Source,
        path: &Path,
        reason: &str,
        error: &(dyn std::fmt::Display + Sync),
    ) -> Result<(), CommitError> {
        if self.complained.insert(path.to_owned()) {
            tracing::warn!(path = %path.display(), %error, "cannot be read: {reason}");
            let place = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let reason = format!("cannot be read: {reason}");
            self.committer.reject(source.name(), Rejection { place, reason });
            self.committer.flush().await?;
        }
        Ok(())
    }

    /// Whether all of the file was read.
    async fn read_file(
        &mut self,
        source: Source,
        path: &Path,
        name: String,
        from: Option<Cursor>,
    ) -> Result<bool, CommitError> {
        let cursors = self.cursors.entry(source.name()).or_default();
        let (sender, mut pieces) = mpsc::channel(WAITING_PIECES);
        let (file, shared) = (path.to_owned(), self.shared.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let reading = Reading { path: &file, from: from.as_ref(), last_line: LastLine::Wait, shared: &shared };
            source.read(&reading, &mut |piece| sender.blocking_send(piece).is_ok())
        });
        while let Some(piece) = pieces.recv().await {
            cursors.insert(name.clone(), piece.cursor.clone());
            self.committer.add(source.name(), &name, piece).await?;
        }
        match reading.await {
            Ok(Ok(())) => {
                self.complained.remove(path);
                self.late.remove(path);
                return Ok(true);
            }
            // The source has said so in its pieces.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::TimedOut => {
                self.late.insert(path.to_owned(), Instant::now() + self.late_retry);
                return Ok(true);
            }
            // A file that vanished meanwhile is nothing to speak of.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Ok(Err(error)) => self.complain(source, path, &error.kind().to_string(), &error).await?,
            Err(error) => self.complain(source, path, "reading ended badly", &error).await?,
        }
        Ok(false)
    }
}

fn list(roots: &[Root]) -> Listing {
    let mut listing = Listing::default();
    for Root { source, path } in roots {
        match source.files(path) {
            Ok(found) => {
                listing.0.extend(found.files.into_iter().map(|file| (*source, file)));
                listing.1.extend(found.unreadable.into_iter().map(|(path, reason)| (*source, path, reason)));
            }
            // It may come yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => listing.1.push((*source, path.clone(), error.kind().to_string())),
        }
    }
    listing
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::source::kept::Kept;
    use crate::source::tail::Piece;

    /// A source that takes too long at the first two readings.
    #[derive(Debug)]
    struct Slow(AtomicU64);

    static SLOW: Slow = Slow(AtomicU64::new(0));

    impl FileSource for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }
        fn word(&self) -> &'static str {
            "slow"
        }
        fn about(&self) -> &'static str {
            "a test"
        }
        fn roots(&self) -> Vec<PathBuf> {
            Vec::new()
        }
        fn owns(&self, _: &Path) -> bool {
            true
        }
        fn read(&self, _: &Reading<'_>, _: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
            let is_late = self.0.fetch_add(1, Ordering::Relaxed) < 2;
            if is_late { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn what_took_too_long_is_read_again_by_the_clock_though_it_looks_the_same() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let roots = Roots::named(vec![Root { source: &SLOW, path: file.path().to_owned() }]);
        let cancel = CancellationToken::new();
        let mut following = Following::new(&roots, Arc::new(Kept::default()), false).await.unwrap();
        let readings = || SLOW.0.load(Ordering::Relaxed);
        following.late_retry = Duration::from_secs(3_600);
        following.read_all(&cancel).await.unwrap();
        following.read_all(&cancel).await.unwrap();
        assert_eq!(readings(), 1, "not before its time");
        following.late.values_mut().for_each(|due| *due = Instant::now());
        following.late_retry = Duration::ZERO;
        following.read_all(&cancel).await.unwrap();
        assert_eq!(readings(), 2);
        for _ in 0..3 {
            following.read_all(&cancel).await.unwrap();
        }
        assert_eq!(readings(), 3, "done, and it looks the same");
    }
}
