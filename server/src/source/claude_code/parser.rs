//! From lines of a transcript to events.

use std::sync::{Arc, Mutex, PoisonError};

use compact_str::CompactString;
use memchr::memmem;
use model::dedupe::Claim;
use model::event::{AgentState, Envelope, Event, SessionEdge};
use model::id::{AgentName, EventKey, RigName, Role, SessionId, SourceName};
use model::time::Timestamp;

use super::line::{Line, Text};
use super::memory::Memory;
use super::session::FileIdentity;
use super::{Place, Projects, SOURCE, believed_folder, is_town_root, kept_path};
use crate::ingest::Rejection;
use crate::source::refusal::{Refusal, no_time, not_json};
use crate::source::{LineReader, Spot, Yield, identity, rfc3339};

/// The reader of one transcript.
#[derive(Debug)]
pub struct Transcript {
    pub(super) file: FileIdentity,
    file_name: String,
    pub(super) origin: u64,
    pub(super) source: SourceName,
    pub(super) memory: Memory,
    pub(super) rig: Option<RigName>,
    projects: Arc<Mutex<Projects>>,
    no_paths: bool,
    usage: memmem::Finder<'static>,
    tool_result: memmem::Finder<'static>,
    turn_end: memmem::Finder<'static>,
    person: memmem::Finder<'static>,
}

/// Whose line it is.
pub(super) struct Speaker {
    pub session: SessionId,
    agent: Option<AgentName>,
    role: Role,
}

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
            person: memmem::Finder::new(b"\"user\""),
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
        let sub = line.agent_id.as_ref().map(|id| id.0.as_ref()).or(self.file.sub_agent.as_deref());
        self.speaker_of(named, sub)
    }

    /// Whose the file is.
    pub(super) fn owner(&self) -> (Option<SessionId>, Option<AgentName>, Role) {
        match self.speaker_of(&self.file.session, self.file.sub_agent.as_deref()) {
            Ok(Speaker { session, agent, role }) => (Some(session), agent, role),
            Err(_) => (None, None, Role::Other),
        }
    }

    fn speaker_of(&self, session: &str, sub: Option<&str>) -> Result<Speaker, Refusal> {
        let session = SessionId::new(session).map_err(|error| error.to_string())?;
        let place = self.memory.place.as_ref().and_then(|place| place.gas_town.as_ref());
        let main = match place {
            Some(place) => place.agent.clone(),
            None => session.as_str().chars().take(8).collect(),
        };
        let name = match sub {
            Some(sub) => format!("{main}/{sub}"),
            None => main,
        };
        let role = place.map_or(Role::Other, |place| place.role);
        Ok(Speaker { session, agent: AgentName::new(&name).ok(), role })
    }

    pub(super) fn file(&self, path: &str) -> Option<CompactString> {
        if self.no_paths { None } else { kept_path(self.memory.place.as_ref(), path) }
    }

    pub(super) fn envelope(
        &self,
        who: &Speaker,
        at: Timestamp,
        key: u128,
        claim: Option<Claim>,
        event: Event,
    ) -> Envelope {
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
            && let Some(cwd) = line.cwd.get().and_then(|cwd| believed_folder(&cwd.0))
        {
            self.memory.place = Some(Place::of(cwd, self.file.slug.as_deref(), &is_town_root));
            self.name_rig();
        }
        let who = self.speaker(&line)?;
        if !self.memory.started {
            self.memory.started = true;
            if self.file.sub_agent.is_none() {
                let (key, claim) = identity::session_start(&self.file.session, false, at);
                out.events.push(self.envelope(&who, at, key, Some(claim), Event::Session(SessionEdge::Started)));
            }
        }
        self.calls(&line, &who, at, spot, out)?;
        if let Some(message) = &line.message.0 {
            let is_own = self.is_own(line.is_sidechain);
            if is_own && message.usage.get().is_some() {
                self.answered(at, out);
            }
            self.tools(&line, message, &who, at, out);
            // The model is asked again when the last of its tools has returned.
            let is_result = |kind: &Text<'_>| kind.0 == "tool_result";
            let has_result = message.content.0.iter().any(|block| block.kind.as_ref().is_some_and(is_result));
            if is_own && has_result && self.memory.open.is_empty() {
                self.ask(at, out);
            }
        }
        if line.subtype.as_ref().is_some_and(|subtype| subtype.0 == "turn_duration") {
            let uuid = line.uuid.as_ref().map_or("", |uuid| uuid.0.as_ref());
            let key = identity::hash("turn end", &[who.session.as_str().as_bytes(), uuid.as_bytes()]);
            out.events.push(self.envelope(&who, at, key, None, Event::AgentState(AgentState::Idle)));
            self.answered(at, out);
        }
        Ok(())
    }
}

impl LineReader for Transcript {
    fn line(&mut self, raw: &[u8], spot: Spot, out: &mut Yield) {
        let raw = raw.trim_ascii();
        if raw.is_empty() {
            return;
        }
        // Most bytes of a transcript are texts that nothing here is made of: only lines with a marker are parsed.
        let holds_what_counts =
            self.usage.find(raw).is_some() || self.tool_result.find(raw).is_some() || self.turn_end.find(raw).is_some();
        let wanted = !self.memory.started || holds_what_counts;
        let result = match (raw.first(), raw.last()) {
            (Some(b'{'), Some(b'}')) if wanted => self.read(raw, spot, out),
            (Some(b'{'), Some(b'}')) => {
                serde_json::from_slice::<serde::de::IgnoredAny>(raw).map(|_| ()).map_err(|error| not_json(&error))
            }
            _ => Err("not a JSON object".into()),
        };
        match result {
            Err(reason) => {
                let place = format!("{}:{}", self.file_name, spot.line);
                out.rejected.push(Rejection { place, reason: reason.into_owned() });
            }
            Ok(()) if !holds_what_counts && self.person.find(raw).is_some() => self.prompt(raw, out),
            Ok(()) => {}
        }
    }

    fn report(&mut self, out: &mut Yield) {
        self.underway(out);
    }

    fn memory(&self) -> Option<String> {
        serde_json::to_string(&self.memory).ok()
    }
}
