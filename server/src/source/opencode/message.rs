//! Messages: each answer is a model call.

use model::dedupe::{Claim, Rank};
use model::event::{Event, ModelCall};
use model::id::ModelName;
use model::time::{MICROS_PER_SECOND, Timestamp};
use model::tokens::TokenCounts;
use model::unit::Nanodollars;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::claude_code::line::{Maybe, Object};
use crate::source::file_source::Shared;
use crate::source::project::Project;
use crate::source::refusal::{Refusal, not_json};
use crate::source::{Yield, identity};

/// Larger numbers are milliseconds since 1970, smaller ones seconds.
const FIRST_MILLISECONDS: f64 = 1e11;

/// A message; of its content nothing is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Message<'a> {
    id: Maybe<'a>,
    #[serde(rename = "sessionID")]
    session_id: Maybe<'a>,
    role: Maybe<'a>,
    #[serde(rename = "modelID")]
    model_id: Maybe<'a>,
    time: Object<Span>,
    tokens: Object<Tokens>,
    /// Dollars; the raw number, so that it is read exactly.
    cost: Option<&'a RawValue>,
    error: Object<Failure>,
    path: Object<Folders<'a>>,
}

/// From when to when, in milliseconds (older versions: seconds) since 1970.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct Span {
    #[serde(alias = "start")]
    created: Option<f64>,
    #[serde(alias = "end")]
    completed: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
    total: Option<u64>,
    cache: Object<Cache>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Cache {
    read: Option<u64>,
    write: Option<u64>,
}

/// That something failed; not what.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Failure {}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Folders<'a> {
    root: Maybe<'a>,
    cwd: Maybe<'a>,
}

impl Span {
    pub(super) fn began(self) -> Option<Timestamp> {
        instant(self.created?)
    }
    pub(super) fn ended(self) -> Option<Timestamp> {
        instant(self.completed?)
    }
    /// Microseconds.
    pub(super) fn took_us(self) -> Option<u64> {
        u64::try_from(self.ended()?.0 - self.began()?.0).ok()
    }
}

pub(super) fn instant(number: f64) -> Option<Timestamp> {
    let seconds = if number >= FIRST_MILLISECONDS { number / 1e3 } else { number };
    if !(0.0..5e9).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within a few thousand years, as was just checked")]
    let micros = (number * if number >= FIRST_MILLISECONDS { 1e3 } else { 1e6 }).round() as i64;
    debug_assert!(micros >= 0 && micros / MICROS_PER_SECOND < 5_000_000_000);
    Timestamp(micros).believed().ok()
}

impl Tokens {
    fn counts(self) -> TokenCounts {
        let [input, output, reasoning] = [self.input, self.output, self.reasoning].map(|count| count.unwrap_or(0));
        let cache = self.cache.0.unwrap_or_default();
        let (read, write) = (cache.read.unwrap_or(0), cache.write.unwrap_or(0));
        let without = [input, output, read, write].into_iter().fold(0, u64::saturating_add);
        // The total tells what is in addition to the parts; it is reasoning, or parts that are missing.
        let besides = match self.total {
            Some(total) if total > 0 => total.saturating_sub(without),
            _ => reasoning,
        };
        TokenCounts {
            input,
            output: output.saturating_add(besides),
            cache_read: read,
            cache_write_5m: write,
            cache_write_1h: 0,
        }
    }
}

/// What identifies a message apart from its own words: in the database that stands beside them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Named<'a> {
    pub id: Option<&'a str>,
    pub session: Option<&'a str>,
    /// When its session began.
    pub session_began: Option<Timestamp>,
}

impl Named<'_> {
    /// Whether what happened `at` is a copy: a fork of a session begins with everything of the other one, under new ids
    /// and with the old times.
    pub(super) fn is_copy(&self, at: Timestamp) -> bool {
        self.session_began.is_some_and(|began| at < began)
    }
}

/// Whether more will be said of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Pending,
    Done,
}

/// The project that a message was written in.
pub(super) fn project(raw: &[u8], shared: &Shared) -> Project {
    let message: Message<'_> = serde_json::from_slice(raw).unwrap_or_default();
    message.project(shared)
}

