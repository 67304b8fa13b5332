//! `towngauge watch --to`: follows local files, and ships what is in them to a server elsewhere.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use model::id::TownName;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Config, checked_url};
use crate::host::{self, MachineProbe};
use crate::ship::{Sender, SenderSettings, ShipKey, ShippedSink, Spool, SpoolSettings, Target};
use crate::source::registry::Roots;
use crate::source::watch;

/// How long sending may go on after a signal.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest name of a shipper.
const MAX_NAME_BYTES: usize = 100;
/// A spool below this would be full at once.
const LEAST_SPOOL_BYTES: u64 = 64 << 10;

/// Shipping to another machine.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Shipping to another machine")]
pub struct ShipArgs {
    /// Ship to the Towngauge at this address, such as https://gauge.example.org, instead of storing here.
    #[arg(long, value_name = "URL", value_parser = server_address)]
    pub to: Option<String>,
    /// The key that the server made ("towngauge key create --scope ingest"); others on this machine can see it in the list
    /// of processes, so better one of the next two.
    #[arg(long, value_name = "KEY", requires = "to", conflicts_with_all = ["key_env", "key_file"])]
    pub key: Option<ShipKey>,
    /// The environment variable that holds the key.
    #[arg(long, value_name = "VARIABLE", requires = "to", conflicts_with = "key_file")]
    pub key_env: Option<String>,
    /// The file that holds the key.
    #[arg(long, value_name = "FILE", requires = "to")]
    pub key_file: Option<PathBuf>,
    /// What the server's pages call this machine. [default: its host name, without the domain]
    #[arg(long, value_name = "NAME", requires = "to")]
    pub name: Option<String>,
    /// Where cursors are kept, and what waits for the server. [default: in the platform's state folder]
    #[arg(long, value_name = "DIR", requires = "to")]
    pub state_dir: Option<PathBuf>,
    /// What may wait on disk; beyond it reading pauses.
    #[arg(long, value_name = "BYTES", requires = "to", default_value_t = 256 << 20,
          value_parser = clap::value_parser!(u64).range(LEAST_SPOOL_BYTES..))]
    pub spool_bytes: u64,
}

impl ShipArgs {
    fn found_key(&self) -> anyhow::Result<Option<ShipKey>> {
        let parse = |raw: &str, from: &str| raw.parse::<ShipKey>().map_err(|error| anyhow::anyhow!("{from}: {error}"));
        match (&self.key, &self.key_env, &self.key_file) {
            (Some(key), ..) => Ok(Some(key.clone())),
            (None, Some(variable), _) => {
                let raw = std::env::var(variable)
                    .map_err(|_| anyhow::anyhow!("the environment variable {variable} of --key-env is not set"))?;
                parse(&raw, variable).map(Some)
            }
            (None, None, Some(file)) => {
                let raw = std::fs::read_to_string(file)
                    .with_context(|| format!("the key in {} cannot be read", file.display()))?;
                parse(&raw, &file.display().to_string()).map(Some)
            }
            (None, None, None) => Ok(None),
        }
    }

    fn found_name(&self) -> anyhow::Result<String> {
        let name = match &self.name {
            Some(name) => name.trim().to_owned(),
            None => {
                let host = nix::unistd::gethostname().ok().and_then(|host| host.into_string().ok());
                host.and_then(|host| host.split('.').next().map(str::to_owned)).unwrap_or_else(|| "shipper".to_owned())
            }
        };
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            bail!("--name has 1 to {MAX_NAME_BYTES} bytes, and no control characters");
        }
        Ok(name)
    }
}

