//! A whole server on a database of its own, for tests over HTTP.

use model::Timestamp;
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::{Config, Settings};
use server::db::Pool;
use server::postgres::testing::fresh_database;
use server::serve::{self, Running};
use server::store::Store;
use tokio::net::TcpListener;

/// A server, and how to talk to it.
pub struct Server {
    pub running: Running,
    pub pool: Pool,
    pub client: reqwest::Client,
}

/// The configuration of tests: nothing of this machine is read.
pub fn config(settings: Settings) -> Config {
    let host = settings.host.clone().or_else(|| Some("off".into()));
    let settings = Settings { no_watch: true, data_dir: Some("unused".into()), host, ..settings };
    Config::resolve(&settings, &|_| None).expect("the configuration is good")
}

/// A server on `ip`, any port.
pub async fn start_on(ip: &str, pool: &Pool) -> anyhow::Result<Server> {
    start_with(ip, pool, Settings::default()).await
}

/// As [`start_on`], with some settings of its own.
pub async fn start_with(ip: &str, pool: &Pool, settings: Settings) -> anyhow::Result<Server> {
    let listener = TcpListener::bind((ip, 0)).await?;
    let store = Store::on(pool.clone()).await?;
    let running = serve::start_on(config(settings), listener, store).await?;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    Ok(Server { running, pool: pool.clone(), client })
}

/// A server on loopback with an empty database.
pub async fn start() -> Server {
    start_on("127.0.0.1", &fresh_database().await).await.expect("the server starts")
}

impl Server {
    /// Its address and a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.address.replace("0.0.0.0", "127.0.0.1"))
    }
    /// GET as JSON.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(self.url(path)).send().await.expect("it answers");
        answer.json().await.expect("it answers in JSON")
    }
    /// POST JSON; status and answer.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.client.post(self.url(path)).json(body).send().await.expect("it answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

/// A call of 4,120 tokens at `at`, told apart by `id`. It costs 13,800,000 nanodollars.
pub fn call(at: Timestamp, id: usize) -> Value {
    json!({
        "type": "model_call", "ts": at.to_string(), "id": id.to_string(), "rig": "gas", "role": "polecat",
        "agent": "toast", "model": "claude-sonnet-4-5", "input_tokens": 4_000, "output_tokens": 120,
    })
}

/// Now.
pub fn now() -> Timestamp {
    Clock::system().now()
}
