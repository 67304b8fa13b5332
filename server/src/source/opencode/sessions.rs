//! OpenCode's and Kilo's sessions as sources of files.

use std::io;
use std::path::{Path, PathBuf};

use model::time::Timestamp;

use super::message::{self, Named};
use super::{database, part};
use crate::ingest::Rejection;
use crate::source::file_source::{FileSource, Look, Reading};
use crate::source::found::{self, Found};
use crate::source::project::Project;
use crate::source::refusal::Refusal;
use crate::source::tail::Piece;
use crate::source::{Yield, environment, whole};

/// OpenCode.
pub static OPENCODE: Sessions = Sessions {
    name: "opencode",
    about: "OpenCode: its data folder (~/.local/share/opencode), opencode.db, or its storage",
    variable: "OPENCODE_DATA_DIR",
};

/// Kilo CLI, which has the same form.
pub static KILO: Sessions = Sessions {
    name: "kilo",
    about: "Kilo CLI: its data folder (~/.local/share/kilo), kilo.db, or its storage",
    variable: "KILO_DATA_DIR",
};

/// Where the files of older versions are, below the data folder.
const STORED: [&str; 2] = ["storage/message", "storage/part"];

/// Sessions of OpenCode or a program that keeps them the same way. The database and older files are rewritten in place.
#[derive(Debug, Clone, Copy)]
pub struct Sessions {
    /// Name of the source, of its data folder, and of its database.
    name: &'static str,
    about: &'static str,
    variable: &'static str,
}

impl FileSource for Sessions {
    fn name(&self) -> &'static str {
        self.name
    }
    fn word(&self) -> &'static str {
        self.name
    }
    fn about(&self) -> &'static str {
        self.about
    }
    fn roots(&self) -> Vec<PathBuf> {
        let data = environment::path("XDG_DATA_HOME").map(|data| data.join(self.name));
        let named = environment::folders(self.variable, &format!(".local/share/{}", self.name));
        let folders =
            if environment::path(self.variable).is_some() { named } else { data.map_or(named, |data| vec![data]) };
        folders.iter().flat_map(|folder| self.parts(folder)).collect()
    }
    fn owns(&self, path: &Path) -> bool {
        self.is_database(path) || is_stored(path, "message", "msg_") || is_stored(path, "part", "prt_")
    }
    /// The data folder also holds whole repositories: only sessions are looked at.
    fn files(&self, path: &Path) -> io::Result<Found> {
        let parts = self.parts(path);
        if parts.is_empty() {
            return found::under(path, &|file| self.owns(file));
        }
        let mut all = Found::default();
        for part in parts {
            let found = found::under(&part, &|file| self.owns(file))?;
            all.files.extend(found.files);
            all.unreadable.extend(found.unreadable);
        }
        Ok(all)
    }
    /// What is written to a database stands in its log first.
    fn file_of(&self, changed: &Path) -> Option<PathBuf> {
        let path = changed.to_str().and_then(|path| path.strip_suffix("-wal")).map_or(changed, Path::new);
        self.owns(path).then(|| path.to_owned())
    }
    fn look(&self, path: &Path) -> Option<Look> {
        let own = Look::at(path)?;
        Some(match Look::at(&log_of(path)) {
            Some(log) if self.is_database(path) => own.and(log),
            _ => own,
        })
    }
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        if self.is_database(reading.path) || reading.path.extension().is_some_and(|extension| extension == "db") {
            return database::read(self.name, reading, emit);
        }
        whole::read(reading, emit, &|content, out| {
            out.lines += 1;
            if let Err(reason) = self.stored(content, reading, out) {
                out.rejected.push(Rejection { place: reading.file_name(), reason: reason.into_owned() });
            }
        })
    }
}

impl Sessions {
    /// `opencode.db`, or `opencode-<channel>.db`.
    fn is_database(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let rest = name.strip_suffix(".db").and_then(|name| name.strip_prefix(self.name));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    /// What a data folder holds of sessions.
    fn parts(&self, folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut parts: Vec<PathBuf> = entries.filter(|path| self.is_database(path) && path.is_file()).collect();
        parts.sort();
        parts.extend(STORED.map(|part| folder.join(part)).into_iter().filter(|part| part.is_dir()));
        parts
    }

    /// A file of an older version.
    fn stored(&self, content: &[u8], reading: &Reading<'_>, out: &mut Yield) -> Result<(), Refusal> {
        let named = Named { session_began: session_began(content, reading.path), ..Named::default() };
        if is_stored(reading.path, "part", "prt_") {
            let project = project_of_part(content, reading).unwrap_or_default();
            part::read(content, named, self.name, &project, out)?;
        } else {
            message::read(content, named, self.name, reading.shared, out)?;
        }
        Ok(())
    }
}

/// When the session of a message or part began, by its own file: `session/<project>/<session>.json`.
fn session_began(content: &[u8], path: &Path) -> Option<Timestamp> {
    let session = message::session(content)?;
    if !is_file_name(&session) {
        return None;
    }
    let storage = path.ancestors().find(|folder| folder.ends_with("storage"))?;
    let projects = std::fs::read_dir(storage.join("session")).ok()?.flatten();
    let described =
        projects.map(|project| project.path().join(format!("{session}.json"))).find(|file| file.is_file())?;
    message::began(&std::fs::read(described).ok()?)
}

/// Whether a name from a file may become a part of a path.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.')
}

/// A part does not say where it was made; its message, in the folder beside, does.
fn project_of_part(content: &[u8], reading: &Reading<'_>) -> Option<Project> {
    let (session, message) = part::owner(content)?;
    let storage = reading.path.ancestors().find(|folder| folder.ends_with("part"))?.parent()?;
    if !is_file_name(&session) || !is_file_name(&message) {
        return None;
    }
    let path = storage.join("message").join(session).join(format!("{message}.json"));
    Some(message::project(&std::fs::read(path).ok()?, reading.shared))
}

fn is_stored(path: &Path, folder: &str, prefix: &str) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(prefix)
        && name.ends_with(".json")
        && path.parent().and_then(Path::parent).is_some_and(|above| above.ends_with(folder))
}

/// The log beside a database, where what is new stands first.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    PathBuf::from(log)
}
