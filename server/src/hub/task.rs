//! The hub's task: it owns the live state of every town and writes to every viewer.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use app::reader::TownCard;
use bytes::Bytes;
use model::event::Event;
use model::host::PerfMetrics;
use model::id::TownName;
use model::time::Timestamp;
use model::wire::{BEAT_S, Canary, PROTOCOL, ServerMessage};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until};

use super::audience::Audience;
use super::canary::Canaries;
use super::command::{Command, LoadFailed};
use super::frame;
use super::load::load;
use super::look::Lookers;
use super::reader::{self, Said, ViewerId};
use super::seeds::Seeds;
use super::shared::Shared;
use super::stats::HubStats;
use super::town::{Seed, Town};
use super::viewer::Viewer;
use crate::clock::Clock;
use crate::ingest::{Changes, Committed};

/// How often viewers are told what changed while they are few.
const TICK: Duration = Duration::from_millis(100);
/// The same for many: each frame is written to every one of them.
const TICK_FOR_MANY: Duration = Duration::from_millis(250);
/// More viewers than this are many.
const FEW_VIEWERS: usize = 500;

/// How long until the next frame.
const fn period(viewers: usize) -> Duration {
    if viewers > FEW_VIEWERS { TICK_FOR_MANY } else { TICK }
}
/// How often tanks beside the meter are read again although nobody told of them.
const TANKS_S: i64 = 60;
/// How often viewers are pinged.
const PING_S: i64 = 20;
/// Batches that may be committed while a town is being loaded; with more, the load is given up and tried again.
const MAX_HELD: usize = 4_096;

/// A town with its viewers.
struct Place {
    name: TownName,
    town: Town,
    audience: Audience,
    /// Welcome and snapshot for those who join before the next frame, and where the snapshot begins.
    greeting: Option<(Bytes, usize)>,
    last_frame: Timestamp,
    wants_load: bool,
    wants_beads: bool,
    wants_tanks: bool,
    /// What flies with the next frame.
    canary: Option<Canary>,
    /// When the tanks are read again without being asked: by what was burnt since, they last otherwise.
    next_tanks: Timestamp,
    next_load: Timestamp,
    loading: Loading,
    /// While loading somebody told that beads or tanks changed: what is being loaded may be from before.
    told_beads: bool,
    told_tanks: bool,
}

impl Place {
    const fn is_loading(&self) -> bool {
        !matches!(self.loading, Loading::No)
    }
}

#[derive(Debug, Default)]
enum Loading {
    #[default]
    No,
    /// The view of the store is not fixed yet.
    Began,
    /// What was committed since the view was fixed.
    Fixed(Vec<Changes>),
}

/// Everything the task owns.
pub struct HubTask {
    places: Vec<Place>,
    by_name: HashMap<TownName, usize>,
    next_viewer: u64,
    last_ping: Timestamp,
    clock: Clock,
    seeds: Arc<dyn Seeds>,
    committed: mpsc::WeakSender<Committed>,
    stats: Arc<HubStats>,
    commands: mpsc::WeakSender<Command>,
    build: String,
    lookers: Lookers,
    canaries: Canaries,
    store_down_since: Option<Timestamp>,
}

impl HubTask {
    /// A task that knows no town yet.
    pub fn new(
        clock: Clock,
        seeds: Arc<dyn Seeds>,
        committed: mpsc::WeakSender<Committed>,
        commands: mpsc::WeakSender<Command>,
        build: &str,
        shared: Shared,
    ) -> Self {
        let Shared { stats, lookers, canaries } = shared;
        Self {
            places: Vec::new(),
            by_name: HashMap::new(),
            next_viewer: 0,
            last_ping: clock.now(),
            clock,
            seeds,
            committed,
            stats,
            commands,
            build: build.to_owned(),
            lookers,
            canaries,
            store_down_since: None,
        }
    }

    /// Adds a town.
    pub fn add(&mut self, name: TownName, seed: Seed) -> usize {
        let now = self.clock.now();
        let index = self.places.len();
        self.by_name.insert(name.clone(), index);
        let mut town = Town::new(name.clone(), seed, 0, now);
        town.set_store_down(self.store_down_since, now);
        self.places.push(Place {
            town,
            name,
            audience: Audience::new(index, self.commands.clone()),
            greeting: None,
            last_frame: now,
            wants_load: false,
            wants_beads: false,
            wants_tanks: false,
            canary: None,
            next_tanks: now.plus_seconds(TANKS_S),
            next_load: now,
            loading: Loading::No,
            told_beads: false,
            told_tanks: false,
        });
        index
    }

