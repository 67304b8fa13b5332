//! A file of a known kind, and how it is read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::beads;
use super::claude_code::{self, FileIdentity, Projects, Transcript};
use super::gas_town::{self, CostsFile};
use super::tail::{self, LastLine, Piece};
use super::{LineReader, Spot, Yield};
use crate::db::bead::BeadRow;
use crate::db::cursor::Cursor;
use crate::ingest::Rejection;

/// What a file or folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Transcripts.
    ClaudeCode,
    /// `issues.jsonl`
    Beads,
    /// `costs.jsonl`
    GasTownCosts,
}

impl Kind {
    /// The source's name.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::ClaudeCode => claude_code::SOURCE,
            Self::Beads => beads::SOURCE,
            Self::GasTownCosts => gas_town::SOURCE,
        }
    }

    /// The files to be read under `path`.
    ///
    /// # Errors
    /// `path` does not exist or cannot be read.
    pub fn files(self, path: &Path) -> io::Result<claude_code::Found> {
        match self {
            Self::ClaudeCode => claude_code::files_under(path),
            Self::Beads | Self::GasTownCosts => {
                // Opened here, so that a missing or forbidden file is known before anything is read.
                std::fs::File::open(path)?;
                Ok(claude_code::Found { files: vec![path.to_owned()], unreadable: Vec::new() })
            }
        }
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

/// What came out of a file besides a piece: the state of its beads.
pub type Read = (Piece, Vec<BeadRow>);

/// The name under which the cursor of a file is kept.
#[must_use]
pub fn cursor_path(path: &Path) -> String {
    let whole: PathBuf = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.to_string_lossy().into_owned()
}

/// Reads a file from `from` to its end. Beads are always read as a whole: their file is rewritten, not appended to.
///
/// # Errors
/// The file cannot be read.
pub fn read(
    kind: Kind,
    path: &Path,
    from: Option<&Cursor>,
    last_line: LastLine,
    shared: &Shared,
    emit: &mut dyn FnMut(Read) -> bool,
) -> io::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let rows = Arc::new(Mutex::new(Vec::new()));
    let mut open = |memory: Option<&str>| -> Box<dyn LineReader> {
        match kind {
            Kind::ClaudeCode => {
                let identity = FileIdentity::of(path);
                match Transcript::new(identity, memory, Arc::clone(&shared.projects), shared.no_paths) {
                    Ok(transcript) => Box::new(transcript),
                    Err(_) => Box::new(Unreadable),
                }
            }
            Kind::Beads => {
                Box::new(BeadsFile { name: name.clone(), rig: beads::rig_of(path), rows: Arc::clone(&rows) })
            }
            Kind::GasTownCosts => Box::new(CostsFile::new(name.clone())),
        }
    };
    let (from, last_line) = match kind {
        Kind::Beads => (None, LastLine::Take),
        Kind::ClaudeCode | Kind::GasTownCosts => (from, last_line),
    };
    let taken = Arc::clone(&rows);
    tail::read(path, from, last_line, &mut open, &mut |piece| {
        let beads = taken.lock().map(|mut rows| std::mem::take(&mut *rows)).unwrap_or_default();
        emit((piece, beads))
    })
}

struct BeadsFile {
    name: String,
    rig: Option<model::id::RigName>,
    rows: Arc<Mutex<Vec<BeadRow>>>,
}

impl LineReader for BeadsFile {
    fn line(&mut self, line: &[u8], spot: Spot, out: &mut Yield) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match beads::parse(line, self.rig.as_ref()) {
            Ok(bead) => {
                out.events.extend(bead.events);
                if let Ok(mut rows) = self.rows.lock() {
                    rows.push(bead.row);
                }
            }
            Err(reason) => {
                out.rejected.push(Rejection { place: format!("{}:{}", self.name, spot.line), reason });
            }
        }
    }
    fn memory(&self) -> Option<String> {
        None
    }
}

/// Stands in for a reader that cannot be made.
struct Unreadable;

impl LineReader for Unreadable {
    fn line(&mut self, _: &[u8], spot: Spot, out: &mut Yield) {
        let place = format!("line {}", spot.line);
        out.rejected.push(Rejection { place, reason: "the reader could not be made".to_owned() });
    }
    fn memory(&self) -> Option<String> {
        None
    }
}
