//! `towngauge statusline`: Claude Code's status line, which is also the only place where it tells how much of a
//! subscription is used. Prints one line at once, sends the windows within a short budget, and never fails the prompt.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use model::format::dollars;
use model::fuel::WINDOW_FULL;
use model::{Nanodollars, TownName};
use serde_json::{Value, json};

use crate::config::Config;
use crate::source::limits;

/// How long the agent may take to hand its status over.
const READ_PATIENCE: Duration = Duration::from_secs(2);
/// How long the server may take.
const SEND_PATIENCE: Duration = Duration::from_millis(300);
/// The longest status that is read.
const MAX_STATUS_BYTES: u64 = 1 << 20;
/// Windows that are told at most.
const MAX_WINDOWS: usize = 8;

/// Claude Code's status line: reads its JSON from stdin, tells the server how much of the subscription is used, and prints
/// one line.
#[derive(Debug, Args)]
#[command(after_help = "In ~/.claude/settings.json:\n  \
    { \"statusLine\": { \"type\": \"command\", \"command\": \"towngauge statusline\" } }\n\n\
    A server elsewhere wants a key with scope ingest, in TOWNGAUGE_KEY.")]
pub struct Statusline {
    /// Where the server is. [default: the configured address, on this machine]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// Prints and sends. Never fails: a status line with an error in it would be in the way of every prompt.
pub fn run(args: &Statusline, config: Option<&Config>) -> ExitCode {
    let status = read_status();
    let windows = windows(&status);
    let mut out = std::io::stdout();
    // A reader that went away needs no line.
    let _ = writeln!(out, "{}", line(&status, &windows)).and_then(|()| out.flush());
    let town = config.map(|config| config.town.value.clone());
    if let (false, Some(url), Some(town)) = (windows.is_empty(), address(args, config), town) {
        send(&url, &town, &windows);
    }
    ExitCode::SUCCESS
}

/// The status as handed over; nothing when there is none in time.
fn read_status() -> Value {
    let (sender, receiver) = mpsc::sync_channel(1);
    // A thread of its own: whoever never closes its end must not hold the prompt up.
    std::thread::spawn(move || {
        let mut raw = Vec::new();
        let _ = std::io::stdin().take(MAX_STATUS_BYTES).read_to_end(&mut raw);
        let _ = sender.send(raw);
    });
    let raw = receiver.recv_timeout(READ_PATIENCE).unwrap_or_default();
    serde_json::from_slice(&raw).unwrap_or_default()
}

/// One window of `rate_limits`.
#[derive(Debug, PartialEq, Eq)]
struct Window {
    /// Its length, such as `5 h`.
    name: String,
    /// What is left, millionths.
    left: i64,
    used: Value,
    resets_at: Option<Value>,
}

/// The windows of a status, shortest first, as far as they can be read.
fn windows(status: &Value) -> Vec<Window> {
    let Some(limits) = status.get("rate_limits").and_then(Value::as_object) else { return Vec::new() };
    let window = |(key, said): (&String, &Value)| {
        let used = said.get("used_percentage").or_else(|| said.get("used_percent"))?.clone();
        let left = limits::left_of_percent(&used)?;
        let resets_at = said.get("resets_at").filter(|at| limits::reset_time(at).is_some()).cloned();
        Some(Window { name: name(key), left, used, resets_at })
    };
    let mut windows: Vec<Window> = limits.iter().filter_map(window).take(MAX_WINDOWS).collect();
    windows.sort_by_key(|window| (window.name.contains(" d"), window.name.clone()));
    windows
}

/// `five_hour` is `5 h`, `seven_day_opus` is `7 d opus`; whatever comes later keeps its own words.
fn name(key: &str) -> String {
    let name = key.replace("five_hour", "5 h").replace("seven_day", "7 d").replace('_', " ");
    name.chars().filter(|c| !c.is_control()).take(24).collect()
}

/// `5 h 37 % · 7 d 12 % · $1.23`: what is used, and what the session cost. `Towngauge` when nothing of it is there.
fn line(status: &Value, windows: &[Window]) -> String {
    let used = |window: &Window| format!("{} {} %", window.name, (WINDOW_FULL - window.left + 5_000) / 10_000);
    let cost = status.pointer("/cost/total_cost_usd").and_then(Value::as_number);
    let cost = cost.and_then(|cost| Nanodollars::parse_dollars(&cost.to_string()).ok());
    let parts: Vec<String> = windows.iter().map(used).chain(cost.map(dollars)).collect();
    if parts.is_empty() { "Towngauge".to_owned() } else { parts.join(" · ") }
}

fn address(args: &Statusline, config: Option<&Config>) -> Option<String> {
    if let Some(url) = &args.url {
        return Some(url.trim_end_matches('/').to_owned());
    }
    let listen = config?.listen.value;
    let host = if listen.ip().is_unspecified() { "127.0.0.1".to_owned() } else { listen.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    (listen.port() != 0).then(|| format!("http://{host}:{}", listen.port()))
}

/// Sends, or gives up: the next prompt tells it again.
fn send(url: &str, town: &TownName, windows: &[Window]) {
    let window = |window: &Window| json!({"name": format!("Claude Code {}", window.name), "used_percent": window.used, "resets_at": window.resets_at});
    let body = json!({"source": "claude_code", "windows": windows.iter().map(window).collect::<Vec<_>>()});
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let post = async {
            let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
            let mut request = client.post(format!("{url}/api/towns/{town}/windows")).json(&body);
            if let Some(key) = std::env::var("TOWNGAUGE_KEY").ok().filter(|key| !key.is_empty()) {
                request = request.bearer_auth(key);
            }
            request.send().await.map(drop)
        };
        // The prompt does not wait for a server, and has no place for its errors.
        let _ = tokio::time::timeout(SEND_PATIENCE, post).await;
    });
    // Dropped, it would wait for a name that is still being looked up.
    runtime.shutdown_background();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: &Value, text: &str) {
        assert_eq!(line(status, &windows(status)), text);
    }

    #[test]
    fn the_line_says_what_is_used_and_what_it_cost() {
        check(
            &json!({"cost": {"total_cost_usd": 1.234}, "rate_limits": {
                "seven_day": {"used_percentage": 12, "resets_at": 1_772_400_000},
                "five_hour": {"used_percentage": 36.6, "resets_at": "2026-02-26T18:00:00Z"}}}),
            "5 h 37 % · 7 d 12 % · $1.23",
        );
        // API keys have no windows.
        check(&json!({"cost": {"total_cost_usd": 0.0042}}), "$0.0042");
        check(&json!({"rate_limits": {"seven_day_opus": {"used_percentage": 3}}}), "7 d opus 3 %");
    }

    #[test]
    fn whatever_is_handed_over_gives_a_line() {
        for status in [
            json!(null),
            json!("text"),
            json!({"rate_limits": null, "cost": {"total_cost_usd": "free"}}),
            json!({"rate_limits": {"five_hour": {"used_percentage": null}}}),
            json!({"rate_limits": [1, 2]}),
        ] {
            check(&status, "Towngauge");
        }
    }

    #[test]
    fn a_reset_that_cannot_be_read_is_left_out() {
        let status = json!({"rate_limits": {"five_hour": {"used_percentage": 5, "resets_at": "later"}}});
        assert_eq!(windows(&status)[0].resets_at, None);
    }
}
