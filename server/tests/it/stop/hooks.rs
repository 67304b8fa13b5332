//! The empty tank that stops agents: over HTTP, each event in its own shape; and who asks.

use std::time::{Duration, Instant};

use super::fill;
use crate::server_support::{Server, call, now, start_with};
use serde_json::{Value, json};
use server::config::Settings;
use server::db::key::{self, Scope};
use server::http::{Secret, hash};
use server::postgres::testing::fresh_database;

const EMPTY: &str = "Gas tank empty: $0.00 left ($0.0038 overdrawn)";

fn settings(fail: &str) -> Settings {
    Settings { stop: Some("empty".into()), stop_fail: Some(fail.into()), ..Settings::default() }
}

async fn start(settings: Settings) -> Server {
    start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap()
}

/// Fills in a cent, and lets a call of $0.0138 draw it.
async fn run_dry(server: &Server) {
    fill(server, "home", "0.01").await;
    assert_eq!(server.post("/api/ingest", &json!([call(now(), 1)])).await.0, 200);
}

/// What a hook of Claude Code sends: the names that matter among what must not.
pub fn hook(event: &str) -> Value {
    json!({"session_id": "s1", "transcript_path": "/x", "cwd": "/y", "hook_event_name": event,
        "prompt": "secret", "tool_name": "Bash", "tool_input": {"command": "secret"}})
}

fn deny(reason: &str) -> Value {
    json!({"continue": false, "stopReason": reason, "hookSpecificOutput": {
        "hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": reason}})
}

#[tokio::test]
async fn each_hook_is_answered_in_its_own_shape_and_only_when_the_tank_is_empty() {
    let server = start(settings("open")).await;
    fill(&server, "home", "0.01").await;
    let block = json!({"decision": "block", "reason": EMPTY});
    let events = [
        ("PreToolUse", deny(EMPTY)),
        ("UserPromptSubmit", block.clone()),
        ("PostToolBatch", block),
        ("Stop", json!({})),
        ("SubagentStop", json!({})),
        ("SessionStart", json!({})),
        ("PostToolUse", json!({})),
        ("Notification", json!({})),
    ];
    for (event, _) in &events {
        assert_eq!(server.post(&format!("/hooks/claude/{event}"), &hook(event)).await, (200, json!({})), "{event}");
    }
    server.post("/api/ingest", &json!([call(now(), 1)])).await;
    for (event, want) in &events {
        assert_eq!(
            &server.post(&format!("/hooks/claude/{event}"), &hook(event)).await,
            &(200, want.clone()),
            "{event}"
        );
        // The body names the event too; with dashes it is the same.
        assert_eq!(&server.post("/hooks/claude", &hook(event)).await, &(200, want.clone()), "{event}");
    }
    // The agent holds the answer against the event of the body: so that one counts.
    assert_eq!(server.post("/hooks/claude/Stop", &hook("PreToolUse")).await.1, deny(EMPTY));
    assert_eq!(server.post("/hooks/claude/PreToolUse", &hook("Stop")).await.1, json!({}));
    server.running.stop().await;
}

#[tokio::test]
async fn a_body_that_says_nothing_leaves_it_to_the_address() {
    let server = start(settings("open")).await;
    run_dry(&server).await;
    let mut long = hook("Stop");
    long["tool_input"] = json!("x".repeat(3 << 20));
    assert_eq!(server.post("/hooks/claude/pre-tool-use", &long).await, (200, deny(EMPTY)), "too long to be looked at");
    let post = async |path: &str, body: &'static str| {
        let answer = server.client.post(server.url(path)).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(post("/hooks/claude/PreToolUse", "").await, (200, deny(EMPTY)));
    assert_eq!(post("/hooks/claude/PreToolUse", "{\"hook_event_name\":").await, (200, deny(EMPTY)));
    let (status, error) = post("/hooks/claude", "{}").await;
    assert!(status == 400 && error["error"].as_str().unwrap().contains("hook_event_name"), "{error}");
    server.running.stop().await;
}

