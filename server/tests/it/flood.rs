//! More OpenTelemetry than the store can take: senders are told to come back, what was accepted is there, and memory
//! stays within its bound. From outside, because a process is what has memory.

#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::otlp_support::{Logs, claude, request};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

const SENDERS: u64 = 24;
const REQUESTS: u64 = 12;
const PER_REQUEST: u64 = 100;
/// A prompt comes with each: large, and dropped on arrival.
const PROMPT_BYTES: usize = 5_000;
/// Events that may wait: two requests, so that most are turned away.
const QUEUE: &str = "200";
/// How far memory may grow: less than half of what is sent.
const GROWTH_KIB: u64 = 64 << 10;

fn towngauge(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
    command.args(arguments).arg("--data-dir").arg(data);
    command
}

/// The server and its address.
fn start(data: &Path) -> (Child, String) {
    let mut child = towngauge(
        data,
        &["serve", "--listen", "127.0.0.1:0", "--no-watch", "--town", "flood", "--queue-events", QUEUE],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::null())
    .spawn()
    .expect("the server starts");
    let stdout = child.stdout.take().expect("piped");
    let line = BufReader::new(stdout).lines().next().expect("the server says where it listens").expect("a line");
    let (_, address) = line.split_once("http://").expect("an address");
    (child, address.trim().trim_end_matches('/').to_owned())
}

/// A line of /proc/PID/status, in KiB.
fn memory_kib(child: &Child, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("the server runs");
    let line = status.lines().find(|line| line.starts_with(name)).expect("Linux says it");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

/// Calls that nobody else sends. As JSON, which is the larger encoding.
fn body(sender: u64, number: u64) -> Vec<u8> {
    let first = (sender * REQUESTS + number) * PER_REQUEST;
    let session = format!("s{sender}");
    let record = |n: u64| {
        let (at, mut told) = request(&session, n, Some(&format!("req_{n}")), 1);
        told["prompt"] = "p".repeat(PROMPT_BYTES).into();
        (at, told)
    };
    Logs { resource: claude(), records: (first..first + PER_REQUEST).map(record).collect() }.json()
}

#[derive(Default)]
struct Seen {
    accepted: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_refused_in_time_loses_nothing_accepted_and_stays_within_its_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (mut child, address) = start(&data);
    let before_kib = memory_kib(&child, "VmRSS:");
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
    let seen: Arc<Seen> = Arc::default();
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let (client, address, seen) = (client.clone(), address.clone(), Arc::clone(&seen));
        senders.push(tokio::spawn(async move {
            for number in 0..REQUESTS {
                let body = body(sender, number);
                seen.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
                let post = client.post(format!("http://{address}/v1/logs")).header(CONTENT_TYPE, "application/json");
                let answer = post.body(body).send().await.expect("the server answers whatever comes");
                match answer.status().as_u16() {
                    200 => seen.accepted.fetch_add(PER_REQUEST, Ordering::Relaxed),
                    429 | 503 => {
                        assert!(answer.headers().contains_key(RETRY_AFTER), "who is refused is told when to come back");
                        seen.refused.fetch_add(1, Ordering::Relaxed)
                    }
                    other => panic!("answered {other}: {:?}", answer.text().await),
                };
            }
        }));
    }
    for sender in senders {
        sender.await.expect("a sender ends");
    }
    let growth_kib = memory_kib(&child, "VmHWM:").saturating_sub(before_kib);
    let (accepted, refused) = (seen.accepted.load(Ordering::Relaxed), seen.refused.load(Ordering::Relaxed));
    let sent_kib = seen.bytes.load(Ordering::Relaxed) >> 10;
    assert!(refused > 0 && accepted > 0, "{accepted} calls accepted, {refused} requests refused: that was no flood");
    assert!(sent_kib > 2 * GROWTH_KIB, "{sent_kib} KiB prove nothing about a bound of {GROWTH_KIB} KiB");
    assert!(growth_kib < GROWTH_KIB, "memory grew by {growth_kib} KiB while {sent_kib} KiB came in");

    let report = towngauge(&data, &["report", "model", "--town", "flood", "--json"]).output().expect("report");
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("JSON");
    assert_eq!(report["total"]["calls"].as_u64(), Some(accepted), "what was accepted, and nothing that was refused");

    let pid = i32::try_from(child.id()).expect("a pid");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).expect("SIGTERM");
    assert!(child.wait().expect("ends").success(), "a graceful stop ends with 0");
}
