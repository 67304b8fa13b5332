//! Balances to poll: `[[balance]]` in towngauge.toml, or `TOWNGAUGE_BALANCE=openrouter` for a provider as it usually is.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use model::Nanodollars;
use serde::Deserialize;

use crate::db::tank::MAX_NAME_BYTES;
use crate::source::balance::{Account, KeySource, Provider};

/// Balances of one server at most.
const MAX_BALANCES: usize = 16;
/// How often a provider may be asked, seconds.
const PERIODS_S: std::ops::RangeInclusive<i64> = 10..=300;

/// A `[[balance]]` table as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BalanceSettings {
    /// `kilo`, `openrouter` or `deepseek`.
    pub provider: String,
    /// What the tank is called; the provider's name when nothing is said.
    pub name: Option<String>,
    /// Where it answers, when elsewhere.
    pub base_url: Option<String>,
    /// The variable with the key; the provider's usual one when nothing is said.
    pub key_env: Option<String>,
    /// A file with nothing but the key.
    pub key_file: Option<PathBuf>,
    /// Of Kilo: the organization whose balance it is.
    pub organization: Option<String>,
    /// Seconds between two questions.
    pub poll_s: Option<i64>,
    /// Dollars that a full one holds.
    pub full: Option<toml::Value>,
    /// `meter` or `none`.
    pub corrects: Option<String>,
}

/// A balance that is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolledBalance {
    /// What the tank is called.
    pub name: String,
    /// Whom to ask, and how.
    pub account: Account,
    /// Seconds between two questions.
    pub poll_s: i64,
    /// What a full one holds.
    pub full: Option<Nanodollars>,
    /// It corrects the meter; at most one does.
    pub meter: bool,
}

impl PolledBalance {
    /// One line for `towngauge config`; the key is not in it, only where it is.
    #[must_use]
    pub fn line(&self) -> String {
        let corrects = if self.meter { ", corrects the meter" } else { "" };
        let Self { name, account: Account { base_url, key, .. }, poll_s, .. } = self;
        format!("{name}: {base_url} every {poll_s} s, key in {key}{corrects}")
    }
}

/// The names in `TOWNGAUGE_BALANCE`, as tables.
pub(super) fn from_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<BalanceSettings> {
    names.map(|name| BalanceSettings { provider: name.to_owned(), ..BalanceSettings::default() }).collect()
}

/// Checks the tables. The first one corrects the meter unless another says that it does, or it says that it does not.
pub(super) fn resolve(tables: Vec<BalanceSettings>) -> anyhow::Result<Vec<PolledBalance>> {
    if tables.len() > MAX_BALANCES {
        bail!("there are more than {MAX_BALANCES} balances");
    }
    let claimed = tables.iter().any(|table| table.corrects.as_deref() == Some("meter"));
    let mut balances: Vec<PolledBalance> = Vec::with_capacity(tables.len());
    for (index, table) in tables.into_iter().enumerate() {
        let place = format!("balance {} (\"{}\")", index + 1, table.provider);
        let balance = one(table, index == 0 && !claimed).context(place)?;
        if balances.iter().any(|other| other.name == balance.name) {
            bail!("two balances are called \"{}\"; give one of them another name", balance.name);
        }
        if balance.meter && balances.iter().any(|other| other.meter) {
            bail!("two balances correct the meter; say corrects = \"none\" for all but one");
        }
        balances.push(balance);
    }
    Ok(balances)
}

fn one(table: BalanceSettings, first: bool) -> anyhow::Result<PolledBalance> {
    let provider = Provider::by_word(&table.provider).with_context(|| {
        format!("there is no provider of that name; there are {}", Provider::ALL.map(Provider::word).join(", "))
    })?;
    let name = table.name.unwrap_or_else(|| provider.title().to_owned());
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name != crate::db::tank::kept_name(&name) {
        bail!("a name is 1 to {MAX_NAME_BYTES} bytes of plain text");
    }
    let base_url = table.base_url.unwrap_or_else(|| provider.base_url().to_owned());
    let key = match (table.key_env, table.key_file) {
        (Some(_), Some(_)) => bail!("say either key_env or key_file"),
        (Some(name), None) => KeySource::Environment(name),
        (None, Some(path)) => KeySource::File(path),
        (None, None) => KeySource::Environment(provider.key_env().to_owned()),
    };
    let poll_s = table.poll_s.unwrap_or(60);
    if !PERIODS_S.contains(&poll_s) {
        bail!("poll_s is {poll_s}; use {} to {} seconds", PERIODS_S.start(), PERIODS_S.end());
    }
    let full = table.full.map(dollars).transpose().context("full")?;
    let meter = match table.corrects.as_deref() {
        None => first,
        Some("meter") => true,
        Some("none") => false,
        Some(other) => bail!("corrects is \"{other}\"; use \"meter\" or \"none\""),
    };
    if table.organization.is_some() && provider != Provider::Kilo {
        bail!("only Kilo has organizations");
    }
    let account = Account { provider, base_url: checked_url(&base_url)?, key, organization: table.organization };
    Ok(PolledBalance { name, account, poll_s, full, meter })
}

fn dollars(value: toml::Value) -> anyhow::Result<Nanodollars> {
    let text = match value {
        toml::Value::String(text) => text,
        toml::Value::Integer(n) => n.to_string(),
        toml::Value::Float(n) => n.to_string(),
        _ => bail!("use an amount of dollars, such as 100 or \"99.50\""),
    };
    let amount = Nanodollars::parse_dollars(&text)?;
    if amount.0 <= 0 {
        bail!("a full tank holds more than nothing");
    }
    Ok(amount)
}