#[tokio::test]
async fn the_town_is_named_by_the_address_or_a_header_and_a_reserve_is_kept() {
    let server = start(Settings { stop_reserve_usd: Some("5".into()), ..settings("open") }).await;
    server.post("/api/ingest?town=rich", &json!([call(now(), 1)])).await;
    fill(&server, "rich", "4.50").await;
    let want = deny("Gas tank at its reserve: $4.49 left, $5.00 are kept in reserve");
    // A call from before the first top-up is not drawn.
    let (_, answer) = server.post("/hooks/claude?town=rich", &hook("PreToolUse")).await;
    let reason = answer["stopReason"].as_str().unwrap().to_owned();
    assert!(reason == want["stopReason"] || reason.contains("$4.50 left"), "{reason}");
    let by_header = server.client.post(server.url("/hooks/claude")).header("X-Towngauge-Town", "rich");
    let by_header: Value = by_header.json(&hook("PreToolUse")).send().await.unwrap().json().await.unwrap();
    assert_eq!(by_header, answer);
    assert_eq!(server.post("/hooks/claude", &hook("PreToolUse")).await.1, json!({}), "home has no tank");
    server.running.stop().await;
}

#[tokio::test]
async fn what_is_not_known_stops_agents_only_when_failing_closed() {
    for (fail, stops) in [("open", false), ("closed", true)] {
        let server = start(settings(fail)).await;
        let asked = async |path: &str| server.post(path, &hook("PreToolUse")).await.1["continue"] == json!(false);
        assert_eq!(asked("/hooks/claude").await, stops, "never filled");
        assert_eq!(asked("/hooks/claude?town=nowhere").await, stops);
        assert_eq!(asked("/hooks/claude?town=no%20name").await, stops);
        fill(&server, "home", "50").await;
        assert!(!asked("/hooks/claude").await, "{fail}: there is money");
        server.running.app().hub.stop().await;
        let begun = Instant::now();
        assert_eq!(asked("/hooks/claude").await, stops, "{fail}: nobody knows the balance");
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert_eq!(server.post("/hooks/claude", &hook("Stop")).await.1, json!({}), "never Stop");
    }
}

#[tokio::test]
async fn a_town_that_is_none_is_no_error_to_a_hook_and_the_answer_says_why_nothing_stops_it() {
    let ask = async |server: &Server, town: &str| {
        let url = server.url(&format!("/hooks/claude/PreToolUse?town={town}"));
        let answer = server.client.post(url).json(&hook("PreToolUse")).send().await.unwrap();
        let note = answer.headers().get("x-towngauge-note").map(|note| note.to_str().unwrap().to_owned());
        (answer.status().as_u16(), note, answer.json::<Value>().await.unwrap())
    };
    for settings in [Settings::default(), settings("open"), Settings { stop: Some("off".into()), ..settings("closed") }]
    {
        let server = start(settings).await;
        let note = |town: &str| Some(format!("there is no town \"{town}\", so nothing stops this agent"));
        assert_eq!(ask(&server, "ritch").await, (200, note("ritch"), json!({})));
        assert_eq!(ask(&server, "no%0D%0Aname%C3%A9").await, (200, note("no??name?"), json!({})));
        assert_eq!(ask(&server, "home").await, (200, None, json!({})));
        server.running.stop().await;
    }
    let server = start(settings("closed")).await;
    let (status, note, answer) = ask(&server, "ritch").await;
    assert_eq!((status, note, &answer["continue"]), (200, None, &json!(false)), "{answer}");
    server.running.stop().await;
}

