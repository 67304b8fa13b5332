//! What a source of files is: where they lie, which are its own, and how one is read.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use model::time::Timestamp;

use super::claude_code::Projects;
use super::found::{self, Found};
use super::tail::{LastLine, Piece};
use crate::db::cursor::Cursor;

/// A kind of files that some agent or tool writes on this machine. Every source is a module with one of these; all are
/// in [`super::registry`].
pub trait FileSource: fmt::Debug + Send + Sync {
    /// Its name in the store and on pages.
    fn name(&self) -> &'static str;
    /// Its name on the command line.
    fn word(&self) -> &'static str;
    /// What to name on the command line, in a few words.
    fn about(&self) -> &'static str;
    /// The folders and files that exist on this machine by convention.
    fn roots(&self) -> Vec<PathBuf>;
    /// What is followed when somebody names `path`.
    fn root(&self, path: PathBuf) -> PathBuf {
        path
    }
    /// Whether a file below a root is one of its own, by its path alone.
    fn owns(&self, path: &Path) -> bool;
    /// How one file is read, from `reading.from` to its end; pieces are handed to `emit` until that says `false`.
    ///
    /// # Errors
    /// The file cannot be opened or read. What is bad in it is no error but in the pieces. `TimedOut`: there is more, which
    /// took too long; who follows the file reads it again later, though it looks the same.
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()>;

    /// The files to be read under `path`, which is a folder or a single file.
    ///
    /// # Errors
    /// `path` itself does not exist or cannot be read.
    fn files(&self, path: &Path) -> io::Result<Found> {
        found::under(path, &|file| self.owns(file))
    }
    /// The file to be read when `changed` changed; none when that is nothing of this source.
    fn file_of(&self, changed: &Path) -> Option<PathBuf> {
        self.owns(changed).then(|| changed.to_owned())
    }
    /// How a file looks now; as long as it looks the same, there is nothing new in it. `None` when it is no file.
    fn look(&self, path: &Path) -> Option<Look> {
        Look::at(path)
    }
}

/// One file that is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// How far it was read before.
    pub from: Option<&'a Cursor>,
    /// What to do with an end that may still be written.
    pub last_line: LastLine,
    /// What all readers share.
    pub shared: &'a Shared,
}

impl Reading<'_> {
    /// The file's name: where a bad item is said to be.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// What all readers share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Names of projects.
    pub projects: Arc<Mutex<Projects>>,
    /// Keep no paths.
    pub no_paths: bool,
}

/// How a file looks from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    bytes: u64,
    changed: Option<SystemTime>,
}

impl Look {
    /// How the file looks now; `None` when it is no file.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        let meta = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Self { bytes: meta.len(), changed: meta.modified().ok() })
    }

    /// How two files look together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { bytes: self.bytes.wrapping_add(other.bytes), changed: self.changed.max(other.changed) }
    }
}

/// When a file changed last, for sources whose items have no time of their own.
#[must_use]
pub fn changed_at(path: &Path) -> Option<Timestamp> {
    let since = path.metadata().ok()?.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Timestamp(i64::try_from(since.as_micros()).ok()?).believed().ok()
}

/// The name under which the cursor of a file is kept.
#[must_use]
pub fn cursor_path(path: &Path) -> String {
    let whole: PathBuf = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.to_string_lossy().into_owned()
}
