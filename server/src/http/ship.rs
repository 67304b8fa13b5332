//! `POST /api/ship`: what `towngauge watch --to` sends from another machine. One answer for all of it, after the commit
//! (invariant 1); what is sent again changes nothing (invariant 2).

use std::sync::atomic::Ordering;

use app::sources::MachineStanding;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use model::fuel::{FuelKind, WINDOW_FULL};
use model::id::TownName;
use model::request::Implied;
use model::time::Timestamp;
use model::{Envelope, Event};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::body;
use super::tank::{teller, told_at};
use super::town::{asked_town, town_name};
use crate::db::bead::{self, BeadRow};
use crate::db::shipper::{self, BadLine, Came, Part, Shipper, ShipperRow};
use crate::db::tank::{self, Told, kept_name};
use crate::db::{DbError, town};
use crate::error::ApiError;
use crate::ingest::Outcome;
use crate::request::{self, ImplyError};
use crate::ship::wire::{self, Head, Line, Mark, Report};
use crate::source::redact;
use crate::standing::machine;
use crate::state::{App, AppState};

/// Events, beads and bad lines of one request.
const MAX_ITEMS: usize = 200_000;
/// Longest name or text of a shipper, in characters.
const MAX_TEXT: usize = 200;
/// Where lines are counted that nobody can read, and readings that are not taken.
const SOURCE: &str = "ship";

/// `/api/ship` and `/api/towns/{town}/shippers`.
pub fn router() -> Router<App> {
    Router::new().route("/api/ship", post(ship)).route("/api/towns/{town}/shippers", get(shippers))
}

#[derive(Deserialize)]
struct Target {
    town: Option<String>,
}

/// A request, understood.
#[derive(Debug)]
struct Shipment {
    head: Head,
    events: Vec<Envelope>,
    beads: Vec<BeadRow>,
    readings: Vec<Told>,
    requests: Vec<Implied>,
    bad: Vec<BadLine>,
    /// The last batch that is whole with this request.
    whole: u64,
    /// A hash of everything after the head: the same part of a batch has the same.
    digest: Uuid,
}

async fn ship(
    State(app): State<App>,
    Query(target): Query<Target>,
    request: Request,
) -> Result<Json<Report>, ApiError> {
    let answer = take(&app, target, request).await;
    let counters = &app.counters;
    match &answer {
        Ok(report) => {
            counters.received.fetch_add(report.stored + report.duplicate + report.rejected, Ordering::Relaxed);
            counters.stored.fetch_add(report.stored, Ordering::Relaxed);
            counters.duplicate.fetch_add(report.duplicate, Ordering::Relaxed);
            counters.rejected.fetch_add(report.rejected, Ordering::Relaxed);
        }
        Err(error) if error.status == StatusCode::SERVICE_UNAVAILABLE => {
            counters.refused.fetch_add(1, Ordering::Relaxed);
        }
        Err(_) => {}
    }
    answer.map(Json)
}

async fn take(app: &AppState, target: Target, request: Request) -> Result<Report, ApiError> {
    let town = asked_town(app, target.town.as_deref())?;
    let (packed, packing, _place) = body::take(request, &app.large_bodies).await?;
    let now = app.clock.now();
    let parsed = tokio::task::spawn_blocking(move || parse(&body::unpack(packed, packing)?, now));
    let shipment = parsed.await.map_err(|_| ApiError::unavailable("the server is stopping", 5))??;
    store(app, &town, shipment).await
}

