//! A server that is killed between a step and its delivery: what is to be told is told by the next one, once.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::receiver::Receiver;
use super::webhooks::write_config;
use crate::server_support::{call, now};

struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towngauge"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--no-watch", "--config"]).arg(folder.join("towngauge.toml"));
        command.arg("--data-dir").arg(folder.join("data"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let (_, address) = line.split_once("running at ").unwrap();
        Self { child, address: address.trim().to_owned() }
    }
    async fn get(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.address)).await.unwrap().json().await.unwrap()
    }
    async fn post(&self, path: &str, body: &Value) {
        let answer = reqwest::Client::new().post(format!("{}{path}", self.address)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
    }
    /// SIGKILL.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gently, so that its Postgres ends with it; once it has been waited for, its number may be another's.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
            let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
            let _status = self.child.wait();
        }
    }
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_outlives_the_server_that_saw_it() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens at the webhook yet.
    let place = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = place.local_addr().unwrap().to_string();
    drop(place);
    write_config(folder.path(), &address, "");
    let mut first = Process::start(folder.path());
    first.post("/api/towns/home/topup", &json!({"usd": "0.01"})).await;
    first.post("/api/ingest", &json!([call(now(), 1)])).await;
    eventually("the first try", async || {
        first.get("/api/webhooks").await["webhooks"][0]["deliveries"][0]["error"].is_string()
    })
    .await;
    first.kill();

    let receiver = Receiver::start(&address, &[]).await;
    let second = Process::start(folder.path());
    eventually("the delivery", async || !receiver.received().is_empty()).await;
    // Long enough for the new server to have taken the watch over, and to have looked at the tank.
    tokio::time::sleep(Duration::from_secs(18)).await;
    assert_eq!(receiver.events(), ["tank.empty"], "told once, though both servers saw it");
    let list = second.get("/api/webhooks").await;
    let delivery = &list["webhooks"][0]["deliveries"][0];
    assert_eq!((&delivery["tries"], &delivery["status"]), (&json!(2), &json!(200)), "{list}");
}
