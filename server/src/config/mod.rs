//! Configuration: flags, then environment, then `towngauge.toml`, then defaults; each value knows where it is from.

mod alerts;
mod balance;
mod host;
mod origin;
mod retention;
mod settings;
mod stop;
mod webhook;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;
use model::Timestamp;
use model::id::{HostName, TownName};
use model::request::LOST_AFTER_S;

pub use alerts::AlertSettings;
pub use balance::{BalanceSettings, PolledBalance};
pub use origin::{Env, From, Origin};
pub use settings::{LogFormat, Settings};
pub use stop::StopSettings;
pub use webhook::{HookUrl, SecretFrom, Webhook, WebhookTable};

use self::origin::Picker;
use crate::retention::RetentionDays;

/// Everything that can be configured, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: From<SocketAddr>,
    /// Folder for the data.
    pub data_dir: From<PathBuf>,
    /// Default town.
    pub town: From<TownName>,
    /// A database of the owner's.
    pub database_url: From<Option<String>>,
    /// Whether local files are watched.
    pub watch: From<bool>,
    /// Files of beads that are followed besides a Gas Town's own.
    pub beads: From<Vec<PathBuf>>,
    /// Git repositories that are followed besides a Gas Town's rigs.
    pub git: From<Vec<PathBuf>>,
    /// Whether names of files are kept.
    pub paths: From<bool>,
    /// How far back the stores reach, days.
    pub retention: From<RetentionDays>,
    /// Address that browsers use, without a slash at the end.
    pub public_url: From<Option<String>>,
    /// Host names that are fine on loopback.
    pub allow_hosts: From<Vec<String>>,
    /// Viewers at most.
    pub max_viewers: From<usize>,
    /// What this machine is called; none: it is not read.
    pub host: From<Option<HostName>>,
    /// Events that may wait for the writer; at least 1.
    pub queue_events: From<usize>,
    /// Seconds after which a request whose end did not come is lost; 10 to 86,400.
    pub request_lost_after_s: From<i64>,
    /// Lines of logs that are taken per second and town; 0: none.
    pub log_lines_per_s: From<u32>,
    /// OpenTelemetry services whose log lines are kept.
    pub otlp_logs_of: From<Vec<String>>,
    /// Balances that providers are asked for.
    pub balances: From<Vec<PolledBalance>>,
    /// When hooks tell agents to stop.
    pub stop: StopSettings,
    /// Where alerts begin and end.
    pub alerts: AlertSettings,
    /// Who is told of alerts.
    pub webhooks: From<Vec<Webhook>>,
    /// How logs are written.
    pub log_format: From<LogFormat>,
    /// The time at which the server's clock begins; the present when none.
    pub clock: From<Option<Timestamp>>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Resolves everything.
    ///
    /// # Errors
    /// A value that cannot be used; the message names it and where it comes from.
    pub fn resolve(flags: &Settings, env: Env<'_>) -> anyhow::Result<Self> {
        let (file, path) = settings::read_file(flags, env)?;
        let pick = Picker { env };
        let alerts = AlertSettings::resolve(flags, env, &file)?;
        let listen = pick.text(flags.listen.clone(), "TOWNGAUGE_LISTEN", file.listen, || "127.0.0.1:4680".to_owned());
        let dirs = directories::ProjectDirs::from("", "", "towngauge");
        let data_dir =
            pick.text(text(flags.data_dir.as_ref()), "TOWNGAUGE_DATA_DIR", text(file.data_dir.as_ref()), || {
                match (&dirs, nix::unistd::geteuid().is_root()) {
                    (Some(dirs), false) => dirs.data_local_dir().display().to_string(),
                    _ => "/var/lib/towngauge".to_owned(),
                }
            });
        let town = pick.text(flags.town.clone(), "TOWNGAUGE_TOWN", file.town, || "home".to_owned());
        let database_url = pick.option(flags.database_url.clone(), "DATABASE_URL", file.database_url);
        let no_watch = flags.no_watch.then_some(false);
        let watch = pick.parsed(no_watch, "TOWNGAUGE_WATCH", file.watch, || true, parse_bool)?;
        let public_url = pick.option(flags.public_url.clone(), "TOWNGAUGE_PUBLIC_URL", file.public_url);
        let allow_hosts = pick.parsed(
            said(flags.allow_host.clone()),
            "TOWNGAUGE_ALLOW_HOSTS",
            said(file.allow_host),
            Vec::new,
            |raw| Ok(listed(raw).map(str::to_owned).collect()),
        )?;
        let beads = pick.parsed(said(flags.beads.clone()), "TOWNGAUGE_BEADS", said(file.beads), Vec::new, |raw| {
            Ok(listed(raw).map(PathBuf::from).collect())
        })?;
        let git = pick.parsed(said(flags.git.clone()), "TOWNGAUGE_GIT", said(file.git), Vec::new, |raw| {
            Ok(listed(raw).map(PathBuf::from).collect())
        })?;
        let no_paths = flags.no_paths.then_some(false);
        let paths = pick.parsed(no_paths, "TOWNGAUGE_PATHS", file.paths, || true, parse_bool)?;
        let retention =
            pick.parsed(said(flags.retention.clone()), "TOWNGAUGE_RETENTION", said(file.retention), Vec::new, |raw| {
                Ok(listed(raw).map(str::to_owned).collect())
            })?;
        let max_viewers = pick.parsed(
            flags.max_viewers,
            "TOWNGAUGE_MAX_VIEWERS",
            file.max_viewers,
            || 20_000,
            |raw| Ok(raw.parse()?),
        )?;
        let host = pick.option(flags.host.clone(), "TOWNGAUGE_HOST", file.host);
        let queue_events = pick.parsed(
            flags.queue_events,
            "TOWNGAUGE_QUEUE_EVENTS",
            file.queue_events,
            || 50_000,
            |raw| Ok(raw.parse()?),
        )?;
        let request_lost_after_s = pick.parsed(
            flags.request_lost_after_s,
            "TOWNGAUGE_REQUEST_LOST_AFTER_S",
            file.request_lost_after_s,
            || LOST_AFTER_S,
            |raw| Ok(raw.parse()?),
        )?;
        let log_lines_per_s = pick.parsed(
            flags.log_lines_per_s,
            "TOWNGAUGE_LOG_LINES_PER_S",
            file.log_lines_per_s,
            || 20,
            |raw| Ok(raw.parse()?),
        )?;
        let otlp_logs_of = pick.parsed(
            said(flags.otlp_logs_of.clone()),
            "TOWNGAUGE_OTLP_LOGS_OF",
            said(file.otlp_logs_of),
            Vec::new,
            |raw| Ok(listed(raw).map(str::to_owned).collect()),
        )?;
        let balances =
            pick.parsed(said(flags.balance.clone()), "TOWNGAUGE_BALANCE", said(file.balance), Vec::new, |raw| {
                Ok(balance::from_names(listed(raw)))
            })?;
        let stop = StopSettings::resolve(
            pick.option(flags.stop.clone(), "TOWNGAUGE_STOP", file.stop),
            pick.option(flags.stop_reserve_usd.clone(), "TOWNGAUGE_STOP_RESERVE_USD", file.stop_reserve_usd),
            pick.option(flags.stop_fail.clone(), "TOWNGAUGE_STOP_FAIL", file.stop_fail),
            pick.option(flags.stop_windows.clone(), "TOWNGAUGE_STOP_WINDOWS", file.stop_windows),
        )?;
        // Tables have no place on a command line.
        let webhooks = pick.parsed(None, "TOWNGAUGE_WEBHOOKS", said(file.webhook), Vec::new, |_| {
            bail!("webhooks are tables in towngauge.toml")
        })?;
        let log_format =
            pick.parsed(flags.log_format, "TOWNGAUGE_LOG_FORMAT", file.log_format, LogFormat::default, |raw| {
                LogFormat::from_str(raw, true).map_err(anyhow::Error::msg)
            })?;
        let clock = pick.option(flags.clock.clone(), "TOWNGAUGE_CLOCK", file.clock);
        Ok(Self {
            listen: listen.try_map("listen", |raw| {
                raw.parse().with_context(|| format!("\"{raw}\" is not an address, such as 127.0.0.1:4680"))
            })?,
            data_dir: data_dir.try_map("data_dir", |raw| Ok(PathBuf::from(raw)))?,
            town: town.try_map("town", |raw| Ok(TownName::new(&raw)?))?,
            database_url,
            watch,
            beads,
            git,
            paths,
            retention: retention.try_map("retention", |items| retention::parse(&items))?,
            public_url: public_url.try_map("public_url", |url| url.map(|url| checked_url(&url)).transpose())?,
            allow_hosts,
            max_viewers,
            host: host.try_map("host", host::host_name)?,
            queue_events: queue_events.try_map("queue_events", |n| match n {
                0 => bail!("a queue for no events at all takes none; use 1 or more"),
                n => Ok(n),
            })?,
            request_lost_after_s: request_lost_after_s.try_map("request_lost_after_s", |seconds| match seconds {
                10..=86_400 => Ok(seconds),
                _ => bail!("use 10 to 86400 seconds"),
            })?,
            log_lines_per_s: log_lines_per_s.try_map("log_lines_per_s", |lines| match lines {
                0..=1_000 => Ok(lines),
                _ => bail!("use 0 to 1000: each line is a row for everybody who looks"),
            })?,
            otlp_logs_of,
            balances: balances.try_map("balance", balance::resolve)?,
            stop,
            alerts,
            webhooks: webhooks.try_map("webhook", webhook::resolve)?,
            log_format,
            clock: clock.try_map("clock", |raw| {
                let time = raw.as_deref().map(Timestamp::parse_rfc3339).transpose();
                time.context("use a time with its offset, such as 2026-02-26T18:20:00Z")
            })?,
            file: path,
        })
    }

    /// Every value as a line, with where it comes from. Passwords are left out.
    #[must_use]
    pub fn lines(&self) -> Vec<(Cow<'static, str>, String, String)> {
        let line = |name: &'static str, value: String, origin: &Origin| (name.into(), value, origin.to_string());
        let url = self.database_url.value.as_deref().map_or_else(|| "(private Postgres)".to_owned(), without_password);
        let log_format = match self.log_format.value {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        let paths = |paths: &[PathBuf]| -> String {
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(",")
        };
        let balances = self.balances.value.iter();
        let mut lines = vec![
            line("listen", self.listen.value.to_string(), &self.listen.origin),
            line("data_dir", self.data_dir.value.display().to_string(), &self.data_dir.origin),
            line("town", self.town.value.to_string(), &self.town.origin),
            line("database_url", url, &self.database_url.origin),
            line("watch", self.watch.value.to_string(), &self.watch.origin),
            line("beads", paths(&self.beads.value), &self.beads.origin),
            line("git", paths(&self.git.value), &self.git.origin),
            line("paths", self.paths.value.to_string(), &self.paths.origin),
            line("retention", retention::shown(&self.retention.value), &self.retention.origin),
            line(
                "public_url",
                self.public_url.value.clone().unwrap_or_else(|| "(none)".to_owned()),
                &self.public_url.origin,
            ),
            line("allow_host", self.allow_hosts.value.join(","), &self.allow_hosts.origin),
            line("max_viewers", self.max_viewers.value.to_string(), &self.max_viewers.origin),
            line(
                "host",
                self.host.value.as_ref().map_or_else(|| "off".to_owned(), ToString::to_string),
                &self.host.origin,
            ),
            line("queue_events", self.queue_events.value.to_string(), &self.queue_events.origin),
            line(
                "request_lost_after_s",
                self.request_lost_after_s.value.to_string(),
                &self.request_lost_after_s.origin,
            ),
            line("log_lines_per_s", self.log_lines_per_s.value.to_string(), &self.log_lines_per_s.origin),
            line("otlp_logs_of", self.otlp_logs_of.value.join(","), &self.otlp_logs_of.origin),
            line("stop", self.stop.mode.value.name().to_owned(), &self.stop.mode.origin),
            line("stop_reserve_usd", self.stop.reserve.value.to_string(), &self.stop.reserve.origin),
            line("stop_fail", self.stop.fail.value.name().to_owned(), &self.stop.fail.origin),
            line("stop_windows", self.stop.windows.value.name().to_owned(), &self.stop.windows.origin),
            line("webhook", webhook::shown(&self.webhooks.value), &self.webhooks.origin),
            line("log_format", log_format.to_owned(), &self.log_format.origin),
            line(
                "clock",
                self.clock.value.map_or_else(|| "(the present)".to_owned(), |time| time.to_string()),
                &self.clock.origin,
            ),
        ];
        let alerts = self.alerts.lines();
        lines.extend(alerts.map(|(name, value, origin)| (format!("alerts.{name}").into(), value, origin.to_string())));
        lines.extend(balances.map(|balance| line("balance", balance.line(), &self.balances.origin)));
        lines
    }
}

