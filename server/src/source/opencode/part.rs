//! Parts of messages: those that are tools.

use model::dedupe::{Claim, Rank};
use model::event::{Event, LinesChanged, ToolCall};
use model::id::ToolName;
use serde::Deserialize;

use super::message::{Named, Progress, Span};
use crate::source::claude_code::line::{Counted, Maybe, Object};
use crate::source::difference::Difference;
use crate::source::project::Project;
use crate::source::refusal::{Refusal, not_json};
use crate::source::{Yield, identity};

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Part<'a> {
    id: Maybe<'a>,
    #[serde(rename = "sessionID")]
    session_id: Maybe<'a>,
    #[serde(rename = "messageID")]
    message_id: Maybe<'a>,
    #[serde(rename = "type")]
    kind: Maybe<'a>,
    tool: Maybe<'a>,
    state: Object<State<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct State<'a> {
    /// `completed`, `error`; anything else is under way.
    status: Maybe<'a>,
    time: Object<Span>,
    input: Object<Input<'a>>,
    metadata: Object<Metadata>,
}

/// A tool's input: a file's path, and how long what is written to it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Input<'a> {
    #[serde(rename = "filePath")]
    file_path: Maybe<'a>,
    content: Counted,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    diff: Difference,
    #[serde(rename = "filediff")]
    file_diff: Object<FileDiff>,
    /// Of a written file: whether it was there before.
    exists: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FileDiff {
    additions: Option<u32>,
    deletions: Option<u32>,
}

/// The session and message that a part belongs to, by its own words.
pub(super) fn owner(raw: &[u8]) -> Option<(String, String)> {
    let part: Part<'_> = serde_json::from_slice(raw).ok()?;
    Some((part.session_id.0?.into_owned(), part.message_id.0?.into_owned()))
}

/// Reads a part into the tool's call that it is, if it is one.
pub(super) fn read(
    raw: &[u8],
    named: Named<'_>,
    source: &str,
    project: &Project,
    out: &mut Yield,
) -> Result<Progress, Refusal> {
    if raw.trim_ascii_start().first() != Some(&b'{') {
        return Err("not a JSON object".into());
    }
    let part: Part<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
    let (Some("tool"), Some(state)) = (part.kind.0.as_deref(), &part.state.0) else {
        out.ignored += 1;
        return Ok(Progress::Done);
    };
    let ok = match state.status.0.as_deref() {
        Some("completed") => true,
        Some("error") => false,
        _ => return Ok(Progress::Pending),
    };
    let id = named.id.or(part.id.0.as_deref()).filter(|id| !id.is_empty()).ok_or("id is missing")?;
    let session = named.session.or(part.session_id.0.as_deref()).filter(|id| !id.is_empty());
    let who = project.speaker(source, session.ok_or("sessionID is missing")?, None).map_err(|e| e.to_string())?;
    let span = state.time.0.unwrap_or_default();
    let at = span.ended().or(span.began()).ok_or("state.time is missing, or no time")?;
    if named.is_copy(span.began().unwrap_or(at)) {
        out.ignored += 1;
        return Ok(Progress::Done);
    }
    let tool = ToolName::new(part.tool.0.as_deref().unwrap_or("unknown")).map_err(|error| error.to_string())?;
    let input = state.input.0.as_ref();
    let file = input.and_then(|input| input.file_path.0.as_deref()).and_then(|path| project.file(path));
    let rank = Rank { sidechain: false, tokens: 0, has_speed: true, at: at.0, origin: 0 };
    let claim = |kind: &str| Claim::by_message(identity::hash(kind, &[id.as_bytes()]), 0, rank);
    let key = |kind: &str| identity::hash(kind, &[id.as_bytes(), &[u8::from(ok)]]);
    let call = ToolCall { tool, duration_us: span.took_us(), ok, file: file.clone() };
    out.events.push(who.did(at, key("opencode tool"), Some(claim("opencode tool")), Event::ToolCall(call)));
    let (added, removed) = state.lines();
    if ok && (added > 0 || removed > 0) {
        let lines = Event::LinesChanged(LinesChanged { added, removed, file });
        out.events.push(who.did(at, key("opencode lines"), Some(claim("opencode lines")), lines));
    }
    Ok(Progress::Done)
}

impl State<'_> {
    fn lines(&self) -> (u32, u32) {
        let Some(metadata) = &self.metadata.0 else { return (0, 0) };
        if let Some(diff) = &metadata.file_diff.0 {
            return (diff.additions.unwrap_or(0), diff.deletions.unwrap_or(0));
        }
        if metadata.diff != Difference::default() {
            return (metadata.diff.added, metadata.diff.removed);
        }
        match (metadata.exists, &self.input.0) {
            (Some(false), Some(input)) => (input.content.lines, 0),
            _ => (0, 0),
        }
    }
}
