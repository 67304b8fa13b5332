//! What pages and the API read: the hub's state and the rollups.

use std::collections::HashMap;
use std::sync::Arc;

use app::reader::{LedgerLine, ReadError, SeriesRange, Setup, TankPage, TownCard, WatchedRoot};
use model::id::TownName;
use model::runway::{RunwayBand, next_topup};
use model::series::{Metric, SeriesPage};
use model::time::{TimeRange, Timestamp};
use model::wire::Snapshot;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::db::ledger::{self, Entry, EntryKind};
use crate::db::series::{self, Present};
use crate::db::{DbError, Pool, TownKey, fuel, town};
use crate::hub::Hub;

/// How long a chart is good for everybody who asks for the same.
const FRESH_US: i64 = 1_000_000;
/// Ledger entries on the Tank page.
const LEDGER_LINES: i64 = 50;
/// Top-ups that say what is usual.
const USUAL_OF: i64 = 20;
/// Charts remembered at most; a town has 20 live ones.
const MAX_CHARTS: usize = 2_000;

type ChartKey = (TownName, Metric, SeriesRange);
type Chart = Arc<Mutex<Option<(Timestamp, SeriesPage)>>>;

/// The store as pages see it.
pub struct Reader {
    pool: Pool,
    hub: Hub,
    clock: Clock,
    started: Timestamp,
    setup: Setup,
    towns: Mutex<HashMap<TownName, TownKey>>,
    charts: Mutex<HashMap<ChartKey, Chart>>,
}

/// What the pages say about this server.
#[derive(Debug, Clone)]
pub struct SetupFacts {
    /// Where the server listens.
    pub address: String,
    /// Town of local files.
    pub town: TownName,
    /// Whether local files are watched.
    pub watching: bool,
    /// Which folders.
    pub roots: Vec<WatchedRoot>,
    /// Whether senders need a key.
    pub keys_required: bool,
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
        let SetupFacts { address, town, watching, roots, keys_required } = facts;
        let started = clock.now();
        let setup = Setup { address, town, watching, roots, keys_required, demo: None };
        Self { pool, hub, clock, started, setup, towns: Mutex::default(), charts: Mutex::default() }
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
        if towns.len() >= MAX_CHARTS {
            towns.clear();
        }
        towns.insert(name.clone(), key);
        Ok(key)
    }

    async fn read_series(&self, town: &TownName, metric: Metric, range: SeriesRange) -> Result<SeriesPage, ReadError> {
        let key = self.town_key(town).await?;
        let now = self.clock.now();
        let range = match range {
            SeriesRange::Window(window) => TimeRange::ending_now(window, now),
            SeriesRange::Between(range) => range,
        };
        let present = Present { now, observing_since: self.started, edges: self.hub.edges(town).await };
        series::read(&self.pool, key, metric, range, &present).await.map_err(unavailable)
    }

    async fn chart(&self, key: ChartKey) -> Chart {
        let mut charts = self.charts.lock().await;
        if charts.len() >= MAX_CHARTS {
            charts.clear();
        }
        Arc::clone(charts.entry(key).or_default())
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

    /// One metric over a range.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn series(&self, town: &TownName, metric: Metric, range: SeriesRange) -> Result<SeriesPage, ReadError> {
        if matches!(range, SeriesRange::Between(_)) {
            return self.read_series(town, metric, range).await;
        }
        // Whoever comes while one reads waits for that answer: a thousand tabs cost one query a second.
        let chart = self.chart((town.clone(), metric, range)).await;
        let mut chart = chart.lock().await;
        if let Some((at, page)) = chart.as_ref()
            && self.clock.now().micros_since(*at) < FRESH_US
        {
            return Ok(page.clone());
        }
        let page = self.read_series(town, metric, range).await?;
        *chart = Some((self.clock.now(), page.clone()));
        Ok(page)
    }

    /// What the Tank page shows besides the live state: the meter's band, and the newest of the ledger.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn tank(&self, town: &TownName) -> Result<TankPage, ReadError> {
        let key = self.town_key(town).await?;
        self.read_tank(town, key).await.map_err(unavailable)
    }

    async fn read_tank(&self, town: &TownName, key: TownKey) -> Result<TankPage, DbError> {
        let now = self.clock.now();
        let left = match self.hub.snapshot(town).await {
            Some(snapshot) => snapshot.gauges.tank.map_or(0, |tank| tank.balance.0),
            None => 0,
        };
        let line = |entry: Entry| LedgerLine {
            at: entry.at,
            correction: entry.kind == EntryKind::Correction,
            amount: entry.amount,
            note: entry.note,
        };
        let entries = ledger::newest(&self.pool, key, LEDGER_LINES).await?.into_iter().map(line).collect();
        let burn = fuel::meter_burn(&self.pool, key, now).await?;
        let ledger::Habits { entries: total, topups, capacity } = ledger::habits(&self.pool, key, USUAL_OF).await?;
        let band = RunwayBand::of(left, &burn);
        Ok(TankPage { band, next_topup: next_topup(&topups, now), capacity, entries, total })
    }

    /// What the first-run page needs to know.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn setup(&self) -> Result<Setup, ReadError> {
        Ok(Setup { demo: self.demo().await?, ..self.setup.clone() })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unavailable(error: DbError) -> ReadError {
    tracing::error!(%error, "a page could not be read");
    ReadError::Unavailable
}
