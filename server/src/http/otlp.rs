//! `POST /v1/metrics`, `/v1/logs`, `/v1/traces`: the OTLP/HTTP receiver, in protobuf and JSON; also at the addresses
//! that Gas Town exports to. And what of it nobody understood.
//!
//! The town is `?town=`, else the header `X-Towngauge-Town`, else Gas Town's own name for itself (`gt.town`) if there
//! is a town of that name, else the server's. A Gas Town calls itself after its folder, so the name alone does not
//! found a town: the same calls, read from the transcripts on this machine, belong to the server's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use model::Event;
use model::id::TownName;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body;
use super::town::town_name;
use crate::db::{town, unmapped};
use crate::error::ApiError;
use crate::ingest::left_out;
use crate::source::otlp::{self, DecodeError, Encoding, Parsed, Share, Signal, Tally, When};
use crate::state::{App, AppState};

/// Where exports go, and what they hold.
const EXPORTS: [(&str, Option<Signal>); 6] = [
    ("/v1/metrics", Some(Signal::Metrics)),
    ("/v1/logs", Some(Signal::Logs)),
    ("/v1/traces", Some(Signal::Traces)),
    // For Gemini CLI, which sends all three to the one address that it is given, as JSON.
    ("/v1/otlp", None),
    // Gas Town's own (`GT_OTEL_METRICS_URL`, `GT_OTEL_LOGS_URL`): VictoriaMetrics' and VictoriaLogs' paths.
    ("/opentelemetry/api/v1/push", Some(Signal::Metrics)),
    ("/insert/opentelemetry/v1/logs", Some(Signal::Logs)),
];
/// Names that one request may use for towns: each is looked up.
const MAX_TOWNS: usize = 16;
const TOWN_HEADER: &str = "x-towngauge-town";
/// Bodies up to this size are read where they are: shorter than handing them to another thread.
const DECODE_INLINE_BYTES: usize = 32 << 10;

/// Whether an address takes exports.
pub(super) fn is_export(path: &str) -> bool {
    EXPORTS.iter().any(|(export, _)| *export == path)
}

/// `/v1/…`, and `/api/towns/{town}/unmapped`.
pub fn router() -> Router<App> {
    let exports = EXPORTS.into_iter().fold(Router::new(), |router, (path, signal)| {
        let handler = move |State(app): State<App>, Query(target): Query<Target>, request: Request| async move {
            export(&app, signal, target, request).await
        };
        router.route(path, post(handler))
    });
    exports.route("/api/towns/{town}/unmapped", get(unmapped_names))
}

#[derive(Deserialize)]
struct Target {
    town: Option<String>,
}

/// Answers as the specification wants it: in the request's encoding, also when it fails.
async fn export(app: &AppState, signal: Option<Signal>, target: Target, request: Request) -> Response {
    let encoding = match encoding(request.headers()) {
        Ok(Encoding::Protobuf) if signal.is_none() => return nameless_protobuf().into_response(),
        Ok(encoding) => encoding,
        Err(error) => return error.into_response(),
    };
    match take(app, signal, encoding, target, request).await {
        Ok((signal, tally)) => {
            let count = |counter: &AtomicU64, n: usize| {
                counter.fetch_add(u64::try_from(n).unwrap_or_default(), Ordering::Relaxed);
            };
            count(&app.counters.received, tally.stored + tally.duplicate + tally.rejected);
            count(&app.counters.stored, tally.stored);
            count(&app.counters.duplicate, tally.duplicate);
            count(&app.counters.rejected, tally.rejected);
            success(signal, encoding, &tally)
        }
        Err(error) => {
            if error.status == StatusCode::SERVICE_UNAVAILABLE {
                app.counters.refused.fetch_add(1, Ordering::Relaxed);
            }
            failure(encoding, &error)
        }
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        grpc if grpc.starts_with("application/grpc") => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "OTLP over gRPC is not spoken here",
            "export over HTTP: OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        )),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "this Content-Type is not OTLP's",
            "send application/x-protobuf or application/json (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf or http/json)",
        )),
    }
}

/// Protobuf does not say what it exports.
fn nameless_protobuf() -> ApiError {
    ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "this address takes JSON only",
        "send protobuf to /v1/metrics, /v1/logs or /v1/traces",
    )
}

async fn take(
    app: &AppState,
    signal: Option<Signal>,
    encoding: Encoding,
    target: Target,
    request: Request,
) -> Result<(Signal, Tally), ApiError> {
    let named = named_town(&target, request.headers())?;
    let packing = body::packing(request.headers())?;
    let (packed, _place) = body::read_undeclared(request.into_body(), packing, &app.large_bodies).await?;
    let is_small = packed.len() <= DECODE_INLINE_BYTES && packing == body::Packing::Plain;
    let logs_of = app.config.otlp_logs_of.value.clone();
    let read = move || {
        let plain = body::unpack(packed, packing)?;
        let signal = signal.map_or_else(|| Signal::of_json(&plain), Ok);
        let parsed = signal.and_then(|signal| Ok((signal, otlp::decode(signal, encoding, &plain, &logs_of)?)));
        parsed.map_err(|error| match error {
            DecodeError::TooMany(_) => too_much(error.to_string()),
            _ => ApiError::bad_request(error.to_string(), "nothing was stored; sending it again will not help"),
        })
    };
    let (signal, parsed) = if is_small {
        read()?
    } else {
        let read = tokio::task::spawn_blocking(read);
        read.await.map_err(|_| ApiError::unavailable("the server is stopping", 5))??
    };
    Ok((signal, store(app, named, parsed).await?))
}