/// Ships until `stop`.
///
/// # Errors
/// The key, the name or the state folder cannot be used; the message says what to do.
pub async fn run(
    args: &ShipArgs,
    url: &str,
    roots: Roots,
    config: &Config,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let town = config.town.value.clone();
    let (key, name) = (args.found_key()?, args.found_name()?);
    let folder = match &args.state_dir {
        Some(folder) => folder.clone(),
        None => usual_folder().join(slug(url, &town)),
    };
    if url.starts_with("http://") && !is_loopback(url) {
        eprintln!("warning: {url} is not encrypted: whoever is on the way can read the key and the events");
    }
    let settings = SpoolSettings { folder, url: url.to_owned(), town: town.clone(), max_bytes: args.spool_bytes };
    let spool = Spool::open(&settings, Clock::system(), stop.clone())?;
    let target = Target { url: url.to_owned(), town: town.clone(), key };
    let hosts = match &config.host.value {
        Some(_) => Some(ShippedSink::new(&target, spool.shipper(), &name)?),
        None => None,
    };
    let sender = Sender::new(spool.clone(), SenderSettings { target, name: name.clone(), patience: PATIENCE })?;
    println!("shipping to {url} as \"{name}\", for town \"{town}\"; state in {}", settings.folder.display());
    let (batches, bytes) = spool.waiting();
    if batches > 0 {
        println!("{batches} batches ({} KiB) wait from before and are sent first", bytes.div_ceil(1_024));
    }

    let stop_sending = CancellationToken::new();
    let mut watcher = watch::spawn_into(Arc::new(spool.clone()), roots, stop.clone(), !config.paths.value);
    let mut sending = tokio::spawn(sender.run(stop_sending.clone()));
    let reading = hosts
        .map(|sink| tokio::spawn(host::run(move || Box::new(MachineProbe::new(settings.folder)), sink, stop.clone())));
    let sent = tokio::select! {
        // The disk failed: there is no use in reading on.
        sent = &mut sending => {
            stop.cancel();
            (&mut watcher).await?;
            sent
        }
        // First what was read last is in the spool, then it is emptied.
        read = async { stop.cancelled().await; (&mut watcher).await } => {
            read?;
            stop_sending.cancel();
            sending.await
        }
    };
    if let Some(reading) = reading {
        reading.await?;
    }
    let closed = spool.close().await;
    sent??;
    closed?;
    match spool.waiting() {
        (0, _) => println!("everything is shipped"),
        (batches, bytes) => {
            println!("{batches} batches ({} KiB) are left; they are sent the next time", bytes.div_ceil(1_024));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An address that can be shown and kept: a password in it could not.
fn server_address(raw: &str) -> Result<String, String> {
    if raw.contains('@') {
        return Err("leave user and password out of the address; the key goes into --key-file or --key-env".to_owned());
    }
    checked_url(raw).map_err(|error| format!("{error:#}"))
}

fn usual_folder() -> PathBuf {
    let dirs = directories::ProjectDirs::from("", "", "towngauge");
    match (&dirs, nix::unistd::geteuid().is_root()) {
        (Some(dirs), false) => dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("ship"),
        _ => Path::new("/var/lib/towngauge").join("ship"),
    }
}

/// One folder for each town and server: what one has, the other may lack.
fn slug(url: &str, town: &TownName) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let address: String = url.split_once("://").map_or(url, |(_, rest)| rest).chars().map(legal).collect();
    format!("{address}-{town}")
}

fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<axum::http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_by_name_and_by_number() {
        for url in ["http://localhost:4680", "http://127.0.0.1:1", "http://[::1]:4680"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://gauge.example.org", "http://10.0.0.1:4680", "http://127.0.0.1.example.org"] {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn an_address_holds_no_password() {
        assert_eq!(server_address("https://gauge.example.org/").as_deref(), Ok("https://gauge.example.org"));
        for bad in ["gauge", "ftp://a", "https://a/path", "https://me:secret@a"] {
            assert!(server_address(bad).is_err_and(|error| !error.contains("secret")), "{bad}");
        }
    }

    #[test]
    fn each_server_and_town_has_a_state_folder_of_its_own() {
        let town = TownName::new("home").unwrap();
        assert_eq!(slug("https://gauge.example.org:8443", &town), "gauge.example.org-8443-home");
        assert_ne!(slug("https://a", &town), slug("https://b", &town));
    }

    #[test]
    fn a_key_is_never_shown() {
        let args = ShipArgs {
            to: Some("http://a".into()),
            key: Some("tg_secret".parse().unwrap()),
            key_env: None,
            key_file: None,
            name: None,
            state_dir: None,
            spool_bytes: 1,
        };
        assert!(!format!("{args:?}").contains("secret"));
        assert!("a\nb".parse::<ShipKey>().is_err());
    }
}
