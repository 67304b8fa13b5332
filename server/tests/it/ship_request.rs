//! `POST /api/ship`, by hand.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::server_support::{Server, call, now, start};
use model::event::{Event, LinesLanded};
use model::fuel::FuelKind;
use model::id::{EventKey, Role, SourceName};
use model::{Envelope, Timestamp};
use serde_json::{Value, json};
use server::db::tank::Told;
use server::ship::wire::{self, Head, Line, Mark, Report};

async fn number(server: &Server, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&server.pool).await.unwrap()
}

/// A request of one batch, by hand.
fn shipment(shipper: uuid::Uuid, seq: u64, items: &[Line]) -> Vec<u8> {
    part(shipper, Mark { seq, more: false }, items)
}

/// A request of a part of a batch.
fn part(shipper: uuid::Uuid, mark: Mark, items: &[Line]) -> Vec<u8> {
    let head = Head {
        ship: wire::VERSION,
        shipper,
        name: "laptop".to_owned(),
        host: "linux x86_64".to_owned(),
        version: "1".to_owned(),
        waiting_bytes: 0,
        oldest_us: None,
        parked: 0,
        dropped: 0,
        error: None,
    };
    let mut body = wire::spell(&head);
    body.extend(wire::spell(&Line::Batch(mark)));
    items.iter().for_each(|item| body.extend(wire::spell(item)));
    body
}

async fn post_shipment(server: &Server, body: Vec<u8>) -> Value {
    let post = server.client.post(server.url("/api/ship?town=far")).header("content-type", "application/x-ndjson");
    let answer = post.body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.json().await.unwrap()
}

fn landed(key: u128) -> Line {
    Line::Event(Box::new(Envelope {
        at: Timestamp::from_seconds(1_767_323_045),
        key: EventKey(key),
        claim: None,
        source: SourceName::new("git").unwrap(),
        rig: None,
        role: Role::Other,
        agent: None,
        session: None,
        bead: None,
        event: Event::LinesLanded(LinesLanded { added: 3, removed: 1 }),
    }))
}

fn rejected(place: &str) -> Line {
    let source = SourceName::new("codex").unwrap();
    Line::Rejected(wire::Rejected { source, place: place.to_owned(), reason: "no".to_owned() })
}

/// Received = stored + duplicate + rejected, as answered.
fn assert_counts(machine: &Value, counts: [u64; 4]) {
    let told = ["received", "stored", "duplicate", "rejected"].map(|name| machine[name].as_u64().unwrap());
    assert_eq!(told, counts, "{machine}");
    assert_eq!(told[0], told[1..].iter().sum::<u64>());
}

#[tokio::test]
async fn new_events_of_a_sender_whose_numbers_went_back_are_stored() {
    let server = start().await;
    let shipper = uuid::Uuid::from_u128(7);
    let report = |stored: u64, duplicate: u64, rejected: u64| {
        json!(Report { stored, duplicate, rejected, taken: 9, ship: wire::VERSION })
    };
    let first = shipment(shipper, 9, &[landed(1), landed(2), rejected("a:1")]);
    assert_eq!(post_shipment(&server, first.clone()).await, report(2, 0, 1));
    // A snapshot of its machine was restored: the same folder, an earlier number, and other events since.
    let restored = shipment(shipper, 3, &[landed(2), landed(3), landed(4)]);
    assert_eq!(post_shipment(&server, restored).await, report(2, 1, 0));
    // What was only lost on the way back changes nothing.
    assert_eq!(post_shipment(&server, first).await, report(0, 2, 0));
    assert_eq!(number(&server, "select count(*) from event").await, 4);
    let page = server.get("/api/towns/far/shippers").await;
    assert_eq!(page["shippers"][0]["last_batch"], 9, "numbers never go back here: {page}");
    assert_counts(&page["shippers"][0], [8, 4, 3, 1]);
    // What is posted by hand meets what is shipped.
    assert_eq!(server.post("/api/ingest?town=far", &call(now(), 1)).await.0, 200);
    assert_eq!(number(&server, "select count(*) from town where name = 'far'").await, 1);
    assert_eq!(number(&server, "select rejected from source where source = 'codex'").await, 1);
    server.running.stop().await;
}