/// The key travels with every question: in the open only where it does not leave this machine.
fn checked_url(url: &str) -> anyhow::Result<String> {
    let url = url.trim_end_matches('/');
    // Not the address itself in an error: it may hold a password.
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next();
    if authority.is_some_and(|authority| authority.contains('@')) {
        bail!(
            "base_url has a user or a password in front of its host (@); leave it out: the key is in key_env or key_file"
        );
    }
    let uri: axum::http::Uri = url.parse().context("base_url is not an address")?;
    let host = uri.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(url.to_owned()),
        Some("http") if local => Ok(url.to_owned()),
        Some("http") => bail!("base_url would send the key in the open; use https"),
        _ => bail!("base_url is not an address such as https://api.example.org"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Vec<PolledBalance>> {
        #[derive(Deserialize)]
        struct File {
            balance: Vec<BalanceSettings>,
        }
        resolve(toml::from_str::<File>(text)?.balance)
    }

    #[test]
    fn a_provider_s_name_is_enough() {
        let [balance] = &resolve(from_names(["openrouter"].into_iter())).unwrap()[..] else { panic!("one") };
        assert_eq!(
            balance.line(),
            "OpenRouter: https://openrouter.ai/api/v1 every 60 s, key in environment OPENROUTER_API_KEY, \
             corrects the meter"
        );
    }

    #[test]
    fn only_one_corrects_the_meter() {
        let meters = |text: &str| read(text).unwrap().iter().map(|balance| balance.meter).collect::<Vec<_>>();
        let two = "[[balance]]\nprovider = \"kilo\"\n[[balance]]\nprovider = \"deepseek\"\n";
        assert_eq!(meters(two), [true, false]);
        assert_eq!(meters(&format!("{two}corrects = \"meter\"\n")), [false, true]);
        assert_eq!(meters("[[balance]]\nprovider = \"kilo\"\ncorrects = \"none\"\n"), [false]);
        let both = "[[balance]]\nprovider = \"kilo\"\ncorrects = \"meter\"\n[[balance]]\nprovider = \"deepseek\"\ncorrects = \"meter\"\n";
        assert!(format!("{:#}", read(both).unwrap_err()).contains("two balances correct the meter"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let check = |lines: &str, words: &str| {
            let error = format!("{:#}", read(&format!("[[balance]]\n{lines}\n")).unwrap_err());
            assert!(error.contains(words), "{error}");
        };
        check("provider = \"bank\"", "there are kilo, openrouter, deepseek");
        check("provider = \"kilo\"\npoll_s = 5", "10 to 300");
        check("provider = \"kilo\"\nkey = \"secret\"", "key");
        check("provider = \"kilo\"\nkey_env = \"A\"\nkey_file = \"b\"", "either key_env or key_file");
        check("provider = \"kilo\"\nbase_url = \"http://example.org\"", "in the open");
        check("provider = \"kilo\"\nbase_url = \"ftp://example.org\"", "https://");
        check("provider = \"kilo\"\nfull = true", "amount of dollars");
        check("provider = \"kilo\"\nfull = -5", "more than nothing");
        check("provider = \"kilo\"\ncorrects = \"all\"", "\"meter\" or \"none\"");
        check("provider = \"deepseek\"\norganization = \"x\"", "only Kilo");
        check("provider = \"kilo\"\n[[balance]]\nprovider = \"kilo\"", "two balances are called");
    }

    #[test]
    fn an_address_with_a_password_is_refused_and_not_repeated() {
        let addresses = [
            ("https://me:secret@example.org", "key_env"),
            ("https://secret@example.org/v1?a=b", "key_env"),
            ("https://me:secret@[::1]:9/", "key_env"),
            ("http://me:secret@localhost:9", "key_env"),
            ("ftp://me:secret@example.org", "key_env"),
            ("https://me:se cret@example.org", "key_env"),
            ("me:secret@example.org", "key_env"),
            ("https:///me:secret@example.org", "not an address"),
            ("https:/me:secret@example.org", "not an address"),
            ("https:\\\\\\\\me:secret@example.org", "key_env"),
            ("http://example.org/secret", "in the open"),
            ("ftp://example.org/secret", "not an address"),
        ];
        for (address, words) in addresses {
            let error = read(&format!("[[balance]]\nprovider = \"kilo\"\nbase_url = \"{address}\"\n")).unwrap_err();
            for shown in [format!("{error:#}"), format!("{error:?}")] {
                assert!(shown.contains("balance 1 (\"kilo\")"), "{shown}");
                assert!(!shown.contains("cret"), "{shown}");
            }
            assert!(format!("{error:#}").contains(words), "{address}: {error:#}");
        }
        let path = "[[balance]]\nprovider = \"kilo\"\nbase_url = \"https://example.org/@team\"\n";
        assert_eq!(read(path).unwrap()[0].account.base_url, "https://example.org/@team");
    }

    #[test]
    fn plain_http_is_fine_on_this_machine() {
        for host in ["127.0.0.1:9", "localhost:9", "[::1]:9"] {
            let text = format!("[[balance]]\nprovider = \"kilo\"\nbase_url = \"http://{host}/\"\nfull = 12.5\n");
            let balances = read(&text).unwrap();
            assert_eq!(balances[0].account.base_url, format!("http://{host}"));
            assert_eq!(balances[0].full, Some(Nanodollars(12_500_000_000)));
        }
    }
}
