//! What OTLP's messages hold of what takes memory, as a table: enough to count a body's contents without reading it.

use super::Signal;

/// A message, or a list's member, of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Logs,
    Metrics,
    Traces,
    ResourceLogs,
    ResourceMetrics,
    ResourceSpans,
    ScopeLogs,
    ScopeMetrics,
    ScopeSpans,
    LogRecord,
    Metric,
    Numbers,
    Histogram,
    Exponential,
    Summary,
    NumberPoint,
    HistogramPoint,
    ExponentialPoint,
    SummaryPoint,
    Span,
    SpanEvent,
    SpanLink,
    Exemplar,
    Quantile,
    Buckets,
    Resource,
    Scope,
    Entity,
    EntityKey,
    Attribute,
    /// An attribute's own, which takes no room of its own.
    Value,
    /// One of an array's.
    Element,
    Array,
    Map,
}

/// What a shape counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// It lies within what holds it, or comes once.
    Nothing,
    /// A record, point or span.
    Item,
    /// What holds items, or hangs on one.
    Frame,
    /// An attribute, or as small as one.
    Attribute,
    /// A list of small numbers: eight bytes of it as an attribute.
    Bytes,
}

/// Number in protobuf, name in JSON, and what it holds.
type Field = (u32, &'static str, Shape);

impl Shape {
    /// A whole body.
    pub(super) const fn of(signal: Signal) -> Self {
        match signal {
            Signal::Logs => Self::Logs,
            Signal::Metrics => Self::Metrics,
            Signal::Traces => Self::Traces,
        }
    }

    /// What to look into or to count; everything else is skipped.
    pub(super) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Logs => &[(1, "resourceLogs", Self::ResourceLogs)],
            Self::Metrics => &[(1, "resourceMetrics", Self::ResourceMetrics)],
            Self::Traces => &[(1, "resourceSpans", Self::ResourceSpans)],
            Self::ResourceLogs => &[(1, "resource", Self::Resource), (2, "scopeLogs", Self::ScopeLogs)],
            Self::ResourceMetrics => &[(1, "resource", Self::Resource), (2, "scopeMetrics", Self::ScopeMetrics)],
            Self::ResourceSpans => &[(1, "resource", Self::Resource), (2, "scopeSpans", Self::ScopeSpans)],
            Self::ScopeLogs => &[(1, "scope", Self::Scope), (2, "logRecords", Self::LogRecord)],
            Self::ScopeMetrics => &[(1, "scope", Self::Scope), (2, "metrics", Self::Metric)],
            Self::ScopeSpans => &[(1, "scope", Self::Scope), (2, "spans", Self::Span)],
            Self::LogRecord => &[(5, "body", Self::Value), (6, "attributes", Self::Attribute)],
            Self::Metric => &[
                (5, "gauge", Self::Numbers),
                (7, "sum", Self::Numbers),
                (9, "histogram", Self::Histogram),
                (10, "exponentialHistogram", Self::Exponential),
                (11, "summary", Self::Summary),
                (12, "metadata", Self::Attribute),
            ],
            Self::Numbers => &[(1, "dataPoints", Self::NumberPoint)],
            Self::Histogram => &[(1, "dataPoints", Self::HistogramPoint)],
            Self::Exponential => &[(1, "dataPoints", Self::ExponentialPoint)],
            Self::Summary => &[(1, "dataPoints", Self::SummaryPoint)],
            Self::NumberPoint => &[(5, "exemplars", Self::Exemplar), (7, "attributes", Self::Attribute)],
            Self::HistogramPoint => &[(8, "exemplars", Self::Exemplar), (9, "attributes", Self::Attribute)],
            Self::ExponentialPoint => &[
                (1, "attributes", Self::Attribute),
                (8, "positive", Self::Buckets),
                (9, "negative", Self::Buckets),
                (11, "exemplars", Self::Exemplar),
            ],
            Self::SummaryPoint => &[(6, "quantileValues", Self::Quantile), (7, "attributes", Self::Attribute)],
            Self::Exemplar => &[(7, "filteredAttributes", Self::Attribute)],
            Self::Span => {
                &[(9, "attributes", Self::Attribute), (11, "events", Self::SpanEvent), (13, "links", Self::SpanLink)]
            }
            Self::SpanEvent => &[(3, "attributes", Self::Attribute)],
            Self::SpanLink => &[(4, "attributes", Self::Attribute)],
            Self::Resource => &[(1, "attributes", Self::Attribute), (3, "entityRefs", Self::Entity)],
            Self::Scope => &[(3, "attributes", Self::Attribute)],
            Self::Entity => &[(3, "idKeys", Self::EntityKey), (4, "descriptionKeys", Self::EntityKey)],
            Self::Attribute => &[(2, "value", Self::Value)],
            Self::Value | Self::Element => &[(5, "arrayValue", Self::Array), (6, "kvlistValue", Self::Map)],
            Self::Array => &[(1, "values", Self::Element)],
            Self::Map => &[(1, "values", Self::Attribute)],
            Self::Quantile | Self::Buckets | Self::EntityKey => &[],
        }
    }

    /// What one of these counts as.
    pub(super) const fn weight(self) -> Weight {
        match self {
            Self::LogRecord
            | Self::NumberPoint
            | Self::HistogramPoint
            | Self::ExponentialPoint
            | Self::SummaryPoint
            | Self::Span => Weight::Item,
            Self::ResourceLogs
            | Self::ResourceMetrics
            | Self::ResourceSpans
            | Self::ScopeLogs
            | Self::ScopeMetrics
            | Self::ScopeSpans
            | Self::Metric
            | Self::SpanEvent
            | Self::SpanLink
            | Self::Exemplar
            | Self::Entity => Weight::Frame,
            Self::Attribute | Self::Element | Self::Quantile | Self::EntityKey => Weight::Attribute,
            Self::Buckets => Weight::Bytes,
            _ => Weight::Nothing,
        }
    }
}
