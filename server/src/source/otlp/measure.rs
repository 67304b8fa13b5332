//! What a metric's points measure, for the metrics that become events (FORMATS 5.1, 5.4).

use model::event::{Event, LinesChanged, ModelCall, SessionEdge};
use model::id::ModelName;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;

use super::attributes::{Attributes, Reason, dollars};
use super::belonging::Tool;
use super::number;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Input,
    Output,
    CacheRead,
    CacheWrite,
    Cost,
    Added,
    Removed,
    Session,
}

/// What a point measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Measure {
    pub kind: Kind,
    pub model: Option<ModelName>,
    /// The same tool reports the cost of these tokens in points of its own.
    pub cost_apart: bool,
}

impl Measure {
    /// What a point of the metric `name` measures; none when that becomes no event.
    ///
    /// Gemini's and the conventions' input includes what came from the cache, so the points that tell that part are
    /// left out. Gemini reports tokens as `gen_ai.client.token.usage` too, which is left to senders of nothing else.
    pub(super) fn of(tool: Tool, name: &str, attributes: &Attributes<'_>) -> Result<Option<Self>, Reason> {
        let told = |key: &str| attributes.text(key).unwrap_or_default();
        let (kind, model, cost_apart) = match (tool, name) {
            (Tool::ClaudeCode, "claude_code.token.usage") => match told("type") {
                "input" => (Kind::Input, Some("model"), true),
                "output" => (Kind::Output, Some("model"), true),
                "cacheRead" => (Kind::CacheRead, Some("model"), true),
                "cacheCreation" => (Kind::CacheWrite, Some("model"), true),
                _ => return Ok(None),
            },
            (Tool::ClaudeCode, "claude_code.cost.usage") => (Kind::Cost, Some("model"), true),
            (Tool::ClaudeCode, "claude_code.session.count") => (Kind::Session, None, false),
            (Tool::ClaudeCode, "claude_code.lines_of_code.count") | (Tool::Gemini, "gemini_cli.lines.changed") => {
                match told("type") {
                    "added" => (Kind::Added, None, false),
                    "removed" => (Kind::Removed, None, false),
                    _ => return Ok(None),
                }
            }
            (Tool::Gemini, "gemini_cli.token.usage") => match told("type") {
                "input" | "tool" => (Kind::Input, Some("model"), false),
                "output" | "thought" => (Kind::Output, Some("model"), false),
                _ => return Ok(None),
            },
            (Tool::Generic, "gen_ai.client.token.usage") => match told("gen_ai.token.type") {
                "input" => (Kind::Input, Some("gen_ai.request.model"), false),
                "output" | "completion" => (Kind::Output, Some("gen_ai.request.model"), false),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let model = model.map(|key| attributes.name(key, ModelName::new)).transpose()?;
        Ok(Some(Self { kind, model, cost_apart }))
    }

    /// A point's value in the smallest unit: tokens, lines, nanodollars.
    pub(super) fn units(&self, value: f64) -> Option<u64> {
        match self.kind {
            Kind::Cost => dollars(value).and_then(|cost| u64::try_from(cost.0).ok()),
            _ => number::rounded(value),
        }
    }

    /// The event of so many units more.
    ///
    /// Where the tool reports the cost in points of its own, the tokens' event costs exactly nothing: together they
    /// are what the tool says it cost.
    pub(super) fn event(&self, units: u64) -> Option<Event> {
        let lines = || u32::try_from(units).unwrap_or(u32::MAX);
        let tokens = |tokens: TokenCounts| self.call(tokens, self.cost_apart.then_some(Nanodollars::ZERO));
        let none = TokenCounts::default();
        match self.kind {
            Kind::Input => tokens(TokenCounts { input: units, ..none }),
            Kind::Output => tokens(TokenCounts { output: units, ..none }),
            Kind::CacheRead => tokens(TokenCounts { cache_read: units, ..none }),
            Kind::CacheWrite => tokens(TokenCounts { cache_write_5m: units, ..none }),
            Kind::Cost => self.call(none, Some(Nanodollars(i64::try_from(units).ok()?))),
            Kind::Added => Some(Event::LinesChanged(LinesChanged { added: lines(), removed: 0, file: None })),
            Kind::Removed => Some(Event::LinesChanged(LinesChanged { added: 0, removed: lines(), file: None })),
            Kind::Session => Some(Event::Session(SessionEdge::Started)),
        }
    }

    fn call(&self, tokens: TokenCounts, reported: Option<Nanodollars>) -> Option<Event> {
        let model = self.model.clone()?;
        Some(Event::ModelCall(ModelCall { model, tokens, reported, duration_us: None, ok: true, fast: false }))
    }
}
