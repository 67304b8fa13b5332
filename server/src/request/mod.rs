//! The life of requests: how their steps become events, and who gives up what never ended.
//!
//! What each source can honestly tell:
//!
//! - **`POST /api/ingest`**: whoever sends `request` events says when one started and when it ended. Both are events, lines
//!   of the stream, and known again by `request_id` whatever their order, their times and how often they come.
//! - **Claude Code's transcripts**: a tool's use without its result, and a prompt or result without an answer yet, *imply* a
//!   request ([`model::request::Implied`]). What of it is open when a piece of the file was read gets a row, and no event:
//!   the call will be one when it is over. So what begins and ends between two readings is never seen in flight, and the
//!   past, however much of it is read, makes no rows at all: it is too old to be in flight. A tool that waits for
//!   permission counts as in flight, as its latency does.
//! - **OpenTelemetry's events** of Claude Code and Codex: a tool that was permitted (`tool_decision`) has begun, its
//!   `tool_result` ends it. It is the same request as the transcript's where both are read. Calls of models are told at
//!   their end only.
//! - **Spans** arrive when they are over, so nothing is in flight by them.
//! - **Hooks** tell nothing of it: `PreToolUse` comes before the permission, which may be refused, and then no hook ever
//!   tells the end.
//! - **Other agents' files** (Codex, Gemini CLI, OpenCode) are written when something is over, or are not understood well
//!   enough to say that it is not.

mod implied;
mod keeper;
mod step;

pub use implied::{ImplyError, Told, imply};
pub use keeper::spawn;
pub use step::{Step, told};
