//! Canaries: they take the whole way of events, come back with their age, and change nothing that is stored or shown.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::time::Duration;

use crate::server_support::{Server, call, now, start};
use crate::support::{Dice, Seed, assert_holds, intake, town};
use futures::{SinkExt as _, StreamExt as _};
use model::event::Envelope;
use model::wire::Canary;
use proptest::prelude::*;
use serde_json::{Value, json};
use server::db::Pool;
use server::http::openapi::{OPERATIONS, fits};
use server::ingest::IntakeLimits;
use server::postgres::testing::fresh_database;
use server::rollup;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn join(server: &Server) -> Socket {
    let url = format!("{}/live?town=home", server.running.address.replace("http", "ws"));
    connect_async(url).await.unwrap().0
}

async fn looker(server: &Server) -> Socket {
    let mut socket = join(server).await;
    socket.send(Message::text(r#"{"type":"look"}"#)).await.unwrap();
    socket
}

/// The next canary within `seconds`, with the frame before it.
async fn canary(socket: &mut Socket, seconds: u64) -> Option<(String, String)> {
    let next = async {
        let mut before = String::new();
        loop {
            if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
                if text.starts_with(r#"{"type":"canary""#) {
                    return (before, text.to_string());
                }
                before = text.to_string();
            }
        }
    };
    timeout(Duration::from_secs(seconds), next).await.ok()
}

async fn told(server: &Server) -> Value {
    server.get("/api/system/cost").await["event_to_pixel"].clone()
}

async fn metric(server: &Server, name: &str) -> String {
    let text = server.client.get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("no {name}")).rsplit_once(' ').unwrap().1.to_owned()
}

