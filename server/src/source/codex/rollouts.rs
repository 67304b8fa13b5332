//! Codex's rollouts as a source of files.

use std::io;
use std::path::{Path, PathBuf};

use super::SOURCE;
use super::reader::RolloutReader;
use crate::source::file_source::{FileSource, Reading, changed_at};
use crate::source::found::{self, Found};
use crate::source::tail::{self, Piece};
use crate::source::{LineReader, environment};

/// Rollouts of Codex CLI: append-only. An archived thread has the name it had before, and so counts once.
#[derive(Debug, Clone, Copy)]
pub struct Rollouts;

impl FileSource for Rollouts {
    fn name(&self) -> &'static str {
        SOURCE
    }
    fn word(&self) -> &'static str {
        "codex"
    }
    fn about(&self) -> &'static str {
        "Codex CLI: its folder (~/.codex), sessions, or a file of `codex exec --json`"
    }
    fn roots(&self) -> Vec<PathBuf> {
        let homes = environment::folders("CODEX_HOME", ".codex");
        let inside = homes.iter().flat_map(|home| ["sessions", "archived_sessions"].map(|folder| home.join(folder)));
        inside.filter(|folder| folder.is_dir()).collect()
    }
    fn owns(&self, path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "jsonl")
    }
    fn files(&self, path: &Path) -> io::Result<Found> {
        let inside: Vec<PathBuf> = ["sessions", "archived_sessions"]
            .map(|folder| path.join(folder))
            .into_iter()
            .filter(|f| f.is_dir())
            .collect();
        if inside.is_empty() {
            return found::under(path, &|file| self.owns(file));
        }
        let mut all = Found::default();
        for folder in inside {
            let found = found::under(&folder, &|file| self.owns(file))?;
            all.files.extend(found.files);
            all.unreadable.extend(found.unreadable);
        }
        Ok(all)
    }
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let stem = reading.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let changed = changed_at(reading.path);
        let mut open = |memory: Option<&str>| -> Box<dyn LineReader + '_> {
            Box::new(RolloutReader::new(&stem, memory, changed, reading.shared))
        };
        tail::read(reading.path, reading.from, reading.last_line, &mut open, emit)
    }
}
