//! Configuration: flags, then environment, then `towngauge.toml`, then defaults; each value knows where it is from.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use model::id::TownName;
use serde::Deserialize;

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
    /// Address under which browsers reach the server, such as https://gauge.example.org.
    #[arg(long, value_name = "URL", global = true)]
    pub public_url: Option<String>,
    /// Further host names that browsers may use on loopback.
    #[arg(long, value_name = "NAME", global = true)]
    pub allow_host: Vec<String>,
    /// Viewers of live pages at most. [default: 20000]
    #[arg(long, value_name = "N", global = true)]
    pub max_viewers: Option<usize>,
    /// How logs are written to stderr. [default: text]
    #[arg(long, value_enum, global = true)]
    pub log_format: Option<LogFormat>,
    /// Configuration file. [default: towngauge.toml in the platform's configuration folder]
    #[arg(long, value_name = "FILE", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
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

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment(&'static str),
    /// The configuration file.
    File,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File => f.write_str("towngauge.toml"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

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
    /// Address that browsers use, without a slash at the end.
    pub public_url: From<Option<String>>,
    /// Host names that are fine on loopback.
    pub allow_hosts: From<Vec<String>>,
    /// Viewers at most.
    pub max_viewers: From<usize>,
    /// How logs are written.
    pub log_format: From<LogFormat>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

/// The environment, passed in.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Config {
    /// Resolves everything.
    ///
    /// # Errors
    /// A value that cannot be used; the message names it and where it comes from.
    pub fn resolve(flags: &Settings, env: Env<'_>) -> anyhow::Result<Self> {
        let (file, path) = read_file(flags, env)?;
        let pick = Picker { env };
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
        let hosts = |hosts: Vec<String>| (!hosts.is_empty()).then_some(hosts);
        let allow_hosts = pick.parsed(
            hosts(flags.allow_host.clone()),
            "TOWNGAUGE_ALLOW_HOSTS",
            hosts(file.allow_host),
            Vec::new,
            |raw| Ok(raw.split(',').map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()).collect()),
        )?;
        let max_viewers = pick.parsed(
            flags.max_viewers,
            "TOWNGAUGE_MAX_VIEWERS",
            file.max_viewers,
            || 20_000,
            |raw| Ok(raw.parse()?),
        )?;
        let log_format =
            pick.parsed(flags.log_format, "TOWNGAUGE_LOG_FORMAT", file.log_format, LogFormat::default, |raw| {
                LogFormat::from_str(raw, true).map_err(anyhow::Error::msg)
            })?;
        Ok(Self {
            listen: listen.try_map("listen", |raw| {
                raw.parse().with_context(|| format!("\"{raw}\" is not an address, such as 127.0.0.1:4680"))
            })?,
            data_dir: data_dir.try_map("data_dir", |raw| Ok(PathBuf::from(raw)))?,
            town: town.try_map("town", |raw| Ok(TownName::new(&raw)?))?,
            database_url,
            watch,
            public_url: public_url.try_map("public_url", |url| url.map(|url| checked_url(&url)).transpose())?,
            allow_hosts,
            max_viewers,
            log_format,
            file: path,
        })
    }

    /// Every value as a line, with where it comes from. Passwords are left out.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String, String)> {
        let line = |name, value: String, origin: &Origin| (name, value, origin.to_string());
        let url = self.database_url.value.as_deref().map_or_else(|| "(private Postgres)".to_owned(), without_password);
        let log_format = match self.log_format.value {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        vec![
            line("listen", self.listen.value.to_string(), &self.listen.origin),
            line("data_dir", self.data_dir.value.display().to_string(), &self.data_dir.origin),
            line("town", self.town.value.to_string(), &self.town.origin),
            line("database_url", url, &self.database_url.origin),
            line("watch", self.watch.value.to_string(), &self.watch.origin),
            line(
                "public_url",
                self.public_url.value.clone().unwrap_or_else(|| "(none)".to_owned()),
                &self.public_url.origin,
            ),
            line("allow_host", self.allow_hosts.value.join(","), &self.allow_hosts.origin),
            line("max_viewers", self.max_viewers.value.to_string(), &self.max_viewers.origin),
            line("log_format", log_format.to_owned(), &self.log_format.origin),
        ]
    }
}

impl<T> From<T> {
    fn try_map<U>(self, name: &str, map: impl FnOnce(T) -> anyhow::Result<U>) -> anyhow::Result<From<U>> {
        let value = map(self.value).with_context(|| format!("{name} (from {})", self.origin))?;
        Ok(From { value, origin: self.origin })
    }
}

struct Picker<'a> {
    env: Env<'a>,
}

impl Picker<'_> {
    fn option(&self, flag: Option<String>, name: &'static str, file: Option<String>) -> From<Option<String>> {
        let env = (self.env)(name).filter(|value| !value.is_empty());
        match (flag, env, file) {
            (Some(value), _, _) => From { value: Some(value), origin: Origin::Flag },
            (None, Some(value), _) => From { value: Some(value), origin: Origin::Environment(name) },
            (None, None, Some(value)) => From { value: Some(value), origin: Origin::File },
            (None, None, None) => From { value: None, origin: Origin::Default },
        }
    }

    fn text(
        &self,
        flag: Option<String>,
        name: &'static str,
        file: Option<String>,
        default: impl FnOnce() -> String,
    ) -> From<String> {
        let From { value, origin } = self.option(flag, name, file);
        From { value: value.unwrap_or_else(default), origin }
    }

    fn parsed<T>(
        &self,
        flag: Option<T>,
        name: &'static str,
        file: Option<T>,
        default: impl FnOnce() -> T,
        parse: impl FnOnce(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<From<T>> {
        if let Some(value) = flag {
            return Ok(From { value, origin: Origin::Flag });
        }
        if let Some(raw) = (self.env)(name).filter(|value| !value.is_empty()) {
            let value = parse(&raw).with_context(|| format!("{name}=\"{raw}\" cannot be used"))?;
            return Ok(From { value, origin: Origin::Environment(name) });
        }
        Ok(match file {
            Some(value) => From { value, origin: Origin::File },
            None => From { value: default(), origin: Origin::Default },
        })
    }
}

fn read_file(flags: &Settings, env: Env<'_>) -> anyhow::Result<(Settings, Option<PathBuf>)> {
    let named = flags.config.clone().or_else(|| env("TOWNGAUGE_CONFIG").map(PathBuf::from));
    let usual =
        || directories::ProjectDirs::from("", "", "towngauge").map(|dirs| dirs.config_dir().join("towngauge.toml"));
    let Some(path) = named.clone().or_else(usual) else { return Ok((Settings::default(), None)) };
    match std::fs::read_to_string(&path) {
        Ok(raw) => {
            let file = toml::from_str(&raw).with_context(|| format!("{} cannot be used", path.display()))?;
            Ok((file, Some(path)))
        }
        Err(_) if named.is_none() => Ok((Settings::default(), None)),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn text(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| Path::display(path).to_string())
}

fn parse_bool(raw: &str) -> anyhow::Result<bool> {
    match raw.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => bail!("use true or false"),
    }
}

fn checked_url(url: &str) -> anyhow::Result<String> {
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
        assert!(error(&[("TOWNGAUGE_PUBLIC_URL", "gauge")]).contains("https://"));
    }

    #[test]
    fn passwords_are_not_printed() {
        assert_eq!(without_password("postgres://me:secret@db/x"), "postgres://me@db/x");
        assert_eq!(without_password("postgres:///x"), "postgres:///x");
    }
}
