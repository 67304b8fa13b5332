//! Requests from their start to their end: over HTTP, from transcripts, across restarts; and how many were in flight.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::otlp_support::{Logs, SECOND, claude};
use crate::server_support::{Server, now, start, start_on, start_with};
use crate::support::Dice;
use model::Timestamp;
use model::request::{RequestEdge, RequestSpan};
use serde_json::{Value, json};
use server::config::Settings;
use server::db::{self, PgTime, Pool};
use server::postgres::testing::fresh_database;
use server::source::backfill;
use server::source::claude_code::Transcripts;
use server::source::registry::{Root, Roots};
use server::source::watch;
use tokio_util::sync::CancellationToken;

fn step(id: &str, state: &str, at: Timestamp) -> Value {
    json!({"type": "request", "ts": at.to_string(), "request_id": id, "state": state, "session": "s1", "agent": "toast",
           "rig": "gas", "role": "polecat", "model": "claude-sonnet-4-5"})
}

/// What is in flight, once what was read within the last second is forgotten.
async fn active(server: &Server) -> Value {
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    server.get("/api/system/activeRequests?town=home").await
}

async fn lines(server: &Server, query: &str) -> Vec<(String, String, String)> {
    let page = server.get(&format!("/api/towns/home/events?limit=500&kind=request{query}")).await;
    let word = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let events = page["events"].as_array().unwrap();
    events.iter().map(|line| (word(line, "what"), word(line, "level"), word(line, "text"))).collect()
}

