//! Whatever order telemetry and transcripts arrive in, however often, at whichever server: every call counts once.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::otlp_support::{Logs, SECOND, Sum, claude, request, tokens};
use model::id::TownName;
use model::price::PriceBook;
use serde_json::json;
use server::db::Pool;
use server::db::price::Prices;
use server::ingest::{Intake, IntakeLimits, WriterHandle};
use server::postgres::testing::fresh_database;
use server::source::api;
use server::source::otlp::{self, Encoding, Heads, Signal};
use tokio::sync::mpsc;

const CASES: u64 = 60;

/// A small pseudo-random generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn town(case: u64) -> TownName {
    TownName::new(&format!("case-{case}")).unwrap()
}

/// Output tokens that a table of the store holds for a case.
async fn output(pool: &Pool, table: &str, case: u64) -> u64 {
    let sql = format!(
        "select coalesce(sum(output_tokens), 0)::bigint from {table} join town using (town_id) where name = $1"
    );
    let (sum,): (i64,) =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(town(case).as_str()).fetch_one(pool).await.unwrap();
    sum.cast_unsigned()
}

/// Something that arrives.
#[derive(Clone)]
enum Message {
    Transcript(Vec<u8>),
    Event(Logs),
    Metric(Sum),
}

/// A server: a way in and a memory of its own, on a database that others write too.
struct Server {
    intake: Intake,
    writer: WriterHandle,
    heads: Heads,
}

impl Server {
    fn start(pool: &Pool) -> Self {
        let (sender, mut committed) = mpsc::channel(100);
        let prices = Prices::new(PriceBook::new([]));
        let (intake, writer) = Intake::start(pool.clone(), prices, sender, IntakeLimits::default());
        tokio::spawn(async move { while committed.recv().await.is_some() {} });
        Self { intake, writer, heads: Heads::default() }
    }

    async fn take(&self, pool: &Pool, case: u64, message: &Message, encoding: Encoding) {
        let (signal, body) = match (message, encoding) {
            (Message::Transcript(line), _) => {
                let items = api::parse_body(line).results;
                let events = items.into_iter().map(|item| item.unwrap().envelope).collect();
                self.intake.submit_waiting(&town(case), events).await.unwrap();
                return;
            }
            (Message::Event(logs), Encoding::Json) => (Signal::Logs, logs.json()),
            (Message::Event(logs), Encoding::Protobuf) => (Signal::Logs, logs.protobuf()),
            (Message::Metric(sum), Encoding::Json) => (Signal::Metrics, sum.json()),
            (Message::Metric(sum), Encoding::Protobuf) => (Signal::Metrics, sum.protobuf()),
        };
        let when = otlp::When { now: server::clock::Clock::system().now(), lost_after_s: 600 };
        for share in otlp::decode(signal, encoding, &body, &[]).unwrap().shares.into_values() {
            let tally =
                otlp::store(&self.intake, pool, &self.heads, &town(case), share, &mut true, when).await.unwrap();
            assert_eq!((tally.rejected, tally.reason), (0, None));
        }
    }
}

/// Everything that one session's sources say; returns the output tokens that must be counted of it.
fn session(dice: &mut Dice, name: &str, messages: &mut Vec<Message>) -> u64 {
    let (has_transcript, has_events) = (dice.roll(3) > 0, dice.roll(3) > 0);
    // A clock that is wrong by up to a day either way.
    let skew = dice.roll(2 * 86_400);
    let mut counted = 0;
    for call in 0..1 + dice.roll(4) {
        let id = (dice.roll(5) > 0).then(|| format!("req_{name}_{call}"));
        let output = 10 + dice.roll(90);
        let written = if dice.roll(4) == 0 { 1 + dice.roll(8) } else { output };
        // Titles and the like are in no transcript.
        let in_transcript = has_transcript && (dice.roll(4) > 0 || id.is_none());
        if in_transcript {
            for so_far in [written.min(3), written] {
                let line = json!({"type": "model_call", "ts": "2025-06-10T12:36:01Z", "session": name,
                    "model": "claude-sonnet-4-5", "message_id": format!("msg_{name}_{call}"), "request_id": id,
                    "id": format!("{name} {call} {so_far}"), "input_tokens": 4, "output_tokens": so_far,
                    "cache_read_tokens": 496, "cache_write_1h_tokens": 500});
                messages.push(Message::Transcript(line.to_string().into_bytes()));
            }
        }
        if has_events {
            let (at, told) = request(name, call, id.as_deref(), output);
            let records = vec![(at + skew * SECOND, told)];
            messages.push(Message::Event(Logs { resource: claude(), records }));
        }
        let told = match (in_transcript, has_events && (id.is_some() || !has_transcript)) {
            (true, true) => written.max(output),
            (true, false) => written,
            (false, true) => output,
            (false, false) => 0,
        };
        counted += told;
    }
    let any_told = messages.iter().any(|message| match message {
        Message::Transcript(line) => String::from_utf8_lossy(line).contains(&format!("\"session\":\"{name}\"")),
        Message::Event(logs) => logs.records.iter().any(|(_, told)| told["session.id"] == name),
        Message::Metric(_) => false,
    });
    let cumulative = dice.roll(2) == 0;
    let mut measured = 0;
    for process in 0..1 + dice.roll(3) {
        let start = skew + process * 1_000;
        let mut sum = 0;
        for export in 1..2 + dice.roll(5) {
            let more = dice.roll(50);
            sum += more;
            let value = if cumulative { sum } else { more };
            messages.push(Message::Metric(tokens(
                name,
                cumulative,
                &[("output", start, start + export, value as f64)],
            )));
        }
        measured += sum;
    }
    if any_told { counted } else { measured }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_counts_once_in_any_order() {
    let pool = fresh_database().await;
    let mut servers = [Server::start(&pool), Server::start(&pool)];
    let mut seen = 0;
    for case in 0..CASES {
        let mut dice = Dice(case * 7_919 + 17);
        let mut messages = Vec::new();
        let sessions = 1 + dice.roll(3);
        let expected: u64 = (0..sessions).map(|n| session(&mut dice, &format!("s{case}-{n}"), &mut messages)).sum();
        for again in 0..messages.len() {
            if dice.roll(3) == 0 {
                messages.push(messages[again].clone());
            }
        }
        for last in (1..messages.len()).rev() {
            messages.swap(last, usize::try_from(dice.roll(last as u64 + 1)).unwrap());
        }
        for pair in messages.chunks(2) {
            let encoding = if dice.roll(2) == 0 { Encoding::Json } else { Encoding::Protobuf };
            let at = usize::try_from(dice.roll(2)).unwrap();
            if dice.roll(8) == 0 {
                servers[at].heads = Heads::default();
            }
            // Two requests at once, at different servers.
            let one = servers[at].take(&pool, case, &pair[0], encoding);
            match pair.get(1) {
                Some(other) => {
                    tokio::join!(one, servers[1 - at].take(&pool, case, other, encoding));
                }
                None => one.await,
            }
        }
        for table in ["event", "headline_10s"] {
            assert_eq!(output(&pool, table, case).await, expected, "case {case} in {table}");
        }
        seen += messages.len();
    }
    println!("{CASES} cases, {seen} messages");
    for server in servers {
        server.intake.close_and_drain(server.writer).await;
    }
    let report = server::db::verify::run(&pool).await.unwrap();
    assert!(report.holds(), "{report:#?}");
}
