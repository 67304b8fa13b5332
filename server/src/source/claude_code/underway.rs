//! What a transcript shows to be under way: a tool's use without its result, and a prompt or a result without an answer.
//!
//! It is told as it stands at the end of a piece ([`LineReader::report`](crate::source::LineReader::report)), so that
//! reading the past tells next to nothing. Of prompts only those count that the model is asked: not what commands print,
//! nor the word that a person interrupted, both of which begin with a bracket and are never answered. A real prompt that
//! begins so is not seen in flight: better than one that seems to be lost.

use model::id::ToolName;
use model::request::{Implied, RequestId, RequestOf};
use model::time::Timestamp;
use serde::Deserialize;

use super::line::{Counted, List, Text};
use super::memory::{Asked, OpenTool};
use super::parser::Transcript;
use crate::source::{Yield, identity, rfc3339};

/// A line of a person's.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Prompt<'a> {
    timestamp: Option<Text<'a>>,
    #[serde(rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(rename = "isSidechain")]
    is_sidechain: Option<bool>,
    /// The client's own.
    #[serde(rename = "isMeta")]
    is_meta: Option<bool>,
    /// What stands for the conversation so far.
    #[serde(rename = "isCompactSummary")]
    is_summary: Option<bool>,
    message: Said,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    content: Beginning,
}

/// The first byte of what was said, 0 when there is no text at its beginning. Nothing of it is kept.
#[derive(Default)]
struct Beginning(u8);

impl<'de> Deserialize<'de> for Beginning {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Block {
            text: Counted,
        }
        let raw = <&serde_json::value::RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('"') {
            let text: Counted = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
            return Ok(Self(text.first));
        }
        let List(blocks) = serde_json::from_str::<List<Block>>(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(Self(blocks.first().map_or(0, |block| block.text.first)))
    }
}

impl Transcript {
    /// Whether a line is of the conversation that the file is about.
    pub(super) fn is_own(&self, is_sidechain: Option<bool>) -> bool {
        self.file.sub_agent.is_some() || is_sidechain != Some(true)
    }

    /// Takes a line that may be a prompt. What it is not is nothing to speak of.
    pub(super) fn prompt(&mut self, raw: &[u8], out: &mut Yield) {
        let Ok(prompt) = serde_json::from_slice::<Prompt<'_>>(raw) else { return };
        let is_asked = prompt.kind.is_some_and(|kind| kind.0 == "user")
            && prompt.is_meta != Some(true)
            && prompt.is_summary != Some(true)
            && !matches!(prompt.message.content.0, b'<' | b'[');
        let at = prompt.timestamp.and_then(|at| rfc3339::parse(&at.0).ok());
        if let Some(at) = at.filter(|_| is_asked && self.is_own(prompt.is_sidechain)) {
            self.ask(at, out);
        }
    }

    /// The model is asked.
    pub(super) fn ask(&mut self, at: Timestamp, out: &mut Yield) {
        self.answered(at, out);
        self.memory.asked = Some(Asked { at: at.0, told: false });
    }

    /// It has begun to answer, or will not.
    pub(super) fn answered(&mut self, at: Timestamp, out: &mut Yield) {
        if let Some(asked) = self.memory.asked.take().filter(|asked| asked.told) {
            let id = self.turn(&asked);
            out.requests.push(Implied { id, of: self.request(None), at, over: true, claim: None });
        }
    }

    /// A tool has returned.
    pub(super) fn returned(&self, open: &OpenTool, at: Timestamp, out: &mut Yield) {
        if open.told {
            out.requests.push(Implied { at, over: true, ..self.tool_request(open) });
        }
    }

    /// Tells what is under way and was not told yet.
    pub(super) fn underway(&mut self, out: &mut Yield) {
        if let Some(asked) = self.memory.asked.clone().filter(|asked| !asked.told) {
            let (id, at) = (self.turn(&asked), Timestamp(asked.at));
            out.requests.push(Implied { id, of: self.request(None), at, over: false, claim: None });
            self.memory.asked = Some(Asked { told: true, ..asked });
        }
        let mut open = std::mem::take(&mut self.memory.open);
        for tool in open.iter_mut().filter(|tool| !tool.told) {
            out.requests.push(self.tool_request(tool));
            tool.told = true;
        }
        self.memory.open = open;
    }

    fn turn(&self, asked: &Asked) -> u128 {
        let parts = [self.file.session.as_bytes(), self.file.stem.as_bytes(), &asked.at.to_le_bytes()];
        RequestId::of(identity::hash("turn", &parts)).number()
    }

    fn tool_request(&self, open: &OpenTool) -> Implied {
        let of = self.request(ToolName::new(&open.tool).ok());
        let (id, claim) = (identity::tool_request(&open.id), Some(identity::tool(&open.id)));
        Implied { id, of, at: Timestamp(open.at), over: false, claim }
    }

    fn request(&self, tool: Option<ToolName>) -> RequestOf {
        let (session, agent, role) = self.owner();
        let (source, rig) = (self.source.clone(), self.rig.clone());
        RequestOf { source, rig, role, agent, session, bead: None, model: None, tool }
    }
}
