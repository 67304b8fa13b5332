//! OTLP bodies for tests, made in the code: the same content in both encodings.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use serde_json::{Value, json};

/// 2025-06-10T12:36:00Z in nanoseconds.
pub const T0: u64 = 1_749_558_960_000_000_000;
pub const SECOND: u64 = 1_000_000_000;

/// Log records of one resource.
#[derive(Clone)]
pub struct Logs {
    /// Attributes of the resource, as a JSON object.
    pub resource: Value,
    /// Time in nanoseconds and attributes.
    pub records: Vec<(u64, Value)>,
}

/// One sum of one resource.
#[derive(Clone)]
pub struct Sum {
    pub resource: Value,
    pub name: &'static str,
    pub cumulative: bool,
    /// Attributes, start, time, value.
    pub points: Vec<(Value, u64, u64, f64)>,
}

fn pairs(attributes: &Value) -> Vec<Value> {
    let value = |value: &Value| match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(flag) => json!({"boolValue": flag}),
        Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        // As the JavaScript SDK does; Go writes a string.
        Value::Number(number) => json!({"intValue": number}),
        other => panic!("{other}"),
    };
    attributes.as_object().unwrap().iter().map(|(key, v)| json!({"key": key, "value": value(v)})).collect()
}

fn attributes(attributes: &Value) -> Vec<KeyValue> {
    let value = |value: &Value| match value {
        Value::String(text) => any_value::Value::StringValue(text.clone()),
        Value::Bool(flag) => any_value::Value::BoolValue(*flag),
        Value::Number(number) if number.is_f64() => any_value::Value::DoubleValue(number.as_f64().unwrap()),
        Value::Number(number) => any_value::Value::IntValue(number.as_i64().unwrap()),
        other => panic!("{other}"),
    };
    let all = attributes.as_object().unwrap().iter();
    all.map(|(key, v)| KeyValue {
        key: key.clone(),
        value: Some(AnyValue { value: Some(value(v)) }),
        ..Default::default()
    })
    .collect()
}

impl Logs {
    pub fn json(&self) -> Vec<u8> {
        let record = |(at, attributes): &(u64, Value)| {
            json!({
                "timeUnixNano": at.to_string(), "attributes": pairs(attributes), "droppedAttributesCount": 0,
                "body": {"stringValue": "a secret that nobody may keep"},
            })
        };
        let records: Vec<Value> = self.records.iter().map(record).collect();
        json!({"resourceLogs": [{"resource": {"attributes": pairs(&self.resource)},
            "scopeLogs": [{"scope": {"name": "test"}, "logRecords": records}]}]})
        .to_string()
        .into_bytes()
    }

    pub fn protobuf(&self) -> Vec<u8> {
        let record = |(at, told): &(u64, Value)| logs::LogRecord {
            time_unix_nano: *at,
            attributes: attributes(told),
            ..Default::default()
        };
        let scope = logs::ScopeLogs {
            scope: Some(InstrumentationScope { name: "test".into(), ..Default::default() }),
            log_records: self.records.iter().map(record).collect(),
            ..Default::default()
        };
        let resource = Some(Resource { attributes: attributes(&self.resource), ..Default::default() });
        let all = logs::ResourceLogs { resource, scope_logs: vec![scope], ..Default::default() };
        ExportLogsServiceRequest { resource_logs: vec![all] }.encode_to_vec()
    }
}

impl Sum {
    pub fn json(&self) -> Vec<u8> {
        let point = |(told, start, at, value): &(Value, u64, u64, f64)| {
            json!({
                "attributes": pairs(told), "startTimeUnixNano": start.to_string(), "timeUnixNano": at.to_string(),
                "asDouble": value,
            })
        };
        let points: Vec<Value> = self.points.iter().map(point).collect();
        let temporality = if self.cumulative { 2 } else { 1 };
        json!({"resourceMetrics": [{"resource": {"attributes": pairs(&self.resource)},
            "scopeMetrics": [{"scope": {"name": "test"}, "metrics": [{"name": self.name, "unit": "",
                "sum": {"aggregationTemporality": temporality, "isMonotonic": true, "dataPoints": points}}]}]}]})
        .to_string()
        .into_bytes()
    }

    pub fn protobuf(&self) -> Vec<u8> {
        let point = |(told, start, at, value): &(Value, u64, u64, f64)| metrics::NumberDataPoint {
            attributes: attributes(told),
            start_time_unix_nano: *start,
            time_unix_nano: *at,
            value: Some(metrics::number_data_point::Value::AsDouble(*value)),
            ..Default::default()
        };
        let sum = metrics::Sum {
            data_points: self.points.iter().map(point).collect(),
            aggregation_temporality: if self.cumulative { 2 } else { 1 },
            is_monotonic: true,
        };
        let metric = metrics::Metric {
            name: self.name.into(),
            data: Some(metrics::metric::Data::Sum(sum)),
            ..Default::default()
        };
        let scope = metrics::ScopeMetrics {
            scope: Some(InstrumentationScope { name: "test".into(), ..Default::default() }),
            metrics: vec![metric],
            ..Default::default()
        };
        let resource = Some(Resource { attributes: attributes(&self.resource), ..Default::default() });
        let all = metrics::ResourceMetrics { resource, scope_metrics: vec![scope], ..Default::default() };
        ExportMetricsServiceRequest { resource_metrics: vec![all] }.encode_to_vec()
    }
}

/// Claude Code under Gas Town.
pub fn claude() -> Value {
    json!({"service.name": "claude-code", "gt.role": "gastown/polecats/furiosa", "gt.rig": "gastown",
        "gt.agent": "furiosa", "gt.session": "gt-furiosa", "gt.issue": "gt-69dai", "gt.town": "gt"})
}

/// A finished call of `session`; 1,000 tokens and what `output` says.
pub fn request(session: &str, sequence: u64, request: Option<&str>, output: u64) -> (u64, Value) {
    let mut told = json!({"event.name": "api_request", "session.id": session, "event.sequence": sequence,
        "model": "claude-sonnet-4-5", "input_tokens": 4, "output_tokens": output, "cache_read_tokens": 496,
        "cache_creation_tokens": 500, "cost_usd": 0.0125, "duration_ms": 3377});
    if let Some(request) = request {
        told["request_id"] = json!(request);
    }
    (T0 + sequence * SECOND, told)
}

/// `claude_code.token.usage` of `session`.
pub fn tokens(session: &str, cumulative: bool, points: &[(&str, u64, u64, f64)]) -> Sum {
    let point = |(kind, start, at, value): &(&str, u64, u64, f64)| {
        let told = json!({"session.id": session, "type": kind, "model": "claude-sonnet-4-5", "query_source": "main"});
        (told, T0 + start * SECOND, T0 + at * SECOND, *value)
    };
    Sum { resource: claude(), name: "claude_code.token.usage", cumulative, points: points.iter().map(point).collect() }
}