    /// Runs until [`Command::Stop`].
    pub async fn run(mut self, mut committed: mpsc::Receiver<Committed>, mut commands: mpsc::Receiver<Command>) {
        let mut next_tick = Instant::now();
        loop {
            tokio::select! {
                // What was committed comes first, so that an answer shows everything acknowledged before.
                biased;
                Some(batch) = committed.recv() => self.fold(&batch),
                () = sleep_until(next_tick) => {
                    self.tick().await;
                    let viewers = self.places.iter().map(|place| place.audience.len()).sum();
                    // From now on, not from when it was due: after a stall nothing is to be caught up with.
                    next_tick = Instant::now() + period(viewers);
                }
                command = commands.recv() => match command {
                    Some(Command::Stop(done)) => {
                        self.stop();
                        // The one who asked may have given up.
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.act(command),
                    None => return,
                },
            }
        }
    }

    fn fold(&mut self, batch: &Committed) {
        let now = self.clock.now();
        let index = self.by_name.get(&batch.town).copied().unwrap_or_else(|| {
            // New here; the load completes what this batch does not say (its ledger, whether it is the demo).
            let index = self.add(batch.town.clone(), Seed::default());
            self.places[index].wants_load = true;
            index
        });
        let place = &mut self.places[index];
        place.town.fold(&batch.changes, now);
        if let Some(canary) = batch.canary {
            place.canary = Some(canary);
            place.town.touch();
        }
        place.wants_beads |= batch.changes.added.iter().any(|e| matches!(e.envelope.event, Event::Bead(_)));
        if let Loading::Fixed(held) = &mut place.loading {
            if held.len() < MAX_HELD {
                held.push(batch.changes.clone());
            } else {
                place.loading = Loading::No;
                place.wants_load = true;
            }
        }
    }

    async fn tick(&mut self) {
        let now = self.clock.now();
        let pings = now >= self.last_ping.plus_seconds(PING_S);
        if pings {
            self.last_ping = now;
        }
        for index in 0..self.places.len() {
            self.start_loads(index, now);
            let place = &mut self.places[index];
            let message = match place.town.tick(now) {
                Some(delta) => Some(ServerMessage::Delta(Box::new(delta))),
                None if now >= place.last_frame.plus_seconds(BEAT_S) => Some(ServerMessage::Beat { at: now }),
                None => None,
            };
            let Some(message) = message else { continue };
            place.greeting = None;
            place.last_frame = now;
            let canary = place.canary.take();
            if place.audience.is_empty() {
                canary.into_iter().for_each(|canary| self.canaries.forget(canary));
                continue;
            }
            HubStats::count(&self.stats.encoded);
            if let Some(bytes) = encoded(&message) {
                place.audience.send(&bytes, &self.stats, now).await;
                if let Some(canary) = canary {
                    place.audience.send_canary(canary, &self.canaries, now);
                }
            }
            if pings {
                place.audience.ping(&self.stats, now);
            } else {
                place.audience.drop_stuck(&self.stats, now);
            }
        }
    }

    fn act(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Join { town, stream, first, permit } => self.join(&town, stream, first, permit, now),
            Command::Said(ViewerId { town, id }, Said::Look(looks)) => {
                let Some(place) = self.places.get_mut(town) else { return };
                place.audience.look(id, looks.then(|| self.lookers.begin(&place.name)));
                if !looks {
                    self.canaries.left(ViewerId { town, id });
                }
            }
            Command::Host(town, metrics) => self.show_host(&town, &metrics, now),
            Command::StoreDown(since) => {
                self.store_down_since = since;
                self.places.iter_mut().for_each(|place| place.town.set_store_down(since, now));
            }
            Command::Said(viewer @ ViewerId { town, id }, said) => {
                if matches!(said, Said::Left(_)) {
                    self.canaries.left(viewer);
                }
                let (stats, build) = (&self.stats, &self.build);
                let Some(Place { town, audience, greeting, .. }) = self.places.get_mut(town) else { return };
                let snapshot = || {
                    let (bytes, start) = greeting_of(town, greeting, build, now);
                    bytes.slice(start..)
                };
                audience.hear(id, &said, snapshot, stats, now);
            }
            Command::Snapshot(town, answer) => {
                let snapshot = self.by_name.get(&town).map(|i| Box::new(self.places[*i].town.snapshot_now(now)));
                let _ = answer.send(snapshot);
            }
            Command::Gauges(town, answer) => {
                let place = self.by_name.get(&town).copied();
                let _ = answer.send(place.map(|index| self.places[index].town.gauges(now)));
            }
            Command::Fuel(town, answer) => {
                let fuel = self.place(&town).map(|place| (place.town.gauges(now), place.town.tanks().to_vec()));
                let _ = answer.send(fuel);
            }
            Command::Sums(town, answer) => {
                let place = self.by_name.get(&town).copied();
                let _ = answer.send(place.map(|index| self.places[index].town.sums(now)));
            }
            Command::Watched(town, sum_s, answer) => {
                let watched = self.place(&town).map(|place| Box::new(place.town.watched(sum_s, now)));
                let _ = answer.send(watched);
            }
            Command::Edges(town, answer) => {
                let edges = self.place(&town).map(|place| place.town.recent_edges(now));
                let _ = answer.send(edges.unwrap_or_default());
            }
            Command::Cards(answer) => {
                let card = |place: &mut Place| TownCard {
                    name: place.name.clone(),
                    demo: place.town.is_demo(),
                    gauges: place.town.gauges(now),
                    beads: place.town.beads(),
                };
                let mut cards: Vec<_> = self.places.iter_mut().map(card).collect();
                cards.sort_by(|a, b| a.name.cmp(&b.name));
                let _ = answer.send(cards);
            }
            Command::Reload(town) => {
                let known = self.by_name.get(&town).copied();
                let index = known.unwrap_or_else(|| self.add(town, Seed::default()));
                self.places[index].wants_load = true;
                self.start_loads(index, now);
            }
            Command::ReloadBeads(town) => {
                if let Some(place) = self.place(&town) {
                    place.wants_beads = true;
                    place.told_beads |= place.is_loading();
                }
            }
            Command::ReloadTanks(town) => {
                if let Some(index) = self.by_name.get(&town).copied() {
                    let place = &mut self.places[index];
                    place.wants_tanks = true;
                    place.told_tanks |= place.is_loading();
                    self.start_loads(index, now);
                }
            }
            Command::Tanks(town, tanks) => {
                if let (Some(place), Some(tanks)) = (self.place(&town), tanks) {
                    place.town.set_tanks(tanks);
                }
            }
            Command::Fixed(town, noted) => {
                if let Some(place) = self.place(&town) {
                    place.loading = Loading::Fixed(Vec::new());
                }
                let _ = noted.send(());
            }
            Command::Loaded(town, seed) => self.loaded(&town, seed, now),
            Command::Beads(town, beads) => {
                if let (Some(place), Some(beads)) = (self.place(&town), beads) {
                    place.town.set_beads(beads);
                }
            }
            Command::Alerts(town, strip, answer) => {
                let place = self.place(&town);
                let _ = answer.send(place.map(|place| place.town.set_alerts(strip)).is_some());
            }
            // Handled by the loop.
            Command::Stop(_) => {}
        }
    }

