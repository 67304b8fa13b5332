//! The state folder of a shipper: whose it is, how far files were read, and what the server has.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::log::sync_folder;
use super::spool::SpoolError;
use crate::db::cursor::Cursor;

/// The version of the folder's form.
const FORM: u32 = 1;

/// Whose folder it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    form: u32,
    shipper: Uuid,
    url: String,
    town: String,
}

/// A cursor, field by field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept(i64, u64, u64, Option<String>);

impl From<Cursor> for Kept {
    fn from(cursor: Cursor) -> Self {
        Self(cursor.head, cursor.position, cursor.lines, cursor.memory)
    }
}
impl From<Kept> for Cursor {
    fn from(Kept(head, position, lines, memory): Kept) -> Self {
        Self { head, position, lines, memory }
    }
}

/// Names of projects by folder, and cursors by source and file: all of them, or what a batch changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(default)]
    pub names: HashMap<String, String>,
    #[serde(default)]
    pub cursors: HashMap<String, HashMap<String, Kept>>,
}

impl Progress {
    /// Takes what a batch changed.
    pub(super) fn apply(&mut self, change: Self) {
        for (folder, name) in change.names {
            // A name that was given stays.
            self.names.entry(folder).or_insert(name);
        }
        for (source, cursors) in change.cursors {
            self.cursors.entry(source).or_default().extend(cursors);
        }
    }
}

/// [`Progress`] as of a batch.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub seq: u64,
    pub progress: Progress,
}

/// The folder, held against other processes.
#[derive(Debug)]
pub(super) struct StateFolder {
    folder: PathBuf,
    /// Numbers of batches are this one's own.
    pub shipper: Uuid,
    _lock: Flock<File>,
}

impl StateFolder {
    /// Opens the folder, or makes it, for what goes to `town` at `url`.
    pub(super) fn open(folder: &Path, url: &str, town: &str) -> Result<Self, SpoolError> {
        let fail = |error| SpoolError::Folder { path: folder.to_owned(), error };
        fs::create_dir_all(folder).map_err(fail)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(fail)?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock)
            .map_err(|_| SpoolError::InUse { path: folder.to_owned() })?;
        let path = folder.join("shipper.json");
        let owner = match fs::read(&path) {
            Ok(raw) => {
                serde_json::from_slice::<Owner>(&raw).map_err(|_| SpoolError::Unreadable { path: path.clone() })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let owner = Owner { form: FORM, shipper: Uuid::now_v7(), url: url.to_owned(), town: town.to_owned() };
                replace(folder, "shipper.json", &spelled(&owner)?, true).map_err(fail)?;
                owner
            }
            Err(error) => return Err(fail(error)),
        };
        if owner.form != FORM {
            return Err(SpoolError::Unreadable { path });
        }
        if owner.url != url || owner.town != town {
            let Owner { url, town, .. } = owner;
            return Err(SpoolError::OtherTarget { path: folder.to_owned(), url, town });
        }
        Ok(Self { folder: folder.to_owned(), shipper: owner.shipper, _lock: lock })
    }

    /// How far files had been read when it was kept last.
    pub(super) fn snapshot(&self) -> Result<Snapshot, SpoolError> {
        let path = self.folder.join("cursors.json");
        match fs::read(&path) {
            Ok(raw) => serde_json::from_slice(&raw).map_err(|_| SpoolError::Unreadable { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Snapshot::default()),
            Err(error) => Err(SpoolError::Folder { path, error }),
        }
    }

    /// Keeps how far files were read; survives a crash.
    pub(super) fn keep(&self, seq: u64, progress: &Progress) -> Result<(), SpoolError> {
        #[derive(Serialize)]
        struct Borrowed<'a> {
            seq: u64,
            progress: &'a Progress,
        }
        let content = spelled(&Borrowed { seq, progress })?;
        replace(&self.folder, "cursors.json", &content, true)
            .map_err(|error| SpoolError::Folder { path: self.folder.clone(), error })
    }

    /// The last batch that the server has, as far as it was noted; what is not noted is sent again.
    pub(super) fn acknowledged(&self) -> u64 {
        fs::read_to_string(self.folder.join("acked")).ok().and_then(|raw| raw.trim().parse().ok()).unwrap_or(0)
    }

    /// Notes the last batch that the server has.
    pub(super) fn note(&self, seq: u64) -> Result<(), SpoolError> {
        replace(&self.folder, "acked", format!("{seq}\n").as_bytes(), false)
            .map_err(|error| SpoolError::Folder { path: self.folder.clone(), error })
    }

    /// Where batches lie.
    pub(super) fn spool(&self) -> PathBuf {
        self.folder.join("spool")
    }

    /// Where refused batches lie.
    pub(super) fn rejected(&self) -> PathBuf {
        self.folder.join("rejected")
    }
}

fn spelled(value: &impl Serialize) -> Result<Vec<u8>, SpoolError> {
    serde_json::to_vec(value).map_err(|error| SpoolError::Folder { path: PathBuf::new(), error: error.into() })
}

/// Replaces a file by another as one step; `durable`: so that it is the new one after a crash of the machine, too.
fn replace(folder: &Path, name: &str, content: &[u8], durable: bool) -> io::Result<()> {
    let fresh = folder.join(format!("{name}.new"));
    let mut file = File::create(&fresh)?;
    file.write_all(content)?;
    if durable {
        file.sync_all()?;
    }
    fs::rename(&fresh, folder.join(name))?;
    if durable { sync_folder(folder) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_shipper_s_and_for_one_town_at_one_address() {
        let folder = tempfile::tempdir().unwrap();
        let first = StateFolder::open(folder.path(), "http://a", "home").unwrap();
        assert!(matches!(StateFolder::open(folder.path(), "http://a", "home"), Err(SpoolError::InUse { .. })));
        let shipper = first.shipper;
        drop(first);
        assert_eq!(StateFolder::open(folder.path(), "http://a", "home").unwrap().shipper, shipper);
        let other = StateFolder::open(folder.path(), "http://b", "home").unwrap_err();
        assert!(other.to_string().contains("http://a"), "{other}");
    }

    #[test]
    fn progress_is_kept_and_names_once_given_stay() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path(), "http://a", "home").unwrap();
        let cursor = |position| Kept::from(Cursor { head: 1, position, lines: 2, memory: Some("m".into()) });
        let change = |name: &str, position| Progress {
            names: HashMap::from([("/w/app".to_owned(), name.to_owned())]),
            cursors: HashMap::from([("codex".to_owned(), HashMap::from([("f".to_owned(), cursor(position))]))]),
        };
        let mut progress = Progress::default();
        progress.apply(change("app", 1));
        progress.apply(change("other", 9));
        assert_eq!(progress, change("app", 9));
        state.keep(5, &progress).unwrap();
        let kept = state.snapshot().unwrap();
        assert_eq!((kept.seq, kept.progress), (5, progress));
        assert_eq!(state.acknowledged(), 0);
        state.note(4).unwrap();
        assert_eq!(state.acknowledged(), 4);
    }
}
