//! `GET /api/live/stats` against the store: what it says is what the events say.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::server_support;
use crate::server_support::{Server, call, start, start_with};
use jiff::tz::TimeZone;
use model::live_stats::{LatencyWindow, LiveStats};
use model::time::Timestamp;
use model::{calendar, rate::RING_S};
use serde_json::{Value, json};
use server::config::Settings;
use server::db::Pool;
use server::postgres::testing::fresh_database;

async fn stats(server: &Server, tz: &str) -> LiveStats {
    let answer = server.get(&format!("/api/live/stats?town=home&tz={tz}")).await;
    serde_json::from_value(answer.clone()).unwrap_or_else(|error| panic!("{error}: {answer:#}"))
}

fn tool(at: Timestamp, id: usize, ms: usize, ok: bool) -> Value {
    json!({"type": "tool_call", "ts": at.to_string(), "id": format!("t{id}"), "tool": "Bash", "duration_ms": ms, "ok": ok,
           "rig": "gas", "role": "polecat", "agent": "toast", "session": "s1"})
}

/// The cost of what is stored from one instant to another, from the events themselves.
async fn cost(pool: &Pool, from: Timestamp, to: Timestamp) -> i64 {
    let sql = "select coalesce(sum(cost), 0)::bigint from event where ts >= $1 and ts < $2";
    let (sum,): (i64,) =
        sqlx::query_as(sql).bind(server::db::PgTime(from)).bind(server::db::PgTime(to)).fetch_one(pool).await.unwrap();
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn this_minute_is_what_was_stored() {
    let server = start().await;
    let now = server_support::now();
    let mut batch: Vec<Value> = (1..=100).map(|ms| tool(now, ms, ms, ms % 10 > 0)).collect();
    for id in 0..30 {
        let mut call = call(now.plus_seconds(-2), id);
        call["session"] = json!("s1");
        call["duration_ms"] = json!(2_000);
        call["ok"] = json!(id != 7);
        batch.push(call);
    }
    server.post("/api/ingest", &json!(batch)).await;
    let stats = stats(&server, "UTC").await;
    let totals = stats.totals;
    assert_eq!((totals.calls, totals.call_errors, totals.tool_calls, totals.tool_errors), (30, 1, 100, 10));
    assert_eq!((totals.tokens.total(), totals.cost.0, totals.over_s), (30 * 4_120, 30 * 13_800_000, RING_S));
    assert_eq!(stats.burn.last_minute, totals.cost);
    for (window, found) in LatencyWindow::ALL.into_iter().zip(&stats.latency) {
        assert_eq!(window, found.window);
        let bash = &found.tools[0];
        assert_eq!((bash.name.as_str(), bash.n, bash.errors, bash.timed), ("Bash", 100, 10, 100));
        let near = |found: Option<f64>, ms: f64| (found.unwrap() / ms - 1.0).abs() < 0.01;
        assert!(near(bash.p50_ms, 50.0) && near(bash.p95_ms, 95.0) && near(bash.p99_ms, 99.0), "{bash:?}");
        assert!(near(bash.mean_ms, 50.5));
        assert!(near(bash.spark_p95_ms.iter().flatten().copied().next_back(), 95.0));
        let maker = &found.providers[0];
        assert_eq!((maker.name.as_str(), maker.n, maker.errors, maker.mean_ms), ("Anthropic", 30, 1, Some(2_000.0)));
    }
    let newest = &stats.newest_calls;
    assert_eq!((newest.len(), newest[0].provider.as_str(), newest[0].tokens_per_s), (20, "Anthropic", Some(60.0)));
    assert_eq!((stats.sessions.len(), stats.sessions[0].channel.as_str()), (1, "api"));
    assert!(stats.sessions[0].working && stats.sessions[0].started <= now.plus_seconds(-2));
    assert_eq!((stats.counters.messages, stats.counters.active_sessions, stats.counters.errors), (130, 1, 11));
    assert_eq!((stats.watermarks.seq, stats.watermarks.sketches_pending), (1, 0));
    assert_eq!(stats.watermarks.newest_event.map(|at| at.0 / 1_000), Some(now.0 / 1_000));
    let state = |name: &str| stats.sources.iter().find(|s| s.name == name).map(|s| s.state.as_str());
    assert_eq!((state("api"), state("codex")), (Some("live"), Some("never_started")));

    // The session says goodbye, and is no longer in flight.
    let goodbye =
        json!({"type": "session", "ts": server_support::now().to_string(), "session": "s1", "state": "ended"});
    server.post("/api/ingest", &goodbye).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(self::stats(&server, "UTC").await.sessions, []);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_town_where_nothing_happened_says_so() {
    let server = start().await;
    let stats = stats(&server, "UTC").await;
    assert_eq!((stats.totals.calls, stats.burn.projected, stats.newest_calls.len()), (0, None, 0));
    assert!(stats.latency.iter().all(|window| window.tools.is_empty() && window.all_tools.p95_ms.is_none()));
    assert_eq!(stats.watermarks.newest_event, None);
    let status = async |path: &str| server.client.get(server.url(path)).send().await.unwrap().status().as_u16();
    assert_eq!(status("/api/live/stats?town=nowhere").await, 404);
    assert_eq!(status("/api/live/stats?tz=Nowhere/Land").await, 400);
    assert_eq!(status("/api/live/stats?tz=../../etc/passwd").await, 400);
    server.running.stop().await;
}

/// A server whose clock says `now`, with a call every 17 minutes of the 75 days before and some after it.
async fn server_at(now: &str) -> (Server, Timestamp) {
    let at = Timestamp::parse_rfc3339(now).unwrap();
    let pool = fresh_database().await;
    let settings = Settings { clock: Some(at.to_string()), ..Settings::default() };
    let server = start_with("127.0.0.1", &pool, settings).await.unwrap();
    let events: Vec<Value> =
        (0..6_400).map(|n| call(Timestamp(at.0 - i64::try_from(n).unwrap() * 1_020_000_003 - 7), n)).collect();
    for chunk in events.chunks(3_200) {
        server.post("/api/ingest", &json!(chunk)).await;
    }
    (server, at)
}

#[tokio::test(flavor = "multi_thread")]
async fn today_and_this_month_are_exact_in_every_zone_through_summer_time_and_month_ends() {
    // On that day New York set its clocks back; in Kathmandu (+05:45) it is tomorrow; in Auckland another month began.
    let (server, at) = server_at("2026-11-01T18:30:00Z").await;
    for tz in ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland", "Europe/Berlin"] {
        let zone = TimeZone::get(tz).unwrap();
        let (day, month) = (calendar::day(at, &zone).unwrap(), calendar::month(at, &zone).unwrap());
        let burn = stats(&server, tz).await.burn;
        assert_eq!((burn.zone.as_str(), burn.today_from, burn.month_from), (tz, day.from(), month.from()));
        assert_eq!(burn.today.0, cost(&server.pool, day.from(), day.to()).await, "today in {tz}");
        assert_eq!(burn.month.0, cost(&server.pool, month.from(), month.to()).await, "this month in {tz}");
        assert!(burn.month.0 > 0 && burn.projected.is_some_and(|all| all >= burn.month), "{tz}: {burn:?}");
    }
    let new_york = TimeZone::get("America/New_York").unwrap();
    assert_eq!(calendar::day(at, &new_york).unwrap().seconds(), 25 * 3_600);
    // What comes late is in it as soon as it is committed, before the worker was there.
    server.post("/api/ingest", &call(at.plus_seconds(-40_000), 900_001)).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let burn = stats(&server, "UTC").await.burn;
    assert_eq!(burn.today.0, cost(&server.pool, burn.today_from, burn.today_from.plus_seconds(86_400)).await);
    server.running.stop().await;
}
