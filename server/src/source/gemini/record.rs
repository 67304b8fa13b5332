//! What is read of a chat, as borrowed structs: no text of prompts, answers or files is ever kept.

use std::collections::BTreeMap;

use model::tokens::TokenCounts;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::source::claude_code::line::{List, Maybe, Object};
use crate::source::difference::Difference;

/// A whole chat, a line of one that is no message, or a run's statistics: the fields of all of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Record<'a> {
    #[serde(rename = "sessionId", alias = "session_id")]
    pub session_id: Maybe<'a>,
    #[serde(rename = "startTime")]
    pub start_time: Maybe<'a>,
    /// Each as it stands: a bad one must not cost the others.
    #[serde(borrow)]
    pub messages: Option<Messages<'a>>,
    /// A change of the chat's description.
    #[serde(rename = "$set")]
    pub set: Object<Box<Record<'a>>>,
    /// Statistics of a run.
    pub stats: Object<Stats>,
}

/// Messages, not yet read; none when it is no list.
#[derive(Debug, Default)]
pub(super) struct Messages<'a>(pub Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Messages<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(all.get()).unwrap_or_default()))
    }
}

/// A message.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Message<'a> {
    pub id: Maybe<'a>,
    /// `gemini` for answers.
    #[serde(rename = "type")]
    pub kind: Maybe<'a>,
    pub timestamp: Maybe<'a>,
    pub model: Maybe<'a>,
    pub tokens: Object<Tokens>,
    #[serde(rename = "toolCalls")]
    pub tool_calls: List<ToolCall<'a>>,
}

/// Tokens of an answer.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cached: Option<u64>,
    pub thoughts: Option<u64>,
    pub tool: Option<u64>,
    pub total: Option<u64>,
}

impl Tokens {
    /// The disjoint counts. A total without parts counts as output.
    pub(super) fn counts(self, input_includes_cached: bool) -> TokenCounts {
        let [input, output, cached, thoughts, tool] =
            [self.input, self.output, self.cached, self.thoughts, self.tool].map(|count| count.unwrap_or(0));
        let parts = [input, output, thoughts, tool].into_iter().fold(0, u64::saturating_add);
        let total = self.total.unwrap_or(0);
        let includes = input_includes_cached || (cached > 0 && total == parts);
        let input = if includes { input.saturating_sub(cached) } else { input };
        let only_total = if parts == 0 && cached == 0 { total } else { 0 };
        TokenCounts {
            input: input.saturating_add(tool),
            output: output.saturating_add(thoughts).saturating_add(only_total),
            cache_read: cached,
            ..TokenCounts::default()
        }
    }
}

/// A tool's call and what came of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ToolCall<'a> {
    pub id: Maybe<'a>,
    pub name: Maybe<'a>,
    /// `success`, `error`, `cancelled`; anything else is under way.
    pub status: Maybe<'a>,
    pub timestamp: Maybe<'a>,
    pub args: Object<Arguments<'a>>,
    #[serde(rename = "resultDisplay")]
    pub display: Object<Display>,
}

/// A tool's arguments; only a file's path of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Arguments<'a> {
    #[serde(alias = "absolute_path")]
    pub file_path: Maybe<'a>,
}

/// What a tool that edits shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Display {
    #[serde(rename = "fileDiff")]
    pub diff: Difference,
    #[serde(rename = "diffStat")]
    pub stat: Object<DiffStat>,
}

/// Lines that the model changed; what the user changed in it besides is not the agent's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DiffStat {
    pub model_added_lines: Option<u32>,
    pub model_removed_lines: Option<u32>,
}

/// Statistics of a run: tokens by model.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stats {
    pub models: BTreeMap<String, Object<ModelStats>>,
}

/// What one model used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ModelStats {
    pub tokens: Object<RunTokens>,
}

/// Tokens of a run. Older versions have `prompt` only; newer ones also `input`, which is without the cached ones.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct RunTokens {
    prompt: Option<u64>,
    input: Option<u64>,
    candidates: Option<u64>,
    output: Option<u64>,
    cached: Option<u64>,
    thoughts: Option<u64>,
    tool: Option<u64>,
    total: Option<u64>,
}

impl RunTokens {
    /// The disjoint counts.
    pub(super) fn counts(self) -> TokenCounts {
        let tokens = Tokens {
            input: self.prompt.or(self.input),
            output: self.candidates.or(self.output),
            cached: self.cached,
            thoughts: self.thoughts,
            tool: self.tool,
            total: self.total,
        };
        tokens.counts(self.prompt.is_some())
    }
}
