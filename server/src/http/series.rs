//! `GET /api/towns/{town}/series`: one metric over a range, as JSON or CSV.

use std::fmt::Write as _;

use app::reader::SeriesRange;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::id::ToolName;
use model::series::{MarkKind, Metric, SeriesPage};
use model::time::{MICROS_PER_SECOND, TimeRange, Timestamp, Window};
use serde::{Deserialize, Serialize};

use super::town::town_name;
use crate::db::series::Subject;
use crate::error::ApiError;
use crate::state::App;

/// Longest range in one answer: two years of 6 h buckets.
const MAX_RANGE_S: i64 = 732 * 86_400;

/// `/api/towns/{town}/series`.
pub fn router() -> Router<App> {
    Router::new().route("/api/towns/{town}/series", get(series))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    metric: Option<String>,
    window: Option<String>,
    from: Option<String>,
    to: Option<String>,
    tool: Option<String>,
    format: Option<String>,
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    metric: &'static str,
    from: String,
    to: String,
    step_s: i64,
    unit: &'static str,
    t: Vec<i64>,
    series: Vec<Line<'a>>,
    /// Of percentiles: how many calls each is of.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    calls: &'a [Option<i64>],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    marks: Vec<MarkBody<'a>>,
}

/// A span of which something has to be said: its calls were priced again `at`.
#[derive(Debug, Serialize)]
struct MarkBody<'a> {
    from: String,
    to: String,
    kind: MarkKind,
    at: String,
    note: &'a str,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    name: &'a str,
    v: Vec<Option<f64>>,
}

async fn series(
    State(app): State<App>,
    Path(town): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (subject, range) = understand(&asked)?;
    let csv = is_csv(&asked, &headers)?;
    let town = town_name(&town)?;
    let page = app.reader.series(&town, &subject, range).await?;
    if !csv {
        return Ok(axum::Json(body(&page)).into_response());
    }
    let name = format!("attachment; filename=\"{town}-{}.csv\"", subject.metric.name());
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)], spell_csv(&page))
        .into_response())
}

fn understand(asked: &Asked) -> Result<(Subject, SeriesRange), ApiError> {
    let metrics = Metric::ALL.map(Metric::name).join(", ");
    let raw = asked.metric.as_deref().unwrap_or_default();
    let metric = Metric::parse(raw).ok_or_else(|| {
        ApiError::bad_request(format!("\"{}\" is not a metric", short(raw)), format!("metric is one of {metrics}"))
    })?;
    let tool = match asked.tool.as_deref() {
        Some(raw) if metric == Metric::Latency => Some(ToolName::new(raw).map_err(|error| {
            ApiError::bad_request(format!("tool: {error}"), "leave tool out for all tools together")
        })?),
        Some(_) => {
            return Err(ApiError::bad_request("only latency is by tool", "leave tool out, or ask for metric=latency"));
        }
        None => None,
    };
    let range = asked_range(asked.window.as_deref(), asked.from.as_deref(), asked.to.as_deref())?;
    Ok((Subject { metric, tool }, range))
}

/// The range that an address asks for: a window that ends now, or from one instant to another.
pub(super) fn asked_range(window: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<SeriesRange, ApiError> {
    let hint = "give window=1h|6h|24h|7d, or from and to in RFC 3339";
    let bad = |name: &str, error: &dyn std::fmt::Display| ApiError::bad_request(format!("{name}: {error}"), hint);
    match (window, from, to) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            Err(ApiError::bad_request("window and from/to exclude each other", hint))
        }
        (window, None, None) => {
            let raw = window.unwrap_or(Window::Hour.name());
            Ok(SeriesRange::Window(Window::parse(raw).map_err(|error| bad("window", &error))?))
        }
        (None, Some(from), Some(to)) => {
            // In a query, "+" means a space.
            let time = |raw: &str| Timestamp::parse_rfc3339(&raw.replace(' ', "+"));
            let from = time(from).map_err(|error| bad("from", &error))?;
            let to = time(to).map_err(|error| bad("to", &error))?;
            let range = TimeRange::new(from, to).map_err(|error| bad("to", &error))?;
            if range.seconds() > MAX_RANGE_S {
                return Err(bad("to", &"the range is longer than two years"));
            }
            Ok(SeriesRange::Between(range))
        }
        (None, Some(_), None) => Err(ApiError::bad_request("to is missing", hint)),
        (None, None, Some(_)) => Err(ApiError::bad_request("from is missing", hint)),
    }
}

fn is_csv(asked: &Asked, headers: &HeaderMap) -> Result<bool, ApiError> {
    match asked.format.as_deref() {
        Some("csv") => Ok(true),
        Some("json") => Ok(false),
        Some(other) => {
            Err(ApiError::bad_request(format!("\"{}\" is not a format", short(other)), "format is json or csv"))
        }
        None => Ok(headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|accept| accept.contains("text/csv"))),
    }
}

fn short(raw: &str) -> String {
    raw.chars().take(60).collect()
}

