//! Streams of events against the store: every stored event is told once, whatever is late, repeated or replaced, across
//! pages, disconnects and restarts; and whoever does not listen costs nothing.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::server_support;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::server_support::{Server, call, now, start, start_on};
use crate::support::{Dice, Seed, intake, town};
use futures::future::join_all;
use model::TownName;
use model::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use server::config::Settings;
use server::db::feed::{self, Cursor, Entry};
use server::db::{self, Pool, TownKey, town as towns};
use server::hub::row_key;
use server::ingest::IntakeLimits;
use server::postgres::testing::fresh_database;
use tokio::time::timeout;

async fn key(pool: &Pool, name: &TownName) -> TownKey {
    towns::ensure(pool, name, false).await.unwrap()
}

/// Everything that a town's events say of themselves, by key.
async fn stored(pool: &Pool, town: &TownName) -> HashSet<u64> {
    let sql = format!("select {} from event where town_id = $1", db::event::COLUMNS);
    let town = key(pool, town).await;
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(town.0).fetch_all(pool).await.unwrap();
    rows.iter().map(|row| row_key(&db::event::decode(row).unwrap()).0).collect()
}

/// What a reader was told, and what it makes of it.
#[derive(Default)]
struct Told {
    times: HashMap<u64, u32>,
    shown: HashSet<u64>,
}

