//! `towngauge watch --to` from outside: transcripts and beads grow line by line while the shipper and the server are
//! killed again and again. In the end the server holds what a backfill of the same files gives, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::config::{Config, Settings};
use server::db::Pool;
use server::postgres::OpenMode;
use server::store::Store;

const ROUNDS: u32 = 6;
const FILES: u32 = 5;
/// Written in each half of a round.
const CALLS: u32 = 30;

fn towngauge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
    command.args(arguments).args(["--town", "far"]).stderr(Stdio::null());
    command
}

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.spawn().unwrap())
    }
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
    fn stop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert!(self.0.wait().unwrap().success(), "a graceful stop ends with 0");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Scene {
    folder: tempfile::TempDir,
    port: u16,
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn server(&self) -> Running {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut command = towngauge(&["serve", "--no-watch", "--listen", &listen]);
        command.arg("--data-dir").arg(self.path("data")).stdout(Stdio::piped());
        let mut server = Running::start(command);
        // What it still says is not read: it says one line.
        let line = BufReader::new(server.0.stdout.take().unwrap()).lines().next();
        assert!(line.is_some_and(|line| line.unwrap().contains("running at")), "the server starts");
        server
    }
    fn shipper(&self) -> Running {
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut command = towngauge(&["watch", "--to", &url, "--name", "laptop"]);
        command.arg(self.path("projects")).arg("--beads").arg(self.path("issues.jsonl"));
        command.arg("--state-dir").arg(self.path("state")).stdout(Stdio::null());
        // Nothing of this machine's own configuration.
        command.arg("--config").arg(self.path("towngauge.toml"));
        Running::start(command)
    }
    fn append(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
    fn write(&self, first: u32) {
        for n in first..first + CALLS {
            let session = format!("{:08}-0000-4000-8000-000000000000", n % FILES);
            let file = format!("projects/-w-app/{session}.jsonl");
            // Halves of a line arrive at different times.
            let text = call(n, &session);
            let (begin, end) = text.split_at(text.len() / 3);
            self.append(&file, begin);
            std::thread::sleep(Duration::from_millis(2));
            self.append(&file, end);
            if n % 7 == 0 {
                // A resumed session: the same call again, from elsewhere.
                self.append("projects/-w-app/resumed.jsonl", &call(n, "resumed"));
            }
            if n % 10 == 0 {
                self.append(&file, "not a line of any transcript\n");
            }
            if n % 5 == 0 {
                self.append("issues.jsonl", &issue(n));
            }
        }
    }
}

fn call(n: u32, session: &str) -> String {
    let at = |half: u32| format!("2026-01-02T{:02}:{:02}:{:02}.{half}00Z", n / 3_600, n / 60 % 60, n % 60);
    let called = json!({
        "type": "assistant", "timestamp": at(0), "uuid": format!("u{n}-{session}"), "sessionId": session,
        "version": "2.1.0", "cwd": "/w/app", "requestId": format!("req_{n}"), "isSidechain": false,
        "message": {"id": format!("msg_{n}"), "model": "claude-sonnet-4-5",
            "content": [{"type": "tool_use", "id": format!("toolu_{n}"), "name": "Bash", "input": {}}],
            "usage": {"input_tokens": 10 + n, "output_tokens": 5}},
    });
    let result = json!({
        "type": "user", "timestamp": at(5), "sessionId": session, "cwd": "/w/app",
        "message": {"content": [{"type": "tool_result", "tool_use_id": format!("toolu_{n}"), "content": "x"}]},
    });
    format!("{called}\n{result}\n")
}

fn issue(n: u32) -> String {
    let issue = json!({
        "id": format!("gt-{}", n % 20), "title": "a bead", "status": "open", "issue_type": "task", "priority": 2,
        "created_at": "2026-01-02T03:04:05Z", "updated_at": format!("2026-01-03T00:{:02}:{:02}Z", n / 60 % 60, n % 60),
    });
    format!("{issue}\n")
}

async fn open(data: &Path) -> Store {
    let settings = Settings { data_dir: Some(data.to_owned()), no_watch: true, ..Settings::default() };
    Store::open(&Config::resolve(&settings, &|_| None).unwrap(), OpenMode::Attach).await.unwrap()
}

/// Everything that the sources said, as text.
async fn content(pool: &Pool) -> Vec<(&'static str, Vec<String>)> {
    let mut all = Vec::new();
    for (table, sql) in [
        ("event", "select e::text from event e order by ts, key"),
        ("claim", "select c::text from claim c order by c::text"),
        ("bead", "select b::text from bead b order by bead"),
        // Whichever copy of a call is read first is its agent's until the other comes, and the roster keeps that the agent
        // was seen: by when, depends on which file was read first after a kill.
        (
            "agent",
            "select case name when 'resumed' then rig || ' ' || name else a::text end from agent a order by rig, name",
        ),
        ("source", "select source || ' ' || stored || ' ' || rejected from source order by source"),
    ] {
        let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
        all.push((table, rows));
    }
    all
}

async fn shippers(port: u16) -> Option<Value> {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/api/towns/far/shippers")).await.ok()?;
    answer.json().await.ok()
}

/// Waits until the shipper has nothing left, and the server has heard so.
async fn settled(scene: &Scene) -> Value {
    let begun = Instant::now();
    let mut before = None;
    loop {
        assert!(begun.elapsed() < Duration::from_secs(90), "the shipper does not come to an end: {before:?}");
        // Longer than the watcher's look at all files.
        tokio::time::sleep(Duration::from_secs(6)).await;
        let said = shippers(scene.port).await.map(|said| said["shippers"].clone());
        let state = said.as_ref().map(|said| (said[0]["last_batch"].clone(), said[0]["waiting_bytes"].clone()));
        if before.is_some() && before == state && state.as_ref().is_some_and(|(_, waiting)| *waiting == 0) {
            return said.unwrap();
        }
        before = state;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_the_server_holds_in_the_end_what_a_backfill_gives() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scene = Scene { folder: tempfile::tempdir().unwrap(), port };
    std::fs::write(scene.path("towngauge.toml"), "").unwrap();
    std::fs::create_dir_all(scene.path("projects")).unwrap();
    let (mut server, mut shipper) = (scene.server(), scene.shipper());
    for round in 0..ROUNDS {
        scene.write(round * 2 * CALLS);
        // Now and then both at once, and the server stays away for a while.
        server.kill();
        if round % 3 == 2 {
            shipper.kill();
            shipper = scene.shipper();
        }
        scene.write((round * 2 + 1) * CALLS);
        server = scene.server();
        tokio::time::sleep(Duration::from_millis(u64::from(round) * 170)).await;
        shipper.kill();
        shipper = scene.shipper();
    }
    let said = settled(&scene).await;
    assert_eq!(said.as_array().map(Vec::len), Some(1), "one shipper, however often it began: {said}");
    assert_eq!(
        (&said[0]["name"], &said[0]["silent"], &said[0]["parked"]),
        (&json!("laptop"), &json!(false), &json!(0))
    );
    shipper.stop();
    server.stop();

    let direct = scene.path("direct");
    for (source, path) in [("claude-code", "projects"), ("beads", "issues.jsonl")] {
        let mut command = towngauge(&["backfill", source]);
        command.arg(scene.path(path)).arg("--data-dir").arg(&direct).stdout(Stdio::null());
        assert!(command.status().unwrap().success());
    }
    let (shipped, direct) = (open(&scene.path("data")).await, open(&direct).await);
    let (mut one, mut other) = (content(&shipped.pool).await, content(&direct.pool).await);
    assert!(one[0].1.len() > 700, "only {} events: nothing was tested", one[0].1.len());
    for ((table, one), (_, other)) in one.drain(..).zip(other.drain(..)) {
        assert_eq!(one.len(), other.len(), "rows of {table}");
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "{table}");
        }
    }
    let broken: i64 = sqlx::query_scalar("select count(*) from source where received <> stored + duplicate + rejected")
        .fetch_one(&shipped.pool)
        .await
        .unwrap();
    assert_eq!(broken, 0);
    let report = server::db::verify::run(&shipped.pool).await.unwrap();
    assert!(report.holds() && report.compared > 0, "{report:#?}");
    shipped.close().await;
    direct.close().await;
}