#[tokio::test]
async fn what_is_to_be_pasted_has_the_address_under_which_the_server_was_asked() {
    let pool = fresh_database().await;
    let secret = Secret::random().unwrap();
    key::insert(&pool, "admin", Scope::Admin, &hash(secret.reveal()).unwrap()).await.unwrap();
    let server = start_with("0.0.0.0", &pool, settings("open")).await.unwrap();
    let get = async |path: &str| {
        let request =
            server.client.get(server.url(path)).header("host", "gauge.lan:4680").header("accept", "text/html");
        request.bearer_auth(secret.reveal()).send().await.unwrap().text().await.unwrap()
    };
    for path in ["/api/towns/home/stop", "/api/page/tank/home", "/t/home/tank"] {
        let text = get(path).await;
        assert!(text.contains("http://gauge.lan:4680"), "{path}: {text}");
        assert!(!text.contains("0.0.0.0"), "{path}: {text}");
    }
    let page = get("/t/home/tank").await;
    assert!(page.contains("towngauge hook --url http://gauge.lan:4680 --town home"), "{page}");
    assert!(page.contains("environment variable <code>TOWNGAUGE_KEY</code>"), "{page}");
    server.running.stop().await;
    let told = Settings { public_url: Some("https://gauge.example".into()), ..settings("open") };
    let server = start(told).await;
    assert_eq!(server.get("/api/towns/home/stop").await["address"], "https://gauge.example");
    server.running.stop().await;
}

#[tokio::test]
async fn off_stops_nobody_and_counts_all_the_same_who_asks() {
    let server = start(Settings::default()).await;
    run_dry(&server).await;
    assert_eq!(server.post("/hooks/claude", &hook("PreToolUse")).await, (200, json!({})));
    let stop = server.get("/api/towns/home/stop").await;
    assert_eq!((&stop["policy"]["mode"], &stop["stopping"], &stop["asked"]), (&json!("off"), &json!(null), &json!(1)));
    server.running.stop().await;
}

#[tokio::test]
async fn the_api_says_who_obeys_and_the_metrics_count() {
    let server = start(settings("open")).await;
    run_dry(&server).await;
    let mut of_session = call(now(), 2);
    of_session["session"] = json!("s1");
    of_session["agent"] = json!("obedient");
    server.post("/api/ingest", &json!([of_session])).await;
    server.post("/hooks/claude", &hook("PreToolUse")).await;
    server.post("/hooks/claude", &hook("Stop")).await;
    let stop = server.get("/api/towns/home/stop").await;
    assert!(stop["stopping"].as_str().unwrap().starts_with("Gas tank empty"), "{stop}");
    assert_eq!((&stop["asked"], &stop["denied"], &stop["failed"]), (&json!(2), &json!(2), &json!(0)));
    let obeying = &stop["obeying"][0];
    assert_eq!(
        (&obeying["agent"], &obeying["session"], &obeying["asked"]),
        (&json!("obedient"), &json!("s1"), &json!(2))
    );
    assert_eq!(stop["deaf"], json!([["gas", "toast"]]), "its hooks did not ask");
    let metrics = server.client.get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("towngauge_hook_questions_total{town=\"home\"} 2"), "{metrics}");
    assert!(metrics.contains("towngauge_hook_denied_total{town=\"home\"} 2"), "{metrics}");
    assert_eq!(server.client.get(server.url("/api/towns/none/stop")).send().await.unwrap().status(), 404);
    server.running.stop().await;
}