    fn show_host(&mut self, town: &TownName, metrics: &PerfMetrics, now: Timestamp) {
        let Some(index) = self.by_name.get(town).copied().filter(|_| self.lookers.of(town) > 0) else { return };
        HubStats::count(&self.stats.encoded);
        if let Some(bytes) = encoded(metrics) {
            self.places[index].audience.send_to_lookers(&bytes, &self.stats, now);
        }
    }

    fn place(&mut self, town: &TownName) -> Option<&mut Place> {
        let index = self.by_name.get(town).copied()?;
        self.places.get_mut(index)
    }

    fn join(&mut self, town: &TownName, stream: TcpStream, first: Bytes, permit: OwnedSemaphorePermit, now: Timestamp) {
        let Some(index) = self.by_name.get(town).copied() else { return };
        let Some(commands) = self.commands.upgrade() else { return };
        self.next_viewer += 1;
        let viewer = Viewer::new(self.next_viewer, stream, permit, now);
        let id = ViewerId { town: index, id: viewer.id };
        let (clock, canaries) = (self.clock.clone(), self.canaries.clone());
        tokio::spawn(reader::read(id, viewer.link(), first, commands, clock, canaries));
        let Place { town, audience, greeting, .. } = &mut self.places[index];
        let (bytes, _) = greeting_of(town, greeting, &self.build, now);
        audience.join(viewer, &bytes, &self.stats, now);
    }

