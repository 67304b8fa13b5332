//! The live state of one town. Pure: the clock is passed in, and nothing here does IO.

use std::collections::VecDeque;

use model::event::PricedEvent;
use model::fuel::FuelTank;
use model::id::TownName;
use model::rate::{RATE_WINDOW_S, RING_S, RateRing};
use model::roster::AgentRow;
use model::tank::{PACE_WINDOW_S, Pace};
use model::time::Timestamp;
use model::wire::{BeadCounts, Delta, Edge, EventRow, Flow, Gauges, Snapshot, TREND_POINTS, TREND_STEP_S, TrendPoint};
use model::{Aggregate, Nanodollars};

use super::edges::{Bucket, Edges};
use super::news::{News, Told};
use super::roster::Roster;
use super::tank::Tank;
use crate::ingest::Changes;

/// What the database knows of a town at one instant.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    /// Whether it is the made-up town.
    pub demo: bool,
    /// Time of the first event.
    pub first_event: Option<Timestamp>,
    /// The tank, when the town has a ledger.
    pub tank: Option<Tank>,
    /// Tanks beside the meter, by name.
    pub tanks: Vec<FuelTank>,
    /// Agents that are still around.
    pub roster: Vec<AgentRow>,
    /// Beads by state.
    pub beads: BeadCounts,
    /// Newest events, newest first.
    pub events: Vec<EventRow>,
    /// Sums per second of the last [`RING_S`] seconds.
    pub seconds: Vec<(Timestamp, Aggregate)>,
    /// The finest buckets since [`Edges::oldest`].
    pub buckets: Vec<(Timestamp, Bucket)>,
    /// Agents at work per minute, for the trend: beginning of the minute, and how many.
    pub working: Vec<(Timestamp, u32)>,
}

/// The sums of a town's last minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveSums {
    /// When they were read.
    pub at: Timestamp,
    /// Whether it is the made-up town.
    pub demo: bool,
    /// The last 60 seconds.
    pub minute: Aggregate,
    /// The last [`PACE_WINDOW_S`] seconds.
    pub five_minutes: Aggregate,
    /// Spending over these, or since the first event when that is later.
    pub pace: Pace,
    /// Time of the first event ever.
    pub first_event: Option<Timestamp>,
    /// Agents at work.
    pub working: u32,
    /// Everyone on the roster.
    pub roster: Vec<AgentRow>,
}

/// What is watched of a town for alerts.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The dials.
    pub gauges: Gauges,
    /// Sums of the last seconds, as many as were asked for.
    pub sum: Aggregate,
    /// Tanks beside the meter.
    pub tanks: Vec<FuelTank>,
    /// Everyone on the roster.
    pub roster: Vec<AgentRow>,
    /// Beads by state.
    pub beads: BeadCounts,
}

/// The live state of one town.
#[derive(Debug, Clone)]
pub struct Town {
    name: TownName,
    demo: bool,
    rev: u64,
    ring: RateRing,
    first_event: Option<Timestamp>,
    tank: Option<Tank>,
    tanks: Vec<FuelTank>,
    tanks_changed: bool,
    roster: Roster,
    beads: BeadCounts,
    beads_changed: bool,
    /// The strip of alerts.
    alerts: String,
    alerts_changed: bool,
    edges: Edges,
    trend: VecDeque<TrendPoint>,
    /// End of the newest trend point that viewers have.
    trend_shown_s: i64,
    news: News,
    dirty: bool,
    shown: Option<Gauges>,
    aged_s: i64,
    /// The dials as they were when the store was lost, and since when it is; none while it is there.
    held: Option<Gauges>,
}

impl Town {
    /// A town as the database has it at `now`. `rev` goes on from the state that this one replaces.
    #[must_use]
    pub fn new(name: TownName, seed: Seed, rev: u64, now: Timestamp) -> Self {
        let mut ring = RateRing::new(now);
        for (at, sum) in &seed.seconds {
            ring.add(*at, sum);
        }
        let mut edges = Edges::new(now);
        for (from, bucket) in &seed.buckets {
            edges.add_bucket(*from, bucket, now);
        }
        let trend_end_s = now.floor_to(TREND_STEP_S).seconds();
        let mut town = Self {
            name,
            demo: seed.demo,
            rev,
            ring,
            first_event: seed.first_event,
            tank: seed.tank,
            tanks: seed.tanks,
            tanks_changed: false,
            roster: Roster::new(seed.roster, now),
            beads: seed.beads,
            beads_changed: false,
            alerts: String::new(),
            alerts_changed: false,
            edges,
            trend: VecDeque::with_capacity(TREND_POINTS),
            trend_shown_s: trend_end_s,
            news: News::new(seed.events),
            dirty: false,
            shown: None,
            aged_s: now.seconds(),
            held: None,
        };
        // The ring remembers five minutes: enough for every point but the oldest.
        let first_s = trend_end_s - RING_S + TREND_STEP_S * 2;
        for end_s in (first_s..=trend_end_s).step_by(usize::try_from(TREND_STEP_S).unwrap_or(5)) {
            let minute = Timestamp::from_seconds(end_s - 1).floor_to(60);
            let working = seed.working.iter().find(|(from, _)| *from == minute).map_or(0, |(_, n)| *n);
            town.trend.push_back(town.trend_point(end_s, working));
        }
        town.shown = Some(town.gauges(now));
        town
    }