/// The session of a message or part, by its own words.
pub(super) fn session(raw: &[u8]) -> Option<String> {
    let message: Message<'_> = serde_json::from_slice(raw).ok()?;
    message.session_id.0.map(std::borrow::Cow::into_owned)
}

/// When what has a `time` began: a session too.
pub(super) fn began(raw: &[u8]) -> Option<Timestamp> {
    let message: Message<'_> = serde_json::from_slice(raw).ok()?;
    message.time.0?.began()
}

impl Message<'_> {
    fn project(&self, shared: &Shared) -> Project {
        let folders = self.path.0.as_ref();
        let root = folders.and_then(|path| path.root.0.as_deref()).filter(|root| !matches!(*root, "" | "/"));
        let cwd = folders.and_then(|path| path.cwd.0.as_deref());
        // In a Gas Town the folder is the agent's; elsewhere the project is the repository.
        let town = cwd.map(|cwd| Project::of(cwd, shared)).filter(Project::is_in_gas_town);
        town.unwrap_or_else(|| Project::of(root.or(cwd).unwrap_or_default(), shared))
    }
}

/// Reads a message into the call that it is.
pub(super) fn read(
    raw: &[u8],
    named: Named<'_>,
    source: &str,
    shared: &Shared,
    out: &mut Yield,
) -> Result<Progress, Refusal> {
    if raw.trim_ascii_start().first() != Some(&b'{') {
        return Err("not a JSON object".into());
    }
    let message: Message<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
    if message.role.0.as_deref() != Some("assistant") {
        out.ignored += 1;
        return Ok(Progress::Done);
    }
    let id = named.id.or(message.id.0.as_deref()).filter(|id| !id.is_empty()).ok_or("id is missing")?;
    let session = named.session.or(message.session_id.0.as_deref()).filter(|id| !id.is_empty());
    let session = session.ok_or("sessionID is missing")?;
    let span = message.time.0.unwrap_or_default();
    let at = span.began().ok_or("time.created is missing, or no time")?;
    if named.is_copy(at) {
        out.ignored += 1;
        return Ok(Progress::Done);
    }
    let progress = if span.ended().is_some() { Progress::Done } else { Progress::Pending };
    let tokens = message.tokens.0.unwrap_or_default().counts();
    if tokens.kinds().iter().any(|count| *count > TokenCounts::MAX) {
        return Err("a token count is beyond a million million".into());
    }
    let ok = message.error.0.is_none();
    if tokens.total() == 0 && ok {
        return Ok(progress);
    }
    let model = model_name(message.model_id.0.as_deref().unwrap_or("unknown"));
    let cost = message.cost.map(|raw| Nanodollars::parse_dollars(raw.get())).transpose();
    let reported = cost.map_err(|_| "cost is not an amount of dollars")?.filter(|cost| *cost > Nanodollars::ZERO);
    let call = ModelCall {
        model: ModelName::new(&model).map_err(|error| error.to_string())?,
        tokens,
        reported,
        duration_us: span.took_us(),
        ok,
        fast: false,
    };
    let who = message.project(shared).speaker(source, session, None).map_err(|error| error.to_string())?;
    // Of equal counts a complete one is the better report.
    let has_speed = progress == Progress::Done;
    let rank = Rank { sidechain: false, tokens: tokens.total(), has_speed, at: at.0, origin: 0 };
    let claim = Claim::by_message(identity::hash("opencode message", &[id.as_bytes()]), 0, rank);
    let counts: Vec<u8> = tokens.kinds().iter().flat_map(|count| count.to_le_bytes()).collect();
    let quality = [u8::from(progress == Progress::Done), u8::from(ok)];
    let key = identity::hash("opencode call", &[id.as_bytes(), &counts, &quality]);
    out.events.push(who.did(at, key, Some(claim), Event::ModelCall(call)));
    Ok(progress)
}

/// Providers write `claude-sonnet-4.5` for what Anthropic calls `claude-sonnet-4-5`.
fn model_name(raw: &str) -> String {
    if raw.starts_with("claude-") { raw.replace('.', "-") } else { raw.to_owned() }
}
