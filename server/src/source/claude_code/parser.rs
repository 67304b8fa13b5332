//! From lines of a transcript to events.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use compact_str::CompactString;
use memchr::memmem;
use model::dedupe::{Claim, Rank};
use model::event::{AgentState, Envelope, Event, LinesChanged, ModelCall, SessionEdge, ToolCall};
use model::id::{AgentName, EventKey, ModelName, RigName, Role, SessionId, SourceName, ToolName};
use model::time::{TimeError, Timestamp};
use model::tokens::TokenCounts;
use model::unit::Nanodollars;
use serde::{Deserialize, Serialize};

use super::line::{CacheCreation, Field, Line, Message, Object, Text, ToolUseResult, Usage};
use super::session::FileIdentity;
use super::{Place, Projects, SOURCE, is_town_root};
use crate::ingest::Rejection;
use crate::source::{LineReader, Spot, Yield, identity, rfc3339};

/// Tool calls that may wait for their result in one file; beyond it the oldest is forgotten, and its result then
/// counts without latency.
const MAX_OPEN_TOOLS: usize = 1_000;
/// The name of a model that the line does not name.
const NO_MODEL: &str = "unknown";
/// The client's own messages carry it in the model's place: they cost nothing.
const SYNTHETIC: &str = "<synthetic>";

/// What the reader remembers between lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Memory {
    /// Tool calls whose result has not come.
    open: Vec<OpenTool>,
    /// Set by the first line with a working directory.
    place: Option<Place>,
    /// The conversation's beginning was reported.
    started: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct OpenTool {
    id: String,
    tool: String,
    at: i64,
    file: Option<String>,
}

/// The reader of one transcript.
#[derive(Debug)]
pub struct Transcript {
    file: FileIdentity,
    file_name: String,
    origin: u64,
    source: SourceName,
    memory: Memory,
    rig: Option<RigName>,
    projects: Arc<Mutex<Projects>>,
    no_paths: bool,
    usage: memmem::Finder<'static>,
    tool_result: memmem::Finder<'static>,
    turn_end: memmem::Finder<'static>,
}

/// Whose line it is.
struct Speaker {
    session: SessionId,
    agent: Option<AgentName>,
    role: Role,
}

/// Why a line is not counted.
type Refusal = Cow<'static, str>;

impl Transcript {
    /// A reader for the file `file`, going on with the `memory` of an earlier one.
    ///
    /// # Errors
    /// The source's name is refused, which does not happen.
    pub fn new(
        file: FileIdentity,
        memory: Option<&str>,
        projects: Arc<Mutex<Projects>>,
        no_paths: bool,
    ) -> Result<Self, model::id::NameError> {
        let memory: Memory = memory.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        let mut transcript = Self {
            origin: identity::origin(&file.stem, &file.order),
            file_name: format!("{}.jsonl", file.stem),
            file,
            source: SourceName::new(SOURCE)?,
            memory,
            rig: None,
            projects,
            no_paths,
            usage: memmem::Finder::new(b"\"usage\""),
            tool_result: memmem::Finder::new(b"\"tool_result\""),
            turn_end: memmem::Finder::new(b"\"turn_duration\""),
        };
        transcript.name_rig();
        Ok(transcript)
    }

