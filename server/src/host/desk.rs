//! The desk: the newest reading of every host of every town, where samplers report and pages look.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use model::host::{HISTORY_STEP_S, HostSample, IDLE_EVERY_S, MAX_HOSTS, PerfMetrics, pace_s};
use model::id::{HostName, TownName};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::recorder::{Recorder, Who};
use super::runs::{RunBook, is_running};
use super::sampler::Sink;
use crate::clock::Clock;
use crate::db::host::{self, HostRow, LEASE_S};
use crate::db::{DbError, Pool, TownKey, town};
use crate::hub::Hub;

/// Towns with hosts at most; a town that is asked for beyond them has none.
const MAX_TOWNS: usize = 1_000;
/// How often hosts that other processes read are looked for, while somebody looks.
const LOOK_ROUND_S: i64 = 10;
/// How long a page waits for a fresh reading of this machine.
const PATIENCE: Duration = Duration::from_millis(60);
/// A reading that came without saying how long it stands for.
const UNKNOWN_WEIGHT: Duration = Duration::from_secs(1);

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It is shown; the next one is wanted after so long.
    Shown(Duration),
    /// Another process reads this host.
    Taken,
    /// The town has as many hosts as it can have.
    Full,
}

/// A host as the desk knows it.
#[derive(Debug)]
struct Known {
    latest: HostRow,
    /// The way into the store, for what is reported here; none for hosts that other processes read.
    recorder: Option<Arc<tokio::sync::Mutex<Recorder>>>,
    /// It is the machine that this server runs on.
    is_own: bool,
}

/// A town's hosts.
#[derive(Debug)]
struct Place {
    key: TownKey,
    demo: bool,
    hosts: Mutex<BTreeMap<HostName, Known>>,
    /// Of the samplers of this process.
    nudges: Mutex<Vec<Arc<Notify>>>,
    shown: watch::Sender<u64>,
    looked_round: Mutex<Option<Timestamp>>,
}

struct Inner {
    pool: Pool,
    hub: Hub,
    clock: Clock,
    runs: RunBook,
    places: Mutex<HashMap<TownName, Arc<Place>>>,
}