/// Reads a request at `now`. A line that is no item is a bad line; a request without a head, or of another version, is an
/// error.
fn parse(plain: &[u8], now: Timestamp) -> Result<Shipment, ApiError> {
    #[derive(Deserialize)]
    struct AnyHead {
        ship: Option<u32>,
    }
    const HINT: &str = "this address is for \"towngauge watch --to\"; everything else goes to /api/ingest";
    let mut lines = plain.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let head = lines.next().ok_or_else(|| ApiError::bad_request("the body is empty", HINT))?;
    let any: AnyHead =
        serde_json::from_slice(head).map_err(|_| ApiError::bad_request("the first line is no head", HINT))?;
    match any.ship {
        None => return Err(ApiError::bad_request("the first line is no head", HINT)),
        Some(wire::VERSION) => {}
        Some(other) => {
            let (found, own) = (format!("this shipment has version {other}"), wire::VERSION);
            let older = if other < own { "the shipper" } else { "the server" };
            return Err(ApiError::new(
                StatusCode::CONFLICT,
                format!("{found}, and this server (towngauge {}) takes version {own}", crate::VERSION),
                format!("update {older}, and send it again"),
            ));
        }
    }
    let head: Head =
        serde_json::from_slice(head).map_err(|_| ApiError::bad_request("the head lacks something", HINT))?;
    let mut shipment = Shipment {
        head,
        events: Vec::new(),
        beads: Vec::new(),
        readings: Vec::new(),
        requests: Vec::new(),
        bad: Vec::new(),
        whole: 0,
        digest: Uuid::nil(),
    };
    let mut digest = Xxh3::new();
    let mut mark = Mark { seq: 0, more: true };
    for (line, number) in lines.zip(2_u64..) {
        let (batch, place) = (mark.seq, format!("line {number}"));
        digest.update(line);
        digest.update(b"\n");
        match serde_json::from_slice(line) {
            Ok(Line::Batch(next)) => mark = next,
            Ok(_) if mark.seq == 0 => return Err(ApiError::bad_request("an item stands before every batch", HINT)),
            Ok(Line::Event(mut event)) => {
                // Whoever sends it should have done so already.
                if let Event::Log(line) = &mut event.event {
                    line.text = redact::line(&line.text);
                }
                shipment.events.push(*event);
            }
            Ok(Line::Bead(bead)) => shipment.beads.push(bead),
            Ok(Line::Reading(reading)) => match checked(reading, now) {
                Ok(reading) => shipment.readings.push(reading),
                Err(reason) => shipment.bad.push(BadLine { batch, source: SOURCE.to_owned(), place, reason }),
            },
            Ok(Line::Request(told)) => shipment.requests.push(*told),
            Ok(Line::Rejected(wire::Rejected { source, place, reason })) => {
                let source = source.as_str().to_owned();
                shipment.bad.push(BadLine { batch, source, place: clean(&place), reason: clean(&reason) });
            }
            Err(_) => {
                let reason = "this version cannot read what was shipped here".to_owned();
                shipment.bad.push(BadLine { batch, source: SOURCE.to_owned(), place, reason });
            }
        }
        if !mark.more {
            shipment.whole = shipment.whole.max(mark.seq);
        }
    }
    shipment.digest = Uuid::from_u128(digest.digest128());
    let Shipment { events, beads, readings, requests, bad, .. } = &shipment;
    if events.len() + beads.len() + readings.len() + requests.len() + bad.len() > MAX_ITEMS {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too many items in one request",
            format!("send at most {MAX_ITEMS} at once"),
        ));
    }
    Ok(shipment)
}

/// A reading as `POST /api/towns/{town}/windows` takes it, or why not.
fn checked(reading: Told, now: Timestamp) -> Result<Told, String> {
    let refused = |reason: String| clean(&format!("a reading of tank \"{}\": {reason}", kept_name(&reading.tank)));
    let source = teller(&reading.source).map_err(refused)?.to_string();
    let at = told_at(reading.at, now).map_err(refused)?;
    let left = match reading.kind {
        FuelKind::Window => reading.left.clamp(0, WINDOW_FULL),
        FuelKind::Money => reading.left,
    };
    Ok(Told { source, at, left, ..reading })
}

/// What a page can show.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