fn too_much(error: String) -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, error, "nothing was stored; send it in several requests")
}

fn named_town(target: &Target, headers: &HeaderMap) -> Result<Option<TownName>, ApiError> {
    let header = || headers.get(TOWN_HEADER).and_then(|town| town.to_str().ok());
    let named = target.town.as_deref().or_else(header).map(TownName::new).transpose();
    named.map_err(|error| ApiError::bad_request(format!("town: {error}"), "use a name such as ?town=home"))
}

async fn store(app: &AppState, named: Option<TownName>, parsed: Parsed) -> Result<Tally, ApiError> {
    if named.is_none() && parsed.shares.len() > MAX_TOWNS {
        return Err(too_much(format!("there are more than {MAX_TOWNS} names of towns (gt.town) in one request")));
    }
    let mut shares: BTreeMap<TownName, Share> = BTreeMap::new();
    for (own, share) in parsed.shares {
        let town = match (&named, own) {
            (Some(named), _) => named.clone(),
            (None, Some(own)) if town::find(&app.pool, &own).await?.is_some() => own,
            (None, _) => app.config.town.value.clone(),
        };
        shares.entry(town).or_default().merge(share);
    }
    let mut tally = Tally::default();
    let mut begun = false;
    let when = When { now: app.clock.now(), lost_after_s: app.config.request_lost_after_s.value };
    let per_s = app.config.log_lines_per_s.value;
    for (town, mut share) in shares {
        let lines = share.events.iter().filter(|event| matches!(event.event, Event::Log(_))).count();
        if lines > 0 {
            share.leave_out(app.logs.admit(&town, lines, per_s, when.now), &left_out(per_s));
        }
        tally.merge(otlp::store(&app.intake, &app.pool, &app.heads, &town, share, &mut begun, when).await?);
    }
    Ok(tally)
}

/// Empty when everything was taken.
fn success(signal: Signal, encoding: Encoding, tally: &Tally) -> Response {
    let rejected = i64::try_from(tally.rejected).unwrap_or(i64::MAX);
    let error_message = tally.reason.clone().unwrap_or_default();
    let partial = rejected > 0;
    if encoding == Encoding::Json {
        let field = match signal {
            Signal::Metrics => "rejectedDataPoints",
            Signal::Logs => "rejectedLogRecords",
            Signal::Traces => "rejectedSpans",
        };
        let told = json!({"partialSuccess": {field: rejected.to_string(), "errorMessage": error_message}});
        return Json(if partial { told } else { json!({}) }).into_response();
    }
    let body = match signal {
        Signal::Metrics => {
            let told = ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message };
            ExportMetricsServiceResponse { partial_success: partial.then_some(told) }.encode_to_vec()
        }
        Signal::Logs => {
            let told = ExportLogsPartialSuccess { rejected_log_records: rejected, error_message };
            ExportLogsServiceResponse { partial_success: partial.then_some(told) }.encode_to_vec()
        }
        Signal::Traces => {
            let told = ExportTracePartialSuccess { rejected_spans: rejected, error_message };
            ExportTraceServiceResponse { partial_success: partial.then_some(told) }.encode_to_vec()
        }
    };
    protobuf(StatusCode::OK, body)
}

fn protobuf(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))], body).into_response()
}

/// `google.rpc.Status`, as the specification wants errors.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn failure(encoding: Encoding, error: &ApiError) -> Response {
    // Codes of google.rpc.Code.
    let code = match error.status {
        StatusCode::SERVICE_UNAVAILABLE => 14,
        StatusCode::PAYLOAD_TOO_LARGE => 8,
        StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE => 3,
        _ => 2,
    };
    let message = format!("{}; {}", error.error, error.hint);
    let mut response = match encoding {
        Encoding::Json => (error.status, Json(json!({"code": code, "message": message}))).into_response(),
        Encoding::Protobuf => protobuf(error.status, Status { code, message }.encode_to_vec()),
    };
    if let Some(seconds) = error.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

async fn unmapped_names(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let name = town_name(&name)?;
    let town = town::find(&app.pool, &name).await?.ok_or_else(|| ApiError::unknown_town(name.as_str()))?;
    let rows = unmapped::list(&app.pool, town.key).await?;
    let row = |row: unmapped::Unmapped| json!({"source": row.source, "name": row.name, "count": row.count, "last_seen": row.last_seen.to_string()});
    Ok(Json(json!({"unmapped": rows.into_iter().map(row).collect::<Vec<_>>()})))
}
