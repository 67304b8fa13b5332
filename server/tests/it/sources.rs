//! From files to the store, on a real Postgres: once, twice, through resumed and damaged files, and while they grow.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::id::TownName;
use model::time::Timestamp;
use serde_json::{Value, json};
use server::db::price::Prices;
use server::db::report::{GroupBy, ReportRow};
use server::db::{self, Pool};
use server::ingest::{Intake, IntakeLimits};
use server::postgres::testing::fresh_database;
use server::source::backfill::{self, Order, Report};
use server::source::beads::{Issues, files_of_town};
use server::source::claude_code::Transcripts;
use server::source::codex::Rollouts;
use server::source::gas_town::{Costs, Town};
use server::source::gemini::Chats;
use server::source::opencode::OPENCODE;
use server::source::registry::{Root, Roots};
use server::source::{FileSource, watch};
use tokio_util::sync::CancellationToken;

struct Store {
    pool: Pool,
    intake: Intake,
    town: TownName,
}

impl Store {
    async fn new() -> Self {
        let pool = fresh_database().await;
        let rows = server::source::price_seed::rows().unwrap();
        assert!(db::price::seed(&pool, &rows).await.unwrap() > 0);
        assert_eq!(db::price::seed(&pool, &rows).await.unwrap(), 0);
        let prices = Prices::new(db::price::load(&pool).await.unwrap());
        let (committed, mut ignored) = tokio::sync::mpsc::channel(1_000);
        tokio::spawn(async move { while ignored.recv().await.is_some() {} });
        let (intake, _writer) = Intake::start(pool.clone(), prices, committed, IntakeLimits::default());
        Self { pool, intake, town: TownName::new("t").unwrap() }
    }

    async fn backfill(&self, source: &'static dyn FileSource, path: &Path) -> Report {
        let order = Order { source, paths: vec![path.to_owned()], town: self.town.clone(), no_paths: false };
        backfill::run(&order, &self.pool, &self.intake, |_| {}).await.unwrap()
    }

    async fn report(&self, by: GroupBy) -> Vec<ReportRow> {
        let town = db::town::find(&self.pool, &self.town).await.unwrap().unwrap();
        let all = (Timestamp::MIN_BELIEVED, Timestamp::MAX_BELIEVED);
        db::report::report(&self.pool, town.key, by, all, "Europe/Berlin").await.unwrap()
    }

    async fn sums(&self) -> ([i64; 5], i64, i64) {
        let Some(_) = db::town::find(&self.pool, &self.town).await.unwrap() else { return ([0; 5], 0, 0) };
        let mut sums = ([0; 5], 0, 0);
        for row in self.report(GroupBy::Session).await {
            (0..5).for_each(|kind| sums.0[kind] += row.tokens[kind]);
            sums.1 += row.cost_nanodollars;
            sums.2 += row.calls;
        }
        sums
    }

