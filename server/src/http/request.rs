//! `GET /api/towns/{town}/requests`: how many requests were in flight, over time.

use app::reader::SeriesRange;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use model::in_flight::InFlight;
use model::time::{MAX_POINTS, Resolution, TimeRange, Timestamp};
use serde::{Deserialize, Serialize};

use super::series::asked_range;
use super::town::town_name;
use crate::error::ApiError;
use crate::state::App;

/// `/api/towns/{town}/requests`.
pub fn router() -> Router<App> {
    Router::new().route("/api/towns/{town}/requests", get(requests))
}

#[derive(Deserialize)]
struct Asked {
    window: Option<String>,
    from: Option<String>,
    to: Option<String>,
    step: Option<i64>,
}

/// As other series: `t` has the beginning of each bucket in seconds since 1970, `null` is what nobody knows.
#[derive(Debug, Serialize)]
struct Body {
    from: String,
    to: String,
    step_s: i64,
    unit: &'static str,
    /// Since when all requests are known: they are kept for eight days.
    since: String,
    t: Vec<i64>,
    series: [Line; 2],
}

/// `mean`: the time that requests spent in a bucket, by its length. `max`: the most at any instant of it.
#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    v: Vec<Option<f64>>,
}

async fn requests(
    State(app): State<App>,
    Path(town): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Body>, ApiError> {
    let range = asked_range(asked.window.as_deref(), asked.from.as_deref(), asked.to.as_deref())?;
    let (range, resolution) = match range {
        SeriesRange::Window(window) => {
            let range = TimeRange::ending_now(window, app.clock.now());
            (range, step(asked.step, range, window.resolution())?)
        }
        SeriesRange::Between(range) => (range, step(asked.step, range, range.resolution())?),
    };
    let range = range.widened_to(resolution);
    let page = app.reader.in_flight(&town_name(&town)?, range, resolution.step_s()).await?;
    let line = |name, of: fn(InFlight) -> f64| Line { name, v: page.buckets.iter().map(|b| b.map(of)).collect() };
    Ok(Json(Body {
        from: range.from().to_string(),
        to: range.to().to_string(),
        step_s: page.step_s,
        unit: "requests",
        since: page.since.max(Timestamp::MIN_BELIEVED).to_string(),
        t: (0_i64..).take(page.buckets.len()).map(|bucket| page.from_s + bucket * page.step_s).collect(),
        series: [line("mean", |bucket| bucket.mean), line("max", |bucket| f64::from(bucket.max))],
    }))
}

/// The step that is asked for, or the range's own.
fn step(asked: Option<i64>, range: TimeRange, own: Resolution) -> Result<Resolution, ApiError> {
    let Some(asked) = asked else { return Ok(own) };
    let steps = Resolution::ALL.map(|step| step.step_s().to_string()).join(", ");
    let hint = format!("step is one of {steps} seconds, with at most {MAX_POINTS} points in the range");
    let step = Resolution::ALL.into_iter().find(|step| step.step_s() == asked);
    let fits = |step: &Resolution| range.seconds() <= step.step_s() * MAX_POINTS;
    step.filter(fits).ok_or_else(|| ApiError::bad_request(format!("a step of {asked} s does not fit"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_tiers_and_fits_its_range() {
        let hour = TimeRange::new(Timestamp::from_seconds(0), Timestamp::from_seconds(3_600)).unwrap();
        let day = TimeRange::new(Timestamp::from_seconds(0), Timestamp::from_seconds(86_400)).unwrap();
        assert_eq!(step(None, hour, Resolution::S10).unwrap(), Resolution::S10);
        assert_eq!(step(Some(60), hour, Resolution::S10).unwrap(), Resolution::M1);
        assert!(step(Some(10), day, Resolution::M5).unwrap_err().error.contains("does not fit"));
        assert!(step(Some(7), hour, Resolution::S10).unwrap_err().hint.contains("10, 60, 300, 1800, 21600"));
    }
}
