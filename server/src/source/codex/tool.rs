//! Tool calls of a rollout: a call, later its output, and the lines that its patch changed.

use model::dedupe::{Claim, Rank};
use model::event::{Event, LinesChanged, ToolCall};
use model::id::ToolName;
use model::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::{Change, Payload};
use super::memory::{OpenTool, kept};
use super::patch::{self, Edit};
use super::reader::RolloutReader;
use crate::source::claude_code::line::Maybe;
use crate::source::project::Speaker;
use crate::source::{Yield, identity};

/// The name of a tool whose call was not seen.
const NO_TOOL: &str = "unknown";
/// Ids from this length on are unique in the world.
const UNIQUE_ID_CHARS: usize = 16;
/// Lines at the beginning of an output that may say how it ended.
const HEAD_LINES: usize = 6;

impl RolloutReader<'_> {
    /// A tool is called.
    pub(super) fn tool_call(&mut self, payload: &Payload<'_>, at: Timestamp) {
        let Some(id) = kept(payload.call_id.0.as_deref()) else { return };
        let tool = kept(payload.name.0.as_deref().or(payload.kind.0.as_deref())).unwrap_or(NO_TOOL);
        let text = payload.arguments.0.as_deref().or(payload.input.0.as_deref()).unwrap_or_default();
        let mut edits = if patch::may_hold(text) { patch::edits_in(text) } else { Vec::new() };
        // What is remembered is kept with the cursor: no more of a path than an event would have.
        for edit in &mut edits {
            edit.file = self.project.file(&edit.file).map(String::from).unwrap_or_default();
        }
        self.memory.open_tool(OpenTool {
            id: id.to_owned(),
            tool: tool.to_owned(),
            at: at.0,
            edits,
            told: false,
            over: false,
        });
    }

    /// A tool's output came.
    pub(super) fn tool_output(&mut self, payload: &Payload<'_>, who: &Speaker, at: Timestamp, out: &mut Yield) {
        let Some(id) = kept(payload.call_id.0.as_deref()) else { return };
        let ok = payload.output.is_none_or(succeeded);
        let position = self.memory.open.iter().position(|open| open.id == id);
        let open = position.map(|position| self.memory.open.remove(position));
        if let Some(open) = &open {
            Self::returned(open, who, at, out);
        }
        let name = open.as_ref().map_or(NO_TOOL, |open| open.tool.as_str());
        let Some(tool) = ToolName::new(name).or_else(|_| ToolName::new(NO_TOOL)).ok() else { return };
        let edits = open.as_ref().map_or(&[][..], |open| &open.edits);
        let call = ToolCall {
            tool,
            duration_us: open.as_ref().and_then(|open| u64::try_from(at.0 - open.at).ok()),
            ok,
            file: edits.first().and_then(|edit| self.project.file(&edit.file)),
        };
        let parts = identifying(id, who);
        let claim = self.tool_claim(identity::hash("tool", &parts), open.is_some(), at);
        let key = identity::hash("tool", &[&parts[..], &[self.stem.as_bytes()]].concat());
        out.events.push(who.did(at, key, Some(claim), Event::ToolCall(call)));
        if ok {
            self.lines(id, edits, who, at, out);
        }
    }

    /// A patch was applied, or not.
    pub(super) fn patch_end(&mut self, payload: &Payload<'_>, who: &Speaker, at: Timestamp, out: &mut Yield) {
        let Some(id) = kept(payload.call_id.0.as_deref()) else { return };
        let open = self.memory.open.iter_mut().find(|open| open.id == id);
        // Told here, or by nobody: the output that follows says the same again.
        let told = open.map(|open| std::mem::take(&mut open.edits)).unwrap_or_default();
        if payload.success != Some(true) {
            return;
        }
        let counted = || {
            let changes = payload.changes.0.iter().flatten();
            changes.filter_map(|(file, change)| Some(change.0.as_ref()?.edit(file))).collect::<Vec<_>>()
        };
        let edits = if told.is_empty() { counted() } else { told };
        self.lines(id, &edits, who, at, out);
    }

    fn lines(&self, id: &str, edits: &[Edit], who: &Speaker, at: Timestamp, out: &mut Yield) {
        for (number, edit) in (0_u64..).zip(edits) {
            if edit.added == 0 && edit.removed == 0 {
                continue;
            }
            let lines = LinesChanged { added: edit.added, removed: edit.removed, file: self.project.file(&edit.file) };
            let number = number.to_le_bytes();
            let parts = [&identifying(id, who)[..], &[&number[..]]].concat();
            let claim = self.tool_claim(identity::hash("lines", &parts), true, at);
            let key = identity::hash("lines", &[&parts[..], &[self.stem.as_bytes()]].concat());
            out.events.push(who.did(at, key, Some(claim), Event::LinesChanged(lines)));
        }
    }

    fn tool_claim(&self, message: u128, has_speed: bool, at: Timestamp) -> Claim {
        let sidechain = self.memory.parent.is_some();
        // An output with its call is the better report.
        Claim::by_message(message, 0, Rank { sidechain, tokens: 0, has_speed, at: at.0, origin: self.origin })
    }
}

/// What tells a call from others: its id, and where providers only number their calls, its session.
pub(super) fn identifying<'i>(id: &'i str, who: &'i Speaker) -> Vec<&'i [u8]> {
    let session = (id.len() < UNIQUE_ID_CHARS).then_some(who.session.as_str().as_bytes());
    std::iter::once(id.as_bytes()).chain(session).collect()
}

impl Change {
    fn edit(&self, file: &str) -> Edit {
        let part = |content: &super::line::Content, whole_added: bool, whole_removed: bool| {
            let lines = content.content.lines;
            let diff = content.unified_diff;
            Edit {
                file: file.to_owned(),
                added: diff.added + if whole_added { lines } else { 0 },
                removed: diff.removed + if whole_removed { lines } else { 0 },
            }
        };
        match (&self.add.0, &self.update.0, &self.delete.0, self.kind.as_deref()) {
            (Some(added), ..) => part(added, true, false),
            (_, Some(updated), ..) => part(updated, false, false),
            (_, _, Some(deleted), _) => part(deleted, false, true),
            (.., kind) => part(&self.own, kind == Some("add"), kind == Some("delete")),
        }
    }
}

/// Whether an output says that the tool did what it should. The text itself is not kept.
fn succeeded(output: &RawValue) -> bool {
    let raw = output.get();
    if raw.starts_with('{') {
        return structured(raw).unwrap_or(true);
    }
    let Ok(Maybe(Some(text))) = serde_json::from_str::<Maybe<'_>>(raw) else { return true };
    if let Some(ok) = Some(text.as_ref()).filter(|text| text.starts_with('{')).and_then(structured) {
        return ok;
    }
    if text.starts_with("apply_patch verification failed") || text.starts_with("execution error") {
        return false;
    }
    let code = text
        .lines()
        .take(HEAD_LINES)
        .find_map(|line| line.strip_prefix("Exit code: ").or_else(|| line.strip_prefix("Process exited with code ")));
    code.is_none_or(|code| code.trim() == "0")
}

fn structured(raw: &str) -> Option<bool> {
    #[derive(Deserialize)]
    struct Output {
        success: Option<bool>,
        metadata: Option<Metadata>,
    }
    #[derive(Deserialize)]
    struct Metadata {
        exit_code: Option<i64>,
    }
    let output: Output = serde_json::from_str(raw).ok()?;
    let code = output.metadata.and_then(|metadata| metadata.exit_code);
    output.success.or_else(|| code.map(|code| code == 0))
}
