//! Claude Code's events (FORMATS 5.1): calls, failures, tools. Everything else is counted, not kept.

use model::event::ModelCall;
use model::id::ModelName;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;

use super::attributes::Reason;
use super::record::{Mapped, Record, bounded};

/// Anthropic's request ids are unique in the world. A gateway may give every call the same one: such a call is known
/// by its place in the session only, and counts while no transcript of the session does.
const GLOBAL_REQUEST: &str = "req_";

/// What becomes of an event.
pub(super) fn map(record: &Record<'_>) -> Mapped {
    let event = match record.name {
        "api_request" => with_request(record, request(record)?),
        "api_error" => with_request(record, failure(record)?),
        "tool_result" => record.tool(record.attributes.text("tool_use_id"), record.tool_call("tool_name")?),
        _ => return Ok(None),
    };
    Ok(Some(vec![event]))
}

fn with_request(record: &Record<'_>, call: ModelCall) -> model::Envelope {
    match record.attributes.text("request_id").filter(|id| id.starts_with(GLOBAL_REQUEST)) {
        Some(request) => record.call_of(request, call),
        None => record.call(call),
    }
}

fn request(record: &Record<'_>) -> Result<ModelCall, Reason> {
    let told = &record.attributes;
    Ok(ModelCall {
        model: told.name("model", ModelName::new)?,
        tokens: bounded(TokenCounts {
            input: told.count("input_tokens")?,
            output: told.count("output_tokens")?,
            cache_read: told.count("cache_read_tokens")?,
            // How long each part lives is not said; transcripts know.
            cache_write_5m: told.count("cache_creation_tokens")?,
            cache_write_1h: 0,
        })?,
        reported: cost(record)?,
        duration_us: told.duration_us("duration_ms")?,
        ok: true,
        fast: told.text("speed") == Some("fast"),
    })
}

/// `cost_usd` has more digits than `cost_usd_micros`.
fn cost(record: &Record<'_>) -> Result<Option<Nanodollars>, Reason> {
    if let Some(cost) = record.attributes.dollars("cost_usd")? {
        return Ok(Some(cost));
    }
    let micros = record.attributes.number("cost_usd_micros")?;
    Ok(micros.and_then(|micros| i64::try_from(micros).ok()?.checked_mul(1_000)).map(Nanodollars))
}

fn failure(record: &Record<'_>) -> Result<ModelCall, Reason> {
    Ok(ModelCall {
        model: record.attributes.name("model", ModelName::new)?,
        tokens: TokenCounts::default(),
        reported: None,
        duration_us: record.attributes.duration_us("duration_ms")?,
        ok: false,
        fast: record.attributes.text("speed") == Some("fast"),
    })
}
