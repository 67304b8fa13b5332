//! Typed JSON events, as `POST /api/ingest` takes them: one object, an array of them, or one per line.
//!
//! Every event has `type` and `ts` (RFC 3339 with an offset), and may say where it belongs: `town`, `rig`, `role`,
//! `agent`, `session`, `bead`. [`EXAMPLES`] has one of each type. A line of Gas Town's `costs.jsonl` is understood as
//! it is.
//!
//! An event is known again by `ts` and `id`, or without `id` by its whole content; model calls with `message_id` and
//! tool calls with `tool_use_id` are known again whatever else differs, also when another source reports them; a commit
//! by `ts` and its hash, also when it was read from git; the start and the end of a request each by its `request_id`.
//! Unknown fields are refused by name, so that a typing error loses nothing silently.

mod diagnose;
mod event;
mod raw;
#[cfg(test)]
mod tests;

use model::event::Envelope;
use model::id::TownName;
use serde_json::value::RawValue;

use crate::ingest::Rejection;

/// Items that room is made for at once, if the first line promises so many.
const FORESEEN: usize = 4_096;

/// The name of this source.
pub const SOURCE: &str = "api";

/// One example of every type: what to send, and what it says.
pub const EXAMPLES: &[(&str, &str)] = &[
    (
        "a model answered",
        r#"{"type":"model_call","ts":"2026-02-26T18:21:35.108Z","rig":"gastown","role":"polecat","agent":"toast","session":"gt-toast","bead":"gt-69dai","model":"claude-sonnet-4-5","message_id":"msg_01","request_id":"req_01","input_tokens":4,"output_tokens":120,"cache_read_tokens":14092,"cache_write_5m_tokens":437,"cache_write_1h_tokens":0,"duration_ms":2310,"ok":true,"fast":false}"#,
    ),
    (
        "a model answered, and the agent knows what it cost",
        r#"{"type":"model_call","ts":"2026-02-26T18:21:36Z","id":"42","agent":"toast","model":"my-own-model","input_tokens":4,"output_tokens":120,"cost_usd":0.0123}"#,
    ),
    (
        "an agent used a tool",
        r#"{"type":"tool_call","ts":"2026-02-26T18:21:37Z","agent":"toast","tool":"Bash","tool_use_id":"toolu_01","duration_ms":512,"ok":false}"#,
    ),
    (
        "lines changed",
        r#"{"type":"lines_changed","ts":"2026-02-26T18:21:38Z","agent":"toast","added":12,"removed":3,"file":"src/main.rs"}"#,
    ),
    (
        "a commit landed on the default branch (`ts`: when it was committed)",
        r#"{"type":"lines_landed","ts":"2026-02-26T18:21:38Z","rig":"gastown","commit":"4b825dc642cb6eb9a060e54bf8d69288fbee4904","added":120,"removed":14}"#,
    ),
    (
        "an agent says what it is doing: working, idle, stuck or exiting",
        r#"{"type":"agent_state","ts":"2026-02-26T18:21:39Z","rig":"gastown","agent":"toast","state":"stuck"}"#,
    ),
    (
        "a conversation started or ended",
        r#"{"type":"session","ts":"2026-02-26T18:21:40Z","session":"gt-toast","agent":"toast","state":"started"}"#,
    ),
    (
        "a bead was created or closed",
        r#"{"type":"bead","ts":"2026-02-26T18:21:41Z","rig":"gastown","bead":"gt-69dai","state":"closed"}"#,
    ),
    (
        "a session's cost so far: for comparison, never summed",
        r#"{"type":"cost_snapshot","ts":"2026-02-26T18:21:42Z","session":"gt-toast","cost_usd":0.6123}"#,
    ),
    (
        "a request began; without its end it is lost after ten minutes",
        r#"{"type":"request","ts":"2026-02-26T18:21:43Z","request_id":"req_02","state":"started","session":"gt-toast","agent":"toast","model":"claude-sonnet-4-5"}"#,
    ),
    (
        "a request is over",
        r#"{"type":"request","ts":"2026-02-26T18:21:45.3Z","request_id":"req_02","state":"ended","ok":true,"duration_ms":2300}"#,
    ),
    (
        "a line of a log: info, warn or error; secrets, addresses and home folders are taken out of it",
        r#"{"type":"log","ts":"2026-02-26T18:21:46Z","level":"error","source":"gateway","message":"upstream answered 529, trying again in 2 s"}"#,
    ),
    (
        "a line of Gas Town's costs.jsonl, as it is",
        r#"{"session_id":"gt-toast","role":"polecat","rig":"gastown","worker":"toast","cost_usd":0.407918,"ended_at":"2026-02-26T18:22:36.10899-05:00","work_item":"gt-69dai"}"#,
    ),
];

