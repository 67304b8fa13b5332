//! What can be said: by flags, and in `towngauge.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::origin::Env;
use super::webhook::WebhookTable;

/// What can be given as flags, and in `towngauge.toml` under the same names with underscores.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where to listen. Beyond loopback, every request needs a key. [default: 127.0.0.1:4680]
    #[arg(long, value_name = "ADDR", global = true)]
    pub listen: Option<String>,
    /// Folder for the data. [default: the platform's data folder; as root /var/lib/towngauge]
    #[arg(long, value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// Town that commands and local files belong to. [default: home]
    #[arg(long, value_name = "NAME", global = true)]
    pub town: Option<String>,
    /// A Postgres of your own (15 or newer) instead of the private one.
    #[arg(long, value_name = "URL", global = true)]
    pub database_url: Option<String>,
    /// Do not read this machine's agents' files.
    #[arg(long, global = true)]
    #[serde(skip)]
    pub no_watch: bool,
    /// Whether to read this machine's agents' files (in towngauge.toml).
    #[arg(skip)]
    pub watch: Option<bool>,
    /// A file of beads (issues.jsonl) to follow; may be repeated. A Gas Town's own are found without it.
    #[arg(long, value_name = "FILE", value_delimiter = ',', global = true)]
    pub beads: Vec<PathBuf>,
    /// A git repository whose commits give lines landed; may be repeated. A Gas Town's rigs are found without it.
    #[arg(long, value_name = "DIR", value_delimiter = ',', global = true)]
    pub git: Vec<PathBuf>,
    /// Keep no file names.
    #[arg(long, global = true)]
    #[serde(skip)]
    pub no_paths: bool,
    /// Whether to keep file names (in towngauge.toml).
    #[arg(skip)]
    pub paths: Option<bool>,
    /// How many days a store reaches back: events, 10s, 1m, 5m, 30m or 6h; 0 or "forever" keeps. May be repeated.
    /// [default: everything forever]
    #[arg(long, value_name = "STORE=DAYS", value_delimiter = ',', global = true)]
    pub retention: Vec<String>,
    /// Address under which browsers reach the server, such as https://gauge.example.org.
    #[arg(long, value_name = "URL", global = true)]
    pub public_url: Option<String>,
    /// Further host names that browsers may use on loopback.
    #[arg(long, value_name = "NAME", global = true)]
    pub allow_host: Vec<String>,
    /// What pages call this machine, of which they show processor, memory, GPU and disk; "off" reads nothing of it.
    /// [default: its host name, without the domain]
    #[arg(long, value_name = "NAME", global = true)]
    pub host: Option<String>,
    /// Viewers of live pages at most. [default: 20000]
    #[arg(long, value_name = "N", global = true)]
    pub max_viewers: Option<usize>,
    /// Events that may wait to be stored; beyond it senders are told to come back. [default: 50000]
    #[arg(long, value_name = "N", global = true)]
    pub queue_events: Option<usize>,
    /// Seconds after which a request whose end did not come is lost. [default: 600]
    #[arg(long, value_name = "SECONDS", global = true)]
    pub request_lost_after_s: Option<i64>,
    /// Lines of logs taken per second and town; what comes faster is left out and counted. 0 takes none. [default: 20]
    #[arg(long, value_name = "N", global = true)]
    pub log_lines_per_s: Option<u32>,
    /// OpenTelemetry services whose log lines are kept, by service.name; of others only what agents are known to tell.
    /// May be repeated. [default: none]
    #[arg(long, value_name = "SERVICE", value_delimiter = ',', global = true)]
    pub otlp_logs_of: Vec<String>,
    /// Balances to ask providers for (in towngauge.toml; TOWNGAUGE_BALANCE for one as it usually is).
    #[arg(skip)]
    pub balance: Vec<super::BalanceSettings>,
    /// Whether hooks tell agents to stop when the tank is empty: off or empty. [default: off]
    #[arg(long, value_name = "WHEN", global = true)]
    pub stop: Option<String>,
    /// Dollars that are to be left when agents are stopped. [default: 0]
    #[arg(long, value_name = "AMOUNT", global = true)]
    #[serde(deserialize_with = "amount")]
    pub stop_reserve_usd: Option<String>,
    /// Whether agents go on while the balance is not known (open), or stop (closed). [default: open]
    #[arg(long, value_name = "HOW", global = true)]
    pub stop_fail: Option<String>,
    /// Whether agents also stop while a window of their own subscription is used up (own), or for money only (off).
    /// [default: own]
    #[arg(long, value_name = "WHICH", global = true)]
    pub stop_windows: Option<String>,
    /// A number of [alerts], such as review=20; may be repeated. towngauge config lists them all.
    #[arg(long, value_name = "NAME=NUMBER", value_delimiter = ',', global = true)]
    #[serde(skip)]
    pub alert: Vec<String>,
    /// Where alerts begin and end (in towngauge.toml, as a table of numbers).
    #[arg(skip)]
    pub alerts: BTreeMap<String, u32>,
    /// Percent of full at which a tank is low: the same as --alert low_percent. [default: 20]
    #[arg(long, value_name = "PERCENT", global = true)]
    pub alert_low_percent: Option<u8>,
    /// Minutes without a word after which a source is silent, while its town works: the same as --alert silent_minutes.
    /// [default: 15]
    #[arg(long, value_name = "MINUTES", global = true)]
    pub alert_silent_minutes: Option<u16>,
    /// Who is told of alerts (in towngauge.toml, as tables).
    #[arg(skip)]
    pub webhook: Vec<WebhookTable>,
    /// How logs are written to stderr. [default: text]
    #[arg(long, value_enum, global = true)]
    pub log_format: Option<LogFormat>,
    /// Begin at this time instead of the present (RFC 3339): pictures of the demo then always look the same.
    #[arg(long, value_name = "TIME", global = true)]
    pub clock: Option<String>,
    /// Configuration file. [default: towngauge.toml in the platform's configuration folder]
    #[arg(long, value_name = "FILE", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
}

