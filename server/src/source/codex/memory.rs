//! What the reader of a rollout remembers between lines; kept with the file's cursor, as JSON.

use serde::{Deserialize, Serialize};

use super::line::Usage;
use super::patch::Edit;

/// Tool calls that may wait for their output; beyond it the oldest is forgotten.
const MAX_OPEN_TOOLS: usize = 1_000;

/// Changed files that all of them may have; beyond it the oldest call is forgotten.
const MAX_OPEN_EDITS: usize = 2_000;
/// Longest id or name that is remembered.
const MAX_NAME_BYTES: usize = 200;

/// An id or a name as far as it is remembered: nothing else bounds what a line may hold.
pub(super) fn kept(name: Option<&str>) -> Option<&str> {
    name.filter(|name| !name.trim().is_empty() && name.len() <= MAX_NAME_BYTES)
}

/// What the reader remembers between lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// The thread, once named.
    pub session: Option<String>,
    /// The thread that started this one as its sub-agent.
    pub parent: Option<String>,
    /// It begins with a copy of another thread's history.
    pub forked: bool,
    /// The first line with a thread was read; later ones are a parent's, copied.
    pub started: bool,
    /// Time of the first line, microseconds since 1970.
    pub began: Option<i64>,
    pub cwd: String,
    pub model: Option<String>,
    pub fast: bool,
    /// The last total.
    pub total: Option<Usage>,
    /// Turns of `codex exec --json` so far.
    pub turns: u64,
    /// Tool calls whose output has not come.
    pub open: Vec<OpenTool>,
}

/// A tool's call that waits for its output.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OpenTool {
    pub id: String,
    pub tool: String,
    /// Microseconds since 1970.
    pub at: i64,
    /// What a patch would change, in case it succeeds.
    pub edits: Vec<Edit>,
    /// It was told that this is under way.
    #[serde(default)]
    pub told: bool,
    /// Its turn is over.
    #[serde(default)]
    pub over: bool,
}

impl Memory {
    /// Remembers a call, unless it is known.
    pub(super) fn open_tool(&mut self, tool: OpenTool) {
        if self.open.iter().any(|open| open.id == tool.id) {
            return;
        }
        let mut edits = self.open.iter().map(|open| open.edits.len()).sum::<usize>() + tool.edits.len();
        while !self.open.is_empty() && (self.open.len() >= MAX_OPEN_TOOLS || edits > MAX_OPEN_EDITS) {
            edits -= self.open.remove(0).edits.len();
        }
        self.open.push(tool);
    }
}