fn body(page: &SeriesPage) -> Body<'_> {
    Body {
        metric: page.metric.name(),
        from: Timestamp(page.from_s * MICROS_PER_SECOND).to_string(),
        to: Timestamp(page.to_s * MICROS_PER_SECOND).to_string(),
        step_s: page.step_s,
        unit: page.metric.unit(),
        t: page.times().collect(),
        series: page
            .series
            .iter()
            .map(|s| Line { name: &s.name, v: s.sums.iter().map(|sum| sum.map(|sum| page.value(sum))).collect() })
            .collect(),
        calls: &page.calls,
        marks: page
            .marks
            .iter()
            .map(|mark| {
                let time = |at_s: i64| Timestamp::from_seconds(at_s).to_string();
                let (from, to, at) = (time(mark.from_s), time(mark.to_s), time(mark.at_s));
                MarkBody { from, to, kind: mark.kind, at, note: &mark.note }
            })
            .collect(),
    }
}

/// One row per bucket; a gap is an empty field.
fn spell_csv(page: &SeriesPage) -> String {
    let mut text = String::from("time");
    for series in &page.series {
        let _ = write!(text, ",{} ({})", series.name, page.metric.unit());
    }
    if !page.calls.is_empty() {
        text.push_str(",calls");
    }
    text.push_str("\r\n");
    for (i, at) in page.times().enumerate() {
        let _ = write!(text, "{}", Timestamp::from_seconds(at));
        for series in &page.series {
            match series.sums.get(i).copied().flatten() {
                Some(sum) => _ = write!(text, ",{}", page.value(sum)),
                None => text.push(','),
            }
        }
        if let Some(calls) = page.calls.get(i) {
            text.push(',');
            text.extend(calls.map(|calls| calls.to_string()));
        }
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(metric: &str, window: Option<&str>, from: Option<&str>, to: Option<&str>) -> Asked {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Asked { metric: Some(metric.to_owned()), window: own(window), from: own(from), to: own(to), ..Asked::default() }
    }

    #[test]
    fn bad_questions_are_answered_with_what_is_wrong() {
        let check = |asked: Asked, want: &str| {
            let error = understand(&asked).unwrap_err();
            assert!(error.error.contains(want), "{error:?}");
        };
        check(asked("fuel", None, None, None), "\"fuel\" is not a metric");
        check(asked("cost", Some("2h"), None, None), "\"2h\" is not a window");
        check(asked("cost", Some("1h"), Some("2026-01-01T00:00:00Z"), None), "exclude");
        check(asked("cost", None, Some("2026-01-01T00:00:00Z"), None), "to is missing");
        check(asked("cost", None, Some("2026-01-02T00:00:00Z"), Some("2026-01-01T00:00:00Z")), "not after");
        check(asked("cost", None, Some("2020-01-02T00:00:00Z"), Some("2026-01-01T00:00:00Z")), "two years");
    }

    #[test]
    fn only_latency_is_by_tool() {
        let by_tool = |metric: &str, tool: &str| {
            understand(&Asked { tool: Some(tool.to_owned()), ..asked(metric, Some("1h"), None, None) })
        };
        let (subject, _) = by_tool("latency", "Bash").unwrap();
        assert_eq!((subject.metric, subject.tool.unwrap().as_str()), (Metric::Latency, "Bash"));
        assert!(by_tool("cost", "Bash").unwrap_err().error.contains("only latency is by tool"));
        assert!(by_tool("latency", "a\nb").unwrap_err().error.starts_with("tool:"));
    }

    #[test]
    fn percentiles_are_in_milliseconds_with_the_calls_they_are_of() {
        let mut page = SeriesPage::empty(Metric::Latency, 0, 20, 10);
        (page.series[0].sums[1], page.series[1].sums[1]) = (Some(1_500), Some(2_000_000));
        page.calls = vec![Some(0), Some(7)];
        assert_eq!(
            (&body(&page).series[1].v, body(&page).calls),
            (&vec![None, Some(2_000.0)], &[Some(0), Some(7)][..])
        );
        assert_eq!(
            spell_csv(&page),
            "time,p50 (ms),p95 (ms),calls\r\n1970-01-01T00:00:00Z,,,0\r\n1970-01-01T00:00:10Z,1.5,2000,7\r\n"
        );
    }

    #[test]
    fn an_offset_survives_being_a_query() {
        let asked = asked("cost", None, Some("2026-01-01T00:00:00 02:00"), Some("2026-01-01T01:00:00+02:00"));
        let (_, SeriesRange::Between(range)) = understand(&asked).unwrap() else { panic!("it names a range") };
        assert_eq!(range.from().to_string(), "2025-12-31T22:00:00Z");
    }

    #[test]
    fn gaps_are_null_in_json_and_empty_in_csv() {
        let mut page = SeriesPage::empty(Metric::Lines, 0, 20, 10);
        page.series[0].sums[1] = Some(25);
        page.series[1].sums[1] = Some(0);
        assert_eq!(body(&page).series[0].v, [None, Some(2.5)]);
        assert_eq!(
            spell_csv(&page),
            "time,added (lines/s),removed (lines/s),landed_added (lines/s),landed_removed (lines/s)\r\n1970-01-01T00:00:00Z,,,,\r\n1970-01-01T00:00:10Z,2.5,0,,\r\n"
        );
    }
}