#[tokio::test]
async fn a_canary_that_comes_back_tells_how_long_the_way_is_and_none_flies_while_nobody_looks() {
    let server = start().await;
    server.post("/api/ingest", &json!([call(now(), 1)])).await;
    let mut does_not_look = join(&server).await;
    assert_eq!(canary(&mut does_not_look, 3).await, None);
    let none = json!({"back": 0, "lost": 0, "median_ms": null, "worst_ms": null});
    assert_eq!((told(&server).await, metric(&server, "towngauge_canaries_total").await), (none.clone(), "0".into()));

    // It follows the frame that it made its town send, although nothing happened.
    let mut looks = looker(&server).await;
    let (before, text) = canary(&mut looks, 30).await.unwrap();
    assert!(before.starts_with(r#"{"type":"delta""#), "{before}");
    assert_eq!(told(&server).await, none, "it is on its way");
    sleep(Duration::from_millis(150)).await;
    looks.send(Message::text(text.clone())).await.unwrap();
    let back = async {
        while told(&server).await["back"] != 1 {
            sleep(Duration::from_millis(20)).await;
        }
        told(&server).await
    };
    let first = timeout(Duration::from_secs(5), back).await.unwrap();
    let (median, worst) = (first["median_ms"].as_u64().unwrap(), first["worst_ms"].as_u64().unwrap());
    let example =
        OPERATIONS.iter().find(|operation| operation.path == "/api/system/cost").unwrap().answer_json().unwrap();
    fits(&server.get("/api/system/cost").await, &example, "").unwrap();
    assert!(median == worst && (150..5_000).contains(&worst), "{first}: the way to the page is in it");
    // Twice is once, and what nobody sent is nothing.
    for text in [text, r#"{"type":"canary","number":77}"#.to_owned()] {
        looks.send(Message::text(text)).await.unwrap();
    }
    looks.send(Message::text(r#"{"type":"resync"}"#)).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(told(&server).await, first);
    assert_eq!(metric(&server, "towngauge_event_to_pixel_seconds_count").await, "1");
    assert_eq!(canary(&mut does_not_look, 1).await, None, "who does not look is not asked");
    server.running.stop().await;
}

#[tokio::test]
async fn each_time_another_of_those_who_look_is_asked_and_nobody_else() {
    let server = start().await;
    server.post("/api/ingest", &json!([call(now(), 1)])).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(looker(&server).await);
    }
    // Whoever was asked first keeps silent: it is called lost, and the others are asked.
    let mut asked: Vec<usize> = Vec::new();
    let flight = async {
        while asked.len() < 2 {
            for (place, socket) in sockets.iter_mut().enumerate() {
                if canary(socket, 1).await.is_some() {
                    asked.push(place);
                }
            }
        }
    };
    timeout(Duration::from_secs(60), flight).await.unwrap();
    assert_ne!(asked[0], asked[1]);
    let lost = async {
        while told(&server).await["lost"].as_u64() < Some(1) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(10), lost).await.unwrap();
    assert_eq!(told(&server).await["back"], 0);
    // Of who goes away nothing is expected any more.
    drop(sockets);
    let gone = async {
        while told(&server).await["lost"] != 0 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.unwrap();
    server.running.stop().await;
}

/// Everything that the store holds, by table, without what only says when something was written.
async fn everything(pool: &Pool) -> BTreeMap<String, String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
            and relname <> '_sqlx_migrations' order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut held = BTreeMap::new();
    for table in tables {
        let rows = format!(
            "select coalesce(string_agg(row, E'\n' order by row), '') from
                (select (to_jsonb(t) - array['last_heard', 'lag_ms', 'created_at', 'noted_at'])::text as row from {table} t) rows"
        );
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_one(pool).await.unwrap();
        held.insert(table, rows);
    }
    held
}

/// Stores the batches, with canaries before those of which `flies` says so: some fly along, some alone. Gives what the hub
/// is told.
async fn store(pool: &Pool, batches: &[(u8, Vec<Envelope>)], flies: impl Fn(usize) -> u64) -> Vec<String> {
    let (intake, writer, mut committed) = intake(pool, IntakeLimits::default());
    let mut released = 0;
    for (n, (of, batch)) in batches.iter().enumerate() {
        for number in 0..flies(n) {
            intake.release(&town(u8::try_from(number % 2).unwrap()), Canary { number }).await.unwrap();
            released += 1;
        }
        if flies(n) == 3 {
            // Time to fly alone.
            sleep(Duration::from_millis(15)).await;
        }
        intake.submit(&town(*of), batch.clone()).await.unwrap();
    }
    assert_eq!(intake.depth(), 0, "they take no room from events");
    intake.close_and_drain(writer).await;
    let (mut changes, mut arrived) = (Vec::new(), 0);
    while let Ok(told) = committed.try_recv() {
        arrived += u64::from(told.canary.is_some());
        if !(told.changes.added.is_empty() && told.changes.removed.is_empty()) {
            changes.push(format!("{} {:?}", told.town, told.changes));
        }
    }
    // Several of one town in one batch are one.
    assert!(arrived <= released && (arrived > 0) == (released > 0), "{arrived} of {released}");
    changes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn the_store_its_figures_and_its_streams_are_the_same_with_and_without_canaries(seed in any::<u64>()) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut dice = Dice(seed);
            let batches: Vec<(u8, Vec<Envelope>)> = (0..12_u8)
                .map(|n| {
                    let events = (0..1 + dice.roll(20)).map(|_| Seed { town: n % 2, ..dice.seed() }.event()).collect();
                    (n % 2, events)
                })
                .collect();
            let flies: Vec<u64> = batches.iter().map(|_| dice.roll(4)).chain([1]).collect();
            let (plain, flown) = (fresh_database().await, fresh_database().await);
            for pool in [&plain, &flown] {
                // The towns are there before, as those that are looked at are.
                for n in 0..2 {
                    server::db::town::ensure(pool, &town(n), false).await.unwrap();
                }
            }
            let told = store(&plain, &batches, |_| 0).await;
            let told_flown = store(&flown, &batches, |n| if n == 0 { 3 } else { flies[n] }).await;
            assert_eq!(told, told_flown, "what the live state is told");
            for pool in [&plain, &flown] {
                rollup::run_once(pool).await.unwrap();
                assert_holds(pool).await;
            }
            assert_eq!(everything(&plain).await, everything(&flown).await);
            plain.close().await;
            flown.close().await;
        });
    }
}

#[tokio::test]
async fn a_canary_alone_waits_for_the_disk_as_an_event_does() {
    let pool = fresh_database().await;
    let (intake, writer, mut committed) = intake(&pool, IntakeLimits::default());
    server::db::town::ensure(&pool, &town(0), false).await.unwrap();
    // Its commit has a record in the log, which is on the disk before the canary flies on.
    let end = async || -> String {
        sqlx::query_scalar("select pg_current_wal_flush_lsn()::text").fetch_one(&pool).await.unwrap()
    };
    let before = end().await;
    intake.release(&town(0), Canary { number: 5 }).await.unwrap();
    let told = timeout(Duration::from_secs(5), committed.recv()).await.unwrap().unwrap();
    assert_eq!((told.town, told.canary), (town(0), Some(Canary { number: 5 })));
    assert_ne!(end().await, before);
    assert_eq!(intake.stats().batch_events.read().count, 0, "it is no batch");
    intake.close_and_drain(writer).await;
}
