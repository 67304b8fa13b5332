//! Log records: which tool's event each is.

use model::id::NameError;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::attributes::Attributes;
use super::belonging::{Belonging, Tool};
use super::parse::{Origin, Parsed, Place};
use super::plain::{Plain, is_agents};
use super::record::{Mapped, Record, time_of};
use super::{claude_code, codex, gas_town, gemini, gen_ai, underway};

/// Takes every record.
///
/// # Errors
/// A source's name is refused, which does not happen.
pub(super) fn parse(request: &ExportLogsServiceRequest, logs_of: &[String]) -> Result<Parsed, NameError> {
    let mut parsed = Parsed::default();
    for resource in &request.resource_logs {
        let place = Place::of(resource.resource.as_ref());
        for scope in &resource.scope_logs {
            let origin = Origin::of(&place, scope.scope.as_ref())?;
            let plain = Plain::of(&origin, scope.scope.as_ref(), logs_of);
            for log in &scope.log_records {
                let attributes = origin.attributes(&log.attributes);
                let name = name(&origin, log, &attributes);
                let said = plain.as_ref().filter(|_| !is_agents(log, name));
                let told = underway::of(&origin, log, &attributes, name);
                let (name, mapped) = match said {
                    Some(plain) => (plain.name(log), plain.map(&origin, log, &attributes)),
                    // Understood, though it is no event.
                    None if told.as_ref().is_some_and(|told| !told.over) => (name, Ok(Some(Vec::new()))),
                    None => (name, map(&origin, log, attributes, name)),
                };
                let (share, place) = parsed.next(&attributes);
                share.requests.extend(told);
                share.settle(&origin.source, name, place, mapped);
            }
        }
    }
    Ok(parsed)
}

/// The record's name: `event.name`, else its field of that name. The body is a name with Gas Town, and with Claude Code
/// when it begins as its names do; otherwise it is what somebody said, and is not looked at.
fn name<'a>(origin: &Origin<'_>, log: &'a LogRecord, attributes: &Attributes<'a>) -> &'a str {
    let body = || match log.body.as_ref()?.value.as_ref()? {
        Value::StringValue(body) if origin.tool == Tool::GasTown => gas_town::name(body),
        Value::StringValue(body) if body.starts_with("claude_code.") => Some(body.as_str()),
        _ => None,
    };
    let field = Some(log.event_name.as_str()).filter(|name| !name.is_empty());
    attributes.text("event.name").or(field).or_else(body).unwrap_or_default()
}

fn map(origin: &Origin<'_>, log: &LogRecord, attributes: Attributes<'_>, name: &str) -> Mapped {
    let at = time_of(&attributes, [log.time_unix_nano, log.observed_time_unix_nano])?;
    let who = Belonging::of(&attributes, origin.source.clone());
    let conversation = origin.conversation(&who, &attributes).unwrap_or_default();
    let serial = match attributes.number("event.sequence") {
        Ok(Some(sequence)) => sequence.to_le_bytes(),
        _ => log.time_unix_nano.to_le_bytes(),
    };
    let bare = ["claude_code.", "codex.", "gemini_cli."].iter().find_map(|prefix| name.strip_prefix(prefix));
    let record = Record {
        name: bare.unwrap_or(name),
        at,
        attributes,
        who,
        conversation: &conversation,
        serial: serial.to_vec(),
    };
    match origin.tool {
        Tool::ClaudeCode => claude_code::map(&record),
        Tool::Codex => codex::map(&record),
        Tool::Gemini => gemini::map(&record),
        Tool::GasTown => gas_town::map(&record),
        Tool::Generic => gen_ai::map(&record, None, true),
    }
}
