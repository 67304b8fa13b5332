//! Gemini CLI's recorded chats: `session-*.json`, rewritten as a whole, and in newer versions `session-*.jsonl`, appended
//! to; and what `gemini --output-format json` prints at its end.
//!
//! Who includes what: `input` **includes** the cached tokens where input, output, thoughts and tool add up to the total
//! (as the API counts), else it excludes them. Thoughts are billed as output, the prompts of tools as input. Here the
//! counts are disjoint.
//!
//! A message that is written again replaces the earlier one: in a `jsonl` the last line counts, between rewrites of a
//! `json` the larger count. Tools have no latency here: chats note when a tool was done, not when it began.

mod chat;
mod chats;
mod record;
#[cfg(test)]
mod tests;

pub use chats::Chats;

/// The name of this source.
pub const SOURCE: &str = "gemini";