async fn number(pool: &Pool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

async fn eventually(what: &str, within: Duration, mut test: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !test().await {
        assert!(began.elapsed() < within, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_active_from_its_start_to_its_end_also_across_a_restart() {
    let pool = fresh_database().await;
    let server = start_on("127.0.0.1", &pool).await.unwrap();
    let began = now().plus_seconds(-30);
    let (status, answer) =
        server.post("/api/ingest?town=home", &json!([step("a", "started", began), step("b", "started", now())])).await;
    assert_eq!((status, &answer["stored"]), (200, &json!(2)));
    let shown = active(&server).await;
    assert_eq!((&shown["active"], &shown["lost_after_s"]), (&json!(2), &json!(600)));
    let first = &shown["requests"][0];
    assert_eq!(first["started"], json!(began.0), "the one that began first");
    assert_eq!(
        (&first["what"], &first["channel"], &first["session"], &first["agent"]),
        (&json!("claude-sonnet-4-5"), &json!("api"), &json!("s1"), &json!("toast"))
    );
    // Told again, and told again at another time: it began once, when it first did.
    let (_, answer) =
        server.post("/api/ingest?town=home", &json!([step("a", "started", began), step("a", "started", now())])).await;
    assert_eq!(answer["duplicate"], json!(2));
    let options = pool.connect_options();
    server.running.stop().await;

    // A stopped server closes its connections.
    let pool = sqlx::postgres::PgPoolOptions::new().connect_with((*options).clone()).await.unwrap();
    let server = start_on("127.0.0.1", &pool).await.unwrap();
    assert_eq!(active(&server).await["active"], json!(2), "from the store");
    let stats = server.get("/api/live/stats?town=home").await;
    assert_eq!((&stats["counters"]["active_requests"], stats["requests"].as_array().unwrap().len()), (&json!(2), 2));
    let mut end = step("a", "ended", now());
    end["duration_ms"] = json!(30_000);
    server.post("/api/ingest?town=home", &json!([end, step("b", "ended", now())])).await;
    assert_eq!(active(&server).await["requests"], json!([]));
    let told = lines(&server, "").await;
    assert_eq!(
        told.iter().map(|(what, ..)| what.as_str()).collect::<Vec<_>>(),
        ["ended", "ended", "started", "started"]
    );
    assert!(told.iter().all(|(_, level, text)| level == "info" && text == "claude-sonnet-4-5"));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_never_came_is_lost_and_one_that_comes_late_ends_it_all_the_same() {
    let server = start().await;
    // Much of the past at once: nothing of it is in flight, not for a moment.
    let past: Vec<Value> =
        (0..1_200).map(|n| step(&format!("p{n}"), "started", now().plus_seconds(-700 - n))).collect();
    server.post("/api/ingest?town=home", &json!(past)).await;
    server.post("/api/ingest?town=home", &json!([step("young", "started", now())])).await;
    assert_eq!(active(&server).await["active"], json!(1), "age decides, before anybody noted that they are lost");
    let lost = "select count(*) from request where lost_at is not null";
    eventually("all are given up", Duration::from_secs(15), async || number(&server.pool, lost).await == 1_200).await;
    assert_eq!(number(&server.pool, "select count(*) from event where kind = 8 and state = 2").await, 1_200);
    let warned = lines(&server, "&level=warn").await;
    assert!(warned.len() == 500 && warned.iter().all(|(what, level, _)| what == "lost" && level == "warn"));

    let failed = {
        let mut end = step("p0", "ended", now());
        end["ok"] = json!(false);
        end
    };
    let (_, answer) = server.post("/api/ingest?town=home", &json!([failed, step("p1", "ended", now())])).await;
    assert_eq!(answer["stored"], json!(2));
    assert_eq!(
        number(&server.pool, "select count(*) from event where kind = 8 and state = 2").await,
        1_198,
        "the end stands in the place of the word that it was lost"
    );
    assert_eq!(
        lines(&server, "&level=error").await,
        [("ended".to_owned(), "error".to_owned(), "claude-sonnet-4-5".to_owned())]
    );
    let ended = "select count(*) from request where ended_at is not null";
    assert_eq!(number(&server.pool, ended).await, 2);
    // Nor is it lost again.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(number(&server.pool, "select count(*) from event where kind = 8 and state = 2").await, 1_198);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_too_old_for_the_store_is_given_up_without_a_word() {
    let pool = fresh_database().await;
    let server = start_on("127.0.0.1", &pool).await.unwrap();
    server.post("/api/ingest?town=home", &json!([step("a", "started", now().plus_seconds(-60))])).await;
    sqlx::query("update request set started_at = now() - interval '3 days'").execute(&pool).await.unwrap();
    sqlx::query("insert into retention (store, floor) values ('events', now() - interval '1 day')")
        .execute(&pool)
        .await
        .unwrap();
    let lost = "select count(*) from request where lost_at is not null";
    eventually("it is given up", Duration::from_secs(80), async || number(&pool, lost).await == 1).await;
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_out_is_the_owners() {
    let settings = Settings { request_lost_after_s: Some(10), ..Settings::default() };
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    server.post("/api/ingest?town=home", &json!([step("a", "started", now().plus_seconds(-9))])).await;
    let shown = server.get("/api/system/activeRequests?town=home").await;
    assert_eq!((&shown["active"], &shown["lost_after_s"]), (&json!(1), &json!(10)));
    assert_eq!(active(&server).await["active"], json!(0));
    eventually("it is lost", Duration::from_secs(9), async || !lines(&server, "&level=warn").await.is_empty()).await;
    server.running.stop().await;
}

/// What the store says of every request, by the name that its events were sent under.
async fn stored(pool: &Pool) -> Vec<RequestSpan> {
    type Row = (Option<PgTime>, Option<PgTime>, Option<bool>, Option<PgTime>);
    let rows: Vec<Row> =
        sqlx::query_as("select started_at, ended_at, ok, lost_at from request").fetch_all(pool).await.unwrap();
    let span = |(started, ended, ok, lost): Row| RequestSpan {
        started: started.map(|at| at.0),
        ended: ended.map(|at| (at.0, ok.unwrap())),
        lost: lost.map(|at| at.0),
    };
    let mut spans: Vec<RequestSpan> = rows.into_iter().map(span).collect();
    spans.sort_by_key(|span| (span.started, span.ended));
    spans
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_told_in_whichever_order_and_however_often_counts_once() {
    for seed in 1..6 {
        let server = start().await;
        let (mut dice, base) = (Dice(seed), now().plus_seconds(-300));
        let mut steps: Vec<(u64, RequestEdge, i64, bool)> = Vec::new();
        for _ in 0..60 {
            let edge = if dice.roll(2) == 0 { RequestEdge::Started } else { RequestEdge::Ended };
            let at = i64::try_from(dice.roll(200)).unwrap();
            steps.push((dice.roll(20), edge, at, edge == RequestEdge::Started || dice.roll(3) > 0));
        }
        let mut expected: BTreeMap<u64, RequestSpan> = BTreeMap::new();
        for (id, edge, at, ok) in &steps {
            let told = RequestSpan::told(*edge, base.plus_seconds(*at), *ok);
            expected.entry(*id).and_modify(|known| *known = known.merge(told)).or_insert(told);
        }
        // Each one to three times, in any order, in batches of any size.
        let mut sent: Vec<_> = steps.iter().flat_map(|step| std::iter::repeat_n(*step, 3)).collect();
        for place in (1..sent.len()).rev() {
            sent.swap(place, usize::try_from(dice.roll(u64::try_from(place).unwrap() + 1)).unwrap());
        }
        while !sent.is_empty() {
            let size = usize::try_from(dice.roll(30)).unwrap() + 1;
            let body: Vec<Value> = sent
                .split_off(sent.len() - size.min(sent.len()))
                .into_iter()
                .map(|(id, edge, at, ok)| {
                    let mut one = step(&id.to_string(), edge.name(), base.plus_seconds(at));
                    if edge == RequestEdge::Ended {
                        one["ok"] = json!(ok);
                    }
                    one
                })
                .collect();
            let (status, answer) = server.post("/api/ingest?town=home", &json!(body)).await;
            assert_eq!((status, &answer["rejected"]), (200, &json!(0)), "{answer}");
        }
        let mut expected: Vec<RequestSpan> = expected.into_values().collect();
        expected.sort_by_key(|span| (span.started, span.ended));
        assert_eq!(stored(&server.pool).await, expected, "seed {seed}");
        let edges =
            |edge: fn(&RequestSpan) -> bool| i64::try_from(expected.iter().filter(|span| edge(span)).count()).unwrap();
        let events = "select count(*) from event where kind = 8 and state = ";
        assert_eq!(
            number(&server.pool, "select count(*) from event where kind = 8 and state = 0").await,
            edges(|span| span.started.is_some()),
            "{events}0"
        );
        assert_eq!(
            number(&server.pool, "select count(*) from event where kind = 8 and state = 1").await,
            edges(|span| span.ended.is_some()),
            "{events}1"
        );
        let shown = active(&server).await;
        assert_eq!(shown["active"], json!(edges(|span| span.started.is_some() && span.ended.is_none())));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_many_were_in_flight_is_exact_and_null_where_nobody_knows() {
    let server = start().await;
    let base = now().floor_to(10).plus_seconds(-100);
    let at = |s: i64| base.plus_seconds(s);
    let told = [("a", 2, Some(7)), ("b", 5, Some(15)), ("c", -90_000, Some(30)), ("d", 60, None)];
    let mut body = Vec::new();
    for (id, start, end) in told {
        body.push(step(id, "started", at(start)));
        body.extend(end.map(|end| step(id, "ended", at(end))));
    }
    server.post("/api/ingest?town=home", &json!(body)).await;
    let path = format!("/api/towns/home/requests?from={}&to={}&step=10", at(0), at(120));
    let page = server.get(&path).await;
    assert_eq!(
        (&page["step_s"], &page["unit"], page["t"].as_array().unwrap().len()),
        (&json!(10), &json!("requests"), 12)
    );
    let values = |line: usize| page["series"][line]["v"].as_array().unwrap().clone();
    // "c" began more than a day before its end, and counts for a day only.
    assert_eq!(values(0)[..7], [json!(1.0), json!(0.5), json!(0.0), json!(0.0), json!(0.0), json!(0.0), json!(1.0)]);
    assert_eq!(values(1)[..2], [json!(2.0), json!(1.0)]);
    assert_eq!(values(0)[11], Value::Null, "the future");
    // The chart shows the same, and nothing where nobody looked yet.
    let chart = server.get(&format!("/api/towns/home/series?metric=requests&from={}&to={}", at(0), at(120))).await;
    let drawn = |line: usize, bucket: usize| chart["series"][line]["v"][bucket].clone();
    assert_eq!([0, 1, 2, 6].map(|bucket| drawn(0, bucket)), [json!(1.0), json!(0.5), Value::Null, json!(1.0)]);
    assert_eq!([0, 1, 11].map(|bucket| drawn(1, bucket)), [json!(2.0), json!(1.0), Value::Null]);
    let window = server.get("/api/towns/home/requests?window=6h").await;
    assert_eq!((&window["step_s"], window["t"].as_array().unwrap().len()), (&json!(60), 360));
    let status = async |path: &str| server.client.get(server.url(path)).send().await.unwrap().status().as_u16();
    assert_eq!(status("/api/towns/home/requests?window=24h&step=10").await, 400);
    assert_eq!(status("/api/towns/nowhere/requests").await, 404);
    server.running.stop().await;
}

fn transcript(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn prompt(at: Timestamp, text: &str) -> Value {
    json!({"type": "user", "timestamp": at.to_string(), "uuid": format!("u{}", at.0), "sessionId": "a", "cwd": "/w/app",
           "version": "2.1.0", "message": {"role": "user", "content": text}})
}

fn answer(at: Timestamp, n: usize, tools: &[&str]) -> Value {
    let tools: Vec<Value> = tools
        .iter()
        .map(|id| json!({"type": "tool_use", "id": id, "name": "Bash", "input": {"command": "secret"}}))
        .collect();
    json!({"type": "assistant", "timestamp": at.to_string(), "sessionId": "a", "version": "2.1.0", "cwd": "/w/app",
           "requestId": format!("req_{n}"), "message": {"id": format!("msg_{n}"), "role": "assistant", "model": "claude-sonnet-4-5",
           "content": tools, "usage": {"input_tokens": 10, "output_tokens": 3}}})
}

fn result(at: Timestamp, id: &str) -> Value {
    json!({"type": "user", "timestamp": at.to_string(), "sessionId": "a", "version": "2.1.0", "cwd": "/w/app",
           "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x"}]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_shows_what_is_under_way_and_the_past_shows_nothing() {
    let server = start().await;
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("projects/-w-app");
    std::fs::create_dir_all(&folder).unwrap();
    // A week ago: two hundred conversations, each with a tool that never returned.
    let old = now().plus_seconds(-7 * 86_400);
    for n in 0..200 {
        let text = transcript(&[prompt(old, "go"), answer(old, n, &[&format!("old{n}")])]);
        std::fs::write(folder.join(format!("old{n}.jsonl")), text).unwrap();
    }
    let town = model::TownName::new("home").unwrap();
    let order = backfill::Order {
        source: &Transcripts,
        paths: vec![dir.path().join("projects")],
        town: town.clone(),
        no_paths: false,
    };
    let intake = &server.running.app().intake;
    backfill::run(&order, &server.pool, intake, |_| {}).await.unwrap();
    assert_eq!(number(&server.pool, "select count(*) from request").await, 0, "reading the past makes no rows");

    let path = folder.join("a.jsonl");
    std::fs::write(&path, transcript(&[prompt(now(), "go on")])).unwrap();
    let root = Root { source: &Transcripts, path: dir.path().join("projects") };
    let cancel = CancellationToken::new();
    let task = watch::spawn(Roots::named(vec![root]), town, intake.clone(), server.pool.clone(), cancel.clone(), false);
    let add = |lines: &[Value]| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(transcript(lines).as_bytes()).unwrap();
    };
    let under_way = async || {
        let shown = server.get("/api/system/activeRequests?town=home").await;
        let what = |row: &Value| row["what"].as_str().unwrap_or("request").to_owned();
        shown["requests"].as_array().unwrap().iter().map(what).collect::<Vec<_>>()
    };
    let becomes = async |what: &str, want: &[&str]| {
        eventually(what, Duration::from_secs(10), async || under_way().await == want).await;
    };
    becomes("the model is asked", &["request"]).await;
    add(&[answer(now(), 900, &["t1", "t2"])]);
    becomes("it answered, and asked for two tools", &["Bash", "Bash"]).await;
    add(&[result(now(), "t1")]);
    becomes("one returned", &["Bash"]).await;
    add(&[result(now(), "t2")]);
    becomes("both returned, and the model is asked again", &["request"]).await;
    add(&[answer(now(), 901, &[])]);
    becomes("it is done", &[]).await;
    // What a person interrupts or a command prints asks nobody.
    add(&[prompt(now(), "[Request interrupted by user]"), prompt(now(), "<command-name>/clear</command-name>")]);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(under_way().await, Vec::<String>::new());
    assert_eq!(
        number(&server.pool, "select count(*) from event where kind = 8").await,
        0,
        "no line of it in the stream"
    );

    // A tool that does not return in time is lost, and found when it does.
    add(&[answer(now(), 902, &["t3"])]);
    becomes("a long one", &["Bash"]).await;
    sqlx::query("update request set started_at = started_at - interval '20 minutes' where ended_at is null")
        .execute(&server.pool)
        .await
        .unwrap();
    eventually("it is lost", Duration::from_secs(10), async || {
        lines(&server, "&level=warn").await.first().is_some_and(|(what, _, tool)| what == "lost" && tool == "Bash")
    })
    .await;
    add(&[result(now(), "t3")]);
    eventually("it is found", Duration::from_secs(10), async || lines(&server, "&level=warn").await.is_empty()).await;
    assert_eq!(
        number(&server.pool, "select count(*) from request where ended_at is null").await,
        1,
        "the model, asked again"
    );
    // The model's own: lost, and ended by its answer.
    sqlx::query("update request set started_at = started_at - interval '20 minutes' where ended_at is null")
        .execute(&server.pool)
        .await
        .unwrap();
    eventually("the answer is lost", Duration::from_secs(10), async || !lines(&server, "&level=warn").await.is_empty())
        .await;
    add(&[answer(now(), 903, &[])]);
    eventually("it came", Duration::from_secs(10), async || {
        lines(&server, "").await.iter().map(|(what, ..)| what.clone()).collect::<Vec<_>>() == ["ended"]
    })
    .await;
    cancel.cancel();
    task.await.unwrap();
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_telemetry_permits_is_under_way_until_anybody_tells_its_result() {
    let server = start().await;
    let at = u64::try_from(now().0).unwrap() * 1_000;
    let decision = |id: &str, decision: &str| {
        (
            at,
            json!({"event.name": "tool_decision", "session.id": "s1", "tool_name": "Bash", "tool_use_id": id,
                    "decision": decision, "source": "config"}),
        )
    };
    let returned = |id: &str| {
        (
            at + SECOND / 100,
            json!({"event.name": "tool_result", "session.id": "s1", "tool_name": "Bash", "tool_use_id": id,
                             "success": "true", "duration_ms": 10}),
        )
    };
    let send = async |records: Vec<(u64, Value)>| {
        let body = Logs { resource: claude(), records }.json();
        let sent = server.client.post(server.url("/v1/logs")).header("content-type", "application/json").body(body);
        assert_eq!(sent.send().await.unwrap().status(), 200);
    };
    // The third was told to be over before it was told to begin.
    send(vec![decision("t1", "accept"), decision("t2", "reject"), returned("t3")]).await;
    send(vec![decision("t3", "accept"), decision("t1", "accept")]).await;
    let shown = active(&server).await;
    assert_eq!((&shown["active"], &shown["requests"][0]["what"]), (&json!(1), &json!("Bash")));
    assert_eq!(shown["requests"][0]["channel"], json!("claude_code_otel"));
    // The transcript's report of the same use ends it as well.
    let tool =
        json!({"type": "tool_call", "ts": now().to_string(), "tool": "Bash", "tool_use_id": "t1", "session": "s1"});
    server.post("/api/ingest?town=home", &tool).await;
    assert_eq!(active(&server).await["active"], json!(0));
    let open = "select count(*) from request where ended_at is null";
    eventually("its end is noted", Duration::from_secs(10), async || number(&server.pool, open).await == 0).await;
    let unmapped = server.get("/api/towns/home/unmapped").await.to_string();
    assert!(unmapped.contains("tool_decision"), "a refusal is none: {unmapped}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_requests_go_and_of_very_many_the_newest_stay() {
    let server = start().await;
    server.post("/api/ingest?town=home", &json!([step("a", "started", now())])).await;
    sqlx::raw_sql(
        "insert into request (town_id, id, started_at, ended_at, source, role)
             select town_id, gen_random_uuid(), now() - n * interval '1 second', now(), 'api', 6
             from town, generate_series(1, 200500) n where name = 'home';
         insert into request (town_id, id, started_at, ended_at, source, role)
             select town_id, gen_random_uuid(), now() - interval '9 days', now() - interval '9 days', 'api', 6
             from town where name = 'home'",
    )
    .execute(&server.pool)
    .await
    .unwrap();
    let gone = db::request::trim(&server.pool, now()).await.unwrap();
    assert_eq!(gone, 502);
    assert_eq!(number(&server.pool, "select count(*) from request").await, 200_000);
    let page = server.get("/api/towns/home/requests?window=7d").await;
    let since = Timestamp::parse_rfc3339(page["since"].as_str().unwrap()).unwrap();
    assert!(since > now().plus_seconds(-3 * 86_400), "it says since when all are known: {since}");
    assert_eq!(page["series"][0]["v"][0], Value::Null);
    // What is in flight is found without looking at what was.
    let plan: Vec<String> = sqlx::query_scalar(
        "explain select id from request where town_id = 1 and ended_at is null and lost_at is null
         and started_at > now() - interval '10 minutes' order by started_at, id limit 100",
    )
    .fetch_all(&server.pool)
    .await
    .unwrap();
    assert!(plan.join("\n").contains("request_open"), "{plan:?}");
    sqlx::query("vacuum analyze request").execute(&server.pool).await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "explain select started_at, coalesce(ended_at, lost_at) from request where town_id = 1 and at >= now() - interval '1 hour'
         and at < now() and started_at is not null order by at desc limit 100000",
    )
    .fetch_all(&server.pool)
    .await
    .unwrap();
    assert!(plan.join("\n").contains("Index Only Scan Backward using request_span"), "{plan:?}");
    server.running.stop().await;
}
