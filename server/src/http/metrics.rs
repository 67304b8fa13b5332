//! `/metrics`: Prometheus' text format, by hand: it is a dozen lines.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::id::TownName;

use crate::db;
use crate::ingest::Reading;
use crate::process;
use crate::state::App;
use crate::stop::Asked;

/// `/metrics`.
pub fn router() -> Router<App> {
    Router::new().route("/metrics", get(metrics))
}

struct Text(String);

impl Text {
    fn metric(&mut self, kind: &str, name: &str, help: &str, values: &[(&str, &dyn Display)]) {
        let _ = writeln!(self.0, "# HELP towngauge_{name} {help}\n# TYPE towngauge_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(self.0, "towngauge_{name}{labels} {value}");
        }
    }
    /// One value per town. Names of towns need no escaping.
    fn by_town(&mut self, name: &str, help: &str, values: &[(TownName, u64)]) {
        self.metric("counter", name, help, &[]);
        for (town, value) in values {
            let _ = writeln!(self.0, "towngauge_{name}{{town=\"{town}\"}} {value}");
        }
    }
    /// `show` turns the histogram's unit into the one of the name.
    fn histogram<T: Display>(&mut self, name: &str, help: &str, reading: &Reading, show: impl Fn(u64) -> T) {
        self.metric("histogram", name, help, &[]);
        for (bound, count) in &reading.up_to {
            let _ = writeln!(self.0, "towngauge_{name}_bucket{{le=\"{}\"}} {count}", show(*bound));
        }
        let Reading { count, sum, .. } = reading;
        let _ = writeln!(self.0, "towngauge_{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(self.0, "towngauge_{name}_sum {}\ntowngauge_{name}_count {count}", show(*sum));
    }
    fn gauge(&mut self, name: &str, help: &str, value: &dyn Display) {
        self.metric("gauge", name, help, &[("", value)]);
    }
    fn counter(&mut self, name: &str, help: &str, value: &AtomicU64) {
        self.metric("counter", name, help, &[("", &value.load(Ordering::Relaxed))]);
    }
}

async fn metrics(State(app): State<App>) -> Response {
    let mut text = Text(String::with_capacity(4_096));
    let (counters, hub) = (&app.counters, app.hub.stats());
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    text.gauge("uptime_seconds", "Seconds since the start.", &app.uptime_s());
    text.gauge("queue_events", "Events that wait for the writer or are in hand.", &app.intake.depth());
    text.counter("http_requests_total", "Requests answered.", &counters.requests);
    text.counter("http_failures_total", "Answers with a 5xx status.", &counters.failures);
    text.metric(
        "counter",
        "http_events_total",
        "Events received by POST /api/ingest, by outcome.",
        &[
            ("{outcome=\"stored\"}", &of(&counters.stored)),
            ("{outcome=\"duplicate\"}", &of(&counters.duplicate)),
            ("{outcome=\"rejected\"}", &of(&counters.rejected)),
        ],
    );
    text.counter("http_ingest_refused_total", "Ingest requests to be sent again later (503).", &counters.refused);
    text.counter("http_ingest_requests_total", "Requests to POST /api/ingest.", &counters.ingest_requests);
    text.counter("http_ingest_microseconds_total", "Time spent in them, until after the commit.", &counters.ingest_us);
    let writer = app.intake.stats();
    let help = "Events of each committed batch, duplicates included.";
    text.histogram("batch_events", help, &writer.batch_events.read(), |events| events);
    let help = "Time from a batch's first try until its commit.";
    text.histogram("commit_seconds", help, &writer.commit_us.read(), |us| Duration::from_micros(us).as_secs_f64());
    text.gauge("viewers", "Viewers of live pages.", &app.hub.viewers());
    let canaries = app.hub.canaries();
    text.metric("counter", "canaries_total", "Canaries let go while somebody looked.", &[("", &canaries.hatched())]);
    let help =
        "From a canary's birth until a page had painted it and said so; those that did not come back are missing.";
    text.histogram("event_to_pixel_seconds", help, &canaries.ages_ms().read(), |ms| {
        Duration::from_millis(ms).as_secs_f64()
    });
    text.counter("frames_encoded_total", "Live frames encoded; independent of the viewers.", &hub.encoded);
    text.counter("frames_sent_total", "Live frames written to viewers.", &hub.frames);
    text.counter("frame_bytes_total", "Bytes of these frames.", &hub.bytes);
    text.counter("frames_skipped_total", "Frames left out for viewers that were behind.", &hub.skipped);
    text.counter("snapshots_sent_total", "Snapshots written to viewers.", &hub.snapshots);
    text.counter("viewers_dropped_total", "Viewers dropped because they took or answered nothing.", &hub.dropped);
    text.counter("town_loads_total", "Towns loaded from the store because somebody else changed them.", &hub.loads);
    let asked = app.stop.counts();
    let of_hooks =
        |count: fn(&Asked) -> u64| asked.iter().map(|(town, n)| (town.clone(), count(n))).collect::<Vec<_>>();
    text.by_town("hook_questions_total", "Questions of agents' hooks.", &of_hooks(|n| n.asked));
    text.by_town("hook_denied_total", "Of these: answered with a stop.", &of_hooks(|n| n.denied));
    text.by_town("hook_failed_total", "Of these: asked while the balance was not known.", &of_hooks(|n| n.failed));
    let pool = &app.pool;
    text.gauge("pool_connections", "Connections to the database.", &pool.size());
    text.gauge("pool_idle_connections", "Of these: idle.", &pool.num_idle());
    if let Some(pending) = db::status::rollup_pending(pool).await {
        text.gauge("rollup_pending_spans", "Spans of time that the rollup worker has to redo.", &pending);
    }
    if let Some(usage) = process::usage() {
        text.gauge("process_resident_bytes", "Memory in use.", &usage.resident_bytes);
        text.metric("counter", "process_cpu_seconds_total", "Processor time used.", &[("", &usage.cpu_s)]);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.0).into_response()
}
