//! Windows of subscriptions: told over HTTP, and by `towngauge statusline` as the agent runs it, which prints one line and
//! never fails the prompt.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::server_support::{Server, call, now, start};
use serde_json::{Value, json};

/// Runs the program with a status on stdin: its line, and how long it took.
fn statusline(status: &str, arguments: &[&str]) -> (String, Duration) {
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
    command.env_clear().env("HOME", "/nonexistent").arg("statusline").args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have read enough before all is written.
    let _ = child.stdin.take().unwrap().write_all(status.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), began.elapsed())
}

async fn until(server: &Server, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..100 {
        let body = server.get(path).await;
        if done(&body) {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never came to be as expected: {}", server.get(path).await);
}

/// A status as Claude Code hands it over, with everything that is none of our business.
fn status(resets_s: i64) -> Value {
    json!({
        "session_id": "s", "transcript_path": "/home/me/t.jsonl", "cwd": "/home/me/app", "version": "2.1.0",
        "model": {"id": "claude-opus-4-6", "display_name": "Opus"},
        "workspace": {"current_dir": "/home/me/app", "project_dir": "/home/me/app"},
        "cost": {"total_cost_usd": 1.23456, "total_duration_ms": 45_000, "total_lines_added": 10},
        "context_window": {"used_percentage": 8, "context_window_size": 200_000},
        "exceeds_200k_tokens": false,
        "rate_limits": {
            "five_hour": {"used_percentage": 37.4, "resets_at": resets_s},
            "seven_day": {"used_percentage": 12, "resets_at": resets_s + 86_400},
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_one_line_and_tells_the_server_the_windows_and_nothing_else() {
    let server = start().await;
    let resets_s = now().seconds() + 7_200;
    let (line, _) = statusline(&status(resets_s).to_string(), &["--url", &server.running.address]);
    assert_eq!(line, "5 h 37 % · 7 d 12 % · $1.23\n");
    let two = |body: &Value| body["tanks"].as_array().unwrap().len() == 2;
    let tanks = until(&server, "/api/towns/home/tanks", two).await;
    let five = &tanks["tanks"][0];
    assert_eq!((&five["name"], &five["left_millionths"]), (&json!("Claude Code 5 h"), &json!(626_000)), "{tanks}");
    assert_eq!((&tanks["tanks"][1]["name"], &tanks["tanks"][1]["left"]), (&json!("Claude Code 7 d"), &json!("88 %")));
    server.running.stop().await;
}

#[test]
fn nothing_that_is_wrong_is_in_the_way_of_the_prompt() {
    let whole = status(1_900_000_000).to_string();
    let nowhere = ["--url", "http://127.0.0.1:1"];
    assert_eq!(statusline(&whole, &nowhere).0, "5 h 37 % · 7 d 12 % · $1.23\n");
    assert_eq!(statusline(&whole[..whole.len() / 2], &nowhere).0, "Towngauge\n");
    assert_eq!(statusline("", &nowhere).0, "Towngauge\n");
    // A configuration that cannot be used is told by the other commands.
    assert_eq!(statusline(&whole, &["--listen", "here"]).0, "5 h 37 % · 7 d 12 % · $1.23\n");
    // A server that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let (line, took) = statusline(&whole, &["--url", &url]);
    assert_eq!(line, "5 h 37 % · 7 d 12 % · $1.23\n");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn windows_are_told_over_http_and_the_one_that_runs_dry_first_is_marked() {
    let server = start().await;
    let resets = now().floor_to(1).plus_seconds(7_200);
    let window = |name: &str, used: f64| json!({"name": name, "used_percent": used, "resets_at": resets.to_string()});
    let body =
        json!({"source": "claude_code", "windows": [window("Claude Code 5 h", 37.5), window("Claude Code 7 d", 12.0)]});
    let (status, answer) = server.post("/api/towns/home/windows", &body).await;
    assert_eq!((status, &answer), (200, &json!({"received": 2, "stored": 2})));
    // Told again at the next prompt, it says nothing new.
    assert_eq!(server.post("/api/towns/home/windows", &body).await.1["stored"], 0);
    let readings: i64 = sqlx::query_scalar("select count(*) from reading").fetch_one(&server.pool).await.unwrap();
    assert_eq!(readings, 2);
    server.post("/api/towns/home/topup", &json!({"usd": "50"})).await;
    // A cent: the meter lasts for weeks.
    server.post("/api/ingest", &call(now().plus_seconds(-200), 1)).await;
    let body = until(&server, "/api/towns/home/gauges", |body| body["tanks"].as_array().unwrap().len() == 3).await;
    let firsts: Vec<&Value> = body["tanks"].as_array().unwrap().iter().filter(|tank| tank["first"] == true).collect();
    assert_eq!((firsts.len(), &firsts[0]["name"]), (1, &json!("Claude Code 5 h")));
    assert_eq!((&firsts[0]["left"], &firsts[0]["left_millionths"]), (&json!("63 %"), &json!(625_000)));
    assert_eq!(firsts[0]["resets_at"], json!(resets.to_string()));

    let (status, answer) = server.post("/api/towns/home/windows", &json!({"source": "x"})).await;
    assert!(status == 400 && answer["hint"].as_str().unwrap().contains("used_percent"), "{answer}");
    let (status, _) = server.post("/api/towns/nowhere/windows", &json!({"source": "x", "windows": []})).await;
    assert_eq!(status, 404);
    server.running.stop().await;
}
