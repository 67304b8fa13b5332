//! The past on its way into the store, several batches at once: in any pieces the same, whatever fails or is killed.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::id::TownName;
use model::time::Timestamp;
use serde_json::{Value, json};
use server::db::custody::Custody;
use server::db::price::Prices;
use server::db::report::{GroupBy, ReportRow};
use server::db::{self, Pool};
use server::ingest::{Intake, IntakeLimits};
use server::postgres::testing::fresh_database;
use server::source::backfill::{self, BackfillError, Enough, Order, Report};
use server::source::claude_code::Transcripts;

struct Store {
    pool: Pool,
    intake: Intake,
}

impl Store {
    async fn new() -> Self {
        let pool = fresh_database().await;
        db::price::seed(&pool, &server::source::price_seed::rows().unwrap()).await.unwrap();
        let prices = Prices::new(db::price::load(&pool).await.unwrap());
        let (committed, mut ignored) = tokio::sync::mpsc::channel(1_000);
        tokio::spawn(async move { while ignored.recv().await.is_some() {} });
        let (intake, _writer) = Intake::start(pool.clone(), prices, committed, IntakeLimits::default());
        Self { pool, intake }
    }

    async fn backfill(&self, town: &TownName, path: &Path, items: usize) -> Result<Report, BackfillError> {
        let paths = vec![path.to_owned()];
        let order = Order { source: &Transcripts, paths, town: town.clone(), no_paths: false };
        backfill::run_in(&order, Enough { items, files: 100 }, &self.pool, &self.intake, |_| {}).await
    }

    /// What is known of every conversation.
    async fn sessions(&self, town: &TownName) -> Vec<ReportRow> {
        let town = db::town::find(&self.pool, town).await.unwrap().unwrap();
        let all = (Timestamp::MIN_BELIEVED, Timestamp::MAX_BELIEVED);
        db::report::report(&self.pool, town.key, GroupBy::Session, all, "UTC").await.unwrap()
    }

