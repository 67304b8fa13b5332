//! Gemini CLI's events (FORMATS 5.4). It names no cost and no request: its calls count while no chat file of the
//! session is read.

use model::event::{Envelope, Event, LinesChanged, ModelCall};
use model::id::ModelName;
use model::tokens::TokenCounts;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::attributes::{Attributes, Reason};
use super::belonging::{event_claim, group};
use super::record::{Mapped, Record, bounded};

/// What becomes of an event.
pub(super) fn map(record: &Record<'_>) -> Mapped {
    match record.name {
        "api_response" => Ok(Some(vec![record.call(response(record)?)])),
        "api_error" => Ok(Some(vec![record.call(call(record, TokenCounts::default(), false)?)])),
        "tool_call" => {
            let tool = record.tool_call("function_name")?;
            let lines = lines(record)?.filter(|_| tool.ok);
            Ok(Some([Some(record.tool(None, tool)), lines].into_iter().flatten().collect()))
        }
        _ => Ok(None),
    }
}

/// Cached tokens are part of the input; thoughts are paid as output, a tool's results as input.
fn response(record: &Record<'_>) -> Result<ModelCall, Reason> {
    let told = &record.attributes;
    let input = told.count("input_token_count")?;
    let cached = told.count("cached_content_token_count")?.min(input);
    let tokens = TokenCounts {
        input: (input - cached).saturating_add(told.count("tool_token_count")?),
        output: told.count("output_token_count")?.saturating_add(told.count("thoughts_token_count")?),
        cache_read: cached,
        ..TokenCounts::default()
    };
    call(record, tokens, true)
}

fn call(record: &Record<'_>, tokens: TokenCounts, ok: bool) -> Result<ModelCall, Reason> {
    Ok(ModelCall {
        model: record.attributes.name("model", ModelName::new)?,
        tokens: bounded(tokens)?,
        reported: None,
        duration_us: record.attributes.duration_us("duration_ms")?,
        ok,
        fast: false,
    })
}

/// What the model itself wrote, from `metadata`: a map, or JSON in a text.
fn lines(record: &Record<'_>) -> Result<Option<Envelope>, Reason> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Metadata {
        model_added_lines: u32,
        model_removed_lines: u32,
    }
    let metadata = match record.attributes.get("metadata") {
        Some(Value::StringValue(json)) => serde_json::from_str(json).unwrap_or_default(),
        Some(Value::KvlistValue(map)) => {
            let map = Attributes { own: &map.values, resource: None };
            let lines = |key: &str| Ok::<_, Reason>(u32::try_from(map.count(key)?).unwrap_or(u32::MAX));
            Metadata {
                model_added_lines: lines("model_added_lines")?,
                model_removed_lines: lines("model_removed_lines")?,
            }
        }
        _ => Metadata::default(),
    };
    let (added, removed) = (metadata.model_added_lines, metadata.model_removed_lines);
    if added == 0 && removed == 0 {
        return Ok(None);
    }
    let event = Event::LinesChanged(LinesChanged { added, removed, file: None });
    let id = record.id(&[b"lines", &added.to_le_bytes(), &removed.to_le_bytes()]);
    let rank = model::dedupe::Rank { sidechain: false, tokens: 0, has_speed: false, at: record.at.0, origin: 0 };
    let claim = event_claim(group(&event, record.conversation), id, rank);
    Ok(Some(record.who.envelope(record.at, id, Some(claim), event)))
}
