//! `POST /api/ingest`: events in, one answer per item, after the commit (invariant 1).

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use model::id::{SourceName, TownName};
use model::{Envelope, Event};
use serde::{Deserialize, Serialize};

use super::body;
use super::town::asked_town;
use crate::error::ApiError;
use crate::ingest::{Outcome, Rejection, left_out};
use crate::source::api::{self, Items};
use crate::state::{App, AppState};

/// Events of one request.
const MAX_EVENTS: usize = 200_000;
/// Bodies up to this size are parsed where they are: shorter than handing them to another thread.
const PARSE_INLINE_BYTES: usize = 32 << 10;

/// `/api/ingest`.
pub fn router() -> Router<App> {
    Router::new().route("/api/ingest", post(ingest))
}

#[derive(Deserialize)]
struct Target {
    town: Option<String>,
}

/// What became of the items, in runs of equal ones.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Report {
    received: usize,
    stored: usize,
    duplicate: usize,
    rejected: usize,
    results: Vec<Run>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Run {
    /// First item, from 1.
    from: usize,
    /// Last item.
    to: usize,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Report {
    fn add(&mut self, outcome: Outcome) {
        self.received += 1;
        let (status, reason) = match outcome {
            Outcome::Stored => {
                self.stored += 1;
                ("stored", None)
            }
            Outcome::Duplicate => {
                self.duplicate += 1;
                ("duplicate", None)
            }
            Outcome::Rejected(reason) => {
                self.rejected += 1;
                ("rejected", Some(reason))
            }
        };
        match self.results.last_mut() {
            Some(run) if run.status == status && run.reason == reason => run.to = self.received,
            _ => self.results.push(Run { from: self.received, to: self.received, status, reason }),
        }
    }
}

async fn ingest(State(app): State<App>, Query(target): Query<Target>, request: Request) -> Response {
    let began = Instant::now();
    let answer = take(&app, target, request).await;
    let counters = &app.counters;
    counters.ingest_requests.fetch_add(1, Ordering::Relaxed);
    counters.ingest_us.fetch_add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    match answer {
        Ok(report) => {
            let count = |counter: &std::sync::atomic::AtomicU64, n: usize| {
                counter.fetch_add(u64::try_from(n).unwrap_or_default(), Ordering::Relaxed);
            };
            count(&counters.received, report.received);
            count(&counters.stored, report.stored);
            count(&counters.duplicate, report.duplicate);
            count(&counters.rejected, report.rejected);
            Json(report).into_response()
        }
        Err(error) => {
            if error.status == StatusCode::SERVICE_UNAVAILABLE {
                counters.refused.fetch_add(1, Ordering::Relaxed);
            }
            error.into_response()
        }
    }
}

async fn take(app: &AppState, target: Target, request: Request) -> Result<Report, ApiError> {
    let town = asked_town(app, target.town.as_deref())?;
    let (packed, packing, _place) = body::take(request, &app.large_bodies).await?;
    let items = if packed.len() <= PARSE_INLINE_BYTES {
        api::parse_body(&body::unpack(packed, packing)?)
    } else {
        let parsed = tokio::task::spawn_blocking(move || body::unpack(packed, packing).map(|b| api::parse_body(&b)));
        parsed.await.map_err(|_| ApiError::unavailable("the server is stopping", 5))??
    };
    check_items(&items)?;
    store(app, &town, items).await
}

fn check_items(items: &Items) -> Result<(), ApiError> {
    if items.results.len() > MAX_EVENTS {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("{} events in one request", items.results.len()),
            format!("send at most {MAX_EVENTS} at once"),
        ));
    }
    let Some(first) = items.results.first() else {
        return Err(ApiError::bad_request(
            "the body has no events",
            "send a JSON object, an array of them, or one per line",
        ));
    };
    match first {
        Err(rejection) if items.results.iter().all(Result::is_err) => Err(ApiError::bad_request(
            spell(rejection),
            "nothing was stored; the README shows one example of each event",
        )),
        _ => Ok(()),
    }
}