    /// Takes over what was committed.
    pub fn fold(&mut self, changes: &Changes, now: Timestamp) {
        self.ring.advance(now);
        for priced in &changes.removed {
            let sum = Aggregate::of(priced);
            self.ring.subtract(priced.envelope.at, &sum);
            self.edges.fold(priced, &sum, true, now);
            self.draw(priced, -sum.cost);
        }
        for priced in &changes.added {
            let sum = Aggregate::of(priced);
            let at = priced.envelope.at;
            self.ring.add(at, &sum);
            self.edges.fold(priced, &sum, false, now);
            self.draw(priced, sum.cost);
            self.roster.fold(priced, now);
            self.first_event = Some(self.first_event.map_or(at, |first| first.min(at)));
        }
        self.news.fold(changes);
        self.dirty |= !(changes.added.is_empty() && changes.removed.is_empty());
    }

    /// Replaces the bead counts.
    pub fn set_beads(&mut self, beads: BeadCounts) {
        if self.beads != beads {
            self.beads = beads;
            self.beads_changed = true;
            self.dirty = true;
        }
    }

    /// Replaces the tanks beside the meter.
    pub fn set_tanks(&mut self, tanks: Vec<FuelTank>) {
        if self.tanks != tanks {
            self.tanks = tanks;
            self.tanks_changed = true;
            self.dirty = true;
        }
    }

    /// Replaces the strip of alerts.
    pub fn set_alerts(&mut self, alerts: String) {
        if self.alerts != alerts {
            self.alerts = alerts;
            self.alerts_changed = true;
            self.dirty = true;
        }
    }

    /// Takes the strip over from the state that this one replaces, which is no news.
    pub fn keep_alerts(&mut self, alerts: String) {
        self.alerts = alerts;
    }

    /// Notes since when the store has not answered; none when it does. Meanwhile nothing can be stored, so the dials
    /// hold: falling to zero they would say that nobody works.
    pub fn set_store_down(&mut self, since: Option<Timestamp>, now: Timestamp) {
        if self.held.and_then(|held| held.store_down_since) != since {
            let gauges = self.held.unwrap_or_else(|| self.gauges(now));
            self.held = since.map(|_| Gauges { store_down_since: since, ..gauges });
            self.dirty = true;
        }
    }

    fn draw(&mut self, priced: &PricedEvent, cost: Nanodollars) {
        if let Some(tank) = &mut self.tank {
            tank.draw(priced.envelope.at, cost);
        }
    }

    /// The dials at `now`.
    #[must_use]
    pub fn gauges(&mut self, now: Timestamp) -> Gauges {
        if let Some(held) = self.held {
            return Gauges { at: now, ..held };
        }
        self.ring.advance(now);
        let minute = self.ring.last(RATE_WINDOW_S);
        let (working, known) = self.roster.counts(now);
        let over_s = self.first_event.map_or(0, |first| now.seconds() - first.seconds()).clamp(0, PACE_WINDOW_S);
        Gauges {
            at: now,
            flow: self.first_event.map(|_| Flow {
                tokens: minute.total_tokens(),
                lines: minute.lines(),
                cost: minute.cost,
                unpriced_tokens: minute.unpriced_tokens,
            }),
            working,
            known,
            tank: self.tank.as_ref().map(Tank::gauge),
            pace: Pace {
                spent: self.ring.last(PACE_WINDOW_S).cost,
                over_s: over_s.max(i64::from(self.first_event.is_some())),
            },
            store_down_since: None,
        }
    }

    /// The sums of the last minutes at `now`.
    #[must_use]
    pub fn sums(&mut self, now: Timestamp) -> LiveSums {
        let gauges = self.gauges(now);
        LiveSums {
            at: now,
            demo: self.demo,
            minute: self.ring.last(RATE_WINDOW_S),
            five_minutes: self.ring.last(PACE_WINDOW_S),
            pace: gauges.pace,
            first_event: self.first_event,
            working: gauges.working,
            roster: self.roster.rows(now),
        }
    }

    fn trend_point(&self, end_s: i64, working: u32) -> TrendPoint {
        // RateRing::between excludes its first second and includes its last one.
        let sum = self.ring.between(end_s - TREND_STEP_S - 1, end_s - 1);
        TrendPoint { end_s, tokens: sum.total_tokens(), lines: sum.lines(), cost: sum.cost, working }
    }