/// The hosts of every town; clones are the same desk.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// An empty desk; hosts of a town are read from the store when it is asked for first.
    #[must_use]
    pub fn new(pool: Pool, hub: Hub, clock: Clock, runs: RunBook) -> Self {
        Self(Arc::new(Inner { pool, hub, clock, runs, places: Mutex::default() }))
    }

    /// Where a sampler of this process reports to. `own` says that it reads the machine that this server runs on.
    #[must_use]
    pub fn sink(&self, town: TownName, who: Who, own: bool) -> DeskSink {
        DeskSink { desk: self.clone(), town, who, own, nudge: Arc::default(), is_known: false }
    }

    /// Takes a reading of a host. It stands for `weight`, or else for the time since the one before.
    ///
    /// # Errors
    /// The town is not known here yet, and the store does not answer.
    pub async fn report(
        &self,
        town: &TownName,
        who: &Who,
        own: bool,
        sample: HostSample,
        weight: Option<Duration>,
    ) -> Result<Reported, DbError> {
        let place = self.place(town, true).await?;
        let Some(place) = place else { return Ok(Reported::Full) };
        let now = self.0.clock.now();
        let (recorder, before) = match place.recorder(&self.0.pool, who, own, now) {
            Ok(found) => found,
            Err(refused) => return Ok(refused),
        };
        let weight = weight.unwrap_or_else(|| {
            let since = before.map_or(0, |before| now.micros_since(before));
            let most = Duration::from_secs(2 * HISTORY_STEP_S.unsigned_abs());
            Duration::from_micros(since.unsigned_abs()).clamp(UNKNOWN_WEIGHT, most)
        });
        let latest = HostRow { name: who.name.clone(), writer: who.writer, pid: who.pid, at: now, sample };
        let mut wanted_s = None;
        // Pages do not wait for the store. While a writing is under way, the next reading is not written.
        if let Ok(mut recorder) = Arc::clone(&recorder).try_lock_owned() {
            if recorder.is_taken() {
                place.forget(who);
                return Ok(Reported::Taken);
            }
            wanted_s = recorder.wanted_s();
            let writing = tokio::spawn(async move { recorder.take(&sample, now, weight).await });
            // Only the store knows whether another process reads this host.
            if before.is_none() && matches!(writing.await, Ok(false)) {
                place.forget(who);
                return Ok(Reported::Taken);
            }
        }
        place.show(latest.clone(), Some(recorder), own);
        let gauges = self.0.hub.gauges(town).await.flatten();
        let running = gauges.as_ref().is_some_and(is_running);
        let looked_at = self.0.hub.lookers().of(town) > 0;
        if looked_at {
            self.publish(town, &place, &latest).await;
        }
        let next_s = pace_s(looked_at, running).min(wanted_s.unwrap_or(HISTORY_STEP_S));
        Ok(Reported::Shown(Duration::from_secs(next_s.unsigned_abs())))
    }

    /// What every host of a town uses: this machine first, then the others by name. A reading of this machine that is
    /// old because nobody looked is taken anew.
    ///
    /// # Errors
    /// The store does not answer, and the town is not known here yet.
    pub async fn metrics(&self, town: &TownName) -> Result<Vec<PerfMetrics>, DbError> {
        let Some(place) = self.place(town, false).await? else { return Ok(Vec::new()) };
        place.refresh(self.0.clock.now()).await;
        let latest = place.latest();
        if latest.is_empty() {
            return Ok(Vec::new());
        }
        let gauges = self.0.hub.gauges(town).await.flatten();
        let (run, tokens) = self.0.runs.of(town, gauges.as_ref()).await;
        let spell = |row: HostRow| {
            let run = model::host::Run { pid: row.pid, ..run.clone() };
            PerfMetrics::new((town.clone(), place.demo), row.name, row.at, &row.sample, (run, tokens))
        };
        Ok(latest.into_iter().map(spell).collect())
    }

    async fn publish(&self, town: &TownName, place: &Place, row: &HostRow) {
        let gauges = self.0.hub.gauges(town).await.flatten();
        let (mut run, tokens) = self.0.runs.of(town, gauges.as_ref()).await;
        run.pid = row.pid;
        let named = (town.clone(), place.demo);
        let metrics = PerfMetrics::new(named, row.name.clone(), row.at, &row.sample, (run, tokens));
        self.0.hub.show_host(town.clone(), metrics).await;
    }

    /// The town's place; none when there is no such town, or no room. `found` makes the town when there is none.
    async fn place(&self, name: &TownName, found: bool) -> Result<Option<Arc<Place>>, DbError> {
        if let Some(place) = locked(&self.0.places).get(name) {
            return Ok(Some(Arc::clone(place)));
        }
        if found {
            town::ensure(&self.0.pool, name, false).await?;
        }
        let Some(row) = town::find(&self.0.pool, name).await? else { return Ok(None) };
        let place = Place::new(row.key, row.demo);
        place.take_over(host::list(&self.0.pool, row.key).await?);
        let mut places = locked(&self.0.places);
        if places.len() >= MAX_TOWNS && !places.contains_key(name) {
            return Ok(None);
        }
        // Somebody else may have been quicker.
        Ok(Some(Arc::clone(places.entry(name.clone()).or_insert_with(|| Arc::new(place)))))
    }

    /// Serves those who look, until `stop`: whoever begins is told at once, and what other processes read is fetched.
    pub async fn follow(self, stop: CancellationToken) {
        let mut rounds = tokio::time::interval(Duration::from_secs(1));
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let began = tokio::select! {
                () = stop.cancelled() => return,
                () = self.0.hub.lookers().began() => true,
                _ = rounds.tick() => false,
            };
            for town in self.0.hub.lookers().towns() {
                // Logged once per round at most: the pages say how old their readings are.
                if let Err(error) = self.round(&town, began).await {
                    tracing::debug!(%error, %town, "hosts that other processes read could not be fetched");
                }
            }
        }
    }

    async fn round(&self, town: &TownName, began: bool) -> Result<(), DbError> {
        let Some(place) = self.place(town, false).await? else { return Ok(()) };
        if began {
            place.nudge();
            for row in place.latest() {
                self.publish(town, &place, &row).await;
            }
        }
        let now = self.0.clock.now();
        let gauges = self.0.hub.gauges(town).await.flatten();
        let every_s = pace_s(true, gauges.as_ref().is_some_and(is_running));
        let (mine, has_others) = place.others(now);
        let due_s = if has_others { every_s } else { LOOK_ROUND_S };
        if !place.is_round_due(now, due_s) {
            return Ok(());
        }
        host::want(&self.0.pool, place.key, &mine, every_s, now).await?;
        for row in place.take_over(host::list(&self.0.pool, place.key).await?) {
            self.publish(town, &place, &row).await;
        }
        Ok(())
    }
}

impl Place {
    fn new(key: TownKey, demo: bool) -> Self {
        Self {
            key,
            demo,
            hosts: Mutex::default(),
            nudges: Mutex::default(),
            shown: watch::Sender::new(0),
            looked_round: Mutex::default(),
        }
    }

