//! One module per source: untrusted bytes become typed events, or a rejection with a reason.

pub mod api;
pub mod backfill;
pub mod beads;
pub mod claude_code;
pub mod commit;
pub mod gas_town;
pub mod identity;
pub mod input;
pub mod otlp;
pub mod price_seed;
pub mod rfc3339;
pub mod tail;
pub mod town_beads;
pub mod watch;

use model::event::Envelope;

pub use crate::ingest::Rejection;
pub use watch::{Root, discover_roots};

/// What a piece of a file yielded.
#[derive(Debug, Default)]
pub struct Yield {
    /// Events, in the order of the file.
    pub events: Vec<Envelope>,
    /// Lines that were understood as bad.
    pub rejected: Vec<Rejection>,
    /// Lines read, empty ones included.
    pub lines: u64,
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
}
