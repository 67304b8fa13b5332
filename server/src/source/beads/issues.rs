//! Files of beads as a source of files.

use std::io;
use std::path::{Path, PathBuf};

use model::id::RigName;

use super::{SOURCE, issue, town};
use crate::ingest::Rejection;
use crate::source::file_source::{FileSource, Reading};
use crate::source::found::{self, Found};
use crate::source::tail::{self, LastLine, Piece};
use crate::source::{LineReader, Spot, Yield};

/// `issues.jsonl` of beads: always read as a whole, because it is rewritten, not appended to.
#[derive(Debug, Clone, Copy)]
pub struct Issues;

impl FileSource for Issues {
    fn name(&self) -> &'static str {
        SOURCE
    }
    fn word(&self) -> &'static str {
        "beads"
    }
    fn about(&self) -> &'static str {
        "Beads: issues.jsonl, exported or from .beads/backup"
    }
    /// The beads of this machine's Gas Town and its rigs.
    fn roots(&self) -> Vec<PathBuf> {
        town::root().into_iter().flat_map(|town| town::files(&town)).collect()
    }
    fn owns(&self, path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "jsonl")
    }
    fn files(&self, path: &Path) -> io::Result<Found> {
        found::one(path)
    }
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let mut open = |_: Option<&str>| -> Box<dyn LineReader> {
            Box::new(IssueReader { name: reading.file_name(), rig: issue::rig_of(reading.path) })
        };
        tail::read(reading.path, None, LastLine::Take, &mut open, emit)
    }
}

struct IssueReader {
    name: String,
    rig: Option<RigName>,
}

impl LineReader for IssueReader {
    fn line(&mut self, line: &[u8], spot: Spot, out: &mut Yield) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match issue::parse(line, self.rig.as_ref()) {
            Ok(bead) => {
                out.events.extend(bead.events);
                out.unknown += u64::from(bead.unknown);
                out.beads.push(bead.row);
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
