//! `towngauge hook` from outside: its exits are what Claude Code acts on.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::fill;
use crate::server_support::{call, now, start_with};
use serde_json::{Value, json};
use server::config::Settings;
use server::postgres::testing::fresh_database;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

/// What it came to.
#[derive(Debug)]
struct Ended {
    code: i32,
    out: String,
    err: String,
    took: Duration,
}

/// Runs it with `input`; nothing of this machine is read.
async fn hook(arguments: &[&str], input: &str) -> Ended {
    towngauge(&[&["hook"], arguments].concat(), input).await
}

async fn towngauge(arguments: &[&str], input: &str) -> Ended {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
    command.env_clear().env("HOME", home.path()).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        // It may end before it has read all.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        drop(home);
        Ended {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
            took: begun.elapsed(),
        }
    })
    .await
    .unwrap()
}

fn input(event: &str) -> String {
    json!({"session_id": "s1", "hook_event_name": event, "tool_input": {"command": "secret"}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_printed_with_exit_0() {
    let settings = Settings { stop: Some("empty".into()), ..Settings::default() };
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    let url = server.running.address.clone();
    let asked = async |event: &str| {
        let ended = hook(&["--url", &url, "--fail", "closed", "--town", "home"], &input(event)).await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
        serde_json::from_str::<Value>(&ended.out).unwrap()
    };
    fill(&server, "home", "0.01").await;
    assert_eq!(asked("PreToolUse").await, json!({}));
    server.post("/api/ingest", &json!([call(now(), 1)])).await;
    let denied = asked("PreToolUse").await;
    assert_eq!(denied["continue"], json!(false));
    assert_eq!(denied["hookSpecificOutput"]["permissionDecision"], json!("deny"));
    assert_eq!(asked("UserPromptSubmit").await["decision"], json!("block"));
    assert_eq!(asked("Stop").await, json!({}));
    // Without a word on stdin, the flag names the event.
    let ended = hook(&["--url", &url, "--event", "PreToolUse"], "").await;
    assert_eq!((ended.code, serde_json::from_str::<Value>(&ended.out).unwrap()), (0, denied));
    assert_eq!(server.get("/api/towns/home/stop").await["obeying"][1]["session"], json!("s1"));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_town_blocks_nobody_while_the_server_s_rule_does_not() {
    let of = |stop: &str, fail: &str| Settings {
        stop: Some(stop.into()),
        stop_fail: Some(fail.into()),
        ..Settings::default()
    };
    for (settings, stops) in [(of("off", "closed"), false), (of("empty", "open"), false), (of("empty", "closed"), true)]
    {
        let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
        let url = server.running.address.clone();
        let asking = ["--url", &url, "--fail", "closed", "--town", "nowhere"];
        let ended = hook(&asking, &input("PreToolUse")).await;
        let answer: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!((ended.code, answer["continue"] == json!(false)), (0, stops), "{ended:?}");
        assert!(stops || (answer == json!({}) && ended.err.contains("\"nowhere\"")), "{ended:?}");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_asked_stops_only_who_fails_closed_and_never_at_the_end() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let unreachable = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    // One that takes the question, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let too_late = format!("http://{}", silent.local_addr().unwrap());
    // One that answers something else.
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let foreign = format!("http://{}", other.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
            stream.write_all(answer).await.unwrap();
        }
    });
    for url in [&unreachable, &too_late, &foreign] {
        let open = hook(&["--url", url], &input("PreToolUse")).await;
        assert_eq!((open.code, open.out.as_str(), open.err.as_str()), (0, "", ""), "{url}");
        for event in ["PreToolUse", "UserPromptSubmit", "PostToolBatch"] {
            let closed = hook(&["--url", url, "--fail", "closed"], &input(event)).await;
            assert_eq!((closed.code, closed.out.as_str()), (2, ""), "{closed:?}");
            assert!(closed.err.starts_with("Towngauge cannot be asked"), "{closed:?}");
            assert!(closed.err.contains("configured to fail closed"), "{closed:?}");
            assert!(closed.took < Duration::from_millis(2_000), "{closed:?}");
        }
        for event in ["Stop", "SubagentStop", "SessionEnd"] {
            let closed = hook(&["--url", url, "--fail", "closed"], &input(event)).await;
            assert_eq!((closed.code, closed.out.as_str()), (0, ""), "{event} is never blocked");
        }
    }
    answering.abort();
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_of_the_owner_is_no_block() {
    let mistyped = hook(&["--fial", "closed"], &input("PreToolUse")).await;
    assert!(mistyped.code == 1 && mistyped.err.contains("--fial"), "{mistyped:?}");
    // Also when other flags stand before the command.
    let mistyped = towngauge(&["--town", "x", "hook", "--bad-flag"], &input("PreToolUse")).await;
    assert!(mistyped.code == 1 && mistyped.err.contains("--bad-flag"), "{mistyped:?}");
    let mistyped = towngauge(&["--bad-flag", "hook"], &input("PreToolUse")).await;
    assert_eq!(mistyped.code, 1, "{mistyped:?}");
    assert_eq!(towngauge(&["serve", "--bad-flag"], "").await.code, 2, "other commands keep clap's exit");
    let nameless = hook(&["--fail", "closed"], "not JSON").await;
    assert!(nameless.code == 1 && nameless.err.contains("--event"), "{nameless:?}");
    // A configuration that cannot be read is one more reason why it cannot be asked.
    let broken = ["--fail", "closed", "--config", "/nowhere/towngauge.toml"];
    assert_eq!(hook(&broken, &input("PreToolUse")).await.code, 2);
    assert_eq!(hook(&broken, &input("Stop")).await.code, 0);
    assert_eq!(hook(&["--url", "example.org", "--fail", "closed"], &input("PreToolUse")).await.code, 2);
}
