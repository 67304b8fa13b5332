//! The intake as senders and operators see it over HTTP: a full queue, what its figures say, and what it keeps.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::time::Duration;

use crate::server_support::{Server, call, now, start, start_with};
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};
use server::config::Settings;
use server::postgres::testing::fresh_database;

async fn metric(server: &Server, name: &str) -> String {
    let text = server.client.get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("{name} in {text}")).rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_answers_503_and_when_to_come_back_and_then_takes_it() {
    let pool = fresh_database().await;
    let server =
        start_with("127.0.0.1", &pool, Settings { queue_events: Some(2), ..Settings::default() }).await.unwrap();
    // Nobody can write while this holds.
    let mut blocker = pool.begin().await.unwrap();
    sqlx::query("lock table event in access exclusive mode").execute(&mut *blocker).await.unwrap();
    let (client, url) = (server.client.clone(), server.url("/api/ingest"));
    let two = json!([call(now(), 1), call(now(), 2)]);
    let waiting = tokio::spawn(async move { client.post(url).json(&two).send().await.unwrap().status().as_u16() });
    while metric(&server, "towngauge_queue_events").await != "2" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let third = call(now(), 3);
    let refused = server.client.post(server.url("/api/ingest")).json(&third).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()[RETRY_AFTER].to_str().unwrap()), (503, "1"));
    let said: Value = refused.json().await.unwrap();
    assert!(said["error"].as_str().unwrap().contains("queue is full"), "{said}");
    assert_eq!(server.get("/ready").await["queue_has_room"], false, "whoever balances load sees it too");
    assert_eq!(metric(&server, "towngauge_http_ingest_refused_total").await, "1");

    blocker.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap(), 200);
    let (status, report) = server.post("/api/ingest", &third).await;
    assert_eq!((status, &report["stored"]), (200, &json!(1)));
    assert_eq!(server.get("/ready").await["status"], "ready");
    server.running.stop().await;
}

#[tokio::test]
async fn batches_are_counted_by_size_and_time() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;
    server.post("/api/ingest", &json!((2..9).map(|id| call(now(), id)).collect::<Vec<_>>())).await;
    let bucket = async |name: &str, le: &str| metric(&server, &format!("towngauge_{name}_bucket{{le=\"{le}\"}}")).await;
    for (le, count) in [("1", "1"), ("5", "1"), ("10", "2"), ("5000", "2"), ("+Inf", "2")] {
        assert_eq!(bucket("batch_events", le).await, count, "{le}");
    }
    assert_eq!(metric(&server, "towngauge_batch_events_sum").await, "8");
    assert_eq!(metric(&server, "towngauge_batch_events_count").await, "2");
    assert_eq!(
        (bucket("commit_seconds", "30").await, bucket("commit_seconds", "+Inf").await),
        ("2".into(), "2".into())
    );
    let text = server.client.get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("# TYPE towngauge_commit_seconds histogram"), "{text}");
    assert!(text.contains("towngauge_commit_seconds_bucket{le=\"0.0025\"} "), "{text}");
    let seconds: f64 = metric(&server, "towngauge_commit_seconds_sum").await.parse().unwrap();
    assert!(seconds > 0.0 && seconds < 30.0, "{seconds}");
    server.running.stop().await;
}

#[tokio::test]
async fn retention_is_announced_as_configured() {
    let pool = fresh_database().await;
    let settings = Settings { retention: vec!["events=90".into(), "10s=30".into()], ..Settings::default() };
    let server = start_with("127.0.0.1", &pool, settings).await.unwrap();
    let stores = async || {
        let sql = "select store, (extract(epoch from date_trunc('day', now()) - floor) / 86400)::integer from retention
                   order by store";
        sqlx::query_as::<_, (String, i32)>(sql).fetch_all(&server.pool).await.unwrap()
    };
    for _ in 0..100 {
        if stores().await.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stores().await, [("10s".to_owned(), 30), ("event".to_owned(), 90)]);
    server.running.stop().await;
}