fn text(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| Path::display(path).to_string())
}

/// None when nothing was said.
fn said<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

/// The items of a list with commas.
fn listed(raw: &str) -> impl Iterator<Item = &str> {
    raw.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn parse_bool(raw: &str) -> anyhow::Result<bool> {
    match raw.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => bail!("use true or false"),
    }
}

/// An address such as `https://gauge.example.org`, without a slash at its end.
///
/// # Errors
/// It is none, or has a path.
pub fn checked_url(url: &str) -> anyhow::Result<String> {
    let url = url.trim_end_matches('/');
    let uri: axum::http::Uri = url.parse().with_context(|| format!("\"{url}\" is not an address"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.authority().is_some() && uri.path() == "/" => Ok(url.to_owned()),
        _ => bail!("\"{url}\" is not an address such as https://gauge.example.org"),
    }
}

/// `postgres://user:password@host` without the password.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, host)) => format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or_default()),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(flags: &Settings, env: &[(&str, &str)]) -> anyhow::Result<Config> {
        let get = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Config::resolve(flags, &get)
    }

    #[test]
    fn flags_win_over_the_environment_which_wins_over_the_file_which_wins_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("towngauge.toml");
        std::fs::write(&file, "town = \"filed\"\nlisten = \"127.0.0.1:1\"\nmax_viewers = 7\nwatch = false\n").unwrap();
        let flags = Settings { config: Some(file), town: Some("flagged".into()), ..Settings::default() };
        let env = [("TOWNGAUGE_TOWN", "env"), ("TOWNGAUGE_LISTEN", "127.0.0.1:2")];
        let config = resolve(&flags, &env).unwrap();
        assert_eq!((config.town.value.as_str(), config.town.origin), ("flagged", Origin::Flag));
        assert_eq!(config.listen.value.port(), 2);
        assert_eq!(config.listen.origin, Origin::Environment("TOWNGAUGE_LISTEN"));
        assert_eq!((config.max_viewers.value, config.max_viewers.origin), (7, Origin::File));
        assert_eq!((config.watch.value, config.watch.origin), (false, Origin::File));
        assert_eq!((config.log_format.value, config.log_format.origin), (LogFormat::Text, Origin::Default));
    }

    #[test]
    fn a_bad_value_says_which_and_where_from() {
        let error = |env: &[(&str, &str)]| format!("{:#}", resolve(&Settings::default(), env).unwrap_err());
        assert!(error(&[("TOWNGAUGE_LISTEN", "here")]).contains("environment TOWNGAUGE_LISTEN"));
        assert!(error(&[("TOWNGAUGE_WATCH", "maybe")]).contains("TOWNGAUGE_WATCH"));
        assert!(error(&[("TOWNGAUGE_TOWN", "a b")]).contains("town"));
        assert!(
            error(&[("TOWNGAUGE_RETENTION", "10s=soon")]).contains("retention (from environment TOWNGAUGE_RETENTION)")
        );
        assert!(error(&[("TOWNGAUGE_QUEUE_EVENTS", "0")]).contains("queue_events"));
        assert!(error(&[("TOWNGAUGE_PUBLIC_URL", "gauge")]).contains("https://"));
    }

    #[test]
    fn what_is_followed_and_kept_is_said_in_three_ways() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("towngauge.toml");
        let said = "beads = [\"/a/issues.jsonl\"]\ngit = [\"/w/app\"]\npaths = false\nretention = [\"events=90\", \"10s=30\"]\n";
        std::fs::write(&file, said).unwrap();
        let by_file = resolve(&Settings { config: Some(file), ..Settings::default() }, &[]).unwrap();
        let by_flag = Settings {
            beads: vec!["/a/issues.jsonl".into()],
            git: vec!["/w/app".into()],
            no_paths: true,
            retention: vec!["events=90".into(), "10s=30".into()],
            ..Settings::default()
        };
        let by_flag = resolve(&by_flag, &[]).unwrap();
        let env = [
            ("TOWNGAUGE_BEADS", "/a/issues.jsonl"),
            ("TOWNGAUGE_GIT", "/w/app"),
            ("TOWNGAUGE_PATHS", "no"),
            ("TOWNGAUGE_RETENTION", "events=90, 10s=30"),
        ];
        let by_env = resolve(&Settings::default(), &env).unwrap();
        for config in [by_file, by_flag, by_env] {
            let line = |name: &str| config.lines().into_iter().find(|(n, ..)| *n == name).unwrap().1;
            assert_eq!((line("beads").as_str(), line("paths").as_str()), ("/a/issues.jsonl", "false"));
            assert_eq!((line("retention").as_str(), line("git").as_str()), ("events=90,10s=30", "/w/app"));
        }
    }

    #[test]
    fn a_balance_is_named_by_the_environment_or_described_in_the_file_and_its_key_is_nowhere() {
        let lines = |config: &Config| -> Vec<String> {
            config.lines().into_iter().filter(|(name, ..)| *name == "balance").map(|(_, line, _)| line).collect()
        };
        let env = [("TOWNGAUGE_BALANCE", "openrouter, deepseek"), ("OPENROUTER_API_KEY", "sk-secret")];
        let config = resolve(&Settings::default(), &env).unwrap();
        assert_eq!(lines(&config).len(), 2);
        assert!(!format!("{config:?} {:?}", config.lines()).contains("sk-secret"));
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = (folder.path().join("towngauge.toml"), folder.path().join("key"));
        std::fs::write(&key, "sk-filed").unwrap();
        let said = format!("[[balance]]\nprovider = \"kilo\"\nname = \"Team\"\nkey_file = {key:?}\npoll_s = 30\n");
        std::fs::write(&file, said).unwrap();
        let config = resolve(&Settings { config: Some(file), ..Settings::default() }, &[]).unwrap();
        let [line] = &lines(&config)[..] else { panic!("one") };
        assert!(line.starts_with("Team: https://api.kilo.ai/api every 30 s, key in file "), "{line}");
        assert!(!format!("{config:?} {line}").contains("sk-filed"));
        let error = resolve(&Settings::default(), &[("TOWNGAUGE_BALANCE", "bank")]).unwrap_err();
        assert!(format!("{error:#}").contains("environment TOWNGAUGE_BALANCE"), "{error:#}");
    }

    #[test]
    fn passwords_are_not_printed() {
        assert_eq!(without_password("postgres://me:secret@db/x"), "postgres://me@db/x");
        assert_eq!(without_password("postgres:///x"), "postgres:///x");
    }
}