    /// Reads whole lines at once: for tests and benchmarks.
    pub fn read_all(&mut self, bytes: &[u8]) -> Yield {
        let mut out = Yield::default();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
            if end == bytes.len() && start == end {
                break;
            }
            out.lines += 1;
            let spot = Spot { line: out.lines, offset: u64::try_from(start).unwrap_or(0) };
            self.line(&bytes[start..end], spot, &mut out);
            start = end + 1;
        }
        out
    }

    fn name_rig(&mut self) {
        let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        let name = match (&self.memory.place, &self.file.slug) {
            (Some(Place { gas_town: Some(place), .. }), _) => place.rig.clone(),
            (Some(place), _) => Some(projects.name(&place.root)),
            (None, Some(slug)) => Some(slug.trim_start_matches('-').to_owned()),
            (None, None) => None,
        };
        self.rig = name.and_then(|name| RigName::new(&name).ok());
    }

    fn speaker(&self, line: &Line<'_>) -> Result<Speaker, Refusal> {
        let named = line.session_id.get().map_or(self.file.session.as_str(), |id| id.0.as_ref());
        let session = SessionId::new(named).map_err(|error| error.to_string())?;
        let place = self.memory.place.as_ref().and_then(|place| place.gas_town.as_ref());
        let main = match place {
            Some(place) => place.agent.clone(),
            None => session.as_str().chars().take(8).collect(),
        };
        let sub = line.agent_id.as_ref().map(|id| id.0.as_ref()).or(self.file.sub_agent.as_deref());
        let name = match sub {
            Some(sub) => format!("{main}/{sub}"),
            None => main,
        };
        let role = place.map_or(Role::Other, |place| place.role);
        Ok(Speaker { session, agent: AgentName::new(&name).ok(), role })
    }

    fn file(&self, path: &str) -> Option<CompactString> {
        if self.no_paths {
            return None;
        }
        let relative = match &self.memory.place {
            Some(place) => place.relative(path),
            None => path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
        };
        let clean = !relative.is_empty() && relative.len() <= 400 && !relative.chars().any(char::is_control);
        clean.then(|| CompactString::from(relative))
    }

    fn envelope(&self, who: &Speaker, at: Timestamp, key: u128, claim: Option<Claim>, event: Event) -> Envelope {
        Envelope {
            at,
            key: EventKey(key),
            claim,
            source: self.source.clone(),
            rig: self.rig.clone(),
            role: who.role,
            agent: who.agent.clone(),
            session: Some(who.session.clone()),
            bead: None,
            event,
        }
    }

    /// Reads a line that holds a marker, or is the first with a time.
    fn read(&mut self, raw: &[u8], spot: Spot, out: &mut Yield) -> Result<(), Refusal> {
        let line: Line<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
        let Some(timestamp) = &line.timestamp else {
            let counts = line.message.0.as_ref().is_some_and(|message| message.usage.get().is_some());
            return if counts { Err("the line has usage but no timestamp".into()) } else { Ok(()) };
        };
        let at = rfc3339::parse(&timestamp.0).map_err(no_time)?;
        if self.memory.place.is_none()
            && let Some(cwd) = line.cwd.get().filter(|cwd| !cwd.0.trim().is_empty())
        {
            self.memory.place = Some(Place::of(&cwd.0, self.file.slug.as_deref(), &is_town_root));
            self.name_rig();
        }
        let who = self.speaker(&line)?;
        if !self.memory.started {
            self.memory.started = true;
            if self.file.sub_agent.is_none() {
                let key = identity::hash("session started", &[self.file.session.as_bytes()]);
                out.events.push(self.envelope(&who, at, key, None, Event::Session(SessionEdge::Started)));
            }
        }
        self.calls(&line, &who, at, spot, out)?;
        if let Some(message) = &line.message.0 {
            self.tools(&line, message, &who, at, out);
        }
        if line.subtype.as_ref().is_some_and(|subtype| subtype.0 == "turn_duration") {
            let uuid = line.uuid.as_ref().map_or("", |uuid| uuid.0.as_ref());
            let key = identity::hash("turn end", &[who.session.as_str().as_bytes(), uuid.as_bytes()]);
            out.events.push(self.envelope(&who, at, key, None, Event::AgentState(AgentState::Idle)));
        }
        Ok(())
    }

    /// The model call of a line: its own, or the one of the sub-agent's line that it wraps.
    fn calls(&self, line: &Line<'_>, who: &Speaker, at: Timestamp, spot: Spot, out: &mut Yield) -> Result<(), Refusal> {
        if let Some(message) = &line.message.0 {
            let Some(usage) = message.usage.get() else { return Ok(()) };
            refuse_nulls(&[
                ("cwd", line.cwd.is_null()),
                ("sessionId", line.session_id.is_null()),
                ("version", line.version.is_null()),
                ("isApiErrorMessage", line.is_api_error.is_null()),
            ])?;
            if line.version.get().is_some_and(|version| !is_version(&version.0)) {
                return Err("version is not a version number such as 2.1.0".into());
            }
            if line.session_id.get().is_some_and(|id| id.0.is_empty()) {
                return Err("sessionId is empty".into());
            }
            let report = Report {
                message,
                usage,
                request: &line.request_id,
                cost: line.cost_usd.get().map(|raw| raw.get()).or(line.cost_usd.is_null().then_some("null")),
                sidechain: line.is_sidechain == Some(true),
                failed: line.is_api_error.get() == Some(&true),
                uuid: line.uuid.as_ref().map(|uuid| uuid.0.as_ref()),
            };
            return self.call(&report, who, at, spot, out);
        }
        let Some(wrapped) = line.data.0.as_ref().and_then(|data| data.message.0.as_ref()) else { return Ok(()) };
        let Some(message) = &wrapped.message.0 else { return Ok(()) };
        let Some(usage) = message.usage.get() else { return Ok(()) };
        let at = match &wrapped.timestamp {
            Some(timestamp) => rfc3339::parse(&timestamp.0).map_err(no_time)?,
            None => return Ok(()),
        };
        let report = Report {
            message,
            usage,
            request: &wrapped.request_id,
            cost: wrapped.cost_usd.get().map(|raw| raw.get()),
            sidechain: wrapped.is_sidechain == Some(true),
            failed: false,
            uuid: line.uuid.as_ref().map(|uuid| uuid.0.as_ref()),
        };
        self.call(&report, who, at, spot, out)
    }

    fn call(
        &self,
        report: &Report<'_, '_>,
        who: &Speaker,
        at: Timestamp,
        spot: Spot,
        out: &mut Yield,
    ) -> Result<(), Refusal> {
        let Report { message, usage, .. } = report;
        refuse_nulls(&[
            ("message.id", message.id.is_null()),
            ("message.model", message.model.is_null()),
            ("requestId", report.request.is_null()),
            ("usage.speed", usage.speed.is_null()),
            ("usage.cache_creation_input_tokens", usage.cache_creation_input_tokens.is_null()),
            ("usage.cache_read_input_tokens", usage.cache_read_input_tokens.is_null()),
            ("costUSD", report.cost == Some("null")),
        ])?;
        let empty = |field: &Field<Text<'_>>| field.get().is_some_and(|text| text.0.is_empty());
        for (name, is_empty) in [
            ("message.id", empty(&message.id)),
            ("message.model", empty(&message.model)),
            ("requestId", empty(report.request)),
        ] {
            if is_empty {
                return Err(format!("{name} is empty").into());
            }
        }
        let count = |name: &str, field: &Field<u64>| {
            field.get().copied().ok_or_else(|| Refusal::from(format!("usage.{name} is missing")))
        };
        let (write_5m, write_1h) =
            cache_writes(&usage.cache_creation, usage.cache_creation_input_tokens.get().copied().unwrap_or(0));
        let tokens = bounded(TokenCounts {
            input: count("input_tokens", &usage.input_tokens)?,
            output: count("output_tokens", &usage.output_tokens)?,
            cache_read: usage.cache_read_input_tokens.get().copied().unwrap_or(0),
            cache_write_5m: write_5m,
            cache_write_1h: write_1h,
        })?;
        let name = message.model.get().map_or(NO_MODEL, |model| model.0.as_ref());
        let synthetic = name == SYNTHETIC;
        if synthetic && !report.failed && tokens.total() == 0 {
            return Ok(());
        }
        let reported = match report.cost {
            Some(raw) => Some(Nanodollars::parse_dollars(raw).map_err(|error| format!("costUSD: {error}"))?),
            None => synthetic.then_some(Nanodollars::ZERO),
        };
        let speed = usage.speed.get().map(|speed| speed.0.as_ref());
        let model = ModelName::new(name).map_err(|error| error.to_string())?;
        let fast = speed == Some("fast");
        let call = ModelCall { model, tokens, reported, duration_us: None, ok: !report.failed, fast };
        self.push_call(report, call, speed.is_some(), "", who, at, spot, out);

        for (index, part) in usage.iterations.0.iter().enumerate() {
            let advisor = part.kind.as_ref().is_some_and(|kind| kind.0 == "advisor_message");
            let Some(model) = part.model.as_ref().filter(|model| advisor && !model.0.is_empty()) else { continue };
            let (write_5m, write_1h) =
                cache_writes(&part.cache_creation, part.cache_creation_input_tokens.unwrap_or(0));
            let tokens = bounded(TokenCounts {
                input: part.input_tokens.unwrap_or(0),
                output: part.output_tokens.unwrap_or(0),
                cache_read: part.cache_read_input_tokens.unwrap_or(0),
                cache_write_5m: write_5m,
                cache_write_1h: write_1h,
            })?;
            let model = ModelName::new(&model.0).map_err(|error| error.to_string())?;
            let call = ModelCall { model, tokens, reported: None, duration_us: None, ok: true, fast: false };
            self.push_call(report, call, false, &format!(":advisor:{index}"), who, at, spot, out);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one call and everything that identifies it")]
    fn push_call(
        &self,
        report: &Report<'_, '_>,
        call: ModelCall,
        has_speed: bool,
        suffix: &str,
        who: &Speaker,
        at: Timestamp,
        spot: Spot,
        out: &mut Yield,
    ) {
        let total = call.tokens.total();
        let stem = self.file.stem.as_bytes();
        let (key, claim) = match report.message.id.get() {
            Some(id) => {
                let id = [id.0.as_ref(), suffix].concat();
                let (message, request) = match report.request.get() {
                    Some(request) => (
                        identity::hash("message", &[id.as_bytes()]),
                        identity::hash("request", &[request.0.as_bytes()]),
                    ),
                    // Anthropic's ids are unique in the world. Gateways give every answer the same id: theirs mean
                    // something only with session and time.
                    None if id.starts_with("msg_") => (identity::hash("message", &[id.as_bytes()]), 0),
                    None => (
                        identity::hash("message", &[id.as_bytes(), who.session.as_str().as_bytes()]),
                        identity::hash("time", &[&at.0.to_le_bytes()]),
                    ),
                };
                let rank =
                    Rank { sidechain: report.sidechain, tokens: total, has_speed, at: at.0, origin: self.origin };
                let quality = [u8::from(report.sidechain), u8::from(has_speed)];
                let key = identity::hash(
                    "call",
                    &[&message.to_le_bytes(), &request.to_le_bytes(), stem, &total.to_le_bytes(), &quality],
                );
                (key, Some(Claim { message, request, rank }))
            }
            None => {
                let offset = spot.offset.to_le_bytes();
                let place = report.uuid.map_or(&offset[..], str::as_bytes);
                (identity::hash("call without id", &[stem, place, suffix.as_bytes()]), None)
            }
        };
        out.events.push(self.envelope(who, at, key, claim, Event::ModelCall(call)));
    }

    /// Remembers tool uses, and reports those whose result the line holds.
    fn tools(&mut self, line: &Line<'_>, message: &Message<'_>, who: &Speaker, at: Timestamp, out: &mut Yield) {
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
        let claim = |kind: &str| Claim {
            message: identity::hash(kind, &[id.as_bytes()]),
            request: 0,
            // A result with its beginning is the better report.
            rank: Rank { sidechain, tokens: 0, has_speed: open.is_some(), at: at.0, origin: self.origin },
        };
        let key = |kind: &str| identity::hash(kind, &[id.as_bytes(), self.file.stem.as_bytes()]);
        let tool = open.as_ref().and_then(|open| ToolName::new(&open.tool).ok());
        let Some(tool) = tool.or_else(|| ToolName::new(NO_MODEL).ok()) else { return };
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

impl LineReader for Transcript {
    fn line(&mut self, raw: &[u8], spot: Spot, out: &mut Yield) {
        let raw = raw.trim_ascii();
        if raw.is_empty() {
            return;
        }
        // Most bytes of a transcript are texts that nothing here is made of: only lines with a marker are parsed.
        let wanted = !self.memory.started
            || self.usage.find(raw).is_some()
            || self.tool_result.find(raw).is_some()
            || self.turn_end.find(raw).is_some();
        let result = match (raw.first(), raw.last()) {
            (Some(b'{'), Some(b'}')) if wanted => self.read(raw, spot, out),
            (Some(b'{'), Some(b'}')) => {
                serde_json::from_slice::<serde::de::IgnoredAny>(raw).map(|_| ()).map_err(|error| not_json(&error))
            }
            _ => Err("not a JSON object".into()),
        };
        if let Err(reason) = result {
            let place = format!("{}:{}", self.file_name, spot.line);
            out.rejected.push(Rejection { place, reason: reason.into_owned() });
        }
    }

    fn memory(&self) -> Option<String> {
        serde_json::to_string(&self.memory).ok()
    }
}

/// One report of a model call.
struct Report<'r, 'a> {
    message: &'r Message<'a>,
    usage: &'r Usage<'a>,
    request: &'r Field<Text<'a>>,
    cost: Option<&'r str>,
    sidechain: bool,
    failed: bool,
    uuid: Option<&'r str>,
}

/// The library's words for what is wrong, without the text that is wrong.
fn not_json(error: &serde_json::Error) -> Refusal {
    match error.classify() {
        serde_json::error::Category::Eof => "the line ends too early".into(),
        serde_json::error::Category::Data => format!("a field has the wrong type at column {}", error.column()).into(),
        _ => format!("not valid JSON at column {}", error.column()).into(),
    }
}

/// What is no time could be any text, so it is not repeated.
fn no_time(error: TimeError) -> Refusal {
    match error {
        TimeError::NotRfc3339(_) => "timestamp is not an RFC 3339 time with an offset".into(),
        other => format!("timestamp: {other}").into(),
    }
}

fn refuse_nulls(fields: &[(&str, bool)]) -> Result<(), Refusal> {
    match fields.iter().find(|(_, is_null)| *is_null) {
        Some((name, _)) => Err(format!("{name} is null").into()),
        None => Ok(()),
    }
}

fn cache_writes(split: &Object<CacheCreation>, whole: u64) -> (u64, u64) {
    match &split.0 {
        Some(split) => (split.ephemeral_5m_input_tokens.unwrap_or(0), split.ephemeral_1h_input_tokens.unwrap_or(0)),
        None => (whole, 0),
    }
}

fn bounded(tokens: TokenCounts) -> Result<TokenCounts, Refusal> {
    if tokens.kinds().iter().any(|n| *n > TokenCounts::MAX) {
        return Err("a token count is beyond a million million".into());
    }
    Ok(tokens)
}

/// `1.2.3` with anything after it.
fn is_version(raw: &str) -> bool {
    let mut parts = raw.splitn(3, '.');
    let number = |part: Option<&str>| part.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    number(parts.next())
        && number(parts.next())
        && parts.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
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
