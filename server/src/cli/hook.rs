//! `towngauge hook`: for Claude Code's command hooks, which can fail closed, as HTTP hooks cannot.
//!
//! Exit codes are Claude Code's: 0 with JSON is a decision, 2 blocks with the reason on stderr, 1 is an error that blocks
//! nothing. So a block is never 1, an event that must not be blocked is never 2, and a mistake in the command line is 1.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use model::id::TownName;
use model::stop::{HookEvent, HookReply, StopFail};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::config::{Config, Env, Origin};
use crate::source::claude_code::line::Maybe;

/// In which everything is done: reading, asking, answering.
const BUDGET: Duration = Duration::from_millis(950);
/// What is read of the agent's words; they are looked through for names, and not sent on.
const MAX_STDIN_BYTES: u64 = 64 << 20;
/// Answers are a few hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// The exit code that blocks.
const BLOCK: u8 = 2;

/// Ask a server whether the tank allows an agent to go on.
#[derive(Debug, Args)]
#[command(after_help = "Example, in .claude/settings.json:
  {\"hooks\": {\"PreToolUse\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"towngauge hook --fail closed\"}]}]}}

Exits with 0 and prints the decision; with 2 when the server cannot be asked and --fail is closed.")]
pub struct HookArgs {
    /// The hook's event, such as PreToolUse. [default: what stdin says]
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// The server. [default: TOWNGAUGE_URL, else the configured address]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Environment variable that holds the key.
    #[arg(long, value_name = "VAR", default_value = "TOWNGAUGE_KEY")]
    key_env: String,
    /// Whether the agent goes on when the server cannot be asked (open), or stops (closed). [default: stop_fail]
    #[arg(long, value_name = "HOW", value_parser = ["open", "closed"])]
    fail: Option<String>,
}

/// What is looked at of the hook's input.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Told<'a> {
    hook_event_name: Maybe<'a>,
    session_id: Maybe<'a>,
}

/// Where to ask, and as whom.
struct Asking {
    url: String,
    town: Option<TownName>,
    key: Option<String>,
}

/// Asks, and exits as Claude Code wants it. A configuration that cannot be used is one more reason why it cannot ask.
pub async fn run(args: &HookArgs, config: anyhow::Result<Config>, env: Env<'_>) -> ExitCode {
    let deadline = Instant::now() + BUDGET;
    let input = read_stdin(deadline).await;
    let told: Told<'_> = serde_json::from_slice(input.as_deref().unwrap_or_default()).unwrap_or_default();
    let event = told.hook_event_name.0.as_deref().or(args.event.as_deref());
    let Some(event) = event.filter(|event| !event.is_empty()) else {
        eprintln!("towngauge hook: stdin does not say which event this is; name it with --event");
        return ExitCode::FAILURE;
    };
    let said = args.fail.as_deref().and_then(StopFail::parse);
    let fail = said.or_else(|| config.as_ref().ok().map(|config| config.stop.fail.value)).unwrap_or_default();
    let answer = async {
        let asking = Asking::new(args, &config?, env)?;
        let asked = ask(&asking, event, told.session_id.0.as_deref());
        timeout_at(deadline, asked).await.context("it did not answer within a second")?
    };
    match answer.await {
        Ok(reply) => print(&reply),
        Err(error) => failed(&error, fail, HookEvent::parse(event)),
    }
}

impl Asking {
    fn new(args: &HookArgs, config: &Config, env: Env<'_>) -> anyhow::Result<Self> {
        let local = || {
            let listen = config.listen.value;
            // Who listens on every address is reached on this machine's own.
            if listen.ip().is_unspecified() {
                format!("http://127.0.0.1:{}", listen.port())
            } else {
                format!("http://{listen}")
            }
        };
        let url = args.url.clone().or_else(|| env("TOWNGAUGE_URL").filter(|url| !url.is_empty())).unwrap_or_else(local);
        if !url.starts_with("http://") && !url.starts_with("https://") {
            bail!("the server's address must begin with http:// or https://");
        }
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            // Without a word about it the server's default town is meant, not this machine's.
            town: (config.town.origin != Origin::Default).then(|| config.town.value.clone()),
            key: env(&args.key_env).filter(|key| !key.is_empty()),
        })
    }
}

/// What the agent says, as far as it comes in time. On a thread of its own, since a pipe cannot be waited for otherwise;
/// the process ends without it.
async fn read_stdin(deadline: Instant) -> Option<Vec<u8>> {
    let (done, read) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = Vec::new();
        let result = std::io::stdin().lock().take(MAX_STDIN_BYTES).read_to_end(&mut input);
        // Nobody waits any more when it comes too late.
        let _ = done.send(result.is_ok().then_some(input));
    });
    timeout_at(deadline, read).await.ok()?.ok()?
}

/// Only the names of event and conversation are sent.
async fn ask(asking: &Asking, event: &str, session: Option<&str>) -> anyhow::Result<HookReply> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let mut request = client.post(format!("{}/hooks/claude", asking.url));
    if let Some(town) = &asking.town {
        request = request.header("x-towngauge-town", town.as_str());
    }
    if let Some(key) = &asking.key {
        request = request.bearer_auth(key);
    }
    let body = json!({"hook_event_name": event, "session_id": session});
    // Without the address: it may hold a password.
    let mut answer = request.json(&body).send().await.map_err(reqwest::Error::without_url)?;
    let status = answer.status();
    // Why it will never be stopped, such as a mistyped town; with exit 0 only the hook's own log shows it.
    if let Some(note) = answer.headers().get("x-towngauge-note").and_then(|note| note.to_str().ok()) {
        eprintln!("towngauge hook: {note}");
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            bail!("its answer is too long");
        }
        bytes.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let told: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        bail!("it answered {status}: {}", told["error"].as_str().unwrap_or("it did not say why"));
    }
    serde_json::from_slice(&bytes).context("its answer is not a hook's")
}

fn print(reply: &HookReply) -> ExitCode {
    let json = serde_json::to_string(reply).unwrap_or_else(|_| "{}".to_owned());
    match writeln!(std::io::stdout(), "{json}") {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads it, so nobody can be told otherwise.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Nothing was decided. An event that cannot stop an agent is let go even when failing closed: blocking `Stop` would
/// make the agent go on.
fn failed(error: &anyhow::Error, fail: StopFail, event: HookEvent) -> ExitCode {
    if fail == StopFail::Open || !event.stops() {
        return ExitCode::SUCCESS;
    }
    eprintln!("Towngauge cannot be asked whether there is money left ({error:#}), and is configured to fail closed.");
    ExitCode::from(BLOCK)
}
