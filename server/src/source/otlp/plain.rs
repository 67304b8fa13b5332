//! Log records that are nothing but lines of a log: severity and body.
//!
//! Bodies may hold anything, prompts too. So they are kept only of services that the owner names (`otlp_logs_of`), never of
//! an agent that is known here, and never of a record that speaks of generative AI; and what is kept is made harmless first
//! ([`crate::source::redact`]). All others are counted by name, as everything that is not understood.

use model::event::Event;
use model::event_line::Level;
use model::id::LoggerName;
use model::log_line::LogLine;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::attributes::Attributes;
use super::belonging::{Belonging, Tool};
use super::parse::Origin;
use super::record::{Mapped, time_of};
use crate::source::{identity, redact};

/// Severities from here on are info, warnings, errors; what is below is too fine to be kept.
const INFO: i32 = 9;
const WARN: i32 = 13;
const ERROR: i32 = 17;

/// A scope of a service whose lines are kept.
pub(super) struct Plain {
    logger: Option<LoggerName>,
}

/// Whether a record speaks of generative AI, whoever sends it.
pub(super) fn is_agents(log: &LogRecord, name: &str) -> bool {
    name.starts_with("gen_ai.") || log.attributes.iter().any(|pair| pair.key.starts_with("gen_ai."))
}

impl Plain {
    /// The scope, if its service is one of `logs_of` and no agent that is known here.
    pub(super) fn of(origin: &Origin<'_>, scope: Option<&InstrumentationScope>, logs_of: &[String]) -> Option<Self> {
        if origin.tool != Tool::Generic || logs_of.is_empty() {
            return None;
        }
        let attributes = origin.attributes(&[]);
        let service = attributes.text("service.name")?;
        if !logs_of.iter().any(|kept| kept == service) {
            return None;
        }
        let scope = scope.map(|scope| scope.name.as_str()).filter(|name| !name.is_empty());
        Some(Self { logger: LoggerName::new(scope.unwrap_or(service)).ok() })
    }

    /// What a record that becomes no line is counted as.
    pub(super) const fn name(&self, log: &LogRecord) -> &'static str {
        if log.severity_number > 0 && log.severity_number < INFO { "log.below_info" } else { "log.without_text" }
    }

    pub(super) fn map(&self, origin: &Origin<'_>, log: &LogRecord, attributes: &Attributes<'_>) -> Mapped {
        let Some(level) = level(log) else { return Ok(None) };
        let Some(Value::StringValue(body)) = log.body.as_ref().and_then(|body| body.value.as_ref()) else {
            return Ok(None);
        };
        let text = redact::line(body);
        if text.is_empty() {
            return Ok(None);
        }
        let at = time_of(attributes, [log.time_unix_nano, log.observed_time_unix_nano])?;
        let who = Belonging::of(attributes, origin.source.clone());
        let logger = self.logger.as_ref().map_or("", LoggerName::as_str);
        let nanos = log.time_unix_nano.to_le_bytes();
        let parts = [&origin.place_hash()[..], &nanos, level.name().as_bytes(), logger.as_bytes(), text.as_bytes()];
        let key = identity::hash("otel log", &parts);
        let line = LogLine { level, logger: self.logger.clone(), text };
        Ok(Some(vec![who.envelope(at, key, None, Event::Log(line))]))
    }
}

/// None: too fine to be kept. A record without a severity is as it should be.
fn level(log: &LogRecord) -> Option<Level> {
    match log.severity_number {
        n if n >= ERROR => Some(Level::Error),
        n if n >= WARN => Some(Level::Warn),
        n if n >= INFO => Some(Level::Info),
        0 => match log.severity_text.to_ascii_lowercase().as_str() {
            "error" | "fatal" | "critical" => Some(Level::Error),
            "warn" | "warning" => Some(Level::Warn),
            "trace" | "debug" => None,
            _ => Some(Level::Info),
        },
        _ => None,
    }
}
