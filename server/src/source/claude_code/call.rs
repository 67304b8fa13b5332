//! Model calls of a transcript: from a line with usage to a priced event's raw material.

use model::dedupe::{Basis, Claim, Rank};
use model::event::{Event, ModelCall};
use model::id::ModelName;
use model::time::Timestamp;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;

use super::line::{CacheCreation, Field, Line, Message, Object, Text, Usage};
use super::parser::{Speaker, Transcript};
use crate::source::refusal::{Refusal, no_time, refuse_nulls};
use crate::source::{Spot, Yield, identity, rfc3339};

/// The name of a model that the line does not name.
const NO_MODEL: &str = "unknown";
/// The client's own messages carry it in the model's place: they cost nothing.
const SYNTHETIC: &str = "<synthetic>";

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

impl Transcript {
    /// The model call of a line: its own, or the one of the sub-agent's line that it wraps.
    pub(super) fn calls(
        &self,
        line: &Line<'_>,
        who: &Speaker,
        at: Timestamp,
        spot: Spot,
        out: &mut Yield,
    ) -> Result<(), Refusal> {
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
            Some(raw) => Some(Nanodollars::parse_dollars(raw).map_err(|_| "costUSD is not an amount of dollars")?),
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
                // An advisor's call has its request in common with the call that asked it.
                let basis = if suffix.is_empty() { Basis::Message } else { Basis::Part };
                let quality = [u8::from(report.sidechain), u8::from(has_speed)];
                let key = identity::hash(
                    "call",
                    &[&message.to_le_bytes(), &request.to_le_bytes(), stem, &total.to_le_bytes(), &quality],
                );
                (key, Some(Claim { message, request, rank, basis }))
            }
            None => {
                let offset = spot.offset.to_le_bytes();
                let place = report.uuid.map_or(&offset[..], str::as_bytes);
                (identity::hash("call without id", &[stem, place, suffix.as_bytes()]), None)
            }
        };
        out.events.push(self.envelope(who, at, key, claim, Event::ModelCall(call)));
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
