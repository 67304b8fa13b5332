//! What pages and the API read: the hub's state and the rollups.

mod charts;
mod host;
mod live;
mod request;
mod tank;
mod webhooks;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use app::reader::{ReadError, Setup, TownCard};
use app::sources::{SourcesPage, UnpricedModel};
use model::alert::WebhooksView;
use model::host::HostHistory;
use model::id::TownName;
use model::in_flight::InFlightPage;
use model::live_stats::{LatencyStats, LatencyWindow};
use model::time::{TimeRange, Timestamp, Window};
use model::wire::Snapshot;
use tokio::sync::Mutex;

use self::charts::Charts;
use self::live::{Activity, Spent};
use self::tank::TankBook;
use crate::clock::Clock;
use crate::db::unpriced::{self, Unpriced};
use crate::db::{DbError, Pool, TownKey, shipper, town};
use crate::guide::{self, Place};
use crate::hub::Hub;
use crate::standing::{Folders, Rates, Standings, Watcher, machine};

/// How long a chart is good for everybody who asks for the same.
const FRESH_US: i64 = 1_000_000;
/// Readings of each kind remembered at most; a town has 20 live charts.
const MAX_KEPT: usize = 2_000;
/// Machines on the Sources page.
const MACHINES: usize = 100;

/// What was read last, and when.
type Kept<T> = Arc<Mutex<Option<(Timestamp, T)>>>;

/// The place of `key`, for whoever asks for the same: they wait for one reading, and not each for one of their own.
async fn place<K: Eq + Hash, T>(all: &Mutex<HashMap<K, Kept<T>>>, key: K) -> Kept<T> {
    let mut all = all.lock().await;
    if all.len() >= MAX_KEPT {
        all.clear();
    }
    Arc::clone(all.entry(key).or_default())
}

/// The store as pages see it.
pub struct Reader {
    pool: Pool,
    hub: Hub,
    clock: Clock,
    started: Timestamp,
    address: Address,
    keys_required: bool,
    lost_after_s: i64,
    standings: Standings,
    towns: Mutex<HashMap<TownName, TownKey>>,
    charts: Charts,
    sources: Mutex<HashMap<TownName, Kept<SourcesPage>>>,
    tanks: Mutex<HashMap<TownName, Kept<TankBook>>>,
    /// Of all towns.
    webhooks: Mutex<Option<(Timestamp, WebhooksView)>>,
    hosts: Mutex<HashMap<(TownName, Window), Kept<HostHistory>>>,
    burns: Mutex<HashMap<(TownName, String), Kept<Spent>>>,
    latencies: Mutex<HashMap<(TownName, LatencyWindow), Kept<LatencyStats>>>,
    activities: Mutex<HashMap<TownName, Kept<Activity>>>,
    in_flight: Mutex<HashMap<(TownName, TimeRange, i64), Kept<InFlightPage>>>,
}

/// Where senders reach this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// As it was told to say (`--public-url`).
    Told(String),
    /// Where it listens. Who asks under another name, which it answers to, is told that name.
    Bound(String),
}

/// What the pages say about this server.
#[derive(Clone)]
pub struct SetupFacts {
    /// Where senders reach it.
    pub address: Address,
    /// Town of local files.
    pub town: TownName,
    /// What is watched.
    pub folders: Folders,
    /// How much came lately.
    pub rates: Rates,
    /// Whether senders need a key.
    pub keys_required: bool,
    /// Seconds after which a request whose end did not come is lost.
    pub lost_after_s: i64,
}