    async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

fn town(name: &str) -> TownName {
    TownName::new(name).unwrap()
}

/// A call of a session, and a tool that it used; `output` tells reports of the same call apart.
fn call(id: u64, session: &str, output: u64, sidechain: bool) -> String {
    let at = |half: u64| {
        format!("2026-01-{:02}T{:02}:{:02}:{:02}.{half}00Z", 1 + id / 1_440 % 28, id / 60 % 24, id % 60, id % 50)
    };
    let line = json!({
        "type": "assistant", "timestamp": at(0), "uuid": format!("u{id}"), "sessionId": session, "version": "2.1.0",
        "cwd": "/w/app", "requestId": format!("req_{id}"), "isSidechain": sidechain,
        "message": {"id": format!("msg_{id}"), "model": "claude-sonnet-4-5",
            "content": [{"type": "tool_use", "id": format!("toolu_{id}"), "name": "Bash", "input": {}}],
            "usage": {"input_tokens": 10, "output_tokens": output}},
    });
    let result = json!({
        "type": "user", "timestamp": at(5), "sessionId": session, "cwd": "/w/app", "isSidechain": sidechain,
        "message": {"content": [{"type": "tool_result", "tool_use_id": format!("toolu_{id}"), "content": "x"}]},
    });
    format!("{line}\n{result}\n")
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join("projects/-w-app").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Conversations that go on with copies of others, repeat calls with larger totals, and replay them beside the main line.
fn resumed_sessions(dir: &Path, seed: u64) {
    let mut dice = Dice(seed);
    let mut before: Vec<u64> = Vec::new();
    for file in 0..12 {
        let session = format!("s{file:02}");
        let mut text = String::new();
        for n in 0..dice.below(30) + 10 {
            let id = if before.is_empty() || dice.below(3) > 0 {
                file * 100 + n
            } else {
                before[usize::try_from(dice.below(u64::try_from(before.len()).unwrap())).unwrap()]
            };
            before.push(id);
            text += &call(id, &session, 5 + dice.below(4), dice.below(5) == 0);
        }
        write(dir, &format!("{session}.jsonl"), &text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_batches_at_once_give_what_a_single_one_gives() {
    for seed in 1..=6 {
        let dir = tempfile::tempdir().unwrap();
        resumed_sessions(dir.path(), seed);
        let store = Store::new().await;
        let whole = store.backfill(&town("whole"), dir.path(), 1_000_000).await.unwrap().totals;
        let parts = store.backfill(&town("parts"), dir.path(), 40).await.unwrap().totals;
        assert_eq!(parts.lines, whole.lines);
        // A report that a better one replaces later was stored for a while; in the end it is a duplicate.
        assert_eq!(parts.stored + parts.duplicate, whole.stored + whole.duplicate);
        assert!(whole.duplicate > 0);
        assert_eq!(store.sessions(&town("parts")).await, store.sessions(&town("whole")).await, "seed {seed}");
        let differences = store
            .number(
                "select count(*) from (
                     (select ts, key, kind, output_tokens from event where town_id = 1
                      except select ts, key, kind, output_tokens from event where town_id = 2)
                     union all
                     (select ts, key, kind, output_tokens from event where town_id = 2
                      except select ts, key, kind, output_tokens from event where town_id = 1)) as d",
            )
            .await;
        assert_eq!(differences, 0, "seed {seed}");
        let sums =
            "select count(*) from (select sum(received) = sum(stored) + sum(duplicate) as ok, town_id from source
                    group by town_id) s where ok";
        assert_eq!(store.number(sums).await, 2);
        let rolled = "select count(*) from (
                          select h.town_id from headline_10s h group by h.town_id
                          having sum(h.events) = (select count(*) from event e where e.town_id = h.town_id)) r";
        assert_eq!(store.number(rolled).await, 2, "the finest tier has every event once");

        let again = store.backfill(&town("parts"), dir.path(), 40).await.unwrap().totals;
        assert_eq!((again.stored, again.duplicate), (0, parts.stored + parts.duplicate));
    }
}

/// Ten conversations of thirty calls, without anything in common.
fn plain_sessions(dir: &Path) {
    for file in 0..10 {
        let session = format!("s{file:02}");
        let text: String = (0..30).map(|n| call(file * 100 + n, &session, 5, false)).collect();
        write(dir, &format!("{session}.jsonl"), &text);
    }
}

/// Files whose cursor says that they were read to the end, and how many events of each are stored.
async fn settled(pool: &Pool) -> Vec<(String, i64)> {
    let sql = "select c.path, (select count(*) from event e where c.path like '%/' || e.session || '.jsonl')
               from cursor c where c.source = 'claude_code' order by 1";
    sqlx::query_as(sql).fetch_all(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_fails_keeps_every_cursor_from_it_on() {
    let dir = tempfile::tempdir().unwrap();
    plain_sessions(dir.path());
    let store = Store::new().await;
    sqlx::raw_sql(
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'not this one'; end $$;
         create trigger refuse before insert on event for each row when (new.session = 's04') execute function refuse()",
    )
    .execute(&store.pool)
    .await
    .unwrap();
    let failed = store.backfill(&town("t"), dir.path(), 61).await;
    assert!(matches!(failed, Err(BackfillError::Commit(_))), "{failed:?}");

    let kept = settled(&store.pool).await;
    assert!(kept.iter().all(|(_, events)| *events == 61), "{kept:?}");
    assert!(kept.len() < 10 && !kept.iter().any(|(path, _)| path.ends_with("s04.jsonl")), "{kept:?}");

    sqlx::raw_sql("drop trigger refuse on event").execute(&store.pool).await.unwrap();
    let stored_before = store.number("select count(*) from event").await;
    let again = store.backfill(&town("t"), dir.path(), 61).await.unwrap();
    assert_eq!(i64::try_from(again.totals.stored).unwrap(), 610 - stored_before);
    assert_eq!(store.number("select count(*) from event").await, 610);
    assert_eq!(settled(&store.pool).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_at_a_time_has_custody_of_a_town() {
    let store = Store::new().await;
    let key = db::town::ensure(&store.pool, &town("t"), false).await.unwrap();
    let other = db::town::ensure(&store.pool, &town("u"), false).await.unwrap();
    let first = Custody::take(&store.pool, key).await.unwrap();
    assert!(first.is_some());
    assert!(Custody::take(&store.pool, key).await.unwrap().is_none());
    assert!(Custody::take(&store.pool, other).await.unwrap().is_some());
    // Without it, the past is read one batch after the other.
    let dir = tempfile::tempdir().unwrap();
    resumed_sessions(dir.path(), 3);
    let alone = store.backfill(&town("t"), dir.path(), 40).await.unwrap();
    drop(first);
    let beside = store.backfill(&town("u"), dir.path(), 40).await.unwrap();
    assert_eq!(alone.totals.lines, beside.totals.lines);
    assert_eq!(store.sessions(&town("t")).await, store.sessions(&town("u")).await);
    // Postgres takes a moment to see that a connection is gone.
    let begun = Instant::now();
    while Custody::take(&store.pool, key).await.unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(10), "custody ends with its value");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_custody_decides_alone() {
    let store = Store::new().await;
    let key = db::town::ensure(&store.pool, &town("t"), false).await.unwrap();
    let custody = Arc::new(Custody::take(&store.pool, key).await.unwrap().unwrap());
    // Somebody decides about the town's claims, and does not end.
    let mut held = store.pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(x'636c6169'::integer, $1)")
        .bind(key.0)
        .execute(&mut *held)
        .await
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    plain_sessions(dir.path());
    let mut transcript = server::source::claude_code::Transcript::new(
        server::source::claude_code::FileIdentity::of(&dir.path().join("projects/-w-app/s00.jsonl")),
        None,
        Arc::default(),
        false,
    )
    .unwrap();
    let bytes = std::fs::read(dir.path().join("projects/-w-app/s00.jsonl")).unwrap();
    let events = transcript.read_all(&bytes).events;
    let (intake, name) = (store.intake.clone(), town("t"));
    let submitted = tokio::spawn(async move { intake.submit_beside(&name, events, Some(custody)).await });
    let waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted
                 and database = (select oid from pg_database where datname = current_database())";
    while store.number(waits).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let end = "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and granted
               and classid = x'63757374'::integer::oid
               and database = (select oid from pg_database where datname = current_database())";
    assert_eq!(store.number(end).await, 1);
    while store.number("select count(*) from pg_locks where classid = x'63757374'::integer::oid").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    held.commit().await.unwrap();
    assert_eq!(submitted.await.unwrap().unwrap().len(), 61);
    assert_eq!(store.number("select count(*) from event").await, 61);
}

const FILES: u64 = 12;
/// Enough for several batches of the size that the command takes.
const CALLS: u64 = 2_500;

/// `kill -9` of the command in the middle, again and again: whatever a cursor passed is stored, and in the end everything
/// is there once.
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_is_killed_neither_loses_nor_doubles() {
    let dir = tempfile::tempdir().unwrap();
    for file in 0..FILES {
        let session = format!("s{file:02}");
        let text: String = (0..CALLS).map(|n| call(file * CALLS + n, &session, 5, false)).collect();
        write(dir.path(), &format!("{session}.jsonl"), &text);
    }
    let expected = FILES * (2 * CALLS + 1);
    let pool = fresh_database().await;
    let place: (String, String) =
        sqlx::query_as("select current_setting('unix_socket_directories'), current_database()")
            .fetch_one(&pool)
            .await
            .unwrap();
    let url = format!("postgres://towngauge@localhost/{}?host={}", place.1, place.0.replace('/', "%2F"));
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
        command.args(["backfill", "claude-code"]).arg(dir.path()).args(["--town", "t"]);
        command.args(["--database-url", &url]).arg("--data-dir").arg(dir.path().join("data"));
        command.stdout(Stdio::piped());
        command
    };
    let count = async || -> u64 {
        let stored: i64 = sqlx::query_scalar("select count(*) from event").fetch_one(&pool).await.unwrap();
        stored.unsigned_abs()
    };
    let mut killed = 0;
    for share in 1..4 {
        let enough = expected * share / 5;
        let mut child = command().spawn().unwrap();
        while count().await < enough && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let passed: BTreeMap<String, i64> =
            sqlx::query_as::<_, (String, i64)>("select path, lines from cursor where source = 'claude_code'")
                .fetch_all(&pool)
                .await
                .unwrap()
                .into_iter()
                .collect();
        for (path, lines) in passed {
            let session = Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned();
            let stored: i64 = sqlx::query_scalar("select count(*) from event where session = $1")
                .bind(&session)
                .fetch_one(&pool)
                .await
                .unwrap();
            assert!(stored > lines, "{path} was passed to line {lines}, but {stored} events of it are stored");
        }
    }
    assert!(killed > 0, "it was always quicker than the kill");
    for round in 0..2 {
        let done = command().output().unwrap();
        assert!(done.status.success());
        let last = String::from_utf8(done.stdout).unwrap();
        let told: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
        assert_eq!(told["lines"].as_u64(), Some(FILES * CALLS * 2));
        assert_eq!(told["stored"].as_u64().unwrap() + told["duplicate"].as_u64().unwrap(), expected);
        assert!(round == 0 || told["stored"] == 0, "{told}");
        assert_eq!(count().await, expected);
    }
    let sums: (i64, i64) = sqlx::query_as("select sum(events)::bigint, sum(input_tokens)::bigint from headline_10s")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(sums, (expected.cast_signed(), (FILES * CALLS * 10).cast_signed()));
}
