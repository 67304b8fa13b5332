//! What the reader of a transcript remembers between lines; kept with the file's cursor, as JSON.

use serde::{Deserialize, Serialize};

use super::Place;

/// What the reader remembers between lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Tool calls whose result has not come.
    pub open: Vec<OpenTool>,
    /// Set by the first line with a working directory.
    pub place: Option<Place>,
    /// The conversation's beginning was reported.
    pub started: bool,
    /// The model was asked, and has not answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// A prompt, or a tool's result, that waits for an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    /// Microseconds since 1970.
    pub at: i64,
    /// Whether it was told that this is under way.
    pub told: bool,
}

/// A tool's use that waits for its result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OpenTool {
    pub id: String,
    pub tool: String,
    /// Microseconds since 1970.
    pub at: i64,
    pub file: Option<String>,
    /// Whether it was told that this is under way.
    #[serde(default)]
    pub told: bool,
}
