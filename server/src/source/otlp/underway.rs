//! What agents' events show to be under way: a tool that was permitted has begun, and its result ends it (see
//! [`crate::request`]). Both name the use as transcripts do.

use model::id::ToolName;
use model::request::{Implied, RequestOf};
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::attributes::Attributes;
use super::belonging::{Belonging, Tool};
use super::parse::Origin;
use super::record::time_of;
use crate::source::identity;

/// What an event says of a tool's use, if it does.
pub(super) fn of(origin: &Origin<'_>, log: &LogRecord, attributes: &Attributes<'_>, name: &str) -> Option<Implied> {
    let (prefix, id) = match origin.tool {
        Tool::ClaudeCode => ("claude_code.", "tool_use_id"),
        Tool::Codex => ("codex.", "call_id"),
        Tool::Gemini | Tool::GasTown | Tool::Generic => return None,
    };
    let over = match name.strip_prefix(prefix).unwrap_or(name) {
        "tool_result" => true,
        "tool_decision" if is_permitted(attributes.text("decision")?) => false,
        _ => return None,
    };
    let id = attributes.text(id)?;
    let at = time_of(attributes, [log.time_unix_nano, log.observed_time_unix_nano]).ok()?;
    let Belonging { source, rig, role, agent, session, bead } = Belonging::of(attributes, origin.source.clone());
    let tool = attributes.text("tool_name").and_then(|name| ToolName::new(name).ok());
    let of = RequestOf { source, rig, role, agent, session, bead, model: None, tool };
    Some(Implied { id: identity::tool_request(id), of, at, over, claim: Some(identity::tool(id)) })
}

/// Claude Code says `accept`; Codex `approved` or `approved_for_session`, in various spellings.
fn is_permitted(decision: &str) -> bool {
    let decision = decision.to_ascii_lowercase();
    decision.starts_with("accept") || decision.starts_with("approved")
}