    /// Starts what has to be read from the store, at most once a second per town.
    fn start_loads(&mut self, index: usize, now: Timestamp) {
        let (Some(commands), Some(committed)) = (self.commands.upgrade(), self.committed.upgrade()) else { return };
        let place = &mut self.places[index];
        if now >= place.next_tanks {
            place.next_tanks = now.plus_seconds(TANKS_S);
            place.wants_tanks |= place.town.has_tanks();
        }
        if now < place.next_load || !(place.wants_load || place.wants_beads || place.wants_tanks) {
            return;
        }
        let (seeds, town) = (Arc::clone(&self.seeds), place.name.clone());
        if place.wants_load {
            if !matches!(place.loading, Loading::No) {
                return;
            }
            (place.wants_load, place.wants_beads, place.wants_tanks) = (false, false, false);
            place.loading = Loading::Began;
            tokio::spawn(load(seeds, town, committed, commands, self.clock.clone()));
        } else if place.wants_tanks {
            place.wants_tanks = false;
            let now = self.clock.now();
            tokio::spawn(async move {
                let tanks = seeds.tanks(&town, now).await;
                if let Err(error) = &tanks {
                    tracing::warn!(%town, error = format!("{error:#}"), "could not read the tanks");
                }
                let _ = commands.send(Command::Tanks(town, tanks.ok())).await;
            });
        } else {
            place.wants_beads = false;
            tokio::spawn(async move {
                let beads = seeds.beads(&town).await;
                if let Err(error) = &beads {
                    tracing::warn!(%town, error = format!("{error:#}"), "could not count beads");
                }
                let _ = commands.send(Command::Beads(town, beads.ok())).await;
            });
        }
        place.next_load = now.plus_seconds(1);
    }

    fn loaded(&mut self, town: &TownName, seed: Result<Option<Box<Seed>>, LoadFailed>, now: Timestamp) {
        HubStats::count(&self.stats.loads);
        let (stats, build, store_down_since) = (Arc::clone(&self.stats), self.build.clone(), self.store_down_since);
        let Some(place) = self.place(town) else { return };
        let loading = std::mem::take(&mut place.loading);
        place.wants_load |= seed.is_err();
        place.wants_beads |= std::mem::take(&mut place.told_beads);
        place.wants_tanks |= std::mem::take(&mut place.told_tanks);
        let (Loading::Fixed(held), Ok(Some(seed))) = (loading, seed) else { return };
        let alerts = place.town.alerts().to_owned();
        place.town = Town::new(place.name.clone(), *seed, place.town.rev() + 1, now);
        // Not of the seed: who shows alerts does not say them again because the town was loaded.
        place.town.keep_alerts(alerts);
        place.town.set_store_down(store_down_since, now);
        for changes in &held {
            place.town.fold(changes, now);
        }
        place.greeting = None;
        place.last_frame = now;
        if !place.audience.is_empty() {
            let (bytes, start) = greeting_of(&mut place.town, &mut place.greeting, &build, now);
            place.audience.replace_all(&bytes.slice(start..), &stats, now);
        }
    }

    fn stop(&mut self) {
        let now = self.clock.now();
        for place in &mut self.places {
            place.audience.close(now);
        }
        tracing::debug!(frames = self.stats.frames.load(Ordering::Relaxed), "hub stopped");
    }
}

fn encoded(message: &impl Serialize) -> Option<Bytes> {
    frame::text(message).inspect_err(|error| tracing::error!(%error, "a frame could not be encoded")).ok()
}

/// Welcome and snapshot, encoded once for everyone who needs them before the next frame.
fn greeting_of(town: &mut Town, greeting: &mut Option<(Bytes, usize)>, build: &str, now: Timestamp) -> (Bytes, usize) {
    if let Some((bytes, start)) = greeting {
        return (bytes.clone(), *start);
    }
    let welcome = ServerMessage::Welcome { protocol: PROTOCOL, build: build.to_owned() };
    let welcome = encoded(&welcome).unwrap_or_default();
    let snapshot = encoded(&ServerMessage::Snapshot(Box::new(town.snapshot(now)))).unwrap_or_default();
    let bytes = Bytes::from([welcome.as_ref(), snapshot.as_ref()].concat());
    *greeting = Some((bytes.clone(), welcome.len()));
    (bytes, welcome.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_viewers_are_told_four_times_a_second_and_few_ten_times() {
        assert_eq!([0, 1, 500, 501, 10_000].map(|viewers| period(viewers).as_millis()), [100, 100, 100, 250, 250]);
    }
}