#[tokio::test]
async fn beyond_loopback_a_hook_needs_a_sender_s_key() {
    let pool = fresh_database().await;
    let mut keys = Vec::new();
    for scope in [Scope::Ingest, Scope::Read] {
        let secret = Secret::random().unwrap();
        key::insert(&pool, scope.name(), scope, &hash(secret.reveal()).unwrap()).await.unwrap();
        keys.push(secret.reveal().to_owned());
    }
    let server = start_with("0.0.0.0", &pool, settings("open")).await.unwrap();
    let post = async |path: &str, key: Option<&str>| {
        let request = server.client.post(server.url(path)).json(&hook("PreToolUse"));
        key.map_or_else(|| request.try_clone().unwrap(), |key| request.try_clone().unwrap().bearer_auth(key))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(post("/hooks/claude/PreToolUse", None).await, 401);
    assert_eq!(post("/hooks/claude/PreToolUse", Some(&keys[0])).await, 200);
    assert_eq!(post("/hooks/claude/PreToolUse", Some(&keys[1])).await, 403);
    assert_eq!(post("/api/webhooks/test", Some(&keys[0])).await, 403);
    let list = server.client.get(server.url("/api/webhooks")).bearer_auth(&keys[1]).send().await.unwrap();
    assert_eq!(list.status(), 403, "only an admin sees who is told");
    server.running.stop().await;
}

/// Tells a window, and waits until the live state has it.
async fn tell_window(server: &Server, source: &str, name: &str, used: i64, resets_in_s: i64) {
    let window = json!({"name": name, "used_percent": used, "resets_at": now().seconds() + resets_in_s});
    let body = json!({"source": source, "windows": [window]});
    assert_eq!(server.post("/api/towns/home/windows", &body).await.1["stored"], 1);
    for _ in 0..200 {
        let tanks = server.get("/api/towns/home/tanks").await["tanks"].clone();
        if tanks.as_array().unwrap().iter().any(|tank| tank["name"] == name) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{name} is not known to the live state");
}

#[tokio::test]
async fn a_window_that_is_used_up_stops_the_agents_that_draw_from_it_until_its_reset() {
    let server = start(settings("open")).await;
    let asked = async || server.post("/hooks/claude", &hook("PreToolUse")).await.1;
    fill(&server, "home", "50").await;
    tell_window(&server, "codex", "Codex 5 h", 100, 3_000).await;
    tell_window(&server, "claude_code", "Claude Code 7 d opus", 100, 3_000).await;
    tell_window(&server, "claude_code", "Claude Code 7 d", 99, 90_000).await;
    assert_eq!(asked().await, json!({}), "none of these is what every call of Claude Code draws from");
    tell_window(&server, "claude_code", "Claude Code 5 h", 100, 2).await;
    let answer = asked().await;
    let reason = answer["stopReason"].as_str().unwrap().to_owned();
    assert_eq!(answer, deny(&reason));
    assert!(reason.starts_with("Subscription window used up: Claude Code 5 h has 0 % left, resets in "), "{reason}");
    assert!(reason.contains(", at 20") && reason.ends_with('Z'), "{reason}");
    let stop = server.get("/api/towns/home/stop").await;
    assert_eq!((&stop["stopping"], &stop["windows"]["empty"]["name"]), (&json!(reason), &json!("Claude Code 5 h")));
    assert_eq!(server.post("/hooks/claude", &hook("Stop")).await.1, json!({}), "never Stop");
    for _ in 0..100 {
        if asked().await == json!({}) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(asked().await, json!({}), "the window began anew");
    server.running.stop().await;
}

#[tokio::test]
async fn windows_stop_nobody_when_switched_off_and_stand_for_the_tank_of_a_subscriber() {
    let money_only = Settings { stop_windows: Some("off".into()), ..settings("closed") };
    for (settings, own) in [(money_only, false), (settings("closed"), true)] {
        let server = start(settings).await;
        let asked = async || server.post("/hooks/claude", &hook("UserPromptSubmit")).await.1;
        tell_window(&server, "claude_code", "Claude Code 5 h", 40, 3_000).await;
        assert_eq!(asked().await == json!({}), own, "the tank was never filled, but the window is known");
        assert_eq!(server.get("/api/towns/home/stop").await["failed"], u64::from(!own));
        fill(&server, "home", "50").await;
        tell_window(&server, "claude_code", "Claude Code 7 d", 100, 3_000).await;
        let answer = asked().await;
        assert_eq!(answer.get("decision").is_some(), own, "{answer}");
        server.running.stop().await;
    }
}
