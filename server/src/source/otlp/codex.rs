//! Codex's events (FORMATS 5.3). It names no cost and no request: its calls count while no rollout file of the
//! conversation is read.

use model::event::{Event, ModelCall, SessionEdge};
use model::id::ModelName;
use model::tokens::TokenCounts;

use super::attributes::Reason;
use super::record::{Mapped, Record, bounded};

/// What becomes of an event.
pub(super) fn map(record: &Record<'_>) -> Mapped {
    let told = &record.attributes;
    let is_completed = told.text("event.kind") == Some("response.completed");
    let event = match record.name {
        // The event comes twice: once as it arrives, with its duration alone, and once as it is understood, with tokens
        // or the reason of a failure.
        "sse_event" | "websocket_event" if is_completed && told.get("input_token_count").is_some() => {
            record.call(completed(record)?)
        }
        "sse_event" | "websocket_event" if is_completed && told.text("error.message").is_some() => {
            record.call(failure(record)?)
        }
        "api_request" if failed(record)? => record.call(failure(record)?),
        "tool_result" => record.tool(told.text("call_id"), record.tool_call("tool_name")?),
        "conversation_starts" => {
            record.who.envelope(record.at, record.id(&[]), None, Event::Session(SessionEdge::Started))
        }
        // Understood, and told by the completed response.
        "sse_event" | "websocket_event" | "api_request" => return Ok(Some(Vec::new())),
        _ => return Ok(None),
    };
    Ok(Some(vec![event]))
}

/// Cached tokens are part of the input, reasoning of the output.
fn completed(record: &Record<'_>) -> Result<ModelCall, Reason> {
    let told = &record.attributes;
    let input = told.count("input_token_count")?;
    let cached = told.count("cached_token_count")?.min(input);
    let output = told.count("output_token_count")?;
    let tokens = TokenCounts { input: input - cached, output, cache_read: cached, ..TokenCounts::default() };
    Ok(ModelCall {
        model: told.name("model", ModelName::new)?,
        tokens: bounded(tokens)?,
        reported: None,
        duration_us: told.duration_us("duration_ms")?,
        ok: true,
        fast: false,
    })
}

fn failed(record: &Record<'_>) -> Result<bool, Reason> {
    let status = record.attributes.number("http.response.status_code")?;
    Ok(status.is_some_and(|status| status >= 400) || record.attributes.flag("success") == Some(false))
}

fn failure(record: &Record<'_>) -> Result<ModelCall, Reason> {
    Ok(ModelCall {
        model: record.attributes.name("model", ModelName::new)?,
        tokens: TokenCounts::default(),
        reported: None,
        duration_us: record.attributes.duration_us("duration_ms")?,
        ok: false,
        fast: false,
    })
}
