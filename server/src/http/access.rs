//! Who may do what: nobody is asked on loopback, everybody needs a key elsewhere.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::{HeaderMap, Uri};
use tokio::time::timeout;

use super::belief::Beliefs;
use super::{hmac, secret};
use crate::clock::Clock;
use crate::db::key::{self, Scope};
use crate::db::{DbError, Pool};
use crate::error::ApiError;

/// Addresses remembered at most.
const MAX_REMEMBERED: usize = 1_000;
/// How long a browser stays logged in.
const SESSION_S: i64 = 7 * 24 * 3_600;
/// The cookie's name.
pub const COOKIE_NAME: &str = "towngauge_session";
/// Attempts to log in per address and minute.
const LOGINS_PER_MINUTE: u32 = 10;

/// Whether keys are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bound to loopback: whoever reaches it may do everything, if the browser's page is ours.
    Loopback,
    /// Bound elsewhere: nothing without a key.
    Keys,
}

/// What decides about access.
#[derive(Debug, Clone)]
pub struct AccessSettings {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Further host names, for loopback.
    pub allow_hosts: Vec<String>,
    /// The address that browsers use.
    pub public_url: Option<String>,
}

/// Access, decided.
pub struct Access {
    mode: Mode,
    hosts: Vec<String>,
    names: Vec<String>,
    public_url: Option<String>,
    pool: Pool,
    clock: Clock,
    beliefs: Arc<Beliefs>,
    logins: Mutex<HashMap<IpAddr, (i64, u32)>>,
}

/// A key in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub id: i32,
    /// What it may do.
    pub scope: Scope,
}

impl Access {
    /// Access for a server at `settings.address`.
    #[must_use]
    pub fn new(settings: AccessSettings, pool: Pool, clock: Clock) -> Self {
        let AccessSettings { address, allow_hosts, public_url } = settings;
        let mode = if address.ip().is_loopback() { Mode::Loopback } else { Mode::Keys };
        let port = address.port();
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}")).to_vec();
        hosts.push(address.to_string());
        if port == 80 {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        hosts.extend(public_url.as_deref().and_then(|url| url.split_once("://")).map(|(_, host)| host.to_owned()));
        Self {
            mode,
            hosts,
            names: allow_hosts,
            public_url,
            beliefs: Beliefs::new(pool.clone(), clock.clone()),
            pool,
            clock,
            logins: Mutex::default(),
        }
    }

    /// Whether keys are needed.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether browsers come over https, so that cookies must too.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Whether a request may name this host: on loopback, a page elsewhere could point its own name at us.
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        let without_port = || host.rsplit_once(':').map_or(host, |(name, _)| name);
        self.mode == Mode::Keys
            || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
            || self
                .names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(host) || name.eq_ignore_ascii_case(without_port()))
    }

    /// Whether an `Origin` is this server's own, as the browser sees it.
    #[must_use]
    pub fn is_own_origin(&self, origin: &str, host: &str) -> bool {
        let own = |scheme: &str| origin.strip_prefix(scheme).is_some_and(|rest| rest.eq_ignore_ascii_case(host));
        own("http://")
            || own("https://")
            || self.public_url.as_deref().is_some_and(|url| url.eq_ignore_ascii_case(origin))
    }

    /// The key that a request shows, as bearer or as session.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn known(&self, headers: &HeaderMap) -> Result<Option<Known>, DbError> {
        if let Some(key) = bearer(headers) {
            return match secret::hash(key) {
                Some(hash) => self.by_hash(hash).await,
                None => Ok(None),
            };
        }
        match cookie(headers) {
            Some(session) => self.by_session(session).await,
            None => Ok(None),
        }
    }

    /// As [`Access::known`], for whoever cannot wait longer than `patience`: a key that was known stays known while the
    /// database does not answer.
    ///
    /// # Errors
    /// It does not answer, and never said anything about this key.
    pub async fn known_within(&self, headers: &HeaderMap, patience: Duration) -> Result<Option<Known>, ApiError> {
        if let Some(key) = bearer(headers) {
            return match secret::hash(key) {
                Some(hash) => self.beliefs.ask_within(hash, patience).await,
                None => Ok(None),
            };
        }
        // Sessions are people, and nothing is believed of them.
        let late = || ApiError::unavailable("the store does not answer", 2);
        Ok(timeout(patience, self.known(headers)).await.map_err(|_| late())??)
    }

    /// The key with that hash.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn by_hash(&self, hash: [u8; 32]) -> Result<Option<Known>, DbError> {
        self.beliefs.ask(hash).await
    }

    /// A session cookie's value for a key: `id.expiry.code`, signed with the key's hash, so that it dies with the key
    /// and no session has to be stored.
    #[must_use]
    pub fn session(&self, id: i32, hash: &[u8; 32]) -> String {
        let until_s = self.clock.now().seconds() + SESSION_S;
        let body = format!("{id}.{until_s}");
        format!("{body}.{}", secret::hex(&hmac::sign(hash, body.as_bytes())))
    }

    async fn by_session(&self, session: &str) -> Result<Option<Known>, DbError> {
        let Some((body, code)) = session.rsplit_once('.') else { return Ok(None) };
        let Some((Ok(id), Ok(until_s))) = body.split_once('.').map(|(a, b)| (a.parse::<i32>(), b.parse::<i64>()))
        else {
            return Ok(None);
        };
        if self.clock.now().seconds() >= until_s {
            return Ok(None);
        }
        // One row by primary key; sessions are people, not senders.
        let Some(row) = key::by_id(&self.pool, id).await? else { return Ok(None) };
        let Ok(hash) = <[u8; 32]>::try_from(row.hash.as_slice()) else { return Ok(None) };
        let expected = secret::hex(&hmac::sign(&hash, body.as_bytes()));
        let genuine = secret::equal(expected.as_bytes(), code.as_bytes());
        Ok(genuine.then_some(Known { id: row.id, scope: row.scope }))
    }

    /// Whether an address may try to log in once more.
    pub fn may_try(&self, from: IpAddr) -> bool {
        let minute = self.clock.now().seconds() / 60;
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        if logins.len() >= MAX_REMEMBERED {
            logins.retain(|_, (at, _)| *at == minute);
        }
        if logins.len() >= MAX_REMEMBERED && !logins.contains_key(&from) {
            return false;
        }
        let entry = logins.entry(from).or_insert((minute, 0));
        if entry.0 != minute {
            *entry = (minute, 0);
        }
        entry.1 += 1;
        entry.1 <= LOGINS_PER_MINUTE
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

/// What a request needs; none: nothing.
#[must_use]
pub fn needed(method: &axum::http::Method, uri: &Uri) -> Option<Scope> {
    match uri.path() {
        "/login" | "/logout" | "/login.css" => None,
        "/api/ingest" | "/api/ship" | "/api/ship/host" => Some(Scope::Ingest),
        // Hooks ask on the machines that send: the same key does for both.
        path if super::hook::is_hook(path) => Some(Scope::Ingest),
        path if path.starts_with("/api/webhooks") => Some(Scope::Admin),
        path if super::otlp::is_export(path) => Some(Scope::Ingest),
        path if super::tank::is_windows(path) => Some(Scope::Ingest),
        _ if method.is_safe() => Some(Scope::Read),
        _ => Some(Scope::Admin),
    }
}
