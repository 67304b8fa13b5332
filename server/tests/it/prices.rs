//! The price book from outside: over HTTP and on the command line.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::server_support::{Server, call, now, start, start_on, start_with};
use serde_json::{Value, json};
use server::config::Settings;
use server::db::key::{self, Scope};
use server::http::{Secret, hash};
use server::postgres::testing::fresh_database;

/// Waits until `holds`.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(15), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A call of 4,120 tokens of a model that no list knows.
async fn calls(server: &Server, ids: std::ops::Range<usize>) {
    let at = now();
    let calls: Vec<Value> = ids
        .map(|id| {
            let mut call = call(at, id);
            call["model"] = "vendor/Zeta-9".into();
            call
        })
        .collect();
    assert_eq!(server.post("/api/ingest", &json!(calls)).await.1["stored"], calls.len());
}

async fn unpriced(server: &Server) -> Vec<Value> {
    server.get("/api/towns/home/unpriced").await["unpriced"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_model_is_listed_priced_and_repriced_and_the_tank_and_the_chart_follow() {
    let server = start().await;
    // A second server on the same database learns of it too.
    let other = start_on("127.0.0.1", &server.pool).await.unwrap();
    assert_eq!(server.post("/api/towns/home/topup", &json!({"usd": "50"})).await.0, 201);
    calls(&server, 0..10).await;
    let rows = unpriced(&server).await;
    let row = &rows[0];
    assert_eq!((rows.len(), &row["model"], &row["calls"]), (1, &json!("vendor/Zeta-9"), &json!(10)));
    assert_eq!((&row["input_tokens"], &row["output_tokens"]), (&json!(40_000), &json!(1_200)));
    let day: String = now().to_string().chars().take_while(|c| *c != 'T').collect();
    let add = row["add"].as_str().unwrap();
    assert!(add.starts_with(&format!("towngauge prices add zeta-9 --effective {day} --input ")), "{add}");
    let page = server.client.get(server.url("/t/home/sources")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Models without a price") && page.contains("towngauge prices add zeta-9"));

    let entry = json!({"model": "zeta-9", "effective": day, "input": 1, "output": "10", "source": "a test"});
    let (status, answer) = server.post("/api/prices", &entry).await;
    assert_eq!((status, &answer["status"]), (201, &json!("stored")));
    assert!(answer["hint"].as_str().unwrap().contains("reprice"), "{answer}");
    assert_eq!(server.post("/api/prices", &entry).await.0, 200, "the same again adds nothing");
    let listed = server.get("/api/prices?model=vendor/zeta-9").await;
    let price = &listed["prices"][0];
    assert_eq!((&price["input"], &price["output"], &price["cache_read"]), (&json!("1"), &json!("10"), &json!("1")));
    assert_eq!(
        (&price["fast"], &price["above"], listed["prices"].as_array().unwrap().len()),
        (&json!("1"), &Value::Null, 1)
    );

    // From now on calls are priced, by both servers; what was stored before is not.
    let mut id = 100;
    for server in [&server, &other] {
        eventually("the price", async || {
            id += 1;
            let before = unpriced(server).await[0]["calls"].as_i64();
            calls(server, id..id + 1).await;
            unpriced(server).await[0]["calls"].as_i64() == before
        })
        .await;
    }
    let all: (i64,) = sqlx::query_as("select count(*) from event").fetch_one(&server.pool).await.unwrap();
    let from = format!("{day}T00:00:00Z");
    let (status, job) = server.post("/api/towns/home/reprice", &json!({"from": from, "model": "zeta-9"})).await;
    assert_eq!((status, &job["state"]), (202, &json!("waiting")));
    eventually("the job's end", async || server.get("/api/towns/home/reprice").await["jobs"][0]["state"] == "done")
        .await;
    let job = server.get("/api/towns/home/reprice").await["jobs"][0].clone();
    // 4,000 × 1 and 120 × 10 dollars per million tokens.
    let cost = 5_200_000 * all.0;
    assert_eq!((&job["looked"], &job["after_nanodollars"], &job["unpriced"]), (&json!(all.0), &json!(cost), &json!(0)));
    assert!(job["changed"].as_i64().unwrap() >= 10, "{job}");
    assert!(unpriced(&server).await.is_empty());
    for server in [&server, &other] {
        eventually("the tank", async || {
            let gauges = server.get("/api/towns/home/gauges").await;
            gauges["tank"]["balance_nanodollars"] == 50_000_000_000_i64 - cost
        })
        .await;
    }
    eventually("the mark", async || {
        let series = server.get("/api/towns/home/series?metric=cost&window=1h").await;
        series["marks"][0]["kind"] == "repriced" && series["marks"][0]["note"].as_str().unwrap().contains("zeta-9")
    })
    .await;
    let tokens = server.get("/api/towns/home/series?metric=tokens&window=1h").await;
    assert_eq!(tokens.get("marks"), None, "tokens are what they were");
    other.running.stop().await;
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_price_or_a_job_is_said() {
    let server = start().await;
    let check = async |path: &str, body: Value, want: &str| {
        let (status, answer) = server.post(path, &body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(want) && answer["hint"].is_string(), "{answer}");
    };
    check("/api/prices", json!({"model": "m", "input": "dear", "output": 1}), "input: \"dear\" is not an amount").await;
    check("/api/prices", json!({"model": "m", "input": 1}), "output").await;
    check("/api/prices", json!({"model": "m", "input": 1, "output": 1, "cache": 1}), "cache").await;
    check("/api/towns/home/reprice", json!({}), "from").await;
    check("/api/towns/home/reprice", json!({"from": "yesterday"}), "from: ").await;
    let (from, to) = ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z");
    check("/api/towns/home/reprice", json!({"from": from, "to": to}), "not after").await;
    assert_eq!(server.post("/api/towns/nowhere/reprice", &json!({"from": from})).await.0, 404);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_changes_prices() {
    let pool = fresh_database().await;
    let secret = |scope| {
        let pool = pool.clone();
        async move {
            let secret = Secret::random().unwrap();
            key::insert(&pool, "a key", scope, &hash(secret.reveal()).unwrap()).await.unwrap();
            secret
        }
    };
    let (admin, read) = (secret(Scope::Admin).await, secret(Scope::Read).await);
    let server = start_with("0.0.0.0", &pool, Settings::default()).await.unwrap();
    let entry = json!({"model": "m", "input": 1, "output": 1});
    let from = json!({"from": "2026-02-01T00:00:00Z"});
    for (path, body, want) in [("/api/prices", &entry, 201), ("/api/towns/home/reprice", &from, 202)] {
        for (secret, want) in [(&read, 403), (&admin, want)] {
            let request = server.client.post(server.url(path)).bearer_auth(secret.reveal()).json(body);
            assert_eq!(request.send().await.unwrap().status().as_u16(), want, "{path}");
        }
    }
    server.running.stop().await;
}

/// Runs the program on a store of its own, with `input`.
fn towngauge(home: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
    command.args(arguments).arg("--data-dir").arg(home.join("data"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_command_line_lists_adds_imports_and_reprices() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let run = |arguments: &[&str], input: &str| {
        let output = towngauge(home, arguments, input);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let fails = |arguments: &[&str], input: &str, want: &str| {
        let output = towngauge(home, arguments, input);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(want), "{arguments:?}: {stderr}");
    };
    // A day of one model, read from a transcript.
    let line = json!({"type": "assistant", "timestamp": "2026-02-26T18:21:35.108Z", "sessionId": "s", "cwd": "/w/app",
        "requestId": "r", "message": {"id": "m", "model": "zeta-9", "usage": {"input_tokens": 1_000_000,
        "output_tokens": 100_000}}});
    let project = home.join(".claude/projects/-w-app");
    std::fs::create_dir_all(&project).unwrap();
    std::fs::write(project.join("s.jsonl"), format!("{line}\n")).unwrap();
    run(&["backfill", "claude-code"], "");

    let added = run(
        &[
            "prices",
            "add",
            "zeta-9",
            "--effective",
            "2026-01-01",
            "--input",
            "3",
            "--output",
            "15",
            "--cache-read",
            "0.3",
            "--above",
            "200000",
            "--rule",
            "whole-request",
            "--above-input",
            "6",
            "--above-output",
            "22.5",
            "--fast",
            "2",
        ],
        "",
    );
    assert!(
        added.contains("from 2026-01-01T00:00:00Z on")
            && added.contains("above 200000 tokens (whole_request): input 6"),
        "{added}"
    );
    let command = added.lines().last().unwrap().trim();
    assert_eq!(command, "towngauge reprice --town home --from 2026-01-01T00:00:00Z --model zeta-9");
    let report = || run(&["report", "model", "--json"], "");
    assert!(report().contains("\"unpriced_tokens\":1100000"), "an old date alone reprices nothing");
    let mut arguments: Vec<&str> = command.split(' ').skip(1).collect();
    arguments.push("--wait");
    // The whole request costs more: 1 × 6 and 0.1 × 22.5 dollars.
    assert_eq!(run(&arguments, ""), "1 of 1 calls of zeta-9 repriced: $0.00 before, $8.25 now.\n");
    assert!(report().contains("\"cost_nanodollars\":8250000000"));
    assert!(run(&["rollup", "verify"], "").contains(" 0 differ"));

    let list = run(&["prices", "list", "--model", "zeta-9"], "");
    assert!(list.contains("200000 whole_request 6/22.5/6/6/6") && list.contains("added by hand"), "{list}");
    let rows: Value = serde_json::from_str(&run(&["prices", "list", "--json"], "")).unwrap();
    assert!(rows["prices"].as_array().unwrap().len() > 60);

    // Corrected twice on one day, the last word counts.
    let again = ["prices", "add", "zeta-9", "--effective", "2026-01-01", "--output", "15", "--input"];
    for input in ["4", "3", "4"] {
        assert!(run(&[&again[..], &[input]].concat(), "").starts_with("Added"));
    }
    assert!(run(&[&again[..], &["4"]].concat(), "").contains("nothing changed"));
    let newest = run(&["prices", "list", "--model", "zeta-9"], "");
    assert_eq!(newest.lines().count(), 5, "{newest}");

    let litellm = json!({
        "zeta-9": {"mode": "chat", "input_cost_per_token": 5e-6, "output_cost_per_token": 1.5e-5},
        "gpt-5": {"mode": "responses", "input_cost_per_token": 1.25e-6, "output_cost_per_token": 1e-5},
        "dall-e": {"mode": "image_generation", "input_cost_per_pixel": 1e-8},
    })
    .to_string();
    let import = ["prices", "import", "-"];
    assert!(run(&[&import[..], &["--dry-run"]].concat(), &litellm).contains("Would add 1 prices"));
    let said = run(&import, &litellm);
    assert!(
        said.contains("Added 1 prices") && said.contains("1 are in force") && said.contains("Skipped 1 of images"),
        "{said}"
    );
    assert!(run(&import, &litellm).contains("Added 0 prices"));
    fails(&import, "<html>", "LiteLLM");
    fails(&["prices", "import", "/nowhere.json"], "", "/nowhere.json cannot be read");
    fails(&["prices", "list", "--model", "nobody"], "", "prices add");
    fails(&["prices", "add", "m", "--input", "1e-9", "--output", "1"], "", "input: \"1e-9\" is finer");
    fails(&["prices", "add", "m", "--input", "1", "--output", "1", "--above", "9"], "", "--rule");
    fails(&["reprice", "--from", "2026-02-01", "--to", "2026-01-01"], "", "--to is not after --from");
    fails(&["reprice", "--town", "nowhere", "--from", "2026-02-01"], "", "there is no town");
}