async fn store(app: &AppState, town: &TownName, shipment: Shipment) -> Result<Report, ApiError> {
    let Shipment { head, events, beads, readings, requests, bad, whole, digest } = shipment;
    let key = town::ensure(&app.pool, town, false).await?;
    let known = shipper::last_batch(&app.pool, key, head.shipper).await?;
    let mut report = Report { ship: wire::VERSION, ..Report::default() };
    // Events are known by themselves, whatever their batch's number: the numbers of a sender whose state folder was
    // restored or copied begin again, with other events. Only bad lines have nothing else to be known by.
    for outcome in app.intake.submit_parts(town, events, &mut false).await? {
        match outcome {
            Outcome::Stored => report.stored += 1,
            Outcome::Duplicate => report.duplicate += 1,
            Outcome::Rejected(_) => report.rejected += 1,
        }
    }
    if !beads.is_empty() {
        bead::upsert(&app.pool, key, &bead::newest(beads)).await.map_err(|error| refusal(error, "a bead"))?;
    }
    tank::save(&app.pool, key, &readings).await.map_err(|error| refusal(error, "a reading"))?;
    let told = request::Told { town, key, requests: &requests, lost_after_s: app.config.request_lost_after_s.value };
    request::imply(&app.pool, &app.intake, told, app.clock.now()).await.map_err(|error| match error {
        ImplyError::Db(error) => refusal(error, "a request"),
        ImplyError::Submit(error) => error.into(),
    })?;
    let said = Shipper {
        id: head.shipper,
        name: clean(&head.name),
        host: clean(&head.host),
        version: clean(&head.version),
        waiting_bytes: head.waiting_bytes,
        oldest: head.oldest_us.map(Timestamp).and_then(|at| at.believed().ok()),
        parked: head.parked,
        dropped: head.dropped,
        trouble: head.error.as_deref().map(clean),
    };
    // Last, and with the bad lines in one transaction: a batch is noted only when all of it is stored.
    let came = Came { stored: report.stored, duplicate: report.duplicate, rejected: report.rejected };
    let part = Part { whole, digest, came, bad: &bad };
    let counted = shipper::heard(&app.pool, key, &said, part, app.clock.now());
    report.rejected += counted.await.map_err(|error| refusal(error, "a bad line"))?;
    report.taken = whole.max(known);
    Ok(report)
}

/// What the database refuses, it would refuse again: the sender finds out which part it is.
fn refusal(error: DbError, what: &str) -> ApiError {
    if error.is_refusal() {
        tracing::warn!(%error, "a shipment is refused");
        let error = format!("the store refuses {what} in this shipment");
        return ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error, "send it in smaller parts");
    }
    error.into()
}

