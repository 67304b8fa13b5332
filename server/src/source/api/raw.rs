//! The fields of every event type together, borrowed from the body.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::claude_code::line::Text;

/// An event as written. Which fields belong to which type is decided in [`super::event`].
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "'de: 'a"))]
pub struct Raw<'a> {
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    pub ts: Option<Text<'a>>,
    pub id: Option<Text<'a>>,
    pub town: Option<Text<'a>>,
    pub rig: Option<Text<'a>>,
    pub role: Option<Text<'a>>,
    pub agent: Option<Text<'a>>,
    pub session: Option<Text<'a>>,
    pub bead: Option<Text<'a>>,
    pub model: Option<Text<'a>>,
    pub message_id: Option<Text<'a>>,
    pub request_id: Option<Text<'a>>,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub cache_read_tokens: Option<u64>,
    pub cache_write_5m_tokens: Option<u64>,
    pub cache_write_1h_tokens: Option<u64>,
    #[serde(borrow)]
    pub cost_usd: Option<&'a RawValue>,
    pub duration_ms: Option<f64>,
    pub ok: Option<bool>,
    pub fast: Option<bool>,
    pub tool: Option<Text<'a>>,
    pub tool_use_id: Option<Text<'a>>,
    pub file: Option<Text<'a>>,
    pub added: Option<u32>,
    pub removed: Option<u32>,
    pub state: Option<Text<'a>>,
    // Gas Town's costs.jsonl
    pub session_id: Option<Text<'a>>,
    pub worker: Option<Text<'a>>,
    pub ended_at: Option<Text<'a>>,
    pub work_item: Option<Text<'a>>,
    pub commit: Option<Text<'a>>,
    // Lines of logs
    pub level: Option<Text<'a>>,
    pub source: Option<Text<'a>>,
    pub message: Option<Text<'a>>,
}

/// What a field must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Count,
    SmallCount,
    Number,
    Flag,
}

impl Raw<'_> {
    /// Every field, and what it must hold.
    pub const FIELDS: &'static [(&'static str, Kind)] = &[
        ("type", Kind::Text),
        ("ts", Kind::Text),
        ("id", Kind::Text),
        ("town", Kind::Text),
        ("rig", Kind::Text),
        ("role", Kind::Text),
        ("agent", Kind::Text),
        ("session", Kind::Text),
        ("bead", Kind::Text),
        ("model", Kind::Text),
        ("message_id", Kind::Text),
        ("request_id", Kind::Text),
        ("input_tokens", Kind::Count),
        ("output_tokens", Kind::Count),
        ("cache_read_tokens", Kind::Count),
        ("cache_write_5m_tokens", Kind::Count),
        ("cache_write_1h_tokens", Kind::Count),
        ("cost_usd", Kind::Number),
        ("duration_ms", Kind::Number),
        ("ok", Kind::Flag),
        ("fast", Kind::Flag),
        ("tool", Kind::Text),
        ("tool_use_id", Kind::Text),
        ("file", Kind::Text),
        ("added", Kind::SmallCount),
        ("removed", Kind::SmallCount),
        ("state", Kind::Text),
        ("session_id", Kind::Text),
        ("worker", Kind::Text),
        ("ended_at", Kind::Text),
        ("work_item", Kind::Text),
        ("commit", Kind::Text),
        ("level", Kind::Text),
        ("source", Kind::Text),
        ("message", Kind::Text),
    ];

    /// Which fields are there, as bits in the order of [`Raw::FIELDS`].
    pub fn present(&self) -> u64 {
        let there = [
            self.kind.is_some(),
            self.ts.is_some(),
            self.id.is_some(),
            self.town.is_some(),
            self.rig.is_some(),
            self.role.is_some(),
            self.agent.is_some(),
            self.session.is_some(),
            self.bead.is_some(),
            self.model.is_some(),
            self.message_id.is_some(),
            self.request_id.is_some(),
            self.input_tokens.is_some(),
            self.output_tokens.is_some(),
            self.cache_read_tokens.is_some(),
            self.cache_write_5m_tokens.is_some(),
            self.cache_write_1h_tokens.is_some(),
            self.cost_usd.is_some(),
            self.duration_ms.is_some(),
            self.ok.is_some(),
            self.fast.is_some(),
            self.tool.is_some(),
            self.tool_use_id.is_some(),
            self.file.is_some(),
            self.added.is_some(),
            self.removed.is_some(),
            self.state.is_some(),
            self.session_id.is_some(),
            self.worker.is_some(),
            self.ended_at.is_some(),
            self.work_item.is_some(),
            self.commit.is_some(),
            self.level.is_some(),
            self.source.is_some(),
            self.message.is_some(),
        ];
        there.into_iter().zip(0..).fold(0, |bits, (is_there, bit)| bits | (u64::from(is_there) << bit))
    }
}

/// The text of a field.
pub fn text<'t>(field: &'t Option<Text<'_>>) -> Option<&'t str> {
    field.as_ref().map(|text: &Text<'_>| match &text.0 {
        Cow::Borrowed(text) => *text,
        Cow::Owned(text) => text.as_str(),
    })
}