    /// Completes the points of the trend whose span is over.
    fn complete_trend(&mut self, now: Timestamp, working: u32) {
        let due_s = now.floor_to(TREND_STEP_S).seconds();
        let mut end_s = self.trend.back().map_or(due_s, |point| point.end_s + TREND_STEP_S).max(due_s - RING_S);
        while end_s <= due_s {
            let point = self.trend_point(end_s, working);
            self.trend.push_back(point);
            if self.trend.len() > TREND_POINTS {
                self.trend.pop_front();
            }
            end_s += TREND_STEP_S;
        }
    }

    /// Has the next tick make a frame even if nothing changed, for what travels with it.
    pub const fn touch(&mut self) {
        self.dirty = true;
    }

    /// What viewers have to be told at `now`; none when nothing moved.
    pub fn tick(&mut self, now: Timestamp) -> Option<Delta> {
        if !self.dirty && (now.seconds() == self.aged_s || self.held.is_some()) {
            return None;
        }
        self.aged_s = now.seconds();
        if self.held.is_none() {
            self.roster.age(now);
        }
        let gauges = self.gauges(now);
        if self.held.is_none() {
            self.complete_trend(now, gauges.working);
        }
        let news = self.dirty
            || self.roster.is_changed()
            || self.edges.rolled_over(now)
            || self.shown.as_ref().is_none_or(|shown| moved(shown, &gauges))
            || self.trend.back().is_some_and(|point| point.end_s > self.trend_shown_s);
        if !news {
            return None;
        }
        self.dirty = false;
        self.rev += 1;
        self.shown = Some(gauges);
        let Told { events, gone, skipped } = self.news.take();
        let trend = self.trend.iter().filter(|p| p.end_s > self.trend_shown_s).copied().collect();
        self.trend_shown_s = self.trend.back().map_or(self.trend_shown_s, |point| point.end_s);
        Some(Delta {
            rev: self.rev,
            gauges,
            trend,
            roster: self.roster.take(),
            beads: std::mem::take(&mut self.beads_changed).then_some(self.beads),
            tanks: std::mem::take(&mut self.tanks_changed).then(|| self.tanks.clone()),
            events,
            gone,
            skipped,
            edges: self.edges.take(now),
            alerts: std::mem::take(&mut self.alerts_changed).then(|| self.alerts.clone()),
        })
    }

    /// The whole state as of the last frame; the next [`Town::tick`] applies to it without loss or repetition.
    #[must_use]
    pub fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        let gauges = self.gauges(now);
        Snapshot {
            town: self.name.clone(),
            demo: self.demo,
            rev: self.rev,
            gauges,
            trend: self.trend.iter().filter(|p| p.end_s <= self.trend_shown_s).copied().collect(),
            roster: self.roster.rows(now),
            beads: self.beads,
            tanks: self.tanks.clone(),
            events: self.news.shown(),
            edges: self.edges.current(now),
            alerts: self.alerts.clone(),
        }
    }

    /// The whole state with everything that was committed: for pages and the API.
    #[must_use]
    pub fn snapshot_now(&mut self, now: Timestamp) -> Snapshot {
        Snapshot { events: self.news.all(), ..self.snapshot(now) }
    }

    /// The previous and the newest bucket of each tier.
    #[must_use]
    pub fn recent_edges(&self, now: Timestamp) -> Vec<Edge> {
        self.edges.recent(now)
    }
    /// Number of the last frame.
    #[must_use]
    pub const fn rev(&self) -> u64 {
        self.rev
    }
    /// Beads by state.
    #[must_use]
    pub const fn beads(&self) -> BeadCounts {
        self.beads
    }
    /// The tanks beside the meter.
    #[must_use]
    pub fn tanks(&self) -> &[FuelTank] {
        &self.tanks
    }

    /// The strip of alerts.
    #[must_use]
    pub fn alerts(&self) -> &str {
        &self.alerts
    }

    /// What is watched for alerts, with the sums of the last `sum_s` seconds (at most [`RING_S`]).
    #[must_use]
    pub fn watched(&mut self, sum_s: i64, now: Timestamp) -> Watched {
        Watched {
            gauges: self.gauges(now),
            sum: self.ring.last(sum_s),
            tanks: self.tanks.clone(),
            roster: self.roster.rows(now),
            beads: self.beads,
        }
    }

    /// Whether there are tanks beside the meter.
    #[must_use]
    pub const fn has_tanks(&self) -> bool {
        !self.tanks.is_empty()
    }
    /// Whether it is the made-up town.
    #[must_use]
    pub const fn is_demo(&self) -> bool {
        self.demo
    }
}

/// Whether a dial moved. The clock itself does not count, nor does the pace's span while nothing is spent.
fn moved(shown: &Gauges, now: &Gauges) -> bool {
    let key = |g: &Gauges| (g.flow, g.working, g.known, g.tank, g.pace.spent);
    key(shown) != key(now)
}

#[cfg(test)]
mod tests;
