//! Metrics: which points become events, delta and cumulative.

use model::id::NameError;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric};

use super::attributes::{Reason, fingerprint};
use super::belonging::Belonging;
use super::measure::Measure;
use super::parse::{Origin, Parsed, Place, Share};
use super::point::Point;
use super::record::time;
use crate::source::identity;

/// Takes every point.
///
/// # Errors
/// A source's name is refused, which does not happen.
pub(super) fn parse(request: &ExportMetricsServiceRequest) -> Result<Parsed, NameError> {
    let mut parsed = Parsed::default();
    for resource in &request.resource_metrics {
        let place = Place::of(resource.resource.as_ref());
        for scope in &resource.scope_metrics {
            let origin = Origin::of(&place, scope.scope.as_ref())?;
            for metric in &scope.metrics {
                take(&origin, metric, &mut parsed);
            }
        }
    }
    Ok(parsed)
}

/// A point of whatever kind of metric.
struct Raw<'a> {
    own: &'a [KeyValue],
    start: u64,
    time: u64,
    value: Option<f64>,
    temporality: i32,
}

fn take(origin: &Origin<'_>, metric: &Metric, parsed: &mut Parsed) {
    let points: Vec<Raw<'_>> = match &metric.data {
        Some(Data::Sum(sum)) => {
            let raw = |point| number(point, sum.aggregation_temporality);
            sum.data_points.iter().map(raw).collect()
        }
        Some(Data::Histogram(histogram)) => {
            let temporality = histogram.aggregation_temporality;
            let points = histogram.data_points.iter();
            let raw = points.map(|point| Raw {
                own: &point.attributes,
                start: point.start_time_unix_nano,
                time: point.time_unix_nano,
                value: point.sum,
                temporality,
            });
            raw.collect()
        }
        // What is no sum cannot become events; it is counted.
        Some(Data::Gauge(gauge)) => return skip(origin, metric, gauge.data_points.len(), parsed),
        Some(Data::ExponentialHistogram(other)) => return skip(origin, metric, other.data_points.len(), parsed),
        Some(Data::Summary(other)) => return skip(origin, metric, other.data_points.len(), parsed),
        None => return skip(origin, metric, 0, parsed),
    };
    for raw in points {
        let attributes = origin.attributes(raw.own);
        let (share, place) = parsed.next(&attributes);
        match point(origin, metric, &raw) {
            Ok(Some(point)) => keep(share, point, raw.temporality == AggregationTemporality::Cumulative as i32),
            Ok(None) => share.unmapped(&origin.source, &metric.name, 1),
            Err(reason) => share.reject(&origin.source, place, reason),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53, and refused beyond")]
fn number(point: &opentelemetry_proto::tonic::metrics::v1::NumberDataPoint, temporality: i32) -> Raw<'_> {
    Raw {
        own: &point.attributes,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        value: point.value.map(|value| match value {
            Value::AsDouble(value) => value,
            Value::AsInt(value) => value as f64,
        }),
        temporality,
    }
}

fn skip(origin: &Origin<'_>, metric: &Metric, points: usize, parsed: &mut Parsed) {
    let (share, _) = parsed.next(&origin.attributes(&[]));
    share.unmapped(&origin.source, &metric.name, points.max(1));
    parsed.items += points.saturating_sub(1);
}

fn point(origin: &Origin<'_>, metric: &Metric, raw: &Raw<'_>) -> Result<Option<Point>, Reason> {
    let attributes = origin.attributes(raw.own);
    let Some(measure) = Measure::of(origin.tool, &metric.name, &attributes)? else { return Ok(None) };
    let who = Belonging::of(&attributes, origin.source.clone());
    // Without a session nobody can tell whether its events tell the same.
    let Some(conversation) = origin.conversation(&who, &attributes) else { return Ok(None) };
    let value = raw.value.ok_or("the point has no value")?;
    let units = measure.units(value).ok_or("the value is not a count")?;
    let at = time(raw.time).ok_or("no believable time")?;
    if raw.temporality == AggregationTemporality::Cumulative as i32 && raw.start == 0 {
        return Err("a running sum without its start time".to_owned());
    }
    if raw.temporality == AggregationTemporality::Unspecified as i32 {
        return Err("aggregationTemporality is not specified".to_owned());
    }
    let series = identity::hash(
        "otel series",
        &[
            &origin.hash.to_le_bytes(),
            metric.name.as_bytes(),
            &fingerprint(raw.own).to_le_bytes(),
            &raw.start.to_le_bytes(),
        ],
    );
    Ok(Point::new(measure, who, &conversation, series, (at, raw.time), units))
}

fn keep(share: &mut Share, point: Point, cumulative: bool) {
    if cumulative { share.keep_furthest(point) } else { share.events.extend(point.delta()) }
}
