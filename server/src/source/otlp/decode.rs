//! From a body to what it holds.

use model::id::NameError;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bound::{self, TooMany};
use super::{Parsed, json, logs, metrics, traces};

/// What a request exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Metrics.
    Metrics,
    /// Log records, which events are.
    Logs,
    /// Spans.
    Traces,
}

impl Signal {
    /// What a body of JSON exports, by its envelope; logs when it exports nothing.
    ///
    /// # Errors
    /// It is no JSON object.
    pub fn of_json(body: &[u8]) -> Result<Self, DecodeError> {
        let envelope: Envelope<'_> = serde_json::from_slice(body)?;
        Ok(match envelope {
            Envelope { resource_metrics: Some(_), .. } => Self::Metrics,
            Envelope { resource_spans: Some(_), .. } => Self::Traces,
            Envelope { .. } => Self::Logs,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    resource_metrics: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_spans: Option<&'a RawValue>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

/// Why a body cannot be read; names places, never content.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not protobuf of that message.
    #[error("the body is not protobuf of this signal: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// Not JSON of that message. The parser's own words would repeat what it found there.
    #[error("the body is not OTLP's JSON of this signal: line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Reading it would take too much memory.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// A source's name is refused, which does not happen.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}

/// Reads a body. Log lines are kept of services in `logs_of` only.
///
/// # Errors
/// It is not what its encoding and signal say, or holds too much.
pub fn decode(signal: Signal, encoding: Encoding, body: &[u8], logs_of: &[String]) -> Result<Parsed, DecodeError> {
    bound::check(signal, encoding, body)?;
    let parsed = match (signal, encoding) {
        (Signal::Logs, Encoding::Protobuf) => logs::parse(&ExportLogsServiceRequest::decode(body)?, logs_of),
        (Signal::Logs, Encoding::Json) => logs::parse(&json::logs(body)?, logs_of),
        (Signal::Metrics, Encoding::Protobuf) => metrics::parse(&ExportMetricsServiceRequest::decode(body)?),
        (Signal::Metrics, Encoding::Json) => metrics::parse(&json::metrics(body)?),
        (Signal::Traces, Encoding::Protobuf) => traces::parse(&ExportTraceServiceRequest::decode(body)?),
        (Signal::Traces, Encoding::Json) => traces::parse(&json::traces(body)?),
    };
    Ok(parsed?)
}
