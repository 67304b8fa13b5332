//! Claude Code transcripts: one JSON object per line, one file per conversation.
//!
//! What counts, and how often, follows `ccusage` (issue 2, FORMATS 3.4), with these differences, all of them in files
//! that real versions do not write:
//!
//! - `"usage": {` with white space counts here; `ccusage` skips it unseen.
//! - A `null` in a field that must not have one drops the line only if it stands in the line's own fields, not
//!   somewhere in a tool's input. What is dropped is rejected with a reason and shown.
//! - An answer without a request id, with an id of Anthropic's (`msg_…`, unique in the world), counts once in all
//!   sessions; `ccusage` 20.0.24 counts it once per line.
//! - A time with a space in place of the `T` is understood.
//! - A replay in another session counts once too; `ccusage` looks only in the same session.

mod call;
mod discover;
pub(crate) mod line;
mod memory;
mod parser;
mod place;
mod projects;
mod session;
#[cfg(test)]
mod tests;
mod tool;
mod transcripts;
mod underway;

pub use parser::Transcript;
pub use place::{Place, believed_folder, is_town_root, kept_path};
pub use projects::Projects;
pub use session::FileIdentity;
pub use transcripts::Transcripts;

/// The name of this source.
pub const SOURCE: &str = "claude_code";
