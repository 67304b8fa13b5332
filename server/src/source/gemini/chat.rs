//! From a chat to events.

use model::dedupe::{Basis, Claim, Rank};
use model::event::{Event, EventKind, LinesChanged, ModelCall, SessionEdge, ToolCall};
use model::id::{ModelName, ToolName};
use model::time::Timestamp;
use model::tokens::TokenCounts;
use serde::{Deserialize, Serialize};

use super::SOURCE;
use super::record::{self, Message, Record, Stats};
use crate::ingest::Rejection;
use crate::source::claude_code::line::Object;
use crate::source::project::{Project, Speaker};
use crate::source::refusal::{Refusal, no_time, not_json};
use crate::source::{LineReader, Spot, Yield, identity, rfc3339};

/// Ranks of lines begin here: beyond any count of tokens, so that a line always counts more than the `json` before it.
const FIRST_LINE_RANK: u64 = 1 << 41;
/// Ids from this length on are unique in the world; shorter ones mean something in their session only.
const UNIQUE_ID_CHARS: usize = 16;

/// What the reader of a chat remembers between lines; kept with the file's cursor, as JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Memory {
    session: Option<String>,
    model: Option<String>,
}

/// The reader of one chat.
pub(super) struct ChatReader {
    stem: String,
    file_name: String,
    project: Project,
    /// When the file changed last, for statistics.
    changed: Option<Timestamp>,
    memory: Memory,
}

impl ChatReader {
    /// A reader for the file `stem` with `extension`, going on with the `memory` of an earlier one.
    pub(super) fn new(
        stem: &str,
        extension: &str,
        project: Project,
        changed: Option<Timestamp>,
        memory: Option<&str>,
    ) -> Self {
        let memory = memory.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        Self { stem: stem.to_owned(), file_name: format!("{stem}.{extension}"), project, changed, memory }
    }

    /// Reads a whole `json`.
    pub(super) fn whole(&mut self, content: &[u8], out: &mut Yield) {
        if let Err(reason) = self.record(content, None, out) {
            out.rejected.push(Rejection { place: self.file_name.clone(), reason: reason.into_owned() });
        }
    }

    fn record(&mut self, raw: &[u8], line: Option<u64>, out: &mut Yield) -> Result<(), Refusal> {
        if raw.trim_ascii_start().first() != Some(&b'{') {
            return Err("not a JSON object".into());
        }
        let record: Record<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
        if record.messages.is_none()
            && record.set.0.is_none()
            && record.stats.0.is_none()
            && record.start_time.0.is_none()
        {
            let message: Message<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
            let who = self.speaker()?;
            return self.message(&message, line, &who, out);
        }
        self.take(&record, line, out)
    }

    fn speaker(&self) -> Result<Speaker, Refusal> {
        let session = self.memory.session.as_deref().unwrap_or(&self.stem);
        self.project.speaker(SOURCE, session, None).map_err(|error| error.to_string().into())
    }

    fn take(&mut self, record: &Record<'_>, line: Option<u64>, out: &mut Yield) -> Result<(), Refusal> {
        if let Some(session) = record.session_id.0.as_deref().filter(|session| !session.is_empty()) {
            self.memory.session = Some(session.to_owned());
        }
        let who = self.speaker()?;
        if let Some(start) = record.start_time.0.as_deref() {
            let at = rfc3339::parse(start).map_err(no_time)?;
            let (key, claim) = identity::session_start(who.session.as_str(), false, at);
            out.events.push(who.did(at, key, Some(claim), Event::Session(SessionEdge::Started)));
        }
        if let Some(stats) = &record.stats.0 {
            return self.stats(stats, &who, out);
        }
        if let Some(messages) = &record.messages {
            for (message, number) in messages.0.iter().zip(1_u64..) {
                out.lines += u64::from(line.is_none());
                let read = serde_json::from_str::<Object<Message<'_>>>(message.get());
                let read = read.map_err(|error| not_json(&error)).and_then(|message| match &message.0 {
                    Some(message) => self.message(message, line, &who, out),
                    None => Ok(()),
                });
                if let Err(reason) = read {
                    let place = match line {
                        Some(line) => format!("{}:{line}", self.file_name),
                        None => format!("{}: message {number}", self.file_name),
                    };
                    out.rejected.push(Rejection { place, reason: reason.into_owned() });
                }
            }
            return Ok(());
        }
        match &record.set.0 {
            Some(set) => self.take(set, line, out),
            None => Ok(()),
        }
    }

    fn message(
        &mut self,
        message: &Message<'_>,
        line: Option<u64>,
        who: &Speaker,
        out: &mut Yield,
    ) -> Result<(), Refusal> {
        if message.kind.0.as_deref() != Some("gemini") {
            out.ignored += 1;
            return Ok(());
        }
        let named = message.model.0.as_deref().filter(|model| !model.trim().is_empty());
        self.memory.model = named.map(str::to_owned).or(self.memory.model.take());
        let at = rfc3339::parse(message.timestamp.0.as_deref().ok_or("timestamp is missing")?).map_err(no_time)?;
        if let Some(tokens) = message.tokens.0 {
            let tokens = tokens.counts(false);
            let message_id = message.id.0.as_deref().filter(|id| !id.is_empty());
            let claim =
                |id: &str| Claim::by_message(self.identity("gemini message", id), 0, rank(line, tokens.total(), at));
            let parts = [message_id.unwrap_or_default().as_bytes(), who.session.as_str().as_bytes(), &bytes(tokens)];
            let key = identity::hash("gemini call", &parts);
            let model = self.memory.model.as_deref().unwrap_or("unknown");
            call(tokens, model, key, message_id.map(claim), who, at, out)?;
        }
        for tool in &message.tool_calls.0 {
            self.tool(tool, line, who, at, out);
        }
        Ok(())
    }

