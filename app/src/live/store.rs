//! What the browser knows of a town: the reducer's state behind one signal per topic. Nothing is cloned through a
//! signal: readers are told that a topic changed, and look.

use leptos::prelude::*;
use model::TownName;
use model::fuel::FuelTank;
use model::live::{Applied, Changed, LiveState};
use model::roster::AgentRow;
use model::time::Timestamp;
use model::wire::{BeadCounts, Edge, EventRow, Gauges, ServerMessage, Snapshot, TrendPoint};

use super::link::Link;

/// The live state of the town on the page, in context.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    state: StoredValue<LiveState>,
    /// Buckets that came since somebody looked: a frame may carry the previous bucket of a tier beside the current.
    arrived: StoredValue<Vec<Edge>>,
    gauges: RwSignal<u32>,
    roster: RwSignal<u32>,
    beads: RwSignal<u32>,
    events: RwSignal<u32>,
    edges: RwSignal<u32>,
    /// Counts whole snapshots: something may have been missed before each.
    snapshots: RwSignal<u32>,
    /// The newest message `perf_metrics` as it came; empty before the first one. Each page reads of it what it shows.
    pub perf: RwSignal<String>,
    /// Which town; none before the first snapshot.
    pub town: RwSignal<Option<TownName>>,
    /// Whether it is the made-up one.
    pub demo: RwSignal<bool>,
    /// How the page hears from the server.
    pub link: RwSignal<Link>,
    /// The server's clock: the snapshot's at first, ticking once the page is alive.
    pub now: RwSignal<Timestamp>,
}

/// After so long without an event a town is silent, in seconds: as a source is.
const SILENT_AFTER_S: i64 = 300;

/// Whether anything is heard of a town.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quiet {
    /// Something happened lately.
    No,
    /// Nothing happened for so many seconds.
    For(i64),
    /// Nothing ever happened.
    Never,
}

/// Buckets kept for a reader: several frames of every tier. Charts read everything again now and then anyway.
const EDGES_KEPT: usize = 64;

fn bump(revision: RwSignal<u32>, changed: bool) {
    if changed {
        revision.update(|n| *n = n.wrapping_add(1));
    }
}

