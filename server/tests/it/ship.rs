//! A sender that meets everything a server can answer.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::server_support::{Server, call, now, start, start_with};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use model::id::{SourceName, TownName};
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::Settings;
use server::db::cursor::Cursor;
use server::ingest::Rejection;
use server::ship::wire::{self, Line, Report};
use server::ship::{Sender, SenderSettings, ShipKey, Spool, SpoolSettings, Target};
use server::source::claude_code::Transcripts;
use server::source::destination::{Batch, Destination as _};
use server::source::registry::{Root, Roots};
use server::source::watch;
use tokio_util::sync::CancellationToken;

struct Shipping {
    spool: Spool,
    stop: CancellationToken,
    sending: tokio::task::JoinHandle<()>,
}

fn spool(folder: &std::path::Path, url: &str, max_bytes: u64, stop: &CancellationToken) -> Spool {
    let town = TownName::new("far").unwrap();
    let settings = SpoolSettings { folder: folder.to_owned(), url: url.to_owned(), town, max_bytes };
    Spool::open(&settings, Clock::system(), stop.clone()).unwrap()
}

fn ship(folder: &std::path::Path, url: &str, key: Option<&str>) -> Shipping {
    let stop = CancellationToken::new();
    let spool = spool(folder, url, 8 << 20, &stop);
    let key = key.map(|key| key.parse::<ShipKey>().unwrap());
    let target = Target { url: url.to_owned(), town: TownName::new("far").unwrap(), key };
    let settings = SenderSettings { target, name: "laptop".into(), patience: Duration::from_secs(5) };
    let sender = Sender::new(spool.clone(), settings).unwrap();
    let told = stop.clone();
    let sending = tokio::spawn(async move { sender.run(told).await.unwrap() });
    Shipping { spool, stop, sending }
}

impl Shipping {
    async fn emptied(&self) {
        let begun = Instant::now();
        while self.spool.waiting().0 > 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?} still wait", self.spool.waiting());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    async fn end(self) {
        self.stop.cancel();
        self.sending.await.unwrap();
    }
}

fn bad_lines(marks: &[&str]) -> Batch {
    let item = |mark: &&str| Rejection { place: format!("a.jsonl:{mark}"), reason: (*mark).to_owned() };
    let cursor = Cursor { head: 1, position: 5, lines: 1, memory: None };
    Batch {
        rejected: HashMap::from([("codex", marks.iter().map(item).collect())]),
        cursors: HashMap::from([("codex", HashMap::from([("a".to_owned(), cursor)]))]),
        ..Batch::default()
    }
}

async fn number(server: &Server, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&server.pool).await.unwrap()
}

const REJECTED: &str = "select coalesce(sum(rejected), 0)::bigint from source where source = 'codex'";

fn transcript(calls: u32) -> String {
    let line = |n: u32| {
        let line = json!({
            "type": "assistant", "timestamp": format!("2026-01-02T03:{:02}:{:02}.000Z", n / 60 % 60, n % 60),
            "uuid": format!("u{n}"), "sessionId": "s", "version": "2.1.0", "cwd": "/w/app",
            "requestId": format!("req_{n}"), "isSidechain": false,
            "message": {"id": format!("msg_{n}"), "model": "claude-sonnet-4-5",
                "content": [{"type": "text", "text": "secret words"}],
                "usage": {"input_tokens": 10, "output_tokens": 5}},
        });
        format!("{line}\n")
    };
    (0..calls).map(line).collect()
}

