//! The texts that say how to connect a source, used for real: read from the page's data, run by a shell or read by what
//! reads them, and each brings an event into the town of the page.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashMap;
use std::process::Stdio;

use crate::otlp_support::{Logs, Sum, T0, claude, request, tokens};
use crate::server_support::{Server, call, now, start, start_on};
use reqwest::header::{ACCEPT, AUTHORIZATION};
use serde_json::{Value, json};
use server::db::key::{self, Scope};
use server::http::{Secret, hash};
use server::postgres::testing::fresh_database;

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

/// A server with a town that is not its default one, and what a viewer and a sender of it need.
struct Place {
    server: Server,
    /// Of a reader and of a sender; empty where no key is needed.
    keys: [String; 2],
    guides: Value,
}

impl Place {
    async fn of(server: Server, keys: [String; 2]) -> Self {
        let founding = server.client.post(server.url("/api/ingest?town=other")).json(&call(now(), 1));
        let founded = founding.header(AUTHORIZATION, format!("Bearer {}", keys[1])).send().await.unwrap();
        assert_eq!(founded.status(), 200);
        let page = server.client.get(server.url("/t/other/sources")).header(ACCEPT, "text/html");
        let page = page.header(AUTHORIZATION, format!("Bearer {}", keys[0])).send().await.unwrap();
        let html = page.text().await.unwrap();
        let seed = html.split("type=\"application/json\">").nth(1).unwrap().split("</script>").next().unwrap();
        let seed: Value = serde_json::from_str(seed).unwrap();
        assert_eq!(seed["key"].is_null(), keys[1].is_empty(), "who needs a key is told how to make one");
        let guides = seed["guides"].clone();
        Self { server, keys, guides }
    }

    /// The text of a guide's step.
    fn step(&self, id: &str, step: usize) -> String {
        let guide = self.guides.as_array().unwrap().iter().find(|guide| guide["id"] == id).unwrap();
        guide["steps"][step]["text"].as_str().unwrap().to_owned()
    }