async fn shippers(State(app): State<App>, Path(town): Path<String>) -> Result<Json<Value>, ApiError> {
    let key = app.reader.town_key(&town_name(&town)?).await?;
    let now = app.clock.now();
    let spell = |row: ShipperRow| {
        let machine = machine(row.clone(), now);
        let ShipperRow { said, last_batch, first_heard, last_heard, came: _, counted_from } = row;
        let [received, stored, duplicate, rejected] = machine.counts();
        let age_s = |at: Timestamp| (now.seconds() - at.seconds()).max(0);
        json!({
            "name": said.name, "host": said.host, "version": said.version,
            "first_heard": first_heard.to_string(), "last_heard": last_heard.to_string(),
            "state": machine.standing.name(), "silent": machine.standing == MachineStanding::Stale,
            "received": received, "stored": stored, "duplicate": duplicate, "rejected": rejected,
            "counted_from": counted_from.to_string(), "waiting_bytes": said.waiting_bytes,
            "oldest": said.oldest.map(|at| at.to_string()), "lag_s": said.oldest.map(age_s),
            "parked": said.parked, "dropped": said.dropped, "trouble": said.trouble, "last_batch": last_batch,
        })
    };
    let rows: Vec<Value> = shipper::list(&app.pool, key).await?.into_iter().map(spell).collect();
    Ok(Json(json!({"shippers": rows})))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_772_000_000);

    fn head(ship: u32) -> Vec<u8> {
        wire::spell(&json!({
            "ship": ship, "shipper": uuid::Uuid::nil(), "name": "laptop", "host": "linux x86_64", "version": "1",
            "waiting_bytes": 1, "oldest_us": null, "parked": 0, "error": null,
        }))
    }

    #[test]
    fn another_version_is_told_who_is_older() {
        let hint = |ship| {
            let error = parse(&head(ship), NOW).unwrap_err();
            assert_eq!(error.status, StatusCode::CONFLICT);
            error.hint
        };
        assert!(hint(wire::VERSION + 1).contains("update the server"));
        assert!(hint(0).contains("update the shipper"));
    }

    #[test]
    fn what_is_no_shipment_is_400_and_a_bad_line_spoils_no_other() {
        for bad in ["", "\n", "[1]", "{}", "nonsense", "{\"ship\":1}"] {
            assert_eq!(parse(bad.as_bytes(), NOW).unwrap_err().status, StatusCode::BAD_REQUEST, "{bad}");
        }
        let rest = b"{\"batch\":{\"seq\":4,\"more\":false}}\n{\"event\":{}}\n{\"rejected\":{\"source\":\"codex\",\"place\":\"a:1\",\"reason\":\"no\\u0000\"}}\n{\"batch\":{\"seq\":5,\"more\":true}}\n{\"x\":1}\n";
        let shipment = parse(&[head(wire::VERSION).as_slice(), rest].concat(), NOW).unwrap();
        assert_eq!(shipment.whole, 4, "of the fifth, more is to come");
        let bad: Vec<(u64, &str, &str)> =
            shipment.bad.iter().map(|line| (line.batch, line.source.as_str(), line.place.as_str())).collect();
        assert_eq!(bad, [(4, "ship", "line 3"), (4, "codex", "a:1"), (5, "ship", "line 6")]);
        assert_eq!(shipment.bad[1].reason, "no");
        let early =
            [head(wire::VERSION).as_slice(), b"{\"rejected\":{\"source\":\"a\",\"place\":\"\",\"reason\":\"\"}}\n"]
                .concat();
        assert_eq!(parse(&early, NOW).unwrap_err().status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_reading_is_taken_as_from_anybody_who_tells_a_window() {
        let reading = |kind, source: &str, ahead_s, left| Told {
            tank: "Codex 5 h".into(),
            kind,
            source: source.into(),
            currency: String::new(),
            at: NOW.plus_seconds(ahead_s),
            left,
            resets_at: None,
        };
        let window = |source: &str, ahead_s, left| checked(reading(FuelKind::Window, source, ahead_s, left), NOW);
        let good = reading(FuelKind::Window, "codex", 300, 630_000);
        assert_eq!(checked(good.clone(), NOW), Ok(good));
        assert_eq!(window("codex", 0, 1_000_001).unwrap().left, 1_000_000);
        assert_eq!(window("codex", 0, -1).unwrap().left, 0);
        let credits = reading(FuelKind::Money, "codex", 0, -5_000_000_000);
        assert_eq!(checked(credits.clone(), NOW), Ok(credits), "of money there may be any amount, or debts");
        let refused = |source: &str, ahead_s, word: &str| {
            let reason = window(source, ahead_s, 1).unwrap_err();
            assert!(reason.starts_with("a reading of tank \"Codex 5 h\": ") && reason.contains(word), "{reason}");
        };
        for provider in ["openrouter", "kilo", "deepseek", " kilo "] {
            refused(provider, 0, "asked by the server itself");
        }
        refused("", 0, "\"source\"");
        refused("codex", 301, "in the future");
    }

    #[test]
    fn a_reading_that_is_refused_is_a_bad_line_of_its_batch_and_spoils_no_other() {
        let line = |source: &str, at: Timestamp| {
            let reading = Told {
                tank: "t".into(),
                kind: FuelKind::Window,
                source: source.into(),
                currency: String::new(),
                at,
                left: 1,
                resets_at: None,
            };
            wire::spell(&Line::Reading(reading))
        };
        let mark = wire::spell(&Line::Batch(Mark { seq: 4, more: false }));
        let late = NOW.plus_seconds(301);
        let body = [head(wire::VERSION), mark, line("kilo", NOW), line("codex", NOW), line("codex", late)].concat();
        let shipment = parse(&body, NOW).unwrap();
        assert_eq!(shipment.readings.iter().map(|reading| reading.source.as_str()).collect::<Vec<_>>(), ["codex"]);
        let bad: Vec<(u64, &str, &str)> =
            shipment.bad.iter().map(|line| (line.batch, line.source.as_str(), line.place.as_str())).collect();
        assert_eq!(bad, [(4, "ship", "line 3"), (4, "ship", "line 5")]);
    }
}