/// Everything in a folder, copied elsewhere.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            std::fs::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_is_replayed_as_a_whole_changes_nothing() {
    let server = start().await;
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("projects/-w-app");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join("s.jsonl"), transcript(300) + "nonsense\n").unwrap();
    let (state, copied) = (folder.path().join("state"), folder.path().join("copied"));

    // Read while nobody takes anything.
    let stop = CancellationToken::new();
    let unsent = spool(&state, &server.url(""), 8 << 20, &stop);
    let roots = Roots::named(vec![Root { source: &Transcripts, path: folder.path().join("projects") }]);
    let watcher = watch::spawn_into(Arc::new(unsent.clone()), roots, stop.clone(), false);
    while unsent.waiting().0 == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    watcher.await.unwrap();
    drop(unsent);
    copy(&state, &copied);

    let first = ship(&state, &server.url(""), None);
    first.emptied().await;
    first.end().await;
    let counts = async || {
        let mut counts = Vec::new();
        for sql in [
            "select count(*) from event",
            "select stored from source where source = 'claude_code'",
            "select rejected from source where source = 'claude_code'",
            "select count(*) from rejection",
        ] {
            counts.push(number(&server, sql).await);
        }
        counts
    };
    let once = counts().await;
    assert_eq!((once[0], once[2], once[3]), (once[1], 1, 1), "{once:?}");
    assert!(once[0] >= 300);

    let again = ship(&copied, &server.url(""), None);
    again.emptied().await;
    again.end().await;
    assert_eq!(counts().await, once, "events are known by themselves, and bad lines by their batch's number");

    // Without the memory of numbers too.
    sqlx::query("delete from shipper").execute(&server.pool).await.unwrap();
    std::fs::remove_file(copied.join("acked")).unwrap();
    let third = ship(&copied, &server.url(""), None);
    third.emptied().await;
    third.end().await;
    assert_eq!(number(&server, "select count(*) from event").await, once[0]);
    // What is posted by hand meets what is shipped.
    assert_eq!(server.post("/api/ingest?town=far", &call(now(), 1)).await.0, 200);
    assert_eq!(number(&server, "select count(*) from town where name = 'far'").await, 1);
    let page = server.get("/api/towns/far/shippers").await;
    assert_eq!(page["shippers"][0]["waiting_bytes"], 0, "{page}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_loses_nothing_and_the_right_one_goes_on() {
    let pool = server::postgres::testing::fresh_database().await;
    let secret = server::http::Secret::random().unwrap();
    let hash = server::http::hash(secret.reveal()).unwrap();
    server::db::key::insert(&pool, "laptop", server::db::key::Scope::Ingest, &hash).await.unwrap();
    let server = start_with("0.0.0.0", &pool, Settings::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let wrong = format!("tg_{}", "0".repeat(64));
    let shipping = ship(folder.path(), &server.url(""), Some(&wrong));
    shipping.spool.take(bad_lines(&["one"])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(shipping.spool.waiting().0, 1);
    shipping.end().await;
    let shipping = ship(folder.path(), &server.url(""), Some(secret.reveal()));
    shipping.emptied().await;
    shipping.end().await;
    assert_eq!(number(&server, REJECTED).await, 1);
    // The scope for sending is no scope for seeing.
    let bare =
        server.client.get(server.url("/api/towns/far/shippers")).bearer_auth(secret.reveal()).send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 403);
    server.running.stop().await;
}

/// A server that answers as it is told, and remembers what it took.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

/// An answer's status, type and body.
type Foreign = (u16, &'static str, &'static str);

const PAGE: Foreign = (200, "text/html", "<!doctype html><title>Sign in</title>");

#[derive(Default)]
struct Script {
    /// Requests, by number, that meet something else than a Towngauge.
    foreign: HashMap<usize, Foreign>,
    /// One after another; then 200.
    answers: Vec<u16>,
    /// A request whose text holds this is too large, if it has more than so many lines.
    split: Option<(&'static str, usize)>,
    /// A request whose text holds this is refused for good.
    refuse: Option<&'static str>,
    taken: Vec<String>,
    /// The last batch of it.
    whole: u64,
    requests: Vec<Instant>,
    heads: Vec<Value>,
}

async fn answer(State(Scripted(script)): State<Scripted>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    assert_eq!(headers["content-encoding"], "gzip");
    let mut plain = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(&body[..]), &mut plain).unwrap();
    let mut script = script.lock().unwrap();
    script.requests.push(Instant::now());
    let (head, lines) = plain.split_once('\n').unwrap();
    script.heads.push(serde_json::from_str(head).unwrap());
    let items: Vec<&str> = lines.lines().filter(|line| !line.starts_with("{\"batch\"")).collect();
    let request = script.requests.len() - 1;
    if let Some((status, kind, body)) = script.foreign.remove(&request) {
        return (StatusCode::from_u16(status).unwrap(), [("content-type", kind)], body).into_response();
    }
    const NO: &str = "{\"error\":\"no\",\"hint\":\"later\"}";
    if !script.answers.is_empty() {
        let status = StatusCode::from_u16(script.answers.remove(0)).unwrap();
        return (status, [("retry-after", "1")], NO).into_response();
    }
    if script.split.is_some_and(|(word, most)| lines.contains(word) && items.len() > most) {
        return (StatusCode::PAYLOAD_TOO_LARGE, NO).into_response();
    }
    if script.refuse.is_some_and(|word| lines.contains(word)) {
        return (StatusCode::UNPROCESSABLE_ENTITY, NO).into_response();
    }
    let marks = lines.lines().filter_map(|line| match serde_json::from_str(line) {
        Ok(Line::Batch(mark)) if !mark.more => Some(mark.seq),
        _ => None,
    });
    script.whole = marks.fold(script.whole, u64::max);
    let report = Report { taken: script.whole, ship: wire::VERSION, ..Report::default() };
    script.taken.extend(items.into_iter().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["rejected"]["reason"].as_str().unwrap().to_owned()
    }));
    axum::Json(report).into_response()
}