impl Reader {
    /// The made-up town, if there is one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn demo(&self) -> Result<Option<TownName>, ReadError> {
        Ok(self.towns().await?.into_iter().find(|town| town.demo).map(|town| town.name))
    }

    /// Reads from `pool` and `hub`.
    #[must_use]
    pub fn new(pool: Pool, hub: Hub, clock: Clock, facts: SetupFacts) -> Self {
        let SetupFacts { address, town, folders, rates, keys_required, lost_after_s } = facts;
        let started = clock.now();
        let standings = Standings { pool: pool.clone(), rates, folders, home: town };
        Self {
            pool,
            hub,
            clock,
            started,
            address,
            keys_required,
            lost_after_s,
            standings,
            towns: Mutex::default(),
            charts: Charts::default(),
            sources: Mutex::default(),
            tanks: Mutex::default(),
            webhooks: Mutex::default(),
            hosts: Mutex::default(),
            burns: Mutex::default(),
            latencies: Mutex::default(),
            activities: Mutex::default(),
            in_flight: Mutex::default(),
        }
    }

    /// A town's number.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn town_key(&self, name: &TownName) -> Result<TownKey, ReadError> {
        if let Some(key) = self.towns.lock().await.get(name) {
            return Ok(*key);
        }
        let found = town::find(&self.pool, name).await.map_err(unavailable)?;
        let key = found.ok_or_else(|| ReadError::UnknownTown(name.to_string()))?.key;
        let mut towns = self.towns.lock().await;
        if towns.len() >= MAX_KEPT {
            towns.clear();
        }
        towns.insert(name.clone(), key);
        Ok(key)
    }
}

impl Reader {
    /// Every town, by name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn towns(&self) -> Result<Vec<TownCard>, ReadError> {
        self.hub.cards().await.ok_or(ReadError::Unavailable)
    }

    /// Live state of one town: the same that the first frame of `/live` carries.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn snapshot(&self, town: &TownName) -> Result<Snapshot, ReadError> {
        match self.hub.snapshot(town).await {
            Some(snapshot) => Ok(*snapshot),
            None => Err(ReadError::UnknownTown(town.to_string())),
        }
    }

    /// How the sources of a town stand.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn sources(&self, town: &TownName) -> Result<SourcesPage, ReadError> {
        let key = self.town_key(town).await?;
        // As with charts: many tabs cost one reading a second.
        let kept = place(&self.sources, town.clone()).await;
        let mut kept = kept.lock().await;
        let at = self.clock.now();
        if let Some((read_at, page)) = kept.as_ref()
            && at.micros_since(*read_at) < FRESH_US
        {
            return Ok(page.clone());
        }
        let sources = self.standings.of(key, town, at).await.map_err(unavailable)?;
        let unpriced = unpriced::list(&self.pool, key).await.map_err(unavailable)?;
        let shippers = shipper::list(&self.pool, key).await.map_err(unavailable)?;
        let page = SourcesPage {
            at,
            sources,
            machines_known: shippers.len(),
            machines: shippers.into_iter().take(MACHINES).map(|row| machine(row, at)).collect(),
            unpriced: unpriced.into_iter().map(unpriced_model).collect(),
        };
        *kept = Some((at, page.clone()));
        Ok(page)
    }

    /// What texts that say how to connect a source depend on. `host` is the name under which this server was asked.
    #[must_use]
    pub fn place(&self, town: &TownName, host: Option<&str>) -> Place {
        let is_plain = |host: &&str| {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-' | b'[' | b']'))
        };
        let address = match (&self.address, host.filter(is_plain)) {
            (Address::Told(address), _) | (Address::Bound(address), None) => address.clone(),
            (Address::Bound(_), Some(host)) => format!("http://{host}"),
        };
        Place {
            address,
            town: town.clone(),
            home: self.standings.home.clone(),
            watching: self.standings.folders.watcher() == Watcher::Running,
            keys_required: self.keys_required,
        }
    }

    /// What the first-run page needs to know. `host` as in [`Reader::place`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn setup(&self, host: Option<&str>) -> Result<Setup, ReadError> {
        let place = self.place(&self.standings.home, host);
        let roots = self.standings.folders.roots(self.clock.now()).await;
        let (guides, key) = (guide::all(&place), guide::key(&place));
        Ok(Setup { town: place.town, watching: place.watching, roots, demo: self.demo().await?, guides, key })
    }
}

fn unpriced_model(row: Unpriced) -> UnpricedModel {
    let tokens = row.tokens.into_iter().fold(0, i64::saturating_add);
    UnpricedModel { command: row.add_command(), model: row.model, calls: row.calls, tokens }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn unavailable(error: DbError) -> ReadError {
    tracing::error!(%error, "a page could not be read");
    ReadError::Unavailable
}