    fn tool(&self, tool: &record::ToolCall<'_>, line: Option<u64>, who: &Speaker, said: Timestamp, out: &mut Yield) {
        let ok = match tool.status.0.as_deref() {
            Some("success") => true,
            Some("error" | "cancelled") => false,
            _ => return,
        };
        let (Some(id), Some(name)) = (tool.id.0.as_deref(), tool.name.0.as_deref()) else { return };
        let Ok(tool_name) = ToolName::new(name) else { return };
        let at = tool.timestamp.0.as_deref().and_then(|at| rfc3339::parse(at).ok()).unwrap_or(said);
        let path = tool.args.0.as_ref().and_then(|args| args.file_path.0.as_deref());
        let file = path.and_then(|path| self.project.file(path));
        let session = who.session.as_str().as_bytes();
        // Ids of tools are made of their name and a time: they mean something in their session.
        let claim =
            |kind: &str| Claim::by_message(identity::hash(kind, &[session, id.as_bytes()]), 0, rank(line, 0, at));
        let key = |kind: &str| identity::hash(kind, &[session, id.as_bytes(), &[u8::from(ok)]]);
        let used = ToolCall { tool: tool_name, duration_us: None, ok, file: file.clone() };
        out.events.push(who.did(at, key("gemini tool"), Some(claim("gemini tool")), Event::ToolCall(used)));
        let Some(display) = tool.display.0.as_ref().filter(|_| ok) else { return };
        let (added, removed) = match &display.stat.0 {
            Some(stat) => (stat.model_added_lines.unwrap_or(0), stat.model_removed_lines.unwrap_or(0)),
            None => (display.diff.added, display.diff.removed),
        };
        if added > 0 || removed > 0 {
            let lines = Event::LinesChanged(LinesChanged { added, removed, file });
            out.events.push(who.did(at, key("gemini lines"), Some(claim("gemini lines")), lines));
        }
    }

    /// What a run used in all, by model. It has no time: the file's own stands for it.
    fn stats(&self, stats: &Stats, who: &Speaker, out: &mut Yield) -> Result<(), Refusal> {
        let at = self.changed.ok_or("the run has no time")?;
        for (model, used) in &stats.models {
            let Some(tokens) = used.0.as_ref().and_then(|used| used.tokens.0) else { continue };
            let tokens = tokens.counts();
            // Runs that go on with a session tell what each used; the same again is the same run.
            let run =
                identity::hash("gemini run", &[who.session.as_str().as_bytes(), model.as_bytes(), &bytes(tokens)]);
            // The chat of the session tells the same call by call: then the sums do not count.
            let group = identity::group(EventKind::ModelCall.name(), who.session.as_str());
            let rank = rank(None, tokens.total(), at);
            let claim = Claim { message: group, request: run, rank, basis: Basis::Metric };
            call(tokens, model, run, Some(claim), who, at, out)?;
        }
        Ok(())
    }

    fn identity(&self, kind: &str, id: &str) -> u128 {
        let session = self.memory.session.as_deref().unwrap_or(&self.stem);
        let within = if id.len() >= UNIQUE_ID_CHARS { "" } else { session };
        identity::hash(kind, &[id.as_bytes(), within.as_bytes()])
    }
}

fn rank(line: Option<u64>, tokens: u64, at: Timestamp) -> Rank {
    let tokens = line.map_or(tokens, |line| FIRST_LINE_RANK.saturating_add(line));
    Rank { sidechain: false, tokens, has_speed: false, at: at.0, origin: 0 }
}

fn bytes(tokens: TokenCounts) -> Vec<u8> {
    tokens.kinds().iter().flat_map(|count| count.to_le_bytes()).collect()
}

fn call(
    tokens: TokenCounts,
    model: &str,
    key: u128,
    claim: Option<Claim>,
    who: &Speaker,
    at: Timestamp,
    out: &mut Yield,
) -> Result<(), Refusal> {
    if tokens.kinds().iter().any(|count| *count > TokenCounts::MAX) {
        return Err("a token count is beyond a million million".into());
    }
    if tokens.total() == 0 {
        return Ok(());
    }
    let model = ModelName::new(model).map_err(|error| error.to_string())?;
    let call = ModelCall { model, tokens, reported: None, duration_us: None, ok: true, fast: false };
    out.events.push(who.did(at, key, claim, Event::ModelCall(call)));
    Ok(())
}

impl LineReader for ChatReader {
    fn line(&mut self, raw: &[u8], spot: Spot, out: &mut Yield) {
        let raw = raw.trim_ascii();
        if raw.is_empty() {
            return;
        }
        if let Err(reason) = self.record(raw, Some(spot.line), out) {
            let place = format!("{}:{}", self.file_name, spot.line);
            out.rejected.push(Rejection { place, reason: reason.into_owned() });
        }
    }
    fn memory(&self) -> Option<String> {
        serde_json::to_string(&self.memory).ok()
    }
}
