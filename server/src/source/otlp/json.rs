//! OTLP's JSON, read as real senders write it, into the same messages that protobuf gives.
//!
//! The serde of `opentelemetry-proto` is too strict for this: it fails on fields that it does not know in values, on
//! doubles and integers in the other's clothes, on `null` for an empty list. Only what the receiver looks at is read:
//! exemplars, buckets, links and bytes are skipped without being kept.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use serde::{Deserialize, Deserializer};

use super::number::{Double, Integer, Nanos};

/// Reads a body of logs.
///
/// # Errors
/// Not JSON, or not of this shape.
pub fn logs(body: &[u8]) -> serde_json::Result<ExportLogsServiceRequest> {
    let body: Logs = serde_json::from_slice(body)?;
    Ok(ExportLogsServiceRequest { resource_logs: all(body.resource_logs) })
}

/// Reads a body of metrics.
///
/// # Errors
/// Not JSON, or not of this shape.
pub fn metrics(body: &[u8]) -> serde_json::Result<ExportMetricsServiceRequest> {
    let body: Metrics = serde_json::from_slice(body)?;
    Ok(ExportMetricsServiceRequest { resource_metrics: all(body.resource_metrics) })
}

/// Reads a body of spans.
///
/// # Errors
/// Not JSON, or not of this shape.
pub fn traces(body: &[u8]) -> serde_json::Result<ExportTraceServiceRequest> {
    let body: Traces = serde_json::from_slice(body)?;
    Ok(ExportTraceServiceRequest { resource_spans: all(body.resource_spans) })
}

fn all<A, B: From<A>>(many: Vec<A>) -> Vec<B> {
    many.into_iter().map(B::from).collect()
}

