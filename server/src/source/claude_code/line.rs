//! What of a transcript line matters, as borrowed structs: no text of prompts, answers or files is ever kept.
//!
//! `null` differs from absent for the fields in [`Line`] where `ccusage` drops the line; those are `Field`s.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde_json::value::RawValue;

/// A string, borrowed unless it has escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A field that may be absent, but not `null`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Not there.
    #[default]
    Absent,
    /// There, and `null`.
    Null,
    /// There.
    Present(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
    /// Whether it is there and `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Null, Self::Present))
    }
}

/// An object if it is one; a string, list, number or `null` in its place is skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Object<T>(pub Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Object(Some(value)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Object(None))
            }
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Object(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Object(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Object(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Object(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Object(None))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Object(None))
            }
        }
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

/// A list if it is one (a message's content may be a plain string); anything else is an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element::<Object<T>>()? {
                    items.extend(item.0);
                }
                Ok(List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(List(Vec::new()))
            }
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
        }
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// A text that is only counted: its lines, and whether it begins with `+` or `-`. It is never kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Lines; a last line without a newline counts, an empty text has none.
    pub lines: u32,
    /// First byte, 0 when empty.
    pub first: u8,
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountedVisitor;
        impl<'de> Visitor<'de> for CountedVisitor {
            type Value = Counted;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
                let unfinished = usize::from(!text.is_empty() && !text.ends_with('\n'));
                let lines = u32::try_from(newlines + unfinished).unwrap_or(u32::MAX);
                Ok(Counted { lines, first: text.bytes().next().unwrap_or(0) })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Counted::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Counted::default())
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Counted::default())
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Counted::default())
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Counted::default())
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Counted::default())
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Counted::default())
            }
        }
        deserializer.deserialize_any(CountedVisitor)
    }
}

/// A line of a transcript.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Line<'a> {
    /// When it was written.
    pub timestamp: Option<Text<'a>>,
    /// The line's own id.
    pub uuid: Option<Text<'a>>,
    /// `system` lines: what about.
    pub subtype: Option<Text<'a>>,
    /// Conversation.
    #[serde(rename = "sessionId")]
    pub session_id: Field<Text<'a>>,
    /// The request to the provider.
    #[serde(rename = "requestId")]
    pub request_id: Field<Text<'a>>,
    /// Working directory.
    pub cwd: Field<Text<'a>>,
    /// Version of Claude Code.
    pub version: Field<Text<'a>>,
    /// Cost as the agent computed it, dollars; the raw number, so that it is read exactly.
    #[serde(rename = "costUSD")]
    pub cost_usd: Field<&'a RawValue>,
    /// The answer is an error that the client wrote in the model's place.
    #[serde(rename = "isApiErrorMessage")]
    pub is_api_error: Field<bool>,
    /// From a sub-agent or a replay.
    #[serde(rename = "isSidechain")]
    pub is_sidechain: Option<bool>,
    /// The sub-agent.
    #[serde(rename = "agentId")]
    pub agent_id: Option<Text<'a>>,
    /// What was said; only usage, tool uses and tool results of it are read.
    pub message: Object<Message<'a>>,
    /// What a tool returned, structured.
    #[serde(rename = "toolUseResult")]
    pub tool_use_result: Object<ToolUseResult<'a>>,
    /// `progress` lines: a sub-agent's line, wrapped.
    pub data: Object<Progress<'a>>,
}

/// The wrapping of a sub-agent's line in a `progress` line.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Progress<'a> {
    /// The wrapped line.
    pub message: Object<WrappedLine<'a>>,
}

/// A sub-agent's line inside a `progress` line.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct WrappedLine<'a> {
    /// When it was written.
    pub timestamp: Option<Text<'a>>,
    /// The request to the provider.
    #[serde(rename = "requestId")]
    pub request_id: Field<Text<'a>>,
    /// As in [`Line`].
    #[serde(rename = "costUSD")]
    pub cost_usd: Field<&'a RawValue>,
    /// As in [`Line`].
    #[serde(rename = "isSidechain")]
    pub is_sidechain: Option<bool>,
    /// As in [`Line`].
    pub message: Object<Message<'a>>,
}