    /// Runs a text as somebody does who pastes it, and gives what it printed.
    async fn shell(&self, text: &str, home: &std::path::Path) -> String {
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-e", "-c", text]).env("HOME", home).env("TOWNGAUGE_KEY", &self.keys[1]);
        let output = shell.stdin(Stdio::null()).output().await.unwrap();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The environment that a text makes.
    async fn environment(&self, text: &str) -> HashMap<String, String> {
        let printed = self.shell(&format!("{text}\nenv"), std::path::Path::new("/")).await;
        printed.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    /// Posts as an exporter does that was given these headers.
    async fn export(&self, url: &str, headers: &[(String, String)], kind: &str, body: Vec<u8>) {
        // A server that is bound everywhere says the name under which it was asked.
        let mut sent = self.server.client.post(url).header("content-type", kind).body(body);
        for (name, value) in headers {
            sent = sent.header(name, value);
        }
        let answer = sent.send().await.unwrap();
        let status = answer.status();
        assert_eq!(status, 200, "{url}: {}", answer.text().await.unwrap());
    }

    /// What of the town is stored from a source.
    async fn stored(&self, source: &str) -> i64 {
        let sql = "select coalesce(sum(stored), 0)::bigint from source join town using (town_id) \
                   where source = $1 and name = 'other'";
        let (stored,): (i64,) = sqlx::query_as(sql).bind(source).fetch_one(&self.server.pool).await.unwrap();
        stored
    }
}

/// `OTEL_EXPORTER_OTLP_HEADERS`, as the specification has it.
fn headers(environment: &HashMap<String, String>) -> Vec<(String, String)> {
    let told = environment.get("OTEL_EXPORTER_OTLP_HEADERS").map_or("", String::as_str);
    told.split(',').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

async fn claude_code(place: &Place) {
    let environment = place.environment(&place.step("claude-code", 0)).await;
    assert_eq!(environment["CLAUDE_CODE_ENABLE_TELEMETRY"], "1");
    assert_eq!(
        (environment["OTEL_LOGS_EXPORTER"].as_str(), environment["OTEL_METRICS_EXPORTER"].as_str()),
        ("otlp", "otlp")
    );
    assert_eq!(environment["OTEL_EXPORTER_OTLP_PROTOCOL"], "http/protobuf");
    let url = format!("{}/v1/logs", environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    let logs = Logs { resource: claude(), records: vec![request("s1", 1, Some("req_1"), 70)] };
    place.export(&url, &headers(&environment), PROTOBUF, logs.protobuf()).await;
    assert_eq!(place.stored("claude_code_otel").await, 1);
}

async fn codex(place: &Place) {
    let toml: toml::Value = toml::from_str(&place.step("codex", 0)).unwrap();
    let exporter = &toml["otel"]["exporter"]["otlp-http"];
    assert_eq!(exporter["protocol"].as_str(), Some("binary"));
    let headers: Vec<(String, String)> =
        exporter.get("headers").and_then(toml::Value::as_table).map_or_else(Vec::new, |headers| {
            let put_in = |value: &toml::Value| value.as_str().unwrap().replace("tg_…", &place.keys[1]);
            headers.iter().map(|(name, value)| (name.clone(), put_in(value))).collect()
        });
    let told = json!({"event.name": "codex.sse_event", "event.kind": "response.completed", "conversation.id": "c1",
        "model": "gpt-5", "input_token_count": "100", "output_token_count": "20", "cached_token_count": "40"});
    let logs = Logs { resource: json!({"service.name": "codex_cli_rs"}), records: vec![(T0, told)] };
    place.export(exporter["endpoint"].as_str().unwrap(), &headers, PROTOBUF, logs.protobuf()).await;
    assert_eq!(place.stored("codex_otel").await, 1);
}

async fn gemini(place: &Place) {
    let settings: Value = serde_json::from_str(&place.step("gemini", 0)).unwrap();
    let telemetry = &settings["telemetry"];
    assert_eq!((&telemetry["otlpProtocol"], &telemetry["logPrompts"]), (&json!("http"), &json!(false)));
    let environment =
        if place.keys[1].is_empty() { HashMap::new() } else { place.environment(&place.step("gemini", 1)).await };
    let told = json!({"event.name": "gemini_cli.api_response", "session.id": "g1", "model": "gemini-2.5-pro",
        "input_token_count": 100, "output_token_count": 20, "cached_content_token_count": 40, "duration_ms": 900});
    let logs = Logs { resource: json!({"service.name": "gemini-cli"}), records: vec![(T0, told)] };
    place.export(telemetry["otlpEndpoint"].as_str().unwrap(), &headers(&environment), JSON, logs.json()).await;
    assert_eq!(place.stored("gemini_otel").await, 1);
}

async fn gas_town(place: &Place, home: &std::path::Path) {
    let environment = place.environment(&place.step("gas-town", 0)).await;
    // It gives these addresses to its agents as they are.
    let metrics: Sum = tokens("s2", false, &[("input", 1, 2, 10.0)]);
    let logs = Logs { resource: claude(), records: vec![request("s3", 1, Some("req_2"), 70)] };
    let before = place.stored("claude_code_otel").await;
    place.export(&environment["GT_OTEL_METRICS_URL"], &headers(&environment), PROTOBUF, metrics.protobuf()).await;
    place.export(&environment["GT_OTEL_LOGS_URL"], &headers(&environment), PROTOBUF, logs.protobuf()).await;
    assert_eq!(place.stored("claude_code_otel").await, before + 2);

    let costs = home.join(".gt");
    std::fs::create_dir_all(&costs).unwrap();
    let line = json!({"session_id": "gt-toast", "role": "polecat", "rig": "gastown", "worker": "toast", "cost_usd": 0.4,
        "ended_at": "2026-02-26T18:22:36.10899-05:00", "work_item": "gt-69dai"});
    std::fs::write(costs.join("costs.jsonl"), format!("not this one\n{line}\n")).unwrap();
    let printed = place.shell(&place.step("gas-town", 1), home).await;
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap()["stored"], 1, "{printed}");
    assert_eq!(place.stored("gas_town_costs").await, 1);
}

async fn gen_ai(place: &Place) {
    let environment = place.environment(&place.step("otel", 0)).await;
    let url = format!("{}/v1/logs", environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    let told = json!({"event.name": "gen_ai.client.inference.operation.details", "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20});
    let logs = Logs { resource: json!({"service.name": "mine"}), records: vec![(T0, told)] };
    place.export(&url, &headers(&environment), PROTOBUF, logs.protobuf()).await;
    assert_eq!(place.stored("otel").await, 1);
}

async fn http(place: &Place, home: &std::path::Path) {
    let before = place.stored("api").await;
    let printed = place.shell(&place.step("http", 0), home).await;
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap()["stored"], 1, "{printed}");
    assert_eq!(place.stored("api").await, before + 1);
}

/// With the program of this test on the path, and the transcript of a session at home.
async fn machine(place: &Place, home: &std::path::Path) {
    let folder = home.join(".claude/projects/-work");
    std::fs::create_dir_all(&folder).unwrap();
    let line = json!({"type": "assistant", "timestamp": now().to_string(), "sessionId": "m1", "requestId": "req_m",
        "cwd": "/work", "uuid": "u1", "message": {"id": "msg_m", "type": "message", "role": "assistant",
        "model": "claude-sonnet-4-5", "content": [], "usage": {"input_tokens": 5, "output_tokens": 7}}});
    std::fs::write(folder.join("m1.jsonl"), format!("{line}\n")).unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_towngauge")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let key = if place.keys[1].is_empty() { "tg_none" } else { &place.keys[1] };
    let mut shell = tokio::process::Command::new("sh");
    // In place of the shell, so that the program itself is ended at last.
    shell.args(["-e", "-c", &format!("exec {}", place.step("machine", 1))]).env_clear();
    shell.env("HOME", home).env("PATH", path).env("TOWNGAUGE_KEY", key);
    let mut running = shell.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let begun = std::time::Instant::now();
    while place.stored("claude_code").await == 0 {
        assert!(running.try_wait().unwrap().is_none() && begun.elapsed().as_secs() < 30, "nothing was shipped");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Its own counts follow what was stored.
    let sql = "select count(*) from shipper join town using (town_id) where town.name = 'other' and stored > 0";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&place.server.pool).await.unwrap() != 1 {
        assert!(begun.elapsed().as_secs() < 30, "the machine is not known");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    running.kill().await.unwrap();
}

async fn use_all(place: &Place) {
    let home = tempfile::tempdir().unwrap();
    claude_code(place).await;
    codex(place).await;
    gemini(place).await;
    gas_town(place, home.path()).await;
    gen_ai(place).await;
    http(place, home.path()).await;
    machine(place, home.path()).await;
}

#[tokio::test]
async fn every_text_brings_an_event_into_the_town_of_its_page() {
    let place = Place::of(start().await, [String::new(), String::new()]).await;
    use_all(&place).await;
    place.server.running.stop().await;
}

#[tokio::test]
async fn with_a_key_where_the_server_wants_one_and_under_the_name_that_it_was_asked_by() {
    let pool = fresh_database().await;
    let mut keys = Vec::new();
    for scope in [Scope::Read, Scope::Ingest] {
        let secret = Secret::random().unwrap();
        key::insert(&pool, scope.name(), scope, &hash(secret.reveal()).unwrap()).await.unwrap();
        keys.push(secret.reveal().to_owned());
    }
    let server = start_on("0.0.0.0", &pool).await.unwrap();
    let place = Place::of(server, keys.try_into().unwrap()).await;
    assert!(place.step("http", 0).contains("'http://127.0.0.1:"), "not 0.0.0.0: {}", place.step("http", 0));
    use_all(&place).await;
    place.server.running.stop().await;
}
