//! A line of a program's log, as an event: who says it, how much it matters, and what it says.

use compact_str::CompactString;

use crate::event_line::Level;
use crate::id::LoggerName;

/// Longest text in characters; what is over it is cut off, and the text says how much.
pub const MAX_LOG_CHARS: usize = 400;

/// One line. Its text was made harmless where it was read: secrets, addresses and home folders are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What part of which program says it.
    pub logger: Option<LoggerName>,
    /// What it says.
    pub text: CompactString,
}
