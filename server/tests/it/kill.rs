//! Invariant 1 and 2 from outside: `kill -9` of the server in the middle of ingest, twenty times. Every acknowledged
//! event is there, exactly once, and the rollups equal a fold from scratch.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ROUNDS: u32 = 20;
const SENDERS: u32 = 4;
const PER_REQUEST: u32 = 50;

struct Server {
    child: Child,
    address: String,
}

fn towngauge(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
    command.args(arguments).arg("--data-dir").arg(data);
    command
}

fn start(data: &Path) -> Server {
    let mut child = towngauge(data, &["serve", "--listen", "127.0.0.1:0", "--no-watch", "--town", "kill"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts");
    let stdout = child.stdout.take().expect("piped");
    let line = BufReader::new(stdout).lines().next().expect("the server says where it listens").expect("a line");
    let (_, address) = line.split_once("http://").expect("an address");
    Server { child, address: address.trim().trim_end_matches('/').to_owned() }
}

/// Body of one request: events `first..first + PER_REQUEST`, spread over an hour so that several buckets are hit.
fn body(first: u32) -> String {
    let base = model::Timestamp::from_seconds(1_760_000_000);
    (first..first + PER_REQUEST)
        .map(|n| {
            let at = base.plus_seconds(i64::from(n) * 7 % 3_600);
            format!(
                "{{\"type\":\"model_call\",\"ts\":\"{at}\",\"id\":\"e{n}\",\"agent\":\"a{}\",\"role\":\"polecat\",\"model\":\"claude-haiku-4-5\",\"input_tokens\":{n},\"output_tokens\":1}}\n",
                n % 5
            )
        })
        .collect()
}

#[derive(serde::Deserialize)]
struct Answer {
    stored: u64,
    duplicate: u64,
    rejected: u64,
}

async fn post(client: &reqwest::Client, address: &str, first: u32) -> Option<Answer> {
    let request = client.post(format!("http://{address}/api/ingest?town=kill"));
    let request = request.header("content-type", "application/x-ndjson").body(body(first));
    let answer = request.send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    answer.json().await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client");
    let acknowledged: Arc<Mutex<BTreeSet<u32>>> = Arc::default();
    let mut next = 0;
    for round in 0..ROUNDS {
        let mut server = start(&data);
        let mut senders = Vec::new();
        for sender in 0..SENDERS {
            let (client, address, acknowledged) = (client.clone(), server.address.clone(), acknowledged.clone());
            let begin = next + sender * 10_000;
            senders.push(tokio::spawn(async move {
                let mut first = begin;
                while first < begin + 10_000 {
                    // The first failure is the kill: what was under way is not acknowledged.
                    let Some(answer) = post(&client, &address, first).await else { break };
                    assert_eq!(answer.rejected, 0);
                    acknowledged.lock().expect("not poisoned").insert(first);
                    first += PER_REQUEST;
                }
                first
            }));
        }
        tokio::time::sleep(Duration::from_millis(60 + u64::from(round) * 23 % 200)).await;
        server.child.kill().expect("SIGKILL");
        server.child.wait().expect("reaped");
        for sender in senders {
            sender.await.expect("a sender ends");
        }
        next += SENDERS * 10_000;
    }

    let mut server = start(&data);
    let acknowledged = acknowledged.lock().expect("not poisoned").clone();
    assert!(acknowledged.len() > 20, "only {} requests were acknowledged: nothing was tested", acknowledged.len());
    for first in &acknowledged {
        let again = post(&client, &server.address, *first).await.expect("the server answers");
        assert_eq!((again.stored, again.duplicate), (0, u64::from(PER_REQUEST)), "request {first} was acknowledged");
    }
    // Exactly once: the report counts rows, and every row's input_tokens is its number.
    let report = towngauge(&data, &["report", "model", "--town", "kill", "--json"]).output().expect("report");
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("JSON");
    let calls = report["total"]["calls"].as_u64().expect("a count");
    assert!(calls >= acknowledged.len() as u64 * u64::from(PER_REQUEST));
    assert_eq!(calls % u64::from(PER_REQUEST), 0, "a request is stored whole or not at all");
    assert_eq!(report["total"]["output_tokens"].as_u64(), Some(calls));

    let verify = towngauge(&data, &["rollup", "verify"]).output().expect("verify");
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));

    let pid = i32::try_from(server.child.id()).expect("a pid");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).expect("SIGTERM");
    assert!(server.child.wait().expect("ends").success(), "a graceful stop ends with 0");
}
