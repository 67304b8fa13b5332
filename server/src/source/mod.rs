//! One module per source: untrusted bytes become typed events, or a rejection with a reason.

pub mod api;
mod asked;
pub mod backfill;
pub mod balance;
pub mod beads;
pub mod claude_code;
pub mod codex;
pub mod commit;
#[cfg(test)]
mod counting;
pub mod destination;
pub mod difference;
pub mod environment;
pub mod file_source;
pub mod found;
pub mod gas_town;
mod gathered;
pub mod gemini;
pub mod git;
pub mod gt_status;
pub mod identity;
#[cfg(test)]
mod kept;
pub mod limits;
pub mod opencode;
pub mod otlp;
mod pipeline;
pub mod price_seed;
pub mod project;
pub mod redact;
pub mod refusal;
pub mod registry;
pub mod rfc3339;
pub mod tail;
pub mod tmux;
pub mod watch;
pub mod whole;

use model::event::Envelope;
use model::request::Implied;

use crate::db::bead::BeadRow;
use crate::db::tank::Told;
pub use crate::ingest::Rejection;
pub use file_source::FileSource;

/// Of the readings within this many seconds only the newest is of interest.
const READING_STEP_S: i64 = 300;

/// What a piece of a file yielded.
#[derive(Debug, Default)]
pub struct Yield {
    /// Events, in the order of the file.
    pub events: Vec<Envelope>,
    /// Lines that were understood as bad.
    pub rejected: Vec<Rejection>,
    /// Lines read, empty ones included; in files that are not made of lines, their items.
    pub lines: u64,
    /// Lines that were understood, and hold nothing that is measured.
    pub ignored: u64,
    /// Lines of a kind that this version does not know.
    pub unknown: u64,
    /// Beads as they are now.
    pub beads: Vec<BeadRow>,
    /// What was said of limits: at most one reading per tank and five minutes.
    pub readings: Vec<Told>,
    /// What the file shows to be under way at the end of this piece, and what of it is over.
    pub requests: Vec<Implied>,
}

impl Yield {
    /// How much was found: what bounds a piece.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.events.len() + self.rejected.len() + self.beads.len() + self.readings.len()
    }

    /// Takes a reading; of one tank the newest of five minutes stays.
    pub fn reading(&mut self, told: Told) {
        let same = |known: &&mut Told| {
            known.tank == told.tank && known.at.floor_to(READING_STEP_S) == told.at.floor_to(READING_STEP_S)
        };
        // A file is in the order of time: it is among the last few, one per window.
        match self.readings.iter_mut().rev().take(8).find(same) {
            Some(known) if known.at <= told.at => *known = told,
            Some(_) => {}
            None => self.readings.push(told),
        }
    }
}

/// Where a line stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Number of the line, from 1.
    pub line: u64,
    /// Offset of its first byte.
    pub offset: u64,
}

/// A reader of a format with one item per line. What it remembers between lines survives restarts through
/// [`LineReader::memory`], so that a file read in any pieces yields the same as read at once.
pub trait LineReader: Send {
    /// Takes one complete line, without its end.
    fn line(&mut self, line: &[u8], spot: Spot, out: &mut Yield);
    /// What must be remembered when reading goes on elsewhere or later; `None` when nothing.
    fn memory(&self) -> Option<String>;
    /// Tells what is under way at the end of a piece, each once: what began and ended within the piece never was, as far as
    /// anybody could have seen. What it has told stays in [`LineReader::memory`].
    fn report(&mut self, _out: &mut Yield) {}
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
