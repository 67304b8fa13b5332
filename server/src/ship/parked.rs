//! What a server refused for good: put aside with the reason, so that it is not lost and the rest goes on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes that are kept; beyond it the oldest go, and are counted.
const MAX_BYTES: u64 = 64 << 20;
/// The file that says how many went.
const DROPPED: &str = "dropped";

/// The folder of what was put aside.
#[derive(Debug)]
pub(super) struct Parked {
    folder: PathBuf,
    max_bytes: u64,
    count: u64,
    dropped: u64,
}

impl Parked {
    /// What lies in `folder`, which need not exist yet.
    pub(super) fn open(folder: PathBuf) -> Self {
        let count = u64::try_from(files(&folder).len()).unwrap_or(0);
        // A note that cannot be read is none: what it says is only told.
        let dropped = fs::read_to_string(folder.join(DROPPED)).ok().and_then(|text| text.trim().parse().ok());
        Self { folder, max_bytes: MAX_BYTES, count, dropped: dropped.unwrap_or(0) }
    }

    /// How many were put aside and are still there.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// How many were put aside and removed again, because more was refused than is kept.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Puts the `lines` of the batch `seq` aside, with the reason in front; returns the file.
    pub(super) fn put(&mut self, seq: u64, reason: &str, lines: &[u8]) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.folder)?;
        let taken = |path: &PathBuf| path.exists();
        let name = |n: u32| self.folder.join(format!("{seq:020}-{n:04}.jsonl"));
        let Some(path) = (0..10_000).map(name).find(|path| !taken(path)) else {
            return Err(io::Error::other("ten thousand parts of one batch were put aside already"));
        };
        let mut content = serde_json::to_vec(&serde_json::json!({"refused": reason}))?;
        content.push(b'\n');
        content.extend_from_slice(lines);
        fs::write(&path, content)?;
        self.make_room()?;
        Ok(path)
    }

    fn make_room(&mut self) -> io::Result<()> {
        let mut files = files(&self.folder);
        files.sort();
        let size = |path: &PathBuf| path.metadata().map_or(0, |meta| meta.len());
        let mut bytes: u64 = files.iter().map(size).sum();
        let mut kept = files.as_slice();
        let before = self.dropped;
        while let [oldest, rest @ ..] = kept
            && bytes > self.max_bytes
            && !rest.is_empty()
        {
            bytes -= size(oldest);
            tracing::warn!(file = %oldest.display(), "removed: more was refused than is kept");
            fs::remove_file(oldest)?;
            kept = rest;
            self.dropped = self.dropped.saturating_add(1);
        }
        if self.dropped != before {
            fs::write(self.folder.join(DROPPED), self.dropped.to_string())?;
        }
        self.count = u64::try_from(kept.len()).unwrap_or(0);
        Ok(())
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_is_kept_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let mut parked = Parked::open(folder.path().join("rejected"));
        let first = parked.put(7, "400: no", b"{\"a\":1}\n").unwrap();
        let second = parked.put(7, "400: no", b"{\"b\":1}\n").unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read_to_string(first).unwrap(), "{\"refused\":\"400: no\"}\n{\"a\":1}\n");
        assert_eq!((parked.count(), Parked::open(folder.path().join("rejected")).count()), (2, 2));
    }

    #[test]
    fn beyond_the_bound_the_oldest_go_and_are_counted_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let mut parked = Parked { max_bytes: 100, ..Parked::open(folder.path().to_owned()) };
        for seq in 1..=4 {
            parked.put(seq, "400: no", &[b'x'; 40]).unwrap();
        }
        assert_eq!((parked.count(), parked.dropped()), (1, 3));
        let again = Parked::open(folder.path().to_owned());
        assert_eq!((again.count(), again.dropped()), (1, 3));
    }
}
