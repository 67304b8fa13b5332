//! The semantic conventions for generative AI, for senders that nothing else is known of: spans and events with
//! `gen_ai.usage.*`.

use model::event::ModelCall;
use model::id::{ModelName, ToolName};
use model::tokens::TokenCounts;

use super::record::{Mapped, Record, bounded};

/// Attributes that only a finished call has.
const USAGE: [&str; 4] = [
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
];

/// What becomes of a record. `duration_us` and `ok` are a span's.
pub(super) fn map(record: &Record<'_>, duration_us: Option<u64>, ok: bool) -> Mapped {
    let told = &record.attributes;
    if told.text("gen_ai.operation.name") == Some("execute_tool") {
        let tool = told.name("gen_ai.tool.name", ToolName::new)?;
        let call = model::event::ToolCall { tool, duration_us, ok, file: None };
        return Ok(Some(vec![record.tool(told.text("gen_ai.tool.call.id"), call)]));
    }
    if USAGE.iter().all(|key| told.get(key).is_none()) {
        return Ok(None);
    }
    // An agent's span repeats the sum of the calls below it.
    if matches!(told.text("gen_ai.operation.name"), Some("invoke_agent" | "create_agent" | "invoke_workflow")) {
        return Ok(None);
    }
    let either = |new: &str, old: &str| Ok::<_, String>(told.number(new)?.or(told.number(old)?).unwrap_or(0));
    let all = either(USAGE[0], USAGE[2])?;
    // The conventions' input includes what was read from and written to the cache.
    let read = told.count("gen_ai.usage.cache_read.input_tokens")?.min(all);
    let written = told.count("gen_ai.usage.cache_creation.input_tokens")?.min(all - read);
    let model =
        if told.text("gen_ai.response.model").is_some() { "gen_ai.response.model" } else { "gen_ai.request.model" };
    let call = ModelCall {
        model: told.name(model, ModelName::new)?,
        tokens: bounded(TokenCounts {
            input: all - read - written,
            output: either(USAGE[1], USAGE[3])?,
            cache_read: read,
            cache_write_5m: written,
            cache_write_1h: 0,
        })?,
        reported: None,
        duration_us,
        ok,
        fast: false,
    };
    Ok(Some(vec![record.call(call)]))
}