    /// The host's way into the store, and when it was read last by the same process. Another process has to be silent
    /// for a while before it may be taken over.
    fn recorder(
        &self,
        pool: &Pool,
        who: &Who,
        own: bool,
        now: Timestamp,
    ) -> Result<(Arc<tokio::sync::Mutex<Recorder>>, Option<Timestamp>), Reported> {
        let lost = now.plus_seconds(-LEASE_S);
        let mut hosts = locked(&self.hosts);
        match hosts.get(&who.name) {
            Some(Known { latest, recorder: Some(recorder), .. }) if latest.writer == who.writer => {
                return Ok((Arc::clone(recorder), Some(latest.at)));
            }
            Some(Known { latest, recorder: Some(_), .. }) if latest.at > lost => return Err(Reported::Taken),
            Some(_) => {}
            None if hosts.len() >= MAX_HOSTS => {
                // One that is silent makes room.
                let silent = hosts.iter().filter(|(_, known)| known.latest.at <= lost && !known.is_own);
                let oldest = silent.min_by_key(|(_, known)| known.latest.at).map(|(name, _)| name.clone());
                match oldest {
                    Some(name) => drop(hosts.remove(&name)),
                    None if own => {}
                    None => return Err(Reported::Full),
                }
            }
            None => {}
        }
        Ok((Arc::new(tokio::sync::Mutex::new(Recorder::new(pool.clone(), self.key, who.clone()))), None))
    }

    fn show(&self, latest: HostRow, recorder: Option<Arc<tokio::sync::Mutex<Recorder>>>, is_own: bool) {
        locked(&self.hosts).insert(latest.name.clone(), Known { latest, recorder, is_own });
        self.shown.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// A host that another process turned out to read is not reported here.
    fn forget(&self, who: &Who) {
        let mut hosts = locked(&self.hosts);
        if let Some(known) = hosts.get_mut(&who.name).filter(|known| known.latest.writer == who.writer) {
            known.recorder = None;
        }
    }

    /// Takes over what the store has of hosts that are not reported here. Gives what is news.
    fn take_over(&self, rows: Vec<HostRow>) -> Vec<HostRow> {
        let mut hosts = locked(&self.hosts);
        let mut news = Vec::new();
        for row in rows {
            let is_news = match hosts.get(&row.name) {
                Some(Known { latest, recorder, .. }) => {
                    latest.at < row.at && (recorder.is_none() || latest.writer != row.writer)
                }
                None => hosts.len() < MAX_HOSTS,
            };
            if is_news {
                news.push(row.clone());
                hosts.insert(row.name.clone(), Known { latest: row, recorder: None, is_own: false });
            }
        }
        news
    }

    fn latest(&self) -> Vec<HostRow> {
        let hosts = locked(&self.hosts);
        let (own, others): (Vec<&Known>, Vec<&Known>) = hosts.values().partition(|known| known.is_own);
        own.into_iter().chain(others).map(|known| known.latest.clone()).collect()
    }

    /// The samplers that report here, and whether there are other hosts that are heard.
    fn others(&self, now: Timestamp) -> (Vec<Uuid>, bool) {
        let hosts = locked(&self.hosts);
        let mine = hosts.values().filter(|known| known.recorder.is_some()).map(|known| known.latest.writer).collect();
        let lost = now.plus_seconds(-LEASE_S);
        (mine, hosts.values().any(|known| known.recorder.is_none() && known.latest.at > lost))
    }

    fn is_round_due(&self, now: Timestamp, every_s: i64) -> bool {
        let mut last = locked(&self.looked_round);
        // A timer that wakes a little early is in time.
        let is_due = last.is_none_or(|last| now.micros_since(last) >= every_s * 1_000_000 - 200_000);
        if is_due {
            *last = Some(now);
        }
        is_due
    }

    fn nudge(&self) {
        locked(&self.nudges).iter().for_each(|nudge| nudge.notify_one());
    }

    /// Has this process' samplers read anew, when they have not for a while.
    async fn refresh(&self, now: Timestamp) {
        let old = now.plus_seconds(-IDLE_EVERY_S);
        let is_old = {
            let hosts = locked(&self.hosts);
            hosts.values().any(|known| known.is_own && known.latest.at < old)
        };
        if is_old {
            let mut shown = self.shown.subscribe();
            self.nudge();
            // A page shows what there is, with its age, rather than wait for long.
            let _ = tokio::time::timeout(PATIENCE, shown.changed()).await;
        }
    }
}

/// Where a sampler of this process reports to.
pub struct DeskSink {
    desk: Desk,
    town: TownName,
    who: Who,
    own: bool,
    nudge: Arc<Notify>,
    /// The desk knows whom to nudge.
    is_known: bool,
}

#[async_trait]
impl Sink for DeskSink {
    async fn take(&mut self, sample: HostSample, weight: Duration) -> Duration {
        let idle = Duration::from_secs(HISTORY_STEP_S.unsigned_abs());
        let reported = self.desk.report(&self.town, &self.who, self.own, sample, Some(weight)).await;
        let next = match reported {
            Ok(Reported::Shown(next)) => next,
            Ok(Reported::Taken | Reported::Full) => idle,
            Err(error) => {
                tracing::debug!(%error, "a reading of this machine is not shown");
                idle
            }
        };
        if !self.is_known
            && let Ok(Some(place)) = self.desk.place(&self.town, false).await
        {
            locked(&place.nudges).push(Arc::clone(&self.nudge));
            self.is_known = true;
        }
        next
    }
    async fn nudged(&self) {
        self.nudge.notified().await;
    }
}
