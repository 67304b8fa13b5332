//! The way to the hub's task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::reader::TownCard;
use bytes::Bytes;
use model::fuel::FuelTank;
use model::host::PerfMetrics;
use model::id::TownName;
use model::time::Timestamp;
use model::wire::{Edge, Gauges, Snapshot};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::canary::Canaries;
use super::command::Command;
use super::look::Lookers;
use super::seeds::Seeds;
use super::shared::Shared;
use super::stats::HubStats;
use super::task::HubTask;
use super::town::{LiveSums, Watched};
use crate::clock::Clock;
use crate::ingest::Committed;

/// Committed batches that may wait for the hub; then writers wait.
const COMMITTED_WAITING: usize = 256;
/// Requests that may wait for the hub.
const COMMANDS_WAITING: usize = 1_024;

/// What the hub has to be told at the start.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// Viewers at most, over all towns.
    pub max_viewers: usize,
    /// Version of this build, for [`model::wire::ServerMessage::Welcome`].
    pub build: String,
}

/// A handle to the hub; clones are the same hub.
#[derive(Clone)]
pub struct Hub {
    commands: mpsc::Sender<Command>,
    places: Arc<Semaphore>,
    max_viewers: usize,
    shared: Shared,
    reloads: Arc<AtomicU64>,
}

impl Hub {
    /// Loads every town and starts the task. Committed changes go into the returned channel: a writer takes its place
    /// there *before* it commits, so that a town can be loaded again without losing or repeating any change.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn start(
        settings: HubSettings,
        clock: Clock,
        seeds: Arc<dyn Seeds>,
    ) -> anyhow::Result<(Self, mpsc::Sender<Committed>, JoinHandle<()>)> {
        let (commands, receiver) = mpsc::channel(COMMANDS_WAITING);
        let (committed, batches) = mpsc::channel(COMMITTED_WAITING);
        let hub = Self {
            commands,
            places: Arc::new(Semaphore::new(settings.max_viewers)),
            max_viewers: settings.max_viewers,
            shared: Shared::default(),
            reloads: Arc::default(),
        };
        let mut task = HubTask::new(
            clock.clone(),
            Arc::clone(&seeds),
            committed.downgrade(),
            hub.commands.downgrade(),
            &settings.build,
            hub.shared.clone(),
        );
        for town in seeds.towns().await? {
            if let Some(seed) = seeds.view().await?.read(&town, clock.now()).await? {
                task.add(town, seed);
            }
        }
        let task = tokio::spawn(task.run(batches, receiver));
        Ok((hub, committed, task))
    }

    /// The live state of a town; none when there is no such town, or the hub has stopped.
    pub async fn snapshot(&self, town: &TownName) -> Option<Box<Snapshot>> {
        self.ask(|answer| Command::Snapshot(town.clone(), answer)).await.flatten()
    }

    /// The dials of a town: `None` when the hub has stopped, `Some(None)` when there is no such town.
    pub async fn gauges(&self, town: &TownName) -> Option<Option<Gauges>> {
        self.ask(|answer| Command::Gauges(town.clone(), answer)).await
    }

    /// The dials of a town with the tanks beside its meter: as [`Hub::gauges`].
    pub async fn fuel(&self, town: &TownName) -> Option<Option<(Gauges, Vec<FuelTank>)>> {
        self.ask(|answer| Command::Fuel(town.clone(), answer)).await
    }

    /// The sums of a town's last minutes: `None` when the hub has stopped, `Some(None)` when there is no such town.
    pub async fn sums(&self, town: &TownName) -> Option<Option<LiveSums>> {
        self.ask(|answer| Command::Sums(town.clone(), answer)).await
    }

    /// What is watched of a town for alerts, with the sums of the last `sum_s` seconds; none when there is no such town, or
    /// the hub has stopped.
    pub async fn watched(&self, town: &TownName, sum_s: i64) -> Option<Box<Watched>> {
        self.ask(|answer| Command::Watched(town.clone(), sum_s, answer)).await.flatten()
    }

    /// The previous and the newest bucket of each tier of a town; none for an unknown one.
    pub async fn edges(&self, town: &TownName) -> Vec<Edge> {
        self.ask(|answer| Command::Edges(town.clone(), answer)).await.unwrap_or_default()
    }

    /// Every town, by name; none when the hub has stopped.
    pub async fn cards(&self) -> Option<Vec<TownCard>> {
        self.ask(Command::Cards).await
    }

    /// A place for one more viewer; none when all are taken.
    #[must_use]
    pub fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Hands over a viewer's socket after the handshake.
    pub async fn join(&self, town: TownName, stream: TcpStream, first: Bytes, permit: OwnedSemaphorePermit) {
        // A hub that has stopped drops the socket, which is what the viewer should see.
        let _ = self.commands.send(Command::Join { town, stream, first, permit }).await;
    }

    /// Loads a town again because somebody else changed it in the store.
    pub async fn reload(&self, town: TownName) {
        // At once, and not when the town is loaded: who asks meanwhile must not be shown what was read before.
        self.reloads.fetch_add(1, Ordering::AcqRel);
        let _ = self.commands.send(Command::Reload(town)).await;
    }

    /// Grows whenever a ledger, a capacity or a whole town changed in the store: what was read of them under another
    /// number may be out of date.
    #[must_use]
    pub fn ledger_revision(&self) -> u64 {
        self.reloads.load(Ordering::Acquire)
    }

    /// Counts a town's beads again.
    pub async fn reload_beads(&self, town: TownName) {
        let _ = self.commands.send(Command::ReloadBeads(town)).await;
    }

    /// Reads a town's tanks beside the meter again.
    pub async fn reload_tanks(&self, town: TownName) {
        let _ = self.commands.send(Command::ReloadTanks(town)).await;
    }

    /// Shows the strip of alerts on every page of a town: encoded once for all who look. `false` when this town is not
    /// known yet, or the hub has stopped.
    pub async fn show_alerts(&self, town: TownName, strip: String) -> bool {
        self.ask(|answer| Command::Alerts(town, strip, answer)).await.unwrap_or_default()
    }

    /// Tells those who look what a host of the town uses: encoded once, and not at all when nobody looks.
    pub async fn show_host(&self, town: TownName, metrics: PerfMetrics) {
        let _ = self.commands.send(Command::Host(town, Box::new(metrics))).await;
    }

    /// Tells every viewer since when the store does not answer; none when it does again.
    pub async fn show_store(&self, down_since: Option<Timestamp>) {
        let _ = self.commands.send(Command::StoreDown(down_since)).await;
    }

    /// Who looks at the hosts of which town.
    #[must_use]
    pub const fn lookers(&self) -> &Lookers {
        &self.shared.lookers
    }

    /// What shows how long the way of events is.
    #[must_use]
    pub const fn canaries(&self) -> &Canaries {
        &self.shared.canaries
    }

    /// Says goodbye to every viewer and ends the task.
    pub async fn stop(&self) {
        let _ = self.ask(Command::Stop).await;
    }

    /// Viewers connected now.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.max_viewers - self.places.available_permits()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> &HubStats {
        &self.shared.stats
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).await.ok()?;
        answered.await.ok()
    }
}
