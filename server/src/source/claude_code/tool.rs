//! Tool calls of a transcript: a use, later its result, and the lines that it changed.

use compact_str::CompactString;
use model::dedupe::{Claim, Rank};
use model::event::{Event, LinesChanged, ToolCall};
use model::id::ToolName;
use model::time::Timestamp;

use super::line::{Line, Message, ToolUseResult};
use super::memory::OpenTool;
use super::parser::{Speaker, Transcript};
use crate::source::{Yield, identity};

/// Tool calls that may wait for their result in one file; beyond it the oldest is forgotten, and its result then
/// counts without latency.
const MAX_OPEN_TOOLS: usize = 1_000;
/// The name of a tool whose use was not seen.
const NO_TOOL: &str = "unknown";

impl Transcript {
    /// Remembers tool uses, and reports those whose result the line holds.
    pub(super) fn tools(
        &mut self,
        line: &Line<'_>,
        message: &Message<'_>,
        who: &Speaker,
        at: Timestamp,
        out: &mut Yield,
    ) {
        let sidechain = line.is_sidechain == Some(true);
        for block in &message.content.0 {
            match block.kind.as_ref().map(|kind| kind.0.as_ref()) {
                Some("tool_use") => {
                    let (Some(id), Some(name)) = (&block.id, &block.name) else { continue };
                    if self.memory.open.iter().any(|open| open.id == id.0) {
                        continue;
                    }
                    if self.memory.open.len() >= MAX_OPEN_TOOLS {
                        self.memory.open.remove(0);
                    }
                    let input = block.input.0.as_ref();
                    let path = input.and_then(|input| input.file_path.0.as_ref().or(input.notebook_path.0.as_ref()));
                    self.memory.open.push(OpenTool {
                        id: id.0.clone().into_owned(),
                        tool: name.0.clone().into_owned(),
                        at: at.0,
                        file: path.and_then(|path| self.file(path)).map(String::from),
                        told: false,
                    });
                }
                Some("tool_result") => {
                    let Some(id) = &block.tool_use_id else { continue };
                    let ok = block.is_error != Some(true);
                    self.tool_result(&id.0, ok, sidechain, line.tool_use_result.0.as_ref(), who, at, out);
                }
                _ => {}
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one result and everything that belongs to it")]
    fn tool_result(
        &mut self,
        id: &str,
        ok: bool,
        sidechain: bool,
        result: Option<&ToolUseResult<'_>>,
        who: &Speaker,
        at: Timestamp,
        out: &mut Yield,
    ) {
        let position = self.memory.open.iter().position(|open| open.id == id);
        let open = position.map(|position| self.memory.open.remove(position));
        if let Some(open) = &open {
            self.returned(open, at, out);
        }
        // A result with its beginning is the better report.
        let rank = Rank { sidechain, tokens: 0, has_speed: open.is_some(), at: at.0, origin: self.origin };
        let claim = |kind: &str| Claim::by_message(identity::hash(kind, &[id.as_bytes()]), 0, rank);
        let key = |kind: &str| identity::hash(kind, &[id.as_bytes(), self.file.stem.as_bytes()]);
        let tool = open.as_ref().and_then(|open| ToolName::new(&open.tool).ok());
        let Some(tool) = tool.or_else(|| ToolName::new(NO_TOOL).ok()) else { return };
        let call = ToolCall {
            tool,
            duration_us: open.as_ref().and_then(|open| u64::try_from(at.0 - open.at).ok()),
            ok,
            file: open.as_ref().and_then(|open| open.file.as_deref()).map(CompactString::from),
        };
        out.events.push(self.envelope(who, at, key("tool"), Some(claim("tool")), Event::ToolCall(call)));
        let Some((result, (added, removed))) = result.and_then(|result| Some((result, lines_of(result)?))) else {
            return;
        };
        if ok && added + removed > 0 {
            let path = result.file_path.0.as_ref().or(result.notebook_path.0.as_ref());
            let known = open.as_ref().and_then(|open| open.file.as_deref()).map(CompactString::from);
            let file = path.and_then(|path| self.file(path)).or(known);
            let lines = Event::LinesChanged(LinesChanged { added, removed, file });
            out.events.push(self.envelope(who, at, key("lines"), Some(claim("lines")), lines));
        }
    }
}

/// Lines added and removed by a tool; `None` when it is not one that edits.
fn lines_of(result: &ToolUseResult<'_>) -> Option<(u32, u32)> {
    if let Some(source) = result.new_source {
        let before = result.old_source.map_or(0, |cell| cell.lines);
        return Some(match result.edit_mode.0.as_deref() {
            Some("delete") => (0, before),
            _ => (source.lines, before),
        });
    }
    let patch = result.patch.as_ref()?;
    if result.kind.0.as_deref() == Some("create") {
        return Some((result.content.lines, 0));
    }
    let count = |sign: u8| {
        let lines = patch.0.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.first == sign).count();
        u32::try_from(lines).unwrap_or(u32::MAX)
    };
    Some((count(b'+'), count(b'-')))
}