/// An amount in the file: a number, or exactly as text.
fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an amount of dollars such as 5 or \"12.50\"")]
    enum Amount {
        Text(String),
        Whole(i64),
        Decimal(f64),
    }
    Ok(Some(match Amount::deserialize(deserializer)? {
        Amount::Text(text) => text,
        Amount::Whole(n) => n.to_string(),
        Amount::Decimal(x) => x.to_string(),
    }))
}

/// How logs are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Reads TOML. An error says where and what, and does not show the line itself, which may hold a password.
pub(super) fn from_toml<T: DeserializeOwned>(raw: &str) -> anyhow::Result<T> {
    toml::from_str(raw).map_err(|error| {
        let before = error.span().and_then(|span| raw.get(..span.start)).unwrap_or_default();
        anyhow::anyhow!("line {}: {}", before.matches('\n').count() + 1, error.message())
    })
}

/// What the configuration file says, and which one it is; nothing when there is none.
pub(super) fn read_file(flags: &Settings, env: Env<'_>) -> anyhow::Result<(Settings, Option<PathBuf>)> {
    let named = flags.config.clone().or_else(|| env("TOWNGAUGE_CONFIG").map(PathBuf::from));
    let usual =
        || directories::ProjectDirs::from("", "", "towngauge").map(|dirs| dirs.config_dir().join("towngauge.toml"));
    let Some(path) = named.clone().or_else(usual) else { return Ok((Settings::default(), None)) };
    match std::fs::read_to_string(&path) {
        Ok(raw) => {
            let file = from_toml(&raw).with_context(|| format!("{} cannot be used", path.display()))?;
            Ok((file, Some(path)))
        }
        Err(_) if named.is_none() => Ok((Settings::default(), None)),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}
