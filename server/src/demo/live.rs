//! The made-up town's life while the server runs: its events are sent when their time has come.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use model::demo::{Demo, LONGEST_REQUEST_MIN, requests};
use model::event::Envelope;
use model::id::TownName;
use model::time::TimeRange;
use tokio_util::sync::CancellationToken;

use super::fill::{self, FillSpec};
use super::{SEED, live_rhythm, past_rhythm};
use crate::clock::Clock;
use crate::db::{self, Pool};
use crate::host::{Desk, made_up};
use crate::ingest::Intake;

/// History of a town that is opened from the page: enough for every window, made in seconds.
const OPENED_DAYS: i64 = 8;
/// How often due events are sent.
const TICK: Duration = Duration::from_millis(250);
/// Beads that may have changed began at most this many minutes ago.
const SHIFTS_MIN: i64 = 24 * 60;
/// Below this share of the capacity the made-up tank is filled again.
const REFILL_BELOW: f64 = 0.06;

/// Keeps made-up towns going, each once.
#[derive(Clone)]
pub struct Keeper {
    pool: Pool,
    intake: Intake,
    clock: Clock,
    desk: Desk,
    stop: CancellationToken,
    going: Arc<Mutex<HashSet<TownName>>>,
}

impl Keeper {
    /// A keeper without towns; every task it starts ends with `stop`.
    #[must_use]
    pub fn new(pool: Pool, intake: Intake, clock: Clock, desk: Desk, stop: CancellationToken) -> Self {
        Self { pool, intake, clock, desk, stop, going: Arc::default() }
    }

    /// Continues every made-up town of the database: fills in what it missed, and lives on.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn continue_all(&self) -> anyhow::Result<()> {
        for town in db::town::list(&self.pool).await?.into_iter().filter(|town| town.demo) {
            self.spawn(town.name);
        }
        Ok(())
    }

    /// Opens the made-up town `name`: gives it a past if it has none, and keeps it going. Opening twice changes
    /// nothing.
    ///
    /// # Errors
    /// When a real town has this name, or the store refuses.
    pub async fn open(&self, name: &TownName) -> anyhow::Result<()> {
        let town = db::town::find(&self.pool, name).await?;
        anyhow::ensure!(town.is_none_or(|town| town.demo), "the town \"{name}\" exists and is not a demo");
        if !self.is_going(name) {
            tokio::select! {
                filled = self.fill_gap(name) => filled?,
                () = self.stop.cancelled() => anyhow::bail!("the server is stopping"),
            }
            self.spawn(name.clone());
        }
        Ok(())
    }

    fn is_going(&self, town: &TownName) -> bool {
        self.going.lock().unwrap_or_else(PoisonError::into_inner).contains(town)
    }

    fn spawn(&self, town: TownName) {
        if !self.going.lock().unwrap_or_else(PoisonError::into_inner).insert(town.clone()) {
            return;
        }
        let keeper = self.clone();
        tokio::spawn(async move {
            let stop = keeper.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                result = keeper.live(&town) => if let Err(error) = result {
                    tracing::error!(%town, error = format!("{error:#}"), "the made-up town stands still");
                }
            }
            keeper.going.lock().unwrap_or_else(PoisonError::into_inner).remove(&town);
        });
    }

    /// Writes from the town's last event (or some days ago) to the present minute.
    async fn fill_gap(&self, town: &TownName) -> anyhow::Result<()> {
        let now = self.clock.now().floor_to(60);
        let earliest = now.plus_seconds(-OPENED_DAYS * 24 * 3_600);
        let key = db::town::ensure(&self.pool, town, true).await?;
        let newest = db::town::newest_event(&self.pool, key).await?;
        let from = newest.map_or(earliest, |at| at.floor_to(60).max(earliest));
        let Ok(range) = TimeRange::new(from, now) else { return Ok(()) };
        let spec =
            FillSpec { town: town.clone(), seed: SEED, range, rhythm: past_rhythm(), fill_tank: newest.is_none() };
        let report = fill::fill(&self.pool, &self.intake, &spec, |_| {}).await.context("writing the made-up past")?;
        tracing::info!(%town, stored = report.stored, seconds = report.seconds, "made-up past written");
        Ok(())
    }

    async fn live(&self, town: &TownName) -> anyhow::Result<()> {
        self.fill_gap(town).await?;
        let key = db::town::ensure(&self.pool, town, true).await?;
        made_up::fill_past(&self.pool, key, SEED, self.clock.now()).await.context("the machines' past")?;
        made_up::live(&self.desk, town, SEED, &self.clock, &self.stop);
        let demo = Demo::new(SEED, live_rhythm());
        let mut due: Vec<Envelope> = Vec::new();
        let mut lived_to = self.clock.now().seconds() / 60;
        let mut made_to = lived_to;
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.clock.now();
            // After a long sleep of the machine only the newest hour is made up for.
            made_to = made_to.max(now.seconds() / 60 - 60);
            lived_to = lived_to.max(now.seconds() / 60 - 60);
            while lived_to <= now.seconds() / 60 {
                self.each_minute(town, &demo, lived_to).await?;
                lived_to += 1;
            }
            // What a request asks for is made before its start is due.
            while made_to <= now.seconds() / 60 + LONGEST_REQUEST_MIN {
                let first = due.len();
                demo.minute(made_to, &mut due);
                let asked = requests(due.get(first..).unwrap_or_default());
                due.extend(asked);
                due.sort_by_key(|event| (event.at, event.key));
                made_to += 1;
            }
            let ready = due.partition_point(|event| event.at <= now);
            if ready > 0 {
                let events = due.drain(..ready).collect();
                self.intake.submit_waiting(town, events).await.context("storing made-up events")?;
            }
        }
    }

    /// A made-up owner fills the tank before it is empty, and the beads follow their shifts.
    async fn each_minute(&self, town: &TownName, demo: &Demo, minute: i64) -> anyhow::Result<()> {
        let key = db::town::ensure(&self.pool, town, true).await?;
        let now = self.clock.now();
        fill::write_beads(&self.pool, key, demo, (minute - SHIFTS_MIN, minute + 1), now).await?;
        let mut link = self.pool.acquire().await?;
        let tank = db::live_seed::tank(&mut link, key, None).await?;
        drop(link);
        let Some(tank) = tank.map(|tank| tank.gauge()) else { return Ok(()) };
        if tank.level() < REFILL_BELOW {
            fill::topup(&self.pool, (key, town), now, tank.capacity - tank.balance).await?;
        }
        Ok(())
    }
}
