//! The files under a path, and what of it cannot be looked into.

use std::io;
use std::path::{Path, PathBuf};

/// Deepest folder below a root that is looked into.
const MAX_DEPTH: usize = 12;

/// What was found under a path.
#[derive(Debug, Default)]
pub struct Found {
    /// Files, by path.
    pub files: Vec<PathBuf>,
    /// What could not be looked into, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// The file `path` itself, whatever its name, or every file below the folder `path` that `owns` takes.
///
/// # Errors
/// `path` itself does not exist or cannot be read. What cannot be read below it is in [`Found::unreadable`].
pub fn under(path: &Path, owns: &dyn Fn(&Path) -> bool) -> io::Result<Found> {
    if std::fs::metadata(path)?.is_file() {
        return Ok(Found { files: vec![path.to_owned()], unreadable: Vec::new() });
    }
    std::fs::read_dir(path)?;
    let mut found = Found::default();
    walk(path, 0, owns, &mut found);
    found.files.sort_by_cached_key(|file| file.to_string_lossy().into_owned());
    Ok(found)
}

/// The file `path`, for sources whose files are named one by one.
///
/// # Errors
/// It does not exist, cannot be opened, or is a folder.
pub fn one(path: &Path) -> io::Result<Found> {
    // Opened here, so that a missing or forbidden file is known before anything is read.
    if std::fs::File::open(path)?.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder; name the file"));
    }
    Ok(Found { files: vec![path.to_owned()], unreadable: Vec::new() })
}

fn walk(folder: &Path, depth: usize, owns: &dyn Fn(&Path) -> bool, found: &mut Found) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return found.unreadable.push((folder.to_owned(), error.to_string())),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.unreadable.push((folder.to_owned(), error.to_string()));
                continue;
            }
        };
        let path = entry.path();
        // Links to folders are not followed: they could lead in circles.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth < MAX_DEPTH {
            walk(&path, depth + 1, owns, found);
        } else if !kind.is_dir() && owns(&path) && path.is_file() {
            found.files.push(path);
        }
    }
}