impl Live {
    /// Knows nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            state: StoredValue::new(LiveState::default()),
            arrived: StoredValue::new(Vec::new()),
            gauges: RwSignal::new(0),
            roster: RwSignal::new(0),
            beads: RwSignal::new(0),
            events: RwSignal::new(0),
            edges: RwSignal::new(0),
            snapshots: RwSignal::new(0),
            perf: RwSignal::new(String::new()),
            town: RwSignal::new(None),
            demo: RwSignal::new(false),
            link: RwSignal::new(Link::default()),
            now: RwSignal::new(Timestamp::default()),
        }
    }

    /// Takes over the snapshot that the page came with, unless the socket was quicker.
    pub(crate) fn seed(self, snapshot: Snapshot) {
        let known = self.state.with_value(|s| s.town.as_ref().is_some_and(|t| t.town == snapshot.town));
        if !known {
            self.now.set(snapshot.gauges.at);
            self.state.set_value(LiveState::default());
            self.apply(ServerMessage::Snapshot(Box::new(snapshot)));
        }
    }

    /// Applies one frame and tells the readers of what changed.
    pub(crate) fn apply(self, message: ServerMessage) -> Applied {
        let whole = matches!(message, ServerMessage::Snapshot(_));
        self.arrived.update_value(|arrived| {
            match &message {
                ServerMessage::Snapshot(snapshot) => arrived.extend(&snapshot.edges),
                ServerMessage::Delta(delta) => arrived.extend(&delta.edges),
                ServerMessage::Welcome { .. } | ServerMessage::Beat { .. } => {}
            }
            let surplus = arrived.len().saturating_sub(EDGES_KEPT);
            arrived.drain(..surplus);
        });
        let Some(applied) = self.state.try_update_value(|state| state.apply(message)) else {
            return Applied::Changed(Changed::default());
        };
        if let Applied::Changed(changed) = applied {
            if whole {
                let named = self.state.with_value(|s| s.town.as_ref().map(|t| (t.town.clone(), t.demo)));
                if let Some((town, demo)) = named {
                    if self.town.with_untracked(|known| known.as_ref() != Some(&town)) {
                        self.town.set(Some(town));
                    }
                    self.demo.set(demo);
                }
            }
            bump(self.gauges, changed.gauges);
            bump(self.roster, changed.roster);
            bump(self.beads, changed.beads);
            bump(self.events, changed.events);
            bump(self.edges, changed.edges);
            bump(self.snapshots, whole);
        }
        applied
    }

    /// The server's clock at the newest frame. Not tracked.
    pub(crate) fn heard(self) -> Option<Timestamp> {
        self.state.with_value(|s| s.heard)
    }

    /// For how many seconds the server has been without its database; none when it has it. Not tracked.
    pub(crate) fn store_down_s(self) -> Option<i64> {
        let since = self.look(|town| town.gauges.store_down_since)??;
        Some(self.now.get_untracked().micros_since(since) / 1_000_000)
    }

    fn look<T>(self, read: impl FnOnce(&Snapshot) -> T) -> Option<T> {
        self.state.with_value(|s| s.town.as_deref().map(read))
    }

    /// The dials. Tracked.
    pub(crate) fn gauges(self) -> Option<Gauges> {
        self.gauges.track();
        self.look(|t| t.gauges)
    }
    /// Dials and the tanks beside the meter together. Tracked.
    pub(crate) fn with_tanks<T>(self, read: impl FnOnce(&Gauges, &[FuelTank]) -> T) -> Option<T> {
        self.gauges.track();
        self.look(|t| read(&t.gauges, &t.tanks))
    }
    /// Dials and trend together. Tracked.
    pub(crate) fn with_trend<T>(self, read: impl FnOnce(&Gauges, &[TrendPoint]) -> T) -> Option<T> {
        self.gauges.track();
        self.look(|t| read(&t.gauges, &t.trend))
    }
    /// The roster. Tracked.
    pub(crate) fn with_roster<T>(self, read: impl FnOnce(&[AgentRow]) -> T) -> Option<T> {
        self.roster.track();
        self.look(|t| read(&t.roster))
    }
    /// The bead counts. Tracked.
    pub(crate) fn beads(self) -> BeadCounts {
        self.beads.track();
        self.look(|t| t.beads).unwrap_or_default()
    }
    /// The strip of alerts. Tracked with the dials: every frame moves these.
    pub(crate) fn with_alerts<T>(self, read: impl FnOnce(&str) -> T) -> T {
        self.gauges.track();
        self.state.with_value(|s| read(s.town.as_deref().map_or("", |t| &t.alerts)))
    }
    /// The newest `most` events, newest first. Tracked.
    pub(crate) fn newest_events(self, most: usize) -> Vec<EventRow> {
        self.events.track();
        self.look(|t| t.events.iter().take(most).cloned().collect()).unwrap_or_default()
    }
    /// Events that the server left out for speed since the page was opened. Tracked.
    pub(crate) fn skipped(self) -> u64 {
        self.events.track();
        self.state.with_value(|s| s.skipped)
    }
    /// Takes the buckets that came since the last call, oldest first. Tracked.
    pub(crate) fn take_edges(self) -> Vec<Edge> {
        self.edges.track();
        self.arrived.try_update_value(std::mem::take).unwrap_or_default()
    }
    /// Whether anything is heard of the town, by its newest event and whom it saw last. Tracked.
    pub(crate) fn quiet(self) -> Quiet {
        self.events.track();
        self.roster.track();
        let newest = self.look(|t| {
            let (events, agents) =
                (t.events.iter().map(|event| event.at), t.roster.iter().map(|agent| agent.last_seen));
            events.chain(agents).max()
        });
        match newest.flatten() {
            None => Quiet::Never,
            Some(at) => match self.now.get().micros_since(at) / 1_000_000 {
                ..SILENT_AFTER_S => Quiet::No,
                seconds => Quiet::For(seconds),
            },
        }
    }
    /// Tracks whole snapshots and says how many there were: after the first, each may stand for something missed.
    pub(crate) fn snapshots(self) -> u32 {
        self.snapshots.get()
    }
    /// The server's build, once the socket said it. Tracked with the snapshots.
    pub(crate) fn build(self) -> Option<String> {
        self.snapshots.track();
        self.state.with_value(|s| s.build.clone())
    }
}