async fn scripted(script: Script) -> (Scripted, String) {
    let scripted = Scripted(Arc::new(Mutex::new(script)));
    let router = Router::new().route("/api/ship", post(answer)).with_state(scripted.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (scripted, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks_and_then_gets_everything_in_order() {
    let (script, url) = scripted(Script { answers: vec![503, 429], ..Script::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let shipping = ship(folder.path(), &url, None);
    for n in ["1", "2", "3"] {
        shipping.spool.take(bad_lines(&[n])).await.unwrap();
    }
    shipping.emptied().await;
    shipping.end().await;
    let script = script.0.lock().unwrap();
    assert_eq!(script.taken, ["1", "2", "3"]);
    for pair in script.requests.windows(2).take(2) {
        assert!(pair[1] - pair[0] >= Duration::from_secs(1), "Retry-After is honoured");
    }
    assert!(script.heads[1]["error"].as_str().unwrap().contains("503"), "{}", script.heads[1]);
    assert_eq!(script.heads[0]["name"], "laptop");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_something_else_answers_loses_nothing_and_the_right_server_gets_it() {
    // Each with a sender of its own: pauses double.
    let tried: [Foreign; 6] = [
        PAGE,
        (200, "application/json", "{\"status\":\"ok\"}"),
        (204, "text/plain", ""),
        (400, "text/html", PAGE.2),
        (413, "text/html", ""),
        (422, "application/json", "{\"detail\":[]}"),
    ];
    let one = |foreign: Foreign| async move {
        let (script, url) = scripted(Script { foreign: HashMap::from([(0, foreign)]), ..Script::default() }).await;
        let folder = tempfile::tempdir().unwrap();
        let shipping = ship(folder.path(), &url, None);
        shipping.spool.take(bad_lines(&["a", "b"])).await.unwrap();
        shipping.spool.take(bad_lines(&["c"])).await.unwrap();
        shipping.emptied().await;
        shipping.end().await;
        let script = script.0.lock().unwrap();
        assert_eq!(script.taken, ["a", "b", "c"], "{foreign:?}");
        let said = script.heads[1]["error"].as_str().unwrap();
        assert!(said.contains("something else than a Towngauge answered") && !said.contains("Sign in"), "{said}");
        assert!(!folder.path().join("rejected").exists(), "nothing is given up: {foreign:?}");
    };
    futures::future::join_all(tried.map(one)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_something_else_answers_everything_waits_on_disk_for_the_next_start() {
    let foreign = (0..1_000).map(|request| (request, PAGE)).collect();
    let (script, url) = scripted(Script { foreign, ..Script::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let shipping = ship(folder.path(), &url, None);
    shipping.spool.take(bad_lines(&["a"])).await.unwrap();
    let begun = Instant::now();
    while script.0.lock().unwrap().requests.len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(shipping.spool.waiting().0, 1);
    shipping.end().await;
    script.0.lock().unwrap().foreign.clear();
    let shipping = ship(folder.path(), &url, None);
    shipping.emptied().await;
    shipping.end().await;
    assert_eq!(script.0.lock().unwrap().taken, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_between_the_parts_of_a_batch_loses_none_of_them() {
    // The batch is too large, and of its two parts each meets somebody else first.
    let foreign = HashMap::from([(1, (400, "text/html", "<p>no</p>")), (3, PAGE)]);
    let (script, url) = scripted(Script { split: Some(("many", 1)), foreign, ..Script::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let shipping = ship(folder.path(), &url, None);
    shipping.spool.take(bad_lines(&["many 1", "many 2"])).await.unwrap();
    shipping.emptied().await;
    shipping.end().await;
    let script = script.0.lock().unwrap();
    assert_eq!((script.taken.as_slice(), script.requests.len()), (&["many 1".to_owned(), "many 2".to_owned()][..], 5));
    assert!(!folder.path().join("rejected").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_old_or_of_another_version_gets_everything_once_it_is_updated() {
    let (script, url) = scripted(Script { answers: vec![404, 409], ..Script::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let shipping = ship(folder.path(), &url, None);
    shipping.spool.take(bad_lines(&["kept"])).await.unwrap();
    shipping.emptied().await;
    shipping.end().await;
    let script = script.0.lock().unwrap();
    assert_eq!(script.taken, ["kept"]);
    let said: Vec<&str> = script.heads.iter().filter_map(|head| head["error"].as_str()).collect();
    assert!(said[0].contains("update the server") && said[1].contains("409: no: later"), "{said:?}");
    assert!(!folder.path().join("rejected").exists(), "a version is no reason to give anything up");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_goes_in_parts_and_what_is_refused_is_put_aside_and_blocks_nothing() {
    let script = Script { split: Some(("many", 3)), refuse: Some("poison"), ..Script::default() };
    let (script, url) = scripted(script).await;
    let folder = tempfile::tempdir().unwrap();
    let shipping = ship(folder.path(), &url, None);
    let many: Vec<String> = (0..10).map(|n| format!("many {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    shipping.spool.take(bad_lines(&["first"])).await.unwrap();
    shipping.spool.take(bad_lines(&many)).await.unwrap();
    shipping.spool.take(bad_lines(&["a", "poison", "b"])).await.unwrap();
    shipping.spool.take(bad_lines(&["last"])).await.unwrap();
    shipping.emptied().await;
    shipping.end().await;
    let script = script.0.lock().unwrap();
    let want: Vec<&str> = ["first"].into_iter().chain(many).chain(["a", "b", "last"]).collect();
    assert_eq!(script.taken, want);
    let parked: Vec<_> = std::fs::read_dir(folder.path().join("rejected")).unwrap().map(Result::unwrap).collect();
    assert_eq!(parked.len(), 1);
    let parked = std::fs::read_to_string(parked[0].path()).unwrap();
    assert!(parked.starts_with("{\"refused\":\"422: no: later\"}\n") && parked.contains("poison"), "{parked}");
    assert_eq!(parked.lines().count(), 2, "nothing but the line that is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_spool_files_wait_and_nothing_is_missing_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("projects/-w-app");
    std::fs::create_dir_all(&files).unwrap();
    let server = start().await;
    let stop = CancellationToken::new();
    // A server that is down for a while: nothing is sent yet.
    let small = spool(&folder.path().join("state"), &server.url(""), 64 << 10, &stop);
    let roots = Roots::named(vec![Root { source: &Transcripts, path: folder.path().join("projects") }]);
    let watcher = watch::spawn_into(Arc::new(small.clone()), roots, stop.clone(), false);
    for part in 0..8 {
        let mut file = std::fs::File::create(files.join(format!("{part}.jsonl"))).unwrap();
        file.write_all(
            transcript(600)
                .replace("msg_", &format!("msg_{part}_"))
                .replace("req_", &format!("req_{part}_"))
                .as_bytes(),
        )
        .unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let full = small.waiting().1;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(small.waiting().1, full, "reading pauses");
    assert!((8 << 10..=96 << 10).contains(&full), "{full} bytes wait");
    let read = small.cursors("claude_code").await.unwrap().len();
    assert!(read < 8, "{read} files are read already: nothing was tested");

    let target = Target { url: server.url(""), town: TownName::new("far").unwrap(), key: None };
    let settings = SenderSettings { target, name: "laptop".into(), patience: Duration::from_secs(5) };
    let sender = Sender::new(small.clone(), settings).unwrap();
    let sending = tokio::spawn(sender.run(stop.clone()));
    let begun = Instant::now();
    let calls = "select count(*) from event where kind = 0";
    while number(&server, calls).await < 4_800 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} calls", number(&server, calls).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.cancel();
    watcher.await.unwrap();
    sending.await.unwrap().unwrap();
    assert_eq!(number(&server, calls).await, 4_800);
    let source = SourceName::new("claude_code").unwrap();
    let (received, sum): (i64, i64) =
        sqlx::query_as("select received, stored + duplicate + rejected from source where source = $1")
            .bind(source.as_str())
            .fetch_one(&server.pool)
            .await
            .unwrap();
    assert_eq!(received, sum);
    server.running.stop().await;
}