/// An event, and the town it names, if it names one.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Otherwise it belongs to the town that the request or the server is for.
    pub town: Option<TownName>,
    /// The event.
    pub envelope: Envelope,
}

/// How a body was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One JSON object.
    Object,
    /// A JSON array.
    Array,
    /// One object per line.
    Lines,
}

/// A body's items in its order.
#[derive(Debug)]
pub struct Items {
    /// How it was written.
    pub shape: Shape,
    /// Each item: an event, or where and why not.
    pub results: Vec<Result<Item, Rejection>>,
}

/// Reads one event. `line` is its number, from 1, for the message.
///
/// # Errors
/// Not an event; the reason names the field.
pub fn parse_item(line: u64, content: &[u8]) -> Result<Item, Rejection> {
    parse_named(content).map_err(|reason| Rejection { place: format!("line {line}"), reason })
}

fn parse_named(content: &[u8]) -> Result<Item, String> {
    // serde would also take an array, field by field.
    if matches!(content.trim_ascii_start().first(), Some(b'[')) {
        return Err("an event is a JSON object".to_owned());
    }
    // Validated as a whole: the reader of slices would check each string again.
    let text = std::str::from_utf8(content).map_err(|_| "the event is not UTF-8".to_owned())?;
    match serde_json::from_str::<raw::Raw<'_>>(text) {
        Ok(raw) => event::event(&raw).map_err(|error| error.to_string()),
        // The fast reader does not know which field it stumbled over.
        Err(error) => Err(diagnose::reason(content, &error)),
    }
}

/// Reads a body: one object (on one or several lines), an array, or one object per line; empty lines are passed over.
#[must_use]
pub fn parse_body(content: &[u8]) -> Items {
    let content = content.trim_ascii();
    match content.first() {
        Some(b'[') => Items { shape: Shape::Array, results: array(content) },
        Some(b'{') if is_one_object(content) => Items { shape: Shape::Object, results: vec![parse_item(1, content)] },
        _ => Items { shape: Shape::Lines, results: lines(content) },
    }
}

/// One object, although it has line breaks inside.
fn is_one_object(content: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'\n', content) else { return true };
    let is_whole = |text: &[u8]| serde_json::from_slice::<&RawValue>(text).is_ok();
    // The first line alone tells nearly always, and costs nothing for a large body.
    !is_whole(&content[..end]) && is_whole(content)
}

fn array(content: &[u8]) -> Vec<Result<Item, Rejection>> {
    match serde_json::from_slice::<Vec<&RawValue>>(content) {
        Ok(items) => {
            let read = |(index, item): (usize, &&RawValue)| {
                parse_named(item.get().as_bytes())
                    .map_err(|reason| Rejection { place: format!("item {}", index + 1), reason })
            };
            items.iter().enumerate().map(read).collect()
        }
        Err(error) => vec![Err(Rejection {
            place: format!("line {}", error.line()),
            reason: format!("the array is not valid JSON at column {}", error.column()),
        })],
    }
}

fn lines(content: &[u8]) -> Vec<Result<Item, Rejection>> {
    // As many as there would be if all were as long as the first.
    let first = memchr::memchr(b'\n', content).map_or(content.len(), |end| end + 1);
    let mut results = Vec::with_capacity((content.len() / first.max(1) + 1).min(FORESEEN));
    let mut start = 0;
    let mut number = 0;
    for end in memchr::memchr_iter(b'\n', content).chain([content.len()]) {
        number += 1;
        let line = content[start..end].trim_ascii();
        start = end + 1;
        if !line.is_empty() {
            results.push(parse_item(number, line));
        }
    }
    results
}
