//! How sources stand: what the API and the page say of each, from its first event to its refused ones.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::otlp_support::{Logs, T0};
use crate::server_support::{Server, call, now, start, start_with};
use model::Timestamp;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use server::config::Settings;
use server::db;
use server::postgres::testing::fresh_database;

/// The source of that name, as the API tells it.
async fn source(server: &Server, town: &str, name: &str) -> Value {
    let answer = server.get(&format!("/api/towns/{town}/sources")).await;
    let sources = answer["sources"].as_array().unwrap_or_else(|| panic!("{answer}"));
    for source in sources {
        let count = |field: &str| source[field].as_i64().unwrap();
        let parts = count("stored") + count("duplicate") + count("rejected");
        assert_eq!(count("received"), parts, "received = stored + duplicate + rejected: {source}");
    }
    sources.iter().find(|source| source["name"] == name).cloned().unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// Reads are remembered for a second.
async fn forget() {
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
}

async fn send_logs(server: &Server, logs: &Logs) {
    let sent = server.client.post(server.url("/v1/logs")).header(CONTENT_TYPE, "application/json").body(logs.json());
    assert_eq!(sent.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_source_goes_from_never_started_to_live_with_exact_counts_and_to_error_when_something_is_refused() {
    let server = start().await;
    let before = source(&server, "home", "api").await;
    assert_eq!(
        (&before["state"], &before["received"], &before["last_heard"]),
        (&json!("never_started"), &json!(0), &json!(null))
    );
    assert!(before["connect"]["steps"][0]["text"].as_str().unwrap().contains(&server.url("/api/ingest")), "{before}");

    let at = now();
    for _ in 0..2 {
        server.post("/api/ingest", &json!([call(at, 1), call(at, 2)])).await;
    }
    forget().await;
    let live = source(&server, "home", "api").await;
    let counts = ["received", "stored", "duplicate", "rejected"].map(|field| live[field].as_i64().unwrap());
    assert_eq!((&live["state"], counts), (&json!("live"), [4, 2, 2, 0]), "{live}");
    assert_eq!(live["last_event"], at.to_string());
    assert!((0..5_000).contains(&live["lag_ms"].as_i64().unwrap()), "{live}");

    server
        .post("/api/ingest", &json!([call(at, 3), {"type": "model_call", "ts": at.to_string(), "modle": "secret"}]))
        .await;
    forget().await;
    let wrong = source(&server, "home", "api").await;
    assert_eq!((&wrong["state"], &wrong["rejected"]), (&json!("refused"), &json!(1)), "{wrong}");
    let refused = &wrong["newest_rejected"][0];
    assert_eq!(refused["place"], "item 2");
    assert!(
        refused["reason"].as_str().unwrap().contains("modle") && !refused.to_string().contains("secret"),
        "{refused}"
    );

    server.post("/api/ingest", &call(at, 4)).await;
    forget().await;
    assert_eq!(source(&server, "home", "api").await["state"], "live", "what came last is good again");
    server.running.stop().await;
}

#[tokio::test]
async fn what_nobody_understands_is_told_by_name_although_nothing_of_it_is_stored() {
    let server = start().await;
    let records = vec![(T0, json!({"event.name": "strange.thing"})); 3];
    send_logs(&server, &Logs { resource: json!({"service.name": "somebody"}), records }).await;
    let otel = source(&server, "home", "otel").await;
    assert_eq!(
        (&otel["state"], &otel["received"], &otel["unmapped_names"]),
        (&json!("live"), &json!(0), &json!(1)),
        "{otel}"
    );
    assert_eq!(otel["unmapped"], json!([{"name": "strange.thing", "count": 3}]));
    assert!(otel["words"].as_str().unwrap().contains("nothing of it is understood"));
    server.running.stop().await;
}

/// A call that its agent says cost so much; by the price book it is $3.
fn reported(id: &str, usd: &str) -> Value {
    json!({"type": "model_call", "ts": now().to_string(), "id": id, "model": "claude-sonnet-4-5",
        "input_tokens": 100_000, "output_tokens": 180_000, "cost_usd": usd.parse::<f64>().unwrap()})
}

#[tokio::test]
async fn reported_and_computed_costs_are_kept_side_by_side_and_a_drift_above_two_percent_warns() {
    let server = start().await;
    for (town, usd, nanos, percent, warn) in [
        ("within", "3.06", 3_060_000_000_i64, 2.0, false),
        ("above", "3.15", 3_150_000_000, 5.0, true),
        ("below", "2.90", 2_900_000_000, -3.33, true),
    ] {
        server.post(&format!("/api/ingest?town={town}"), &reported("a", usd)).await;
        // Without a figure of its own, and without a price: neither is compared.
        server.post(&format!("/api/ingest?town={town}"), &call(now(), 1)).await;
        let mut unheard = reported("b", usd);
        unheard["model"] = json!("unheard-of");
        server.post(&format!("/api/ingest?town={town}"), &unheard).await;
        let drift = source(&server, town, "api").await["drift"].clone();
        let expected = json!({"reported_nanodollars": nanos, "computed_nanodollars": 3_000_000_000_i64,
            "percent": percent, "warn": warn});
        assert_eq!(drift, expected, "{town}");
        let events = server.get(&format!("/api/events?town={town}")).await;
        let provenances: Vec<&Value> = events["events"].as_array().unwrap().iter().map(|e| &e["provenance"]).collect();
        assert!(provenances.contains(&&json!("reported")) && provenances.contains(&&json!("computed")), "{events}");
    }
    let report = db::verify::run(&server.pool).await.unwrap();
    assert!(report.holds(), "{report:?}");
    server.running.stop().await;
}

#[tokio::test]
async fn a_town_that_there_is_not_is_404_and_every_known_source_is_told_of_one_that_there_is() {
    let server = start().await;
    for path in ["/api/towns/nowhere/sources", "/api/page/sources/nowhere", "/t/nowhere/sources"] {
        assert_eq!(server.client.get(server.url(path)).send().await.unwrap().status(), 404, "{path}");
    }
    let answer = server.get("/api/towns/home/sources").await;
    let names: Vec<&str> = answer["sources"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    // Those for which nothing is to be set up are shown once something came of them.
    let known = server::standing::known::ALL.iter().map(|known| known.name);
    let known = known.filter(|name| !["demo", "gt_status", "tmux"].contains(name));
    assert_eq!(names, known.collect::<Vec<_>>());
    for source in answer["sources"].as_array().unwrap() {
        assert!(source["token_rule"].is_string() && source["connect"]["steps"].is_array(), "{source}");
    }
    server.running.stop().await;
}

#[tokio::test]
async fn what_is_shown_of_a_source_is_bounded() {
    let server = start().await;
    let bad: Vec<Value> = (0..80).map(|n| json!({"type": "nothing", "n": n})).collect();
    let mut items = vec![call(now(), 1)];
    items.extend(bad);
    server.post("/api/ingest", &json!(items)).await;
    let records = (0..120).map(|n| (T0, json!({"event.name": format!("strange.{n}")}))).collect();
    send_logs(&server, &Logs { resource: json!({"service.name": "somebody"}), records }).await;
    let api = source(&server, "home", "api").await;
    assert_eq!((api["newest_rejected"].as_array().unwrap().len(), &api["rejected"]), (10, &json!(80)));
    let otel = source(&server, "home", "otel").await;
    assert_eq!((otel["unmapped"].as_array().unwrap().len(), &otel["unmapped_names"]), (50, &json!(120)));
    server.running.stop().await;
}

#[tokio::test]
async fn the_rate_of_the_last_minute_is_told_once_it_is_known() {
    let server = start().await;
    let at = now();
    for n in 0..20 {
        server.post("/api/ingest", &call(at, n)).await;
    }
    let mut rate = Value::Null;
    for _ in 0..40 {
        rate = source(&server, "home", "api").await["events_per_s"].clone();
        if rate.as_f64().is_some_and(|rate| rate > 0.0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    let rate = rate.as_f64().unwrap();
    assert!(rate > 0.0 && rate <= 20.0 / 4.0, "{rate}");
    server.running.stop().await;
}

#[tokio::test]
async fn ages_and_lags_follow_the_servers_clock_also_when_the_databases_is_another() {
    let noon = Timestamp::from_seconds(1_772_107_200);
    let settings = Settings { clock: Some(noon.to_string()), ..Settings::default() };
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    server.post("/api/ingest", &call(noon, 1)).await;
    let api = source(&server, "home", "api").await;
    let heard: Timestamp = server.running.app().clock.now();
    assert!(api["lag_ms"].as_i64().unwrap() < 60_000, "{api}");
    assert_eq!(api["last_heard"].as_str().unwrap()[..13], heard.to_string()[..13], "{api}");
    server.running.stop().await;
}
