//! What is read of a line, as borrowed structs: no text of prompts, answers or files is ever kept.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::claude_code::line::{Counted, Maybe, Object};
use crate::source::difference::Difference;

/// A line of a rollout, or of `codex exec --json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Line<'a> {
    pub timestamp: Maybe<'a>,
    #[serde(rename = "type")]
    pub kind: Maybe<'a>,
    pub payload: Object<Payload<'a>>,
    /// `codex exec --json`: the thread, once at the beginning.
    pub thread_id: Maybe<'a>,
    /// `codex exec --json`: what a turn used.
    pub usage: Object<Usage>,
    pub model: Maybe<'a>,
}

/// What a line of a rollout holds; the fields of all its types.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Payload<'a> {
    #[serde(rename = "type")]
    pub kind: Maybe<'a>,
    /// `session_meta`: the thread.
    pub id: Maybe<'a>,
    /// `session_meta`, `turn_context`.
    pub cwd: Maybe<'a>,
    /// `session_meta`: the thread whose history this one begins with.
    pub forked_from_id: Maybe<'a>,
    /// `session_meta`: who started it; an object for sub-agents.
    pub source: Object<Origin<'a>>,
    pub model: Maybe<'a>,
    /// `turn_context`: `fast` or `priority` cost more.
    pub service_tier: Maybe<'a>,
    /// `token_count`
    pub info: Object<Info<'a>>,
    /// `token_count`: how much of the subscription's windows is used.
    pub rate_limits: Object<RateLimits<'a>>,
    /// Calls of tools and their outputs.
    pub call_id: Maybe<'a>,
    pub name: Maybe<'a>,
    /// Of a function: JSON in a string.
    pub arguments: Maybe<'a>,
    /// Of a custom tool: its text.
    pub input: Maybe<'a>,
    pub output: Option<&'a RawValue>,
    /// `patch_apply_end`
    pub success: Option<bool>,
    pub changes: Object<BTreeMap<String, Object<Change>>>,
}

/// Who started a thread.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Origin<'a> {
    #[serde(alias = "subAgent")]
    pub subagent: Object<SubAgent<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct SubAgent<'a> {
    #[serde(alias = "threadSpawn")]
    pub thread_spawn: Object<Spawn<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Spawn<'a> {
    pub parent_thread_id: Maybe<'a>,
}

/// Tokens of a thread.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Info<'a> {
    pub model: Maybe<'a>,
    #[serde(rename = "total_token_usage")]
    pub total: Object<Usage>,
    #[serde(rename = "last_token_usage")]
    pub last: Object<Usage>,
}

/// How much of a subscription is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct RateLimits<'a> {
    /// `codex`, or the model that has limits of its own.
    pub limit_id: Maybe<'a>,
    pub limit_name: Maybe<'a>,
    pub primary: Object<RateWindow<'a>>,
    pub secondary: Object<RateWindow<'a>>,
    pub credits: Object<Credits<'a>>,
}

/// One window. Numbers are read where they are used: a bad one stops nothing else.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct RateWindow<'a> {
    pub used_percent: Option<&'a RawValue>,
    pub window_minutes: Option<&'a RawValue>,
    pub resets_at: Option<&'a RawValue>,
    /// Older versions: from the line's own time.
    pub resets_in_seconds: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Credits<'a> {
    pub unlimited: Option<&'a RawValue>,
    pub balance: Option<&'a RawValue>,
}

/// Tokens as Codex counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(default)]
pub(super) struct Usage {
    pub input_tokens: u64,
    pub cached_input_tokens: u64,
    pub cache_write_input_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_output_tokens: u64,
}

/// What became of one file; the shape differs by version.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    pub add: Object<Content>,
    pub update: Object<Content>,
    pub delete: Object<Content>,
    /// Newer: `add`, `update` or `delete`, with the fields beside it.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(flatten)]
    pub own: Content,
}

/// A file's text or difference: only counted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    pub content: Counted,
    pub unified_diff: Difference,
}