#[tokio::test]
async fn bad_lines_of_a_batch_that_comes_in_parts_count_once_however_often_a_part_is_sent() {
    let server = start().await;
    let shipper = uuid::Uuid::from_u128(9);
    let counted = async |body: Vec<u8>| post_shipment(&server, body).await["rejected"].as_u64().unwrap();
    let of = |seq: u64, more: bool, items: &[Line]| part(shipper, Mark { seq, more }, items);
    let first = of(4, true, &[landed(1), rejected("a:1"), rejected("a:2")]);
    let second = of(4, true, &[rejected("a:3")]);
    let last = of(4, false, &[landed(2), rejected("a:4")]);
    assert_eq!(counted(first.clone()).await, 2);
    assert_eq!(counted(first.clone()).await, 0, "its answer was lost");
    assert_eq!(counted(second.clone()).await, 1);
    // The sender was killed, and begins the batch again.
    assert_eq!((counted(first.clone()).await, counted(second).await), (0, 0));
    assert_eq!((counted(last.clone()).await, counted(last).await), (1, 0));
    assert_eq!(counted(first).await, 0, "the batch is whole");
    // The next batch is another one, with whatever lines.
    assert_eq!(counted(of(5, true, &[rejected("a:3")])).await, 1);
    assert_eq!(number(&server, "select rejected from source where source = 'codex'").await, 5);
    assert_eq!(number(&server, "select cardinality(parts)::bigint from shipper").await, 1, "only of the batch in hand");
    server.running.stop().await;
}

#[tokio::test]
async fn shipped_readings_are_checked_and_those_that_are_refused_are_counted_once() {
    let server = start().await;
    let reading = |tank: &str, source: &str, ahead_s: i64, left: i64| {
        Line::Reading(Told {
            tank: tank.to_owned(),
            kind: FuelKind::Window,
            source: source.to_owned(),
            currency: String::new(),
            at: now().plus_seconds(ahead_s),
            left,
            resets_at: None,
        })
    };
    let items = [
        reading("Codex 5 h", "codex", 0, 7_000_000),
        reading("Codex 7 d", "codex", -60, -3),
        reading("OpenRouter", "openrouter", 0, 10),
        reading("Codex 90 min", "codex", 3_600, 10),
    ];
    let body = shipment(uuid::Uuid::from_u128(8), 1, &items);
    assert_eq!(post_shipment(&server, body.clone()).await["rejected"], 2);
    assert_eq!(post_shipment(&server, body).await["rejected"], 0);
    let page = server.get("/api/page/sources/far").await;
    let machine = &page["machines"][0];
    assert_eq!(
        (&machine["name"], &machine["standing"], &machine["came"]),
        (&json!("laptop"), &json!("connected"), &json!([0, 0, 2]))
    );
    let kept: Vec<(String, i64)> =
        sqlx::query_as("select tank, amount from reading order by tank").fetch_all(&server.pool).await.unwrap();
    assert_eq!(kept, [("Codex 5 h".to_owned(), 1_000_000), ("Codex 7 d".to_owned(), 0)]);
    assert_eq!(number(&server, "select count(*) from tank").await, 2);
    assert_eq!(number(&server, "select rejected from source where source = 'ship'").await, 2);
    let reasons: Vec<String> =
        sqlx::query_scalar("select reason from rejection order by reason").fetch_all(&server.pool).await.unwrap();
    assert!(reasons[0].contains("Codex 90 min") && reasons[0].contains("in the future"), "{reasons:?}");
    assert!(reasons[1].contains("OpenRouter") && reasons[1].contains("asked by the server itself"), "{reasons:?}");
    server.running.stop().await;
}

#[tokio::test]
async fn a_sender_that_does_not_tell_what_it_dropped_is_understood_and_one_that_does_is_believed() {
    let server = start().await;
    let head = |dropped: &str, parked: u32| {
        format!(
            "{{\"ship\":1,\"shipper\":\"{}\",\"name\":\"old\",\"host\":\"linux\",\"version\":\"0\",\
             \"waiting_bytes\":7,\"oldest_us\":null,\"parked\":{parked}{dropped},\"error\":null}}\n",
            uuid::Uuid::nil()
        )
    };
    post_shipment(&server, head("", 1).into_bytes()).await;
    let machine = async || server.get("/api/towns/far/shippers").await["shippers"][0].clone();
    assert_eq!(machine().await["dropped"], 0);
    post_shipment(&server, head(",\"dropped\":3", 2).into_bytes()).await;
    let told = machine().await;
    assert_eq!((&told["dropped"], &told["parked"], &told["waiting_bytes"]), (&json!(3), &json!(2), &json!(7)));
    assert_eq!(told["state"], "connected");
    assert_counts(&told, [0; 4]);
    server.running.stop().await;
}

#[tokio::test]
async fn another_version_is_refused_as_a_whole_and_the_answer_says_what_to_update() {
    let server = start().await;
    let head = json!({"ship": 99, "shipper": uuid::Uuid::nil(), "name": "x", "host": "y", "version": "z",
        "waiting_bytes": 0, "oldest_us": null, "parked": 0, "error": null});
    let (status, said) = server.post("/api/ship?town=far", &head).await;
    assert_eq!(status, 409);
    assert!(said["hint"].as_str().unwrap().contains("update the server"), "{said}");
    assert_eq!(server.post("/api/ship?town=far", &json!({"events": []})).await.0, 400);
    assert_eq!(number(&server, "select count(*) from shipper").await, 0);
    server.running.stop().await;
}