fn spell(rejection: &Rejection) -> String {
    format!("{}: {}", rejection.place, rejection.reason)
}

/// Events of one town with their places among the request's items.
type Batch = (Vec<usize>, Vec<Envelope>);

async fn store(app: &AppState, town: &TownName, items: Items) -> Result<Report, ApiError> {
    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(items.results.len());
    let mut batches: BTreeMap<TownName, Batch> = BTreeMap::new();
    let mut rejected = Vec::new();
    let foreseen = items.results.len();
    for (place, result) in items.results.into_iter().enumerate() {
        match result {
            Ok(item) => {
                outcomes.push(None);
                let named = item.town;
                // The default town's name is cloned once, not per event.
                let batch = match named {
                    Some(named) => batches.entry(named).or_default(),
                    None => match batches.get_mut(town) {
                        Some(batch) => batch,
                        None => batches
                            .entry(town.clone())
                            .or_insert_with(|| (Vec::with_capacity(foreseen), Vec::with_capacity(foreseen))),
                    },
                };
                batch.0.push(place);
                batch.1.push(item.envelope);
            }
            Err(rejection) => {
                outcomes.push(Some(Outcome::Rejected(spell(&rejection))));
                rejected.push(rejection);
            }
        }
    }
    let mut begun = false;
    for (town, (mut places, mut events)) in batches {
        for place in leave_out(app, &town, &mut places, &mut events) {
            let reason = left_out(app.config.log_lines_per_s.value);
            outcomes[place] = Some(Outcome::Rejected(format!("item {}: {reason}", place + 1)));
            rejected.push(Rejection { place: format!("item {}", place + 1), reason });
        }
        let stored = app.intake.submit_parts(&town, events, &mut begun).await?;
        for (place, outcome) in places.into_iter().zip(stored) {
            outcomes[place] = Some(match outcome {
                Outcome::Rejected(reason) => Outcome::Rejected(format!("item {}: {reason}", place + 1)),
                other => other,
            });
        }
    }
    if !rejected.is_empty()
        && let Ok(source) = SourceName::new(api::SOURCE)
    {
        app.intake.reject(town, &source, rejected).await?;
    }
    let mut report = Report::default();
    for outcome in outcomes {
        report.add(outcome.unwrap_or_else(|| Outcome::Rejected("it was not answered for".to_owned())));
    }
    Ok(report)
}

/// Takes out the lines of logs that are too many, and gives their places.
fn leave_out(app: &AppState, town: &TownName, places: &mut Vec<usize>, events: &mut Vec<Envelope>) -> Vec<usize> {
    let is_log = |event: &Envelope| matches!(event.event, Event::Log(_));
    let lines = events.iter().filter(|event| is_log(event)).count();
    if lines == 0 {
        return Vec::new();
    }
    let mut room = app.logs.admit(town, lines, app.config.log_lines_per_s.value, app.clock.now());
    let mut out = Vec::new();
    let mut kept = places.iter().copied();
    let mut stay = Vec::with_capacity(places.len());
    events.retain(|event| {
        let Some(place) = kept.next() else { return true };
        let stays = !is_log(event) || room > 0;
        room -= usize::from(stays && is_log(event));
        if stays {
            stay.push(place)
        } else {
            out.push(place)
        }
        stays
    });
    *places = stay;
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_neighbours_share_a_line() {
        let mut report = Report::default();
        for outcome in [Outcome::Stored, Outcome::Stored, Outcome::Rejected("line 3: ts".into()), Outcome::Duplicate] {
            report.add(outcome);
        }
        assert_eq!(
            serde_json::to_value(&report).unwrap(),
            serde_json::json!({"received": 4, "stored": 2, "duplicate": 1, "rejected": 1, "results": [
                {"from": 1, "to": 2, "status": "stored"},
                {"from": 3, "to": 3, "status": "rejected", "reason": "line 3: ts"},
                {"from": 4, "to": 4, "status": "duplicate"},
            ]})
        );
    }
}
