//! Codex CLI rollouts: one JSON object per line, one file per thread; and what `codex exec --json` prints.
//!
//! Who includes what: `input_tokens` **includes** the cached ones (and cache writes), `output_tokens` includes
//! reasoning. Here the counts are disjoint: input without cache, output with reasoning.
//!
//! What counts, and how often:
//!
//! - A `token_count` is one call: its `last_token_usage`, or else what its total grew by. One whose total is the same as
//!   before only repeats it (Codex writes them when limits change).
//! - A sub-agent's file (`thread_spawn`) begins with its parent's history, all written in its first second: skipped.
//! - A fork whose history is written anew has it in its first second too: skipped as well.
//! - Branches copy their parent's lines with their times: the same usage at the same time is one call in all files.
//! - Without any model, `gpt-5` is assumed and the model is called `gpt-5[assumed]`; its cost is an estimate.
//! - `turn.completed` of `codex exec --json` has no time: the file's own stands for it. It says what the thread used so
//!   far, which tells it from others. It counts only while no rollout and no telemetry tells of the same thread.
//!
//! What a `token_count` says of limits (`rate_limits`) is a reading of a tank, per window.

mod limits;
mod line;
mod memory;
mod patch;
mod reader;
mod rollouts;
#[cfg(test)]
mod tests;
mod tool;
mod underway;
mod usage;

pub use rollouts::Rollouts;

/// The name of this source.
pub const SOURCE: &str = "codex";
