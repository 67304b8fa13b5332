//! From lines of a rollout to events.

use model::event::{AgentState, Event, SessionEdge};
use model::time::{MICROS_PER_SECOND, Timestamp};

use super::SOURCE;
use super::line::{Line, Payload};
use super::memory::{Memory, kept};
use crate::ingest::Rejection;
use crate::source::claude_code::believed_folder;
use crate::source::file_source::Shared;
use crate::source::project::{Project, Speaker};
use crate::source::refusal::{Refusal, no_time, not_json};
use crate::source::{LineReader, Spot, Yield, identity, rfc3339};

/// How long after its beginning a sub-agent's or a fork's file still holds its parent's history.
const REPLAY_US: i64 = MICROS_PER_SECOND;

/// Lines of a rollout and events in it that are known to hold nothing that is measured.
const UNMEASURED: [&str; 9] = [
    "compacted",
    "ghost_snapshot",
    "turn.started",
    "turn.failed",
    "item.started",
    "item.updated",
    "item.completed",
    "error",
    "state",
];

/// The reader of one rollout.
pub(super) struct RolloutReader<'s> {
    pub(super) stem: String,
    pub(super) origin: u64,
    file_name: String,
    /// When the file changed last, for lines without a time.
    changed: Option<Timestamp>,
    shared: &'s Shared,
    pub(super) project: Project,
    pub(super) memory: Memory,
}

impl<'s> RolloutReader<'s> {
    /// A reader for the file `stem` (without its extension), going on with the `memory` of an earlier one.
    pub(super) fn new(stem: &str, memory: Option<&str>, changed: Option<Timestamp>, shared: &'s Shared) -> Self {
        let memory: Memory = memory.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        Self {
            stem: stem.to_owned(),
            origin: origin(stem),
            file_name: format!("{stem}.jsonl"),
            changed,
            project: Project::of(&memory.cwd, shared),
            shared,
            memory,
        }
    }

    fn read(&mut self, raw: &[u8], out: &mut Yield) -> Result<(), Refusal> {
        if raw.first() != Some(&b'{') {
            return Err("not a JSON object".into());
        }
        let line: Line<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
        let at = match line.timestamp.0.as_deref() {
            Some(timestamp) => Some(rfc3339::parse(timestamp).map_err(no_time)?),
            None => None,
        };
        self.memory.began = self.memory.began.or(at.map(|at| at.0));
        let nothing = Payload::default();
        let payload = line.payload.0.as_ref().unwrap_or(&nothing);
        match line.kind.0.as_deref() {
            Some("session_meta") => self.thread(payload, at, out)?,
            Some("turn_context") => self.context(payload),
            Some("event_msg") => self.event(payload, at, out)?,
            Some("response_item") => self.item(payload, at, out)?,
            Some("thread.started") => self.memory.session = kept(line.thread_id.0.as_deref()).map(str::to_owned),
            Some("turn.completed") => {
                self.memory.model = kept(line.model.0.as_deref()).map(str::to_owned).or(self.memory.model.take());
                let used = line.usage.0.ok_or("turn.completed has no usage")?;
                let at = at.or(self.changed).ok_or("the turn has no time")?;
                let who = self.speaker()?;
                self.headless_turn(used, &who, at, out)?;
            }
            Some(kind) if UNMEASURED.contains(&kind) => out.ignored += 1,
            _ => out.unknown += 1,
        }
        Ok(())
    }

    pub(super) fn speaker(&self) -> Result<Speaker, Refusal> {
        let session = self.memory.session.as_deref().unwrap_or_else(|| thread_of(&self.stem));
        self.project.speaker(SOURCE, session, self.memory.parent.as_deref()).map_err(|error| error.to_string().into())
    }

    /// The thread's own description; a second one is its parent's, copied.
    fn thread(&mut self, payload: &Payload<'_>, at: Option<Timestamp>, out: &mut Yield) -> Result<(), Refusal> {
        if self.memory.started {
            out.ignored += 1;
            return Ok(());
        }
        self.memory.started = true;
        self.memory.session = kept(payload.id.0.as_deref()).map(str::to_owned);
        self.memory.forked = kept(payload.forked_from_id.0.as_deref()).is_some();
        let origin = payload.source.0.as_ref().and_then(|source| source.subagent.0.as_ref());
        self.memory.parent = origin.and_then(|sub| sub.thread_spawn.0.as_ref()).map(|spawn| {
            let parent = kept(spawn.parent_thread_id.0.as_deref()).unwrap_or("parent");
            parent.to_owned()
        });
        self.work_in(payload);
        if let Some(at) = at {
            let who = self.speaker()?;
            let (key, claim) = identity::session_start(who.session.as_str(), false, at);
            out.events.push(who.did(at, key, Some(claim), Event::Session(SessionEdge::Started)));
        }
        Ok(())
    }

