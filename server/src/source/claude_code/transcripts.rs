//! Claude Code's transcripts as a source of files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FileIdentity, SOURCE, Transcript, discover};
use crate::source::file_source::{FileSource, Reading};
use crate::source::found::Found;
use crate::source::tail::{self, Piece};
use crate::source::{LineReader, Unreadable};

/// Transcripts of Claude Code: append-only, one line per block.
#[derive(Debug, Clone, Copy)]
pub struct Transcripts;

impl FileSource for Transcripts {
    fn name(&self) -> &'static str {
        SOURCE
    }
    fn word(&self) -> &'static str {
        "claude-code"
    }
    fn about(&self) -> &'static str {
        "Claude Code transcripts: a configuration folder, its projects, a project's folder or a file"
    }
    fn roots(&self) -> Vec<PathBuf> {
        discover::default_roots()
    }
    fn owns(&self, path: &Path) -> bool {
        discover::is_transcript(path)
    }
    fn files(&self, path: &Path) -> io::Result<Found> {
        discover::files_under(path)
    }
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let shared = reading.shared;
        let mut open = |memory: Option<&str>| -> Box<dyn LineReader> {
            let identity = FileIdentity::of(reading.path);
            match Transcript::new(identity, memory, Arc::clone(&shared.projects), shared.no_paths) {
                Ok(transcript) => Box::new(transcript),
                Err(_) => Box::new(Unreadable),
            }
        };
        tail::read(reading.path, reading.from, reading.last_line, &mut open, emit)
    }
}