/// A message: what matters of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Message<'a> {
    /// The provider's id of the answer.
    pub id: Field<Text<'a>>,
    /// Model.
    pub model: Field<Text<'a>>,
    /// Tokens; each line of one answer repeats them.
    pub usage: Field<Usage<'a>>,
    /// Blocks; only tool uses and results matter.
    pub content: List<Block<'a>>,
}

/// Token counts as the provider gave them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Usage<'a> {
    /// Input without cache.
    pub input_tokens: Field<u64>,
    /// Output with reasoning.
    pub output_tokens: Field<u64>,
    /// Written to the cache, of either lifetime.
    pub cache_creation_input_tokens: Field<u64>,
    /// Read from the cache.
    pub cache_read_input_tokens: Field<u64>,
    /// Written to the cache, by lifetime.
    pub cache_creation: Object<CacheCreation>,
    /// `standard` or `fast`.
    pub speed: Field<Text<'a>>,
    /// Parts of the answer; only those by another model (an advisor) are calls of their own.
    pub iterations: List<Iteration<'a>>,
}

/// Cache writes by lifetime.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CacheCreation {
    /// Five minutes.
    pub ephemeral_5m_input_tokens: Option<u64>,
    /// One hour.
    pub ephemeral_1h_input_tokens: Option<u64>,
}

/// A part of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Iteration<'a> {
    /// `message` (part of the totals) or `advisor_message` (not part of them).
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// The advisor's model.
    pub model: Option<Text<'a>>,
    /// As in [`Usage`].
    pub input_tokens: Option<u64>,
    /// As in [`Usage`].
    pub output_tokens: Option<u64>,
    /// As in [`Usage`].
    pub cache_creation_input_tokens: Option<u64>,
    /// As in [`Usage`].
    pub cache_read_input_tokens: Option<u64>,
    /// As in [`Usage`].
    pub cache_creation: Object<CacheCreation>,
}

/// A content block.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Block<'a> {
    /// `text`, `thinking`, `tool_use`, `tool_result`, …
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// Of a tool use.
    pub id: Option<Text<'a>>,
    /// The tool.
    pub name: Option<Text<'a>>,
    /// The tool's input; only a file's path of it.
    pub input: Object<Input<'a>>,
    /// Of a tool result.
    pub tool_use_id: Option<Text<'a>>,
    /// The tool failed, or was refused.
    pub is_error: Option<bool>,
}

/// A tool's input.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Input<'a> {
    /// Read, Edit, Write.
    pub file_path: Maybe<'a>,
    /// NotebookEdit.
    pub notebook_path: Maybe<'a>,
}

/// A string if it is one; a tool's input can be anything.
#[derive(Debug, Default)]
pub struct Maybe<'a>(pub Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Maybe<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str::<Text<'de>>(raw.get()).ok().map(|text| text.0)))
    }
}

/// What a tool returned.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ToolUseResult<'a> {
    /// Write: `create` or `update`.
    #[serde(rename = "type")]
    pub kind: Maybe<'a>,
    /// Edit, Write.
    #[serde(rename = "filePath")]
    pub file_path: Maybe<'a>,
    /// NotebookEdit.
    pub notebook_path: Maybe<'a>,
    /// Write: the new content.
    pub content: Counted,
    /// Edit, Write: the difference.
    #[serde(rename = "structuredPatch")]
    pub patch: Option<List<Hunk>>,
    /// NotebookEdit: the new cell.
    pub new_source: Option<Counted>,
    /// NotebookEdit: the cell before.
    pub old_source: Option<Counted>,
    /// NotebookEdit: `replace`, `insert` or `delete`.
    pub edit_mode: Maybe<'a>,
}

/// A hunk of a difference.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hunk {
    /// Lines, each with ` `, `+` or `-` before it.
    pub lines: Vec<Counted>,
}
