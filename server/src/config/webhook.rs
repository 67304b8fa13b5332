//! Webhooks, as tables of `towngauge.toml`. Neither their secrets nor what may be secret of their addresses is shown.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use model::alert::AlertKind;
use model::id::TownName;
use reqwest::Url;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::origin::Env;
use crate::http::secret::hex;

/// Webhooks at most.
const MAX_WEBHOOKS: usize = 20;

/// `[[webhook]]` as it is written.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookTable {
    url: String,
    secret_env: Option<String>,
    secret_file: Option<PathBuf>,
    #[serde(default)]
    events: Vec<String>,
    town: Option<String>,
}

impl fmt::Debug for WebhookTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookTable(…)")
    }
}

/// Where a webhook is; only scheme and host of it are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct HookUrl(Url);

impl HookUrl {
    /// To be called, not shown.
    #[must_use]
    pub fn reveal(&self) -> Url {
        self.0.clone()
    }
    /// The same as long as the address is the same.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&Sha256::digest(self.0.as_str())[..8])
    }
}

impl fmt::Display for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        let rest = if self.0.path() == "/" && self.0.query().is_none() { "/" } else { "/…" };
        write!(f, "{}://{}{port}{rest}", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

impl fmt::Debug for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookUrl({self})")
    }
}

/// Where the secret is that a webhook's bodies are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretFrom {
    /// In a variable of the environment.
    Env(String),
    /// In a file; white space around it does not count.
    File(PathBuf),
}

impl SecretFrom {
    /// The secret.
    ///
    /// # Errors
    /// It is not there, or empty.
    pub fn read(&self, env: Env<'_>) -> anyhow::Result<Vec<u8>> {
        let secret = match self {
            Self::Env(name) => env(name).with_context(|| format!("the environment has no {name}"))?,
            Self::File(path) => {
                std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?
            }
        };
        match secret.trim() {
            "" => bail!("a webhook's secret is empty"),
            secret => Ok(secret.as_bytes().to_vec()),
        }
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where it is.
    pub url: HookUrl,
    /// What its bodies are signed with.
    pub secret: SecretFrom,
    /// What it is told.
    pub events: Vec<AlertKind>,
    /// Of which town; none: of all.
    pub town: Option<TownName>,
}

pub(super) fn resolve(tables: Vec<WebhookTable>) -> anyhow::Result<Vec<Webhook>> {
    if tables.len() > MAX_WEBHOOKS {
        bail!("{MAX_WEBHOOKS} webhooks at most");
    }
    let mut webhooks: Vec<Webhook> = Vec::new();
    for (number, table) in (1..).zip(tables) {
        let webhook = webhook(table).with_context(|| format!("webhook {number}"))?;
        if webhooks.iter().any(|other| other.url == webhook.url) {
            bail!("webhook {number}: its address is another one's already");
        }
        webhooks.push(webhook);
    }
    Ok(webhooks)
}

fn webhook(table: WebhookTable) -> anyhow::Result<Webhook> {
    // Not the address itself in the error: it may hold a password.
    let url = Url::parse(&table.url).context("url is not an address such as https://example.org/hook")?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        bail!("url must begin with http:// or https://");
    }
    let secret = match (table.secret_env, table.secret_file) {
        (Some(name), None) => SecretFrom::Env(name),
        (None, Some(path)) => SecretFrom::File(path),
        _ => bail!("name the secret by secret_env or secret_file, one of them"),
    };
    let event = |raw: &String| {
        let names = AlertKind::CHOICE.map(AlertKind::name).join(", ");
        AlertKind::parse(raw).with_context(|| format!("event \"{raw}\": use {names}"))
    };
    let events = table.events.iter().map(event).collect::<anyhow::Result<Vec<_>>>()?;
    let events = if events.is_empty() { AlertKind::CHOICE.to_vec() } else { events };
    let town = table.town.as_deref().map(TownName::new).transpose()?;
    Ok(Webhook { url: HookUrl(url), secret, events, town })
}

pub(super) fn shown(webhooks: &[Webhook]) -> String {
    if webhooks.is_empty() {
        return "(none)".to_owned();
    }
    webhooks.iter().map(|webhook| webhook.url.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::from_toml;

    fn read(toml: &str) -> anyhow::Result<Vec<Webhook>> {
        #[derive(Deserialize)]
        struct File {
            webhook: Vec<WebhookTable>,
        }
        resolve(from_toml::<File>(toml)?.webhook)
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        let toml = "[[webhook]]\nurl = \"https://me:pass@example.org:8443/T00/token?key=k\"\nsecret_env = \"S\"";
        let webhooks = read(toml).unwrap();
        assert_eq!(shown(&webhooks), "https://example.org:8443/…");
        let debug = format!("{webhooks:?}");
        assert!(["pass", "token", "key="].iter().all(|secret| !debug.contains(secret)), "{debug}");
        assert_eq!(webhooks[0].events, AlertKind::CHOICE, "all, unless some are named");
        assert_eq!(webhooks[0].url.id().len(), 16);
    }

    #[test]
    fn what_cannot_be_used_is_named_without_the_address() {
        let check = |toml: &str, want: &str| {
            let error = format!("{:#}", read(&format!("[[webhook]]\n{toml}")).unwrap_err());
            assert!(error.contains(want) && !error.contains("pass"), "{error}");
        };
        check("url = \"ftp://me:pass@x/\"\nsecret_env = \"S\"", "http:// or https://");
        check("url = \"me:pass@\"\nsecret_env = \"S\"", "http");
        check("url = \"http://x/\"", "secret_env or secret_file");
        check("url = \"http://x/\"\nsecret_env = \"S\"\nsecret_file = \"f\"", "secret_env or secret_file");
        check("url = \"http://x/\"\nsecret_env = \"S\"\nevents = [\"tank.full\"]", "tank.low");
        check(
            "url = \"http://x/\"\nsecret_env = \"S\"\n[[webhook]]\nurl = \"http://x/\"\nsecret_env = \"S\"",
            "webhook 2",
        );
        check("url = \"http://x/\"\nsecret = \"pass\"", "secret_env");
    }

    #[test]
    fn a_secret_comes_from_the_environment_or_a_file() {
        let env = |name: &str| (name == "S").then(|| " s3 \n".to_owned());
        assert_eq!(SecretFrom::Env("S".to_owned()).read(&env).unwrap(), b"s3");
        assert!(SecretFrom::Env("T".to_owned()).read(&env).is_err());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "\n").unwrap();
        assert!(SecretFrom::File(path.clone()).read(&env).is_err(), "empty");
        std::fs::write(&path, "s4\n").unwrap();
        assert_eq!(SecretFrom::File(path).read(&env).unwrap(), b"s4");
    }
}