    async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

fn answer(id: u32, second: u32, session: &str) -> String {
    let line = json!({
        "type": "assistant", "timestamp": format!("2026-01-02T03:{:02}:{:02}.000Z", second / 60, second % 60),
        "uuid": format!("u{id}"), "sessionId": session, "version": "2.1.0", "cwd": "/w/app",
        "requestId": format!("req_{id}"), "isSidechain": false,
        "message": {"id": format!("msg_{id}"), "model": "claude-sonnet-4-5",
            "content": [{"type": "tool_use", "id": format!("toolu_{id}"), "name": "Bash", "input": {}}],
            "usage": {"input_tokens": 10, "output_tokens": 5}},
    });
    let result = json!({
        "type": "user", "timestamp": format!("2026-01-02T03:{:02}:{:02}.500Z", second / 60, second % 60),
        "sessionId": session, "cwd": "/w/app",
        "message": {"content": [{"type": "tool_result", "tool_use_id": format!("toolu_{id}"), "content": "x"}]},
    });
    format!("{line}\n{result}\n")
}

fn projects(files: &[(&str, String)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join("projects/-w-app").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

async fn eventually(what: &str, limit: Duration, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < limit, "{what} did not come within {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_backfill_stores_nothing() {
    let store = Store::new().await;
    let copy = answer(1, 1, "a") + &answer(2, 2, "b");
    let dir = projects(&[
        ("a.jsonl", answer(1, 1, "a") + &answer(1, 1, "a")),
        ("b.jsonl", copy + "nonsense\n" + answer(3, 3, "b").trim_end()),
    ]);
    let first = store.backfill(&Transcripts, dir.path()).await;
    assert_eq!((first.files, first.totals.lines, first.totals.rejected), (2, 11, 1));
    let sums = store.sums().await;
    assert_eq!(sums, ([30, 15, 0, 0, 0], 3 * (10 * 3_000 + 5 * 15_000), 3));
    assert_eq!(store.number("select count(*) from event where kind = 1").await, 3);
    assert_eq!(store.number("select count(*) from event where kind = 4").await, 2);

    let second = store.backfill(&Transcripts, dir.path()).await;
    assert_eq!(second.totals.stored, 0);
    assert_eq!(second.totals.duplicate, first.totals.stored + first.totals.duplicate);
    assert_eq!(store.sums().await, sums);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said_and_the_rest_is_stored() {
    let store = Store::new().await;
    let dir = projects(&[("a.jsonl", answer(1, 1, "a"))]);
    let mut order = Order {
        source: &Transcripts,
        paths: vec![PathBuf::from("/does/not/exist"), dir.path().to_owned()],
        town: store.town.clone(),
        no_paths: false,
    };
    let report = backfill::run(&order, &store.pool, &store.intake, |_| {}).await.unwrap();
    assert_eq!((report.files, report.unreadable.len()), (1, 1));
    order.source = &Issues;
    let report = backfill::run(&order, &store.pool, &store.intake, |_| {}).await.unwrap();
    assert_eq!(report.files, 0);
    assert_eq!(report.unreadable.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_growing_file_is_followed_within_a_second_and_across_restarts() {
    let store = Store::new().await;
    let dir = projects(&[("a.jsonl", answer(1, 1, "a"))]);
    let root = Root { source: &Transcripts, path: dir.path().join("projects") };
    let start = || {
        let cancel = CancellationToken::new();
        let task = watch::spawn(
            Roots::named(vec![root.clone()]),
            store.town.clone(),
            store.intake.clone(),
            store.pool.clone(),
            cancel.clone(),
            false,
        );
        (cancel, task)
    };
    let calls = async |n: i64| store.sums().await.2 == n;
    let (cancel, task) = start();
    eventually("what is there already", Duration::from_secs(10), async || calls(1).await).await;

    let path = dir.path().join("projects/-w-app/a.jsonl");
    let append = |text: &str| std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(text.as_bytes());
    let line = answer(2, 2, "a");
    let (half, rest) = line.split_at(100);
    append(half).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(calls(1).await);
    append(rest).unwrap();
    let took = eventually("the rest of a line", Duration::from_secs(5), async || calls(2).await).await;
    assert!(took < Duration::from_secs(1), "it took {took:?}");

    // A new folder with a new file.
    let sub = dir.path().join("projects/-w-app/a/subagents");
    std::fs::create_dir_all(&sub).unwrap();
    std::fs::write(sub.join("agent-x.jsonl"), answer(3, 3, "a")).unwrap();
    eventually("a new folder's file", Duration::from_secs(7), async || calls(3).await).await;

    // Nothing is lost while nobody follows, and nothing is read twice.
    cancel.cancel();
    task.await.unwrap();
    append(&answer(4, 4, "a")).unwrap();
    let duplicates = store.number("select sum(duplicate)::bigint from source").await;
    let (cancel, task) = start();
    eventually("what came meanwhile", Duration::from_secs(10), async || calls(4).await).await;
    assert_eq!(store.number("select sum(duplicate)::bigint from source").await, duplicates);

    // Cut, and written anew.
    std::fs::write(&path, answer(5, 5, "a")).unwrap();
    eventually("a file written anew", Duration::from_secs(7), async || calls(5).await).await;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, answer(1, 1, "a") + &answer(6, 6, "a")).unwrap();
    eventually("a file put in its place", Duration::from_secs(7), async || calls(6).await).await;
    cancel.cancel();
    task.await.unwrap();
    assert_eq!(store.number("select count(*) from event where kind = 1").await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn beads_and_costs_are_stored_once() {
    let store = Store::new().await;
    let dir = tempfile::tempdir().unwrap();
    let beads = dir.path().join("issues.jsonl");
    let bead = |id: &str, status: &str, closed: Value| {
        json!({"id": id, "title": "T", "status": status, "issue_type": "task", "created_at": "2026-01-01T00:00:00Z",
            "closed_at": closed, "updated_at": "2026-01-02T00:00:00Z"})
    };
    let text =
        format!("{}\n{}\n", bead("b-1", "open", Value::Null), bead("b-2", "closed", json!("2026-01-02T00:00:00Z")));
    std::fs::write(&beads, &text).unwrap();
    assert_eq!(store.backfill(&Issues, &beads).await.totals.stored, 3);
    assert_eq!(store.backfill(&Issues, &beads).await.totals.duplicate, 3);
    assert_eq!(store.number("select count(*) from bead where status = 'closed'").await, 1);

    let costs = dir.path().join("costs.jsonl");
    let line = |cost: &str, minute: u32| {
        format!(
            "{{\"session_id\":\"gt-toast\",\"role\":\"polecat\",\"rig\":\"gastown\",\"worker\":\"toast\",\"cost_usd\":{cost},\"ended_at\":\"2026-02-26T18:{minute:02}:00-05:00\"}}\n"
        )
    };
    std::fs::write(&costs, line("0.4", 1) + &line("0.6", 2) + &line("0.1", 3)).unwrap();
    assert_eq!(store.backfill(&Costs, &costs).await.totals.stored, 3);
    assert_eq!(store.backfill(&Costs, &costs).await.totals.duplicate, 3);
    assert_eq!(store.number("select reported from session where session = 'gt-toast'").await, 700_000_000);
    assert_eq!(store.sums().await, ([0; 5], 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rig_that_is_added_while_watching_is_found() {
    let store = Store::new().await;
    let dir = tempfile::tempdir().unwrap();
    let town = dir.path().to_owned();
    let add = |rig: &str| {
        let beads = town.join(rig).join(".beads");
        std::fs::create_dir_all(&beads).unwrap();
        let line = format!(
            "{{\"id\":\"{rig}-1\",\"title\":\"T\",\"status\":\"open\",\"created_at\":\"2026-01-01T00:00:00Z\"}}\n"
        );
        std::fs::write(beads.join("issues.jsonl"), line).unwrap();
    };
    add("gastown");
    let look = {
        let town = town.clone();
        move || files_of_town(&town).into_iter().map(|path| Root { source: &Issues, path }).collect()
    };
    let cancel = CancellationToken::new();
    let roots = Roots::from_fn(look);
    let task = watch::spawn(roots, store.town.clone(), store.intake.clone(), store.pool.clone(), cancel.clone(), false);
    let beads = async |n: i64| store.number("select count(*) from bead").await == n;
    eventually("the first rig", Duration::from_secs(10), async || beads(1).await).await;
    add("wyvern");
    eventually("the new rig", Duration::from_secs(8), async || beads(2).await).await;
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_a_row_for_everything() {
    let store = Store::new().await;
    let dir =
        projects(&[("a.jsonl", answer(1, 1, "a") + &answer(2, 2, "a").replace("claude-sonnet-4-5", "nobody-s-model"))]);
    store.backfill(&Transcripts, dir.path()).await;
    let keys = |rows: Vec<ReportRow>| rows.into_iter().map(|row| (row.key, row.calls)).collect::<Vec<_>>();
    let own = |rows: &[(&str, i64)]| rows.iter().map(|(key, n)| ((*key).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(keys(store.report(GroupBy::Daily).await), own(&[("2026-01-02", 2)]));
    assert_eq!(keys(store.report(GroupBy::Bead).await), own(&[("(none)", 2)]));
    assert_eq!(keys(store.report(GroupBy::Role).await), own(&[("other", 2)]));
    let models = store.report(GroupBy::Model).await;
    assert_eq!(models.iter().map(|m| m.unpriced_tokens).collect::<Vec<_>>(), [0, 15]);
    assert_eq!(keys(models), own(&[("claude-sonnet-4-5", 1), ("nobody-s-model", 1)]));
}

/// A call of 100 tokens by each agent, as it keeps it, below `dir`.
fn write_agents(dir: &Path) {
    let write = |path: &str, text: String| {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let lines = |lines: &[Value]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let usage = json!({"input_tokens": 90, "cached_input_tokens": 40, "output_tokens": 10});
    let rollout = lines(&[
        json!({"timestamp": "2026-05-13T09:00:00Z", "type": "session_meta", "payload": {"id": "t-1", "cwd": "/w/app"}}),
        json!({"timestamp": "2026-05-13T09:00:00Z", "type": "turn_context", "payload": {"model": "gpt-5.4", "cwd": "/w/app"}}),
        json!({"timestamp": "2026-05-13T09:00:01Z", "type": "event_msg",
            "payload": {"type": "token_count", "info": {"last_token_usage": usage}}}),
    ]);
    let name = "rollout-2026-05-13T09-00-00-t-1.jsonl";
    write(&format!("codex/sessions/2026/05/13/{name}"), rollout.clone());
    write(&format!("codex/archived_sessions/2026/05/13/{name}"), rollout);
    let tokens = json!({"input": 90, "output": 8, "cached": 40, "thoughts": 2, "tool": 0, "total": 100});
    let chat = json!({"sessionId": "g-1", "startTime": "2026-05-13T09:00:00Z", "messages": [
        {"id": "m-1", "type": "gemini", "timestamp": "2026-05-13T09:00:01Z", "model": "gemini-2.5-pro", "tokens": tokens}]});
    write("gemini/tmp/my-app/chats/session-1.json", chat.to_string());
    let message = json!({"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "modelID": "claude-sonnet-4.5",
        "time": {"created": 1_778_662_800_000_i64, "completed": 1_778_662_801_000_i64}, "cost": 0,
        "tokens": {"input": 50, "output": 8, "reasoning": 2, "cache": {"read": 40, "write": 0}}});
    write("opencode/storage/message/ses_1/msg_1.json", message.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_agent_s_calls_are_stored_and_priced_once() {
    let store = Store::new().await;
    let dir = tempfile::tempdir().unwrap();
    write_agents(dir.path());
    let agents: [(&'static dyn FileSource, &str, i64); 3] = [
        (&Rollouts, "codex", 50 * 2_500 + 10 * 15_000 + 40 * 250),
        (&Chats, "gemini", 50 * 1_250 + 10 * 10_000 + 40 * 125),
        (&OPENCODE, "opencode", 50 * 3_000 + 10 * 15_000 + 40 * 300),
    ];
    let mut cost = 0;
    for ((source, folder, nanodollars), calls) in agents.into_iter().zip(1..) {
        let first = store.backfill(source, &dir.path().join(folder)).await;
        assert_eq!((first.totals.rejected, first.unreadable.len()), (0, 0), "{folder}");
        cost += nanodollars;
        let want = ([50 * calls, 10 * calls, 40 * calls, 0, 0], cost, calls);
        assert_eq!(store.sums().await, want, "{folder}");
        let second = store.backfill(source, &dir.path().join(folder)).await;
        assert_eq!(second.totals.stored, 0, "{folder}");
        assert_eq!(store.sums().await, want, "{folder}");
    }
    let rigs = "select count(distinct rig) from event where rig in ('app', 'my-app')";
    assert_eq!(store.number(rigs).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_agent_is_followed_while_it_works() {
    let store = Store::new().await;
    let dir = tempfile::tempdir().unwrap();
    write_agents(dir.path());
    let of = |source: &'static dyn FileSource, folder: &str| Root { source, path: dir.path().join(folder) };
    let roots = Roots::named(vec![
        of(&Rollouts, "codex/sessions"),
        of(&Chats, "gemini/tmp"),
        of(&OPENCODE, "opencode/storage/message"),
    ]);
    let cancel = CancellationToken::new();
    let task = watch::spawn(roots, store.town.clone(), store.intake.clone(), store.pool.clone(), cancel.clone(), false);
    let calls = async |n: i64| store.sums().await.2 == n;
    eventually("what is there already", Duration::from_secs(10), async || calls(3).await).await;
    let chat = dir.path().join("gemini/tmp/my-app/chats/session-1.json");
    let text = std::fs::read_to_string(&chat).unwrap();
    let more = text.replace("\"messages\":[", "\"messages\":[{\"id\":\"m-0\",\"type\":\"gemini\",\"timestamp\":\"2026-05-13T09:00:00Z\",\"model\":\"gemini-2.5-pro\",\"tokens\":{\"input\":1,\"total\":1}},");
    assert_ne!(more, text);
    // Cut in the middle, as it is met while it is being written: that is no bad item.
    std::fs::write(&chat, &more[..more.len() / 2]).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    std::fs::write(&chat, &more).unwrap();
    eventually("a chat written anew", Duration::from_secs(8), async || calls(4).await).await;
    assert_eq!(store.number("select coalesce(sum(rejected), 0)::bigint from source").await, 0);
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_town_s_records_say_who_works_and_whose_a_conversation_is() {
    let store = Store::new().await;
    let dir = tempfile::tempdir().unwrap();
    let town = dir.path();
    std::fs::create_dir_all(town.join("mayor")).unwrap();
    std::fs::create_dir_all(town.join(".runtime/heartbeats")).unwrap();
    std::fs::write(town.join("mayor/town.json"), "{}").unwrap();
    std::fs::write(town.join("mayor/rigs.json"), r#"{"version":1,"rigs":{"gastown":{"beads":{"prefix":"gt"}}}}"#)
        .unwrap();
    let beat = |minute: u32, state: &str| {
        let beat = format!(
            "{{\n  \"timestamp\": \"2026-05-13T09:{minute:02}:00Z\",\n  \"state\": \"{state}\",\n  \"bead\": \"gt-1\"\n}}\n"
        );
        std::fs::write(town.join(".runtime/heartbeats/gt-toast.json"), beat).unwrap();
    };
    beat(1, "working");
    let line = |minute: u32, kind: &str, payload: Value| {
        format!(
            "{}\n",
            json!({"ts": format!("2026-05-13T09:{minute:02}:00Z"), "source": "gt", "type": kind,
            "actor": "gastown/polecats/toast", "payload": payload, "visibility": "feed"})
        )
    };
    let old = line(0, "hook", json!({"bead": "gt-1"})) + &line(1, "brand_new", json!({}));
    let start = line(2, "session_start", json!({"session_id": "conversation-1"}));
    std::fs::write(town.join(".events.jsonl"), old + &start).unwrap();

    // Somebody who does not know whose it is has told of the conversation.
    let anonymous = json!({"type": "model_call", "ts": "2026-05-13T09:03:00Z", "id": "c", "session": "conversation-1",
        "model": "claude-sonnet-4-5", "input_tokens": 5});
    let item = server::source::api::parse_item(1, anonymous.to_string().as_bytes()).unwrap();
    store.intake.submit(&store.town, vec![item.envelope]).await.unwrap();

    let first = store.backfill(&Town, town).await;
    assert_eq!((first.files, first.totals.stored, first.totals.unknown, first.totals.rejected), (2, 3, 1, 0));
    server::rollup::run_once(&store.pool).await.unwrap();
    let whose = "select count(*) from event where kind = 0 and agent = 'toast' and rig = 'gastown' and role = 1";
    assert_eq!(store.number(whose).await, 1);

    // Pruned by rewriting, and a heartbeat later.
    std::fs::write(town.join(".events.jsonl"), &start).unwrap();
    beat(4, "idle");
    let second = store.backfill(&Town, town).await;
    assert_eq!((second.totals.stored, second.totals.duplicate), (1, 1));
    assert_eq!(store.number("select count(*) from agent where name = 'toast' and bead = 'gt-1'").await, 1);
}

/// The message of ../shared/fixtures, where it is at hand.
#[tokio::test(flavor = "multi_thread")]
async fn the_sample_of_opencode_costs_what_it_should() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/opencode/msg_test001.json");
    if !file.is_file() {
        eprintln!("skipped: {} is not there", file.display());
        return;
    }
    let store = Store::new().await;
    assert_eq!(store.backfill(&OPENCODE, &file).await.totals.stored, 1);
    assert_eq!(store.sums().await, ([1_000, 500, 200, 100, 0], 10_935_000, 1));
}

/// The two real sessions of ../shared/fixtures, where they are at hand: once, twice, and line by line.
#[tokio::test(flavor = "multi_thread")]
async fn real_sessions_give_the_known_totals() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/claude-code/projects");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
    let want = |store: Vec<ReportRow>| {
        let of = |start: &str| store.iter().find(|row| row.key.starts_with(start)).cloned().unwrap();
        let (long, short) = (of("ba79134d"), of("fed8ce56"));
        assert_eq!((long.tokens, long.cost_nanodollars), ([91, 2_266, 503_769, 16_072, 0], 245_663_700));
        assert_eq!((short.tokens, short.cost_nanodollars), ([88, 278, 44_544, 16_000, 0], 77_797_200));
    };
    let store = Store::new().await;
    assert_eq!(store.backfill(&Transcripts, &folder).await.totals.rejected, 0);
    want(store.report(GroupBy::Session).await);
    assert_eq!(store.backfill(&Transcripts, &folder).await.totals.stored, 0);
    want(store.report(GroupBy::Session).await);

    let store = Store::new().await;
    let dir = tempfile::tempdir().unwrap();
    let root = Root { source: &Transcripts, path: dir.path().to_owned() };
    let cancel = CancellationToken::new();
    let task = watch::spawn(
        Roots::named(vec![root]),
        store.town.clone(),
        store.intake.clone(),
        store.pool.clone(),
        cancel.clone(),
        false,
    );
    for entry in std::fs::read_dir(folder.join("-Users-test-dev-ai-music")).unwrap() {
        let from = entry.unwrap().path();
        let mut to = std::fs::File::create(dir.path().join(from.file_name().unwrap())).unwrap();
        for line in std::fs::read_to_string(&from).unwrap().split_inclusive('\n') {
            to.write_all(line.as_bytes()).unwrap();
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }
    eventually("both sessions", Duration::from_secs(10), async || store.sums().await.1 == 245_663_700 + 77_797_200)
        .await;
    want(store.report(GroupBy::Session).await);
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn limits_in_rollouts_are_readings_of_tanks_and_the_newest_counts() {
    let store = Store::new().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |day: u32, used: u32| {
        let limits = json!({"primary": {"used_percent": used, "window_minutes": 300, "resets_at": 1_770_000_000}});
        let line = json!({"timestamp": format!("2026-01-{day:02}T03:00:00Z"), "type": "event_msg",
            "payload": {"type": "token_count", "info": null, "rate_limits": limits}});
        let name = format!("rollout-2026-01-{day:02}T03-00-00-0199aaaa-0000-7000-8000-0123456789ab.jsonl");
        std::fs::write(folder.path().join(name), format!("{line}\n")).unwrap();
    };
    write(5, 40);
    store.backfill(&Rollouts, folder.path()).await;
    // An older rollout that is found later does not count, and reading everything again changes nothing.
    write(2, 90);
    for _ in 0..2 {
        store.backfill(&Rollouts, folder.path()).await;
    }
    assert_eq!(store.number("select count(*) from reading").await, 2);
    let town = db::town::find(&store.pool, &store.town).await.unwrap().unwrap();
    let mut connection = store.pool.acquire().await.unwrap();
    let now = Timestamp::parse_rfc3339("2026-01-06T00:00:00Z").unwrap();
    let tanks = db::fuel::list(&mut connection, town.key, now).await.unwrap();
    assert_eq!((tanks[0].name.as_str(), tanks[0].left, tanks.len()), ("Codex 5 h", 600_000, 1));
}