/// `null` stands for what is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A message of which any field may be missing or `null`, and the protobuf message that it becomes.
macro_rules! shapes {
    ($($name:ident { $($field:ident: $kind:ty),* $(,)? } $(=> |$it:ident| $into:ty { $($body:tt)* })?;)*) => {$(
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct $name {
            $(#[serde(deserialize_with = "or_default")] $field: $kind,)*
        }
        $(impl From<$name> for $into {
            fn from($it: $name) -> Self {
                $($body)*
            }
        })?
    )*};
}

shapes! {
    Logs { resource_logs: Vec<ResourceLogs> };
    ResourceLogs { resource: Entity, scope_logs: Vec<ScopeLogs> } => |it| logs::ResourceLogs {
        logs::ResourceLogs {
            resource: Some(it.resource.into()),
            scope_logs: all(it.scope_logs),
            ..Default::default()
        }
    };
    ScopeLogs { scope: Scope, log_records: Vec<LogRecord> } => |it| logs::ScopeLogs {
        logs::ScopeLogs { scope: Some(it.scope.into()), log_records: all(it.log_records), ..Default::default() }
    };
    LogRecord {
        time_unix_nano: Nanos,
        observed_time_unix_nano: Nanos,
        severity_number: Severity,
        severity_text: String,
        body: Value,
        event_name: String,
        attributes: Vec<Pair>,
        trace_id: String,
        span_id: String,
    } => |it| logs::LogRecord {
        logs::LogRecord {
            time_unix_nano: it.time_unix_nano.0,
            observed_time_unix_nano: it.observed_time_unix_nano.0,
            severity_number: it.severity_number.0,
            severity_text: it.severity_text,
            body: Some(it.body.into()),
            event_name: it.event_name,
            attributes: all(it.attributes),
            trace_id: id(&it.trace_id),
            span_id: id(&it.span_id),
            ..Default::default()
        }
    };

    Metrics { resource_metrics: Vec<ResourceMetrics> };
    ResourceMetrics { resource: Entity, scope_metrics: Vec<ScopeMetrics> } => |it| metrics::ResourceMetrics {
        metrics::ResourceMetrics {
            resource: Some(it.resource.into()),
            scope_metrics: all(it.scope_metrics),
            ..Default::default()
        }
    };
    ScopeMetrics { scope: Scope, metrics: Vec<Metric> } => |it| metrics::ScopeMetrics {
        metrics::ScopeMetrics { scope: Some(it.scope.into()), metrics: all(it.metrics), ..Default::default() }
    };
    Metric {
        name: String,
        sum: Option<Points>,
        gauge: Option<Points>,
        histogram: Option<Points>,
        exponential_histogram: Option<Points>,
        summary: Option<Points>,
    } => |it| metrics::Metric { metric(it) };
    Points { data_points: Vec<Point>, aggregation_temporality: Temporality, is_monotonic: bool };
    Point {
        attributes: Vec<Pair>,
        start_time_unix_nano: Nanos,
        time_unix_nano: Nanos,
        as_int: Option<Integer>,
        as_double: Option<Double>,
        count: Nanos,
        sum: Option<Double>,
    } => |it| metrics::NumberDataPoint {
        let number = it.as_int.map(|n| metrics::number_data_point::Value::AsInt(n.0));
        metrics::NumberDataPoint {
            attributes: all(it.attributes),
            start_time_unix_nano: it.start_time_unix_nano.0,
            time_unix_nano: it.time_unix_nano.0,
            value: number.or(it.as_double.map(|n| metrics::number_data_point::Value::AsDouble(n.0))),
            ..Default::default()
        }
    };

    Traces { resource_spans: Vec<ResourceSpans> };
    ResourceSpans { resource: Entity, scope_spans: Vec<ScopeSpans> } => |it| trace::ResourceSpans {
        trace::ResourceSpans {
            resource: Some(it.resource.into()),
            scope_spans: all(it.scope_spans),
            ..Default::default()
        }
    };
    ScopeSpans { scope: Scope, spans: Vec<Span> } => |it| trace::ScopeSpans {
        trace::ScopeSpans { scope: Some(it.scope.into()), spans: all(it.spans), ..Default::default() }
    };
    Span {
        trace_id: String,
        span_id: String,
        name: String,
        start_time_unix_nano: Nanos,
        end_time_unix_nano: Nanos,
        attributes: Vec<Pair>,
        status: Status,
    } => |it| trace::Span {
        trace::Span {
            trace_id: id(&it.trace_id),
            span_id: id(&it.span_id),
            name: it.name,
            start_time_unix_nano: it.start_time_unix_nano.0,
            end_time_unix_nano: it.end_time_unix_nano.0,
            attributes: all(it.attributes),
            status: Some(trace::Status { code: it.status.code.0, message: String::new() }),
            ..Default::default()
        }
    };
    Status { code: StatusCode };

    Entity { attributes: Vec<Pair> } => |it| Resource {
        Resource { attributes: all(it.attributes), ..Default::default() }
    };
    Scope { name: String, version: String } => |it| InstrumentationScope {
        InstrumentationScope { name: it.name, version: it.version, ..Default::default() }
    };
    Pair { key: String, value: Value } => |it| KeyValue {
        KeyValue { key: it.key, value: Some(it.value.into()), ..Default::default() }
    };
    Value {
        string_value: Option<String>,
        bool_value: Option<bool>,
        int_value: Option<Integer>,
        double_value: Option<Double>,
        array_value: Option<Array>,
        kvlist_value: Option<Map>,
    } => |it| AnyValue { AnyValue { value: value(it) } };
    Array { values: Vec<Value> };
    Map { values: Vec<Pair> };
}

fn value(it: Value) -> Option<any_value::Value> {
    let text = it.string_value.map(any_value::Value::StringValue);
    text.or(it.bool_value.map(any_value::Value::BoolValue))
        .or(it.int_value.map(|n| any_value::Value::IntValue(n.0)))
        .or(it.double_value.map(|n| any_value::Value::DoubleValue(n.0)))
        .or(it.array_value.map(|array| any_value::Value::ArrayValue(ArrayValue { values: all(array.values) })))
        .or(it.kvlist_value.map(|map| any_value::Value::KvlistValue(KeyValueList { values: all(map.values) })))
}

fn metric(it: Metric) -> metrics::Metric {
    use metrics::metric::Data;
    let sum = it.sum.map(|points| {
        Data::Sum(metrics::Sum {
            aggregation_temporality: points.aggregation_temporality.0,
            is_monotonic: points.is_monotonic,
            data_points: all(points.data_points),
        })
    });
    let histogram = it.histogram.map(|points| {
        Data::Histogram(metrics::Histogram {
            aggregation_temporality: points.aggregation_temporality.0,
            data_points: points.data_points.into_iter().map(histogram_point).collect(),
        })
    });
    // Nothing is made of the others; their points are counted.
    let others = [it.gauge, it.exponential_histogram, it.summary].into_iter().flatten().next();
    let other = others.map(|points| Data::Gauge(metrics::Gauge { data_points: all(points.data_points) }));
    metrics::Metric { name: it.name, data: sum.or(histogram).or(other), ..Default::default() }
}

fn histogram_point(it: Point) -> metrics::HistogramDataPoint {
    metrics::HistogramDataPoint {
        attributes: all(it.attributes),
        start_time_unix_nano: it.start_time_unix_nano.0,
        time_unix_nano: it.time_unix_nano.0,
        count: it.count.0,
        sum: it.sum.map(|n| n.0),
        ..Default::default()
    }
}

/// 1 is delta, 2 is cumulative; protobuf's own JSON writes the names.
#[derive(Default)]
struct Temporality(i32);

impl<'de> Deserialize<'de> for Temporality {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let of_name = |name: &str| metrics::AggregationTemporality::from_str_name(name).map(|t| t as i32);
        Ok(Self(Word::deserialize(from)?.number(of_name)))
    }
}

/// 9 is information, 13 a warning, 17 an error.
#[derive(Default)]
struct Severity(i32);

impl<'de> Deserialize<'de> for Severity {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let of_name = |name: &str| logs::SeverityNumber::from_str_name(name).map(|severity| severity as i32);
        Ok(Self(Word::deserialize(from)?.number(of_name)))
    }
}

/// 2 is an error.
#[derive(Default)]
struct StatusCode(i32);

impl<'de> Deserialize<'de> for StatusCode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let of_name = |name: &str| trace::status::StatusCode::from_str_name(name).map(|code| code as i32);
        Ok(Self(Word::deserialize(from)?.number(of_name)))
    }
}

/// An enumeration's number or name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Number(i32),
    Name(String),
}

impl Word {
    fn number(&self, of_name: impl Fn(&str) -> Option<i32>) -> i32 {
        match self {
            Self::Number(number) => *number,
            Self::Name(name) => name.parse().ok().or_else(|| of_name(name)).unwrap_or(0),
        }
    }
}

/// Ids are hexadecimal in JSON and bytes in protobuf; both are the same id.
fn id(hex: &str) -> Vec<u8> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect(),
        _ => hex.as_bytes().to_vec(),
    }
}