impl Told {
    fn take(&mut self, entry: &Entry) {
        match entry {
            Entry::Added(event) => self.added(row_key(event).0),
            Entry::Gone(key) => self.gone(key.0),
        }
    }
    fn added(&mut self, key: u64) {
        *self.times.entry(key).or_default() += 1;
        self.shown.insert(key);
    }
    fn gone(&mut self, key: u64) {
        self.shown.remove(&key);
    }
    fn assert_exact(&self, stored: &HashSet<u64>) {
        let twice: Vec<_> = self.times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "told more than once: {twice:?}");
        assert_eq!(&self.shown, stored);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn each_stored_event_is_told_once_whatever_is_late_or_replaced_and_however_it_is_read(seed in any::<u64>()) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let pool = fresh_database().await;
            let (intake, writer, _changes) = intake(&pool, IntakeLimits { batch_events: 64, ..IntakeLimits::default() });
            let home = town(0);
            let number = key(&pool, &home).await;
            let mut dice = Dice(seed);
            let (mut told, mut cursor) = (Told::default(), Cursor::behind(0));
            for _ in 0..20 {
                // Several writers at once, so that transactions overlap; each with events of any time.
                let writers = dice.roll(4);
                let batches: Vec<Vec<_>> = (0..writers)
                    .map(|_| (0..=dice.roll(25)).map(|_| Seed { town: 0, ..dice.seed() }.event()).collect())
                    .collect();
                let submitted = batches.into_iter().map(|batch| intake.submit(&home, batch));
                let reading = async {
                    for _ in 0..3 {
                        let page = feed::after(&pool, number, cursor, 1 + u32::try_from(seed % 7).unwrap()).await.unwrap();
                        page.entries.iter().for_each(|(_, entry)| told.take(entry));
                        // A reader that only remembers the id of the last message goes on as exactly.
                        cursor = match page.entries.last() {
                            Some((last, _)) if seed % 2 == 0 => Cursor::parse(&last.to_string()).unwrap(),
                            _ => page.reached,
                        };
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                };
                let (outcomes, ()) = tokio::join!(join_all(submitted), reading);
                outcomes.into_iter().for_each(|outcome| drop(outcome.unwrap()));
            }
            loop {
                let page = feed::after(&pool, number, cursor, 40).await.unwrap();
                page.entries.iter().for_each(|(_, entry)| told.take(entry));
                if page.reached == cursor {
                    break;
                }
                cursor = page.reached;
            }
            told.assert_exact(&stored(&pool, &home).await);
            let reach = feed::reach(&pool, number).await.unwrap();
            assert_eq!((cursor, reach.oldest), (Cursor::behind(reach.newest), 1));
            intake.close_and_drain(writer).await;
            pool.close().await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_told_again_has_no_number_and_what_is_forgotten_is_counted() {
    let pool = fresh_database().await;
    let server = start_on("127.0.0.1", &pool).await.unwrap();
    let home = TownName::new("home").unwrap();
    let at = now();
    server.post("/api/ingest", &call(at, 1)).await;
    server.post("/api/ingest", &call(at, 1)).await;
    let mut again = call(now(), 2);
    again["session"] = json!("s1");
    again.as_object_mut().unwrap().remove("role");
    server.post("/api/ingest", &again).await;
    let number = key(&pool, &home).await;
    assert_eq!(feed::reach(&pool, number).await.unwrap().newest, 2, "a repeated event is no change");
    let known =
        json!({"type": "session", "ts": now().to_string(), "session": "s1", "state": "started", "role": "crew"});
    server.post("/api/ingest", &known).await;
    server::rollup::run_once(&pool).await.unwrap();
    assert_eq!(feed::reach(&pool, number).await.unwrap().newest, 3, "a late attribution is no change");

    sqlx::raw_sql("update change set noted_at = now() - interval '25 hours' where seq < 3")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(feed::prune(&pool).await.unwrap(), 2);
    let mut stream = Stream::open(&server, "home", Some("1")).await;
    let ready = stream.next().await;
    assert_eq!(
        (&ready.data["resumed"], &ready.data["missed"], &ready.data["from"]),
        (&json!(true), &json!(1), &json!("2"))
    );
    assert_eq!(stream.next().await.data["kind"], "session");
    // Another database's place is none here.
    let ready = Stream::open(&server, "home", Some("900-2")).await.next().await;
    assert_eq!((&ready.data["resumed"], &ready.data["from"]), (&json!(false), &json!("3")));
    server.running.stop().await;
}

/// A message of a stream.
#[derive(Debug, Clone, Default)]
struct Message {
    id: Option<String>,
    name: String,
    data: Value,
}

/// A client: nothing but what the standard says of `EventSource`.
struct Stream {
    answer: reqwest::Response,
    unread: String,
    /// Up to here it was read.
    begin: usize,
    comments: usize,
}

impl Stream {
    async fn open(server: &Server, town: &str, last: Option<&str>) -> Self {
        let mut request = server.client.get(server.url(&format!("/api/live/stream?town={town}&tz=Europe/Berlin")));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, unread: String::new(), begin: 0, comments: 0 }
    }
    /// The next message; none when the stream ended.
    async fn read(&mut self) -> Option<Message> {
        loop {
            while let Some(length) = self.unread[self.begin..].find("\n\n") {
                let block = self.unread[self.begin..self.begin + length].to_owned();
                self.begin += length + 2;
                let mut message = Message::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("id", id)) => message.id = Some(id.to_owned()),
                        Some(("event", name)) => name.clone_into(&mut message.name),
                        Some(("data", data)) => message.data = serde_json::from_str(data).unwrap(),
                        Some(("", _)) => self.comments += 1,
                        _ => {}
                    }
                }
                if !message.name.is_empty() {
                    return Some(message);
                }
            }
            self.unread.drain(..std::mem::take(&mut self.begin));
            let chunk = timeout(Duration::from_secs(20), self.answer.chunk()).await.unwrap().ok()??;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
    async fn next(&mut self) -> Message {
        self.read().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_where_it_begins_then_every_event_and_what_is_burnt() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 0)).await;
    let mut stream = Stream::open(&server, "home", None).await;
    let ready = stream.next().await;
    assert_eq!((ready.name.as_str(), &ready.data["resumed"], ready.id.as_deref()), ("ready", &json!(false), Some("1")));
    let tool = json!({"type": "tool_call", "ts": now().to_string(), "tool": "Bash", "duration_ms": 12, "ok": false, "agent": "toast"});
    server.post("/api/ingest", &json!([call(now(), 1), tool])).await;
    // An hour late, and told as what it is: new.
    server.post("/api/ingest", &call(now().plus_seconds(-3_600), 2)).await;
    let (mut names, mut ids, mut burn) = (Vec::new(), Vec::new(), None);
    while names.len() < 3 || burn.is_none() {
        let message = stream.next().await;
        if message.name == "burn_tick" {
            assert_eq!(message.id, None, "it is no event");
            burn = Some(message.data);
        } else {
            let data = &message.data;
            names.push(format!(
                "{} {} {}",
                message.name,
                data["kind"].as_str().unwrap(),
                data["level"].as_str().unwrap()
            ));
            ids.push(Cursor::parse(&message.id.unwrap()).unwrap());
        }
    }
    names[..2].sort();
    assert_eq!(names, ["event model_call info", "tool_call tool_call error", "event model_call info"]);
    assert!(ids.is_sorted());
    let burn: model::burn::Burn = serde_json::from_value(burn.unwrap()).unwrap();
    assert_eq!((burn.zone.as_str(), burn.last_minute.0), ("Europe/Berlin", 2 * 13_800_000));
    let status = async |path: &str, id: Option<&str>| {
        let mut request = server.client.get(server.url(path));
        if let Some(id) = id {
            request = request.header("last-event-id", id);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("/api/live/stream?town=nowhere", None).await, 404);
    assert_eq!(status("/api/live/stream?tz=Mars/Base", None).await, 400);
    assert_eq!(status("/api/live/stream", Some("seven")).await, 400);
    let foreign = server.client.get(server.url("/api/live/stream")).header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    drop(stream);
    let feeds = server.running.app().feeds.clone();
    for _ in 0..100 {
        if feeds.producers() == 0 && feeds.streams() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((feeds.producers(), feeds.streams()), (0, 0), "nobody listens, nothing is read");
    server.running.stop().await;
}

/// Posts batches of events of any time, some twice.
async fn write(server: &Server, dice: &mut Dice, ids: &mut usize) {
    let batch: Vec<Value> = (0..=dice.roll(30))
        .map(|_| {
            let id = if dice.roll(6) == 0 { usize::try_from(dice.roll(50)).unwrap() } else { *ids };
            *ids += 1;
            let mut event = call(Timestamp(1_790_000_000_000_000 + i64::try_from(id).unwrap() * 977), id);
            if dice.roll(5) == 0 {
                // The same call again and again, each time with more: the better report replaces the other.
                event["message_id"] = json!(format!("m{}", dice.roll(9)));
                event["output_tokens"] = json!(*ids);
                event["ts"] = json!(now().to_string());
            }
            event
        })
        .collect();
    let (status, answer) = server.post("/api/ingest", &json!(batch)).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_stored_event_is_told_once_across_disconnects_and_restarts() {
    let pool = fresh_database().await;
    let options = pool.connect_options();
    let mut server = start_on("127.0.0.1", &pool).await.unwrap();
    let home = TownName::new("home").unwrap();
    let (mut dice, mut ids) = (Dice(5), 0);
    let (mut told, mut last) = (Told::default(), Some("0".to_owned()));
    for round in 0..12_u64 {
        if round % 5 == 4 {
            server.running.stop().await;
            let pool = db::connect(options.as_ref().clone()).await.unwrap();
            server = start_on("127.0.0.1", &pool).await.unwrap();
        }
        // While it is away, too.
        write(&server, &mut dice, &mut ids).await;
        let mut stream = Stream::open(&server, "home", last.as_deref()).await;
        let ready = stream.next().await;
        assert_eq!((&ready.data["missed"], ready.name.as_str()), (&json!(0), "ready"));
        write(&server, &mut dice, &mut ids).await;
        // It leaves in the middle of whatever comes.
        for _ in 0..dice.roll(60) {
            let Ok(Some(message)) = timeout(Duration::from_millis(400), stream.read()).await else { break };
            take(&mut told, &mut last, message);
        }
    }
    let stored = stored(&server.pool, &home).await;
    let mut stream = Stream::open(&server, "home", last.as_deref()).await;
    while let Ok(Some(message)) = timeout(Duration::from_millis(1_500), stream.read()).await {
        take(&mut told, &mut last, message);
    }
    assert!(stored.len() > 100);
    told.assert_exact(&stored);
    server.running.stop().await;
    assert!(stream.read().await.is_none(), "streams end when the server stops");
}

fn take(told: &mut Told, last: &mut Option<String>, message: Message) {
    match message.name.as_str() {
        "event" | "tool_call" => told.added(message.data["key"].as_u64().unwrap()),
        "gone" => told.gone(message.data["key"].as_u64().unwrap()),
        _ => {}
    }
    if message.id.is_some() {
        *last = message.id;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_does_not_read_holds_nobody_up_and_misses_nothing() {
    let server = start().await;
    let mut slow = Stream::open(&server, "home", None).await;
    let mut quick = Stream::open(&server, "home", None).await;
    slow.next().await;
    quick.next().await;
    // More than the ring and every buffer on the way hold.
    let (batches, each) = (40, 1_000);
    for n in 0..batches {
        let batch: Vec<Value> = (0..each).map(|i| call(now(), n * each + i)).collect();
        assert_eq!(server.post("/api/ingest", &json!(batch)).await.1["stored"], each);
    }
    let all = async |stream: &mut Stream| {
        let (mut keys, mut told) = (HashSet::new(), 0);
        while told < batches * each {
            let message = stream.next().await;
            if message.name == "event" {
                told += 1;
                keys.insert(message.data["key"].as_u64().unwrap());
            }
        }
        keys.len() == told
    };
    assert!(all(&mut quick).await);
    assert!(all(&mut slow).await);
    assert!(slow.comments > 0, "it is told that it was too slow");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_listeners_share_one_producer() {
    let server = server_support::start_with("127.0.0.1", &fresh_database().await, Settings::default()).await.unwrap();
    let mut streams = join_all((0..1_000).map(|_| Stream::open(&server, "home", None))).await;
    for stream in &mut streams {
        assert_eq!(stream.next().await.name, "ready");
    }
    assert_eq!(server.running.app().feeds.producers(), 1);
    server.post("/api/ingest", &call(now(), 1)).await;
    let told = join_all(streams.iter_mut().map(async |stream| {
        loop {
            let message = stream.next().await;
            if message.name == "event" {
                return message.data["key"].as_u64();
            }
        }
    }));
    let keys: HashSet<_> = told.await.into_iter().collect();
    assert_eq!(keys.len(), 1);
    server.running.stop().await;
}