    fn work_in(&mut self, payload: &Payload<'_>) {
        let unknown = self.memory.cwd.is_empty();
        if let Some(cwd) = payload.cwd.0.as_deref().filter(|_| unknown).and_then(believed_folder) {
            cwd.clone_into(&mut self.memory.cwd);
            self.project = Project::of(cwd, self.shared);
        }
    }

    fn context(&mut self, payload: &Payload<'_>) {
        self.work_in(payload);
        if let Some(model) = kept(payload.model.0.as_deref()) {
            self.memory.model = Some(model.to_owned());
        }
        self.memory.fast = matches!(payload.service_tier.0.as_deref(), Some("fast" | "priority"));
    }

    fn event(&mut self, payload: &Payload<'_>, at: Option<Timestamp>, out: &mut Yield) -> Result<(), Refusal> {
        let measured = ["token_count", "patch_apply_end", "task_complete", "turn_aborted"];
        let kind = payload.kind.0.as_deref().filter(|kind| measured.contains(kind));
        let Some(kind) = kind else {
            out.ignored += 1;
            return Ok(());
        };
        let at = at.ok_or("the line has no timestamp")?;
        let who = self.speaker()?;
        let replayed = self.is_replay(at);
        match kind {
            "token_count" => {
                if let Some(limits) = payload.rate_limits.0.as_ref().filter(|_| !replayed) {
                    limits.tell(at, out);
                }
                if let Some(info) = &payload.info.0 {
                    self.token_count(info, replayed, &who, at, out)?;
                }
            }
            _ if replayed => {}
            "patch_apply_end" => self.patch_end(payload, &who, at, out),
            _ => {
                self.turn_over(&who, at, out);
                let key = identity::hash("turn end", &[who.session.as_str().as_bytes(), &at.0.to_le_bytes()]);
                out.events.push(who.did(at, key, None, Event::AgentState(AgentState::Idle)));
            }
        }
        Ok(())
    }

    fn item(&mut self, payload: &Payload<'_>, at: Option<Timestamp>, out: &mut Yield) -> Result<(), Refusal> {
        match payload.kind.0.as_deref() {
            Some("function_call" | "custom_tool_call" | "local_shell_call") => {
                let at = at.ok_or("the line has no timestamp")?;
                if !self.is_replay(at) {
                    self.tool_call(payload, at);
                }
            }
            Some("function_call_output" | "custom_tool_call_output") => {
                let at = at.ok_or("the line has no timestamp")?;
                let who = self.speaker()?;
                if !self.is_replay(at) {
                    self.tool_output(payload, &who, at, out);
                }
            }
            _ => out.ignored += 1,
        }
        Ok(())
    }

    /// Whether what a sub-agent's or a fork's file says of `at` is another thread's history, written anew.
    fn is_replay(&self, at: Timestamp) -> bool {
        let Some(since) = self.memory.began.map(|began| at.0 - began) else { return false };
        // A fork that copies its lines with their own times has them before its beginning: those are told apart by time.
        (self.memory.parent.is_some() && since < REPLAY_US) || (self.memory.forked && (0..REPLAY_US).contains(&since))
    }
}

/// Sorts files by the time in their name, so that of equal calls the parent's counts and not its branch's.
fn origin(stem: &str) -> u64 {
    let time = stem.strip_prefix("rollout-").and_then(|rest| rest.get(..19));
    let digits: String = time.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let whole = identity::origin(stem, stem);
    match digits.parse::<u64>() {
        // 14 digits are 47 bits; the sign bit stays clear.
        Ok(time) if digits.len() == 14 => (time << 16) | (whole & 0xffff),
        _ => whole,
    }
}

/// The thread in a file's name: `rollout-<time>-<uuid>`.
fn thread_of(stem: &str) -> &str {
    const UUID_CHARS: usize = 36;
    let from = stem.len().checked_sub(UUID_CHARS).filter(|_| stem.starts_with("rollout-"));
    from.and_then(|from| stem.get(from..)).unwrap_or(stem)
}

impl LineReader for RolloutReader<'_> {
    fn line(&mut self, raw: &[u8], spot: Spot, out: &mut Yield) {
        let raw = raw.trim_ascii();
        if raw.is_empty() {
            return;
        }
        if let Err(reason) = self.read(raw, out) {
            let place = format!("{}:{}", self.file_name, spot.line);
            out.rejected.push(Rejection { place, reason: reason.into_owned() });
        }
    }
    fn memory(&self) -> Option<String> {
        serde_json::to_string(&self.memory).ok()
    }
    fn report(&mut self, out: &mut Yield) {
        self.underway(out);
    }
}
