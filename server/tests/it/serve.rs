//! `towngauge serve` from outside: what it follows, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::postgres::{Cluster, OpenMode};

struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// A server of its own in `home`, which it takes for its owner's.
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments).arg("--data-dir").arg(home.join("data"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let (_, address) = line.split_once("running at ").unwrap();
        Self { child, address: address.trim().to_owned() }
    }

    async fn get(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.address)).await.unwrap().json().await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Once it has been waited for, its number may be another's.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
            let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
            let _status = self.child.wait();
        }
    }
}

fn write(path: &Path, lines: &[Value]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

/// A bead as it is now; they were all made a while ago.
fn bead(id: &str, status: &str) -> Value {
    let now = jiff::Timestamp::now();
    let made = "2026-01-01T00:00:00Z";
    json!({"id": id, "title": "T", "status": status, "issue_type": "task", "created_at": made,
        "updated_at": now.to_string()})
}

/// Waits until `holds`.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(15), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn beads_of_the_town_and_named_ones_are_followed_beside_transcripts_and_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    write(&home.join("gt/.beads/issues.jsonl"), &[bead("gt-1", "open")]);
    write(&home.join("gt/gastown/.beads/issues.jsonl"), &[bead("ga-1", "open")]);
    let named = home.join("elsewhere/issues.jsonl");
    write(&named, &[bead("el-1", "open")]);
    let now = jiff::Timestamp::now().to_string();
    let (at, cwd) = (now.as_str(), "/w/app");
    let edit = json!({"type": "tool_use", "id": "toolu_1", "name": "Edit", "input": {"file_path": "/w/app/secret.rs"}});
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    write(
        &home.join(".claude/projects/-w-app/s.jsonl"),
        &[
            json!({"type": "assistant", "timestamp": at, "sessionId": "s", "version": "2.1.0", "cwd": cwd,
                "requestId": "req_1", "uuid": "u1",
                "message": {"id": "msg_1", "model": "claude-sonnet-4-5", "content": [edit], "usage": usage}}),
            json!({"type": "user", "timestamp": at, "sessionId": "s", "cwd": cwd,
                "message": {"content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]}}),
        ],
    );
    let server = Server::start(home, &["--no-paths", "--beads", named.to_str().unwrap()]);
    let events = async || server.get("/api/events?town=home").await["events"].as_array().cloned().unwrap_or_default();
    eventually("every file", async || events().await.len() == 6).await;
    let events = events().await;
    let of = |id: &str| events.iter().find(|e| e["bead"] == id).unwrap_or_else(|| panic!("{id} in {events:?}")).clone();
    assert_eq!((of("gt-1").get("rig"), of("ga-1")["rig"].as_str()), (None, Some("gastown")));
    assert_eq!(of("el-1")["what"], "created");
    assert!(events.iter().any(|e| e["what"] == "Edit") && events.iter().all(|e| e.get("file").is_none()), "{events:?}");
}

/// Waits for its end, for at most ten seconds.
async fn exit_code(child: &mut Child) -> Option<i32> {
    for _ in 0..200 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once_whichever_came_first() {
    use nix::sys::signal::Signal::{SIGINT, SIGTERM};
    let folder = tempfile::tempdir().unwrap();
    for (n, signals) in [[SIGTERM, SIGINT], [SIGINT, SIGTERM]].into_iter().enumerate() {
        let mut server = Server::start(folder.path(), &["--no-watch"]);
        // What the stopping server waits for: a batch that nobody can write.
        let cluster = Cluster::open(&folder.path().join("data"), OpenMode::Attach).await.unwrap();
        let pool = server::db::connect(cluster.connect_options()).await.unwrap();
        let mut blocker = pool.begin().await.unwrap();
        sqlx::query("lock table event in access exclusive mode").execute(&mut *blocker).await.unwrap();
        let event = json!({"type": "agent_state", "ts": jiff::Timestamp::now().to_string(), "id": n.to_string(),
            "agent": "toast", "state": "idle"});
        let post = reqwest::Client::new().post(format!("{}/api/ingest", server.address)).json(&event).send();
        let waiting = tokio::spawn(post);
        // Others read the table too; it is the writer that has to wait.
        let stuck = "select exists (select from pg_stat_activity where wait_event_type = 'Lock'
                                    and (query like 'copy event %' or query ilike '%create table%'))";
        eventually("the batch", async || sqlx::query_scalar(stuck).fetch_one(&pool).await.unwrap()).await;
        let pid = nix::unistd::Pid::from_raw(i32::try_from(server.child.id()).unwrap());
        nix::sys::signal::kill(pid, signals[0]).unwrap();
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(server.child.try_wait().unwrap(), None, "the first only asks");
        nix::sys::signal::kill(pid, signals[1]).unwrap();
        assert_eq!(exit_code(&mut server.child).await, Some(130));
        assert!(!waiting.await.unwrap().is_ok_and(|answer| answer.status().is_success()), "nothing was acknowledged");
        blocker.rollback().await.unwrap();
        pool.close().await;
        cluster.stop().await;
    }
    // And one signal is enough when nothing is in the way.
    let mut server = Server::start(folder.path(), &["--no-watch"]);
    let pid = nix::unistd::Pid::from_raw(i32::try_from(server.child.id()).unwrap());
    nix::sys::signal::kill(pid, SIGINT).unwrap();
    assert_eq!(exit_code(&mut server.child).await, Some(0));
}

#[tokio::test]
async fn a_bead_that_only_moves_on_moves_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("issues.jsonl");
    write(&file, &[bead("b-1", "open"), bead("b-2", "open")]);
    let server = Server::start(folder.path(), &["--beads", file.to_str().unwrap()]);
    let counts = async || {
        let beads = &server.get("/api/towns/home/snapshot").await["beads"];
        ["open", "in_progress", "in_review"].map(|state| beads[state].as_i64().unwrap())
    };
    eventually("both beads", async || counts().await == [2, 0, 0]).await;
    write(&file, &[bead("b-1", "in_progress"), bead("b-2", "open")]);
    eventually("what is worked on", async || counts().await == [1, 1, 0]).await;
    write(&file, &[bead("b-1", "in_review"), bead("b-2", "open")]);
    eventually("what waits for review", async || counts().await == [1, 0, 1]).await;
}
