//! Looks which state everything is in, and claims the steps. One look serves the strip of alerts and the webhooks.

use std::collections::HashMap;
use std::sync::Arc;

use model::alert::{AlertKind, AlertLimits, AlertState, Holds, Step};
use model::roster::WORKING_HOLD_S;
use model::time::Timestamp;
use model::wire::Gauges;
use serde_json::{Value, json};
use uuid::Uuid;

use super::reading::{Look, Reading};
use super::{Body, Hooks};
use crate::clock::Clock;
use crate::db::alert::{self, Claim, Episode, Starts};
use crate::db::town::{self, TownRow};
use crate::db::{Pool, TownKey};
use crate::hub::Hub;

/// For how long others believe that this server looks, at least: two looks, and a little more.
const LEAST_WATCH_S: i64 = 12;
/// How often the words of an alert follow its figures.
const SAY_S: i64 = 60;
/// Snoozes are forgotten this long after they ended: no server's clock is that far behind.
const SNOOZE_KEPT_S: i64 = 24 * 3_600;

/// Looks at everything again and again.
pub struct Watcher {
    pool: Pool,
    hub: Hub,
    clock: Clock,
    hooks: Arc<Hooks>,
    limits: AlertLimits,
    /// By which the database knows who watches.
    holder: Uuid,
    towns: HashMap<TownKey, Memory>,
}

/// What is remembered of a town between looks. In memory only: after a restart an alert is noticed later, not twice.
#[derive(Default)]
struct Memory {
    holds: Holds,
    /// Since when other sources than this one have told of work, without a pause.
    working_since: HashMap<String, Timestamp>,
    /// When the words of an episode were written.
    said: HashMap<Uuid, Timestamp>,
}

/// What the database knows of one town.
#[derive(Default)]
struct Known {
    episodes: Vec<Episode>,
    /// Subjects with the worst state that is snoozed.
    snoozes: HashMap<String, u8>,
    heard: Vec<(String, Timestamp)>,
    starts: Vec<Starts>,
}

impl Watcher {
    /// Looks at the towns of `hub`.
    #[must_use]
    pub fn new(pool: Pool, hub: Hub, clock: Clock, hooks: Arc<Hooks>, limits: AlertLimits) -> Self {
        Self { pool, hub, clock, hooks, limits, holder: Uuid::now_v7(), towns: HashMap::new() }
    }

    /// Looks once, unless another server does.
    ///
    /// # Errors
    /// The store does not answer; what was not claimed is found again at the next look.
    pub async fn look(&mut self) -> anyhow::Result<()> {
        let for_s = (i64::from(self.limits.every_s) * 2 + 2).max(LEAST_WATCH_S);
        if !alert::hold_watch(&self.pool, self.holder, for_s).await? {
            // What was seen before another took over is of no use.
            self.towns.clear();
            return Ok(());
        }
        let towns = town::list(&self.pool).await?;
        let now = self.clock.now();
        let mut known = self.read(&towns, now).await?;
        for town in &towns {
            self.look_at(town, known.remove(&town.key).unwrap_or_default(), now).await?;
        }
        alert::forget_snoozes(&self.pool, now.plus_seconds(-SNOOZE_KEPT_S)).await?;
        Ok(())
    }

    /// Leaves the watch to another server.
    ///
    /// # Errors
    /// The store does not answer; the watch then ends by itself.
    pub async fn leave(&self) -> anyhow::Result<()> {
        Ok(alert::leave_watch(&self.pool, self.holder).await?)
    }

    /// What the database knows of all towns: a handful of queries, however many towns there are.
    async fn read(&self, towns: &[TownRow], now: Timestamp) -> anyhow::Result<HashMap<TownKey, Known>> {
        let (pool, limits) = (&self.pool, &self.limits);
        let keys: Vec<TownKey> = towns.iter().map(|town| town.key).collect();
        let mut known: HashMap<TownKey, Known> = HashMap::new();
        for episode in alert::list(pool, &keys, now).await? {
            known.entry(episode.town).or_default().episodes.push(episode);
        }
        for (town, subject, covers) in alert::snoozes(pool, &keys, now).await? {
            known.entry(town).or_default().snoozes.insert(subject, covers);
        }
        for (town, source, at) in alert::heard(pool, &keys).await? {
            known.entry(town).or_default().heard.push((source, at));
        }
        if limits.restarts > 0 {
            let since = now.plus_seconds(-60 * i64::from(limits.restart_minutes));
            // Fewer end a loop, and need not be known.
            let least = i64::from(limits.restarts_clear) + 1;
            for starts in alert::starts(pool, &keys, since, least).await? {
                known.entry(starts.town).or_default().starts.push(starts);
            }
        }
        Ok(known)
    }

    async fn look_at(&mut self, town: &TownRow, known: Known, now: Timestamp) -> anyhow::Result<()> {
        let sum_s = i64::from(self.limits.error_minutes) * 60;
        // A town that this server has not loaded yet is looked at later.
        let Some(watched) = self.hub.watched(&town.name, sum_s).await else { return Ok(()) };
        let limits = self.limits;
        let memory = self.towns.entry(town.key).or_default();
        let stored: HashMap<&str, &Episode> = known.episodes.iter().map(|e| (e.subject.as_str(), e)).collect();
        let look = Look { stored: &stored, limits: &limits, now };
        let mut readings = look.of(&watched, &known.starts);
        readings.extend(memory.sources(&look, &known.heard, &watched.gauges, now));

        let found: Vec<_> = readings.iter().map(|reading| reading.found.clone()).collect();
        let due: HashMap<String, Step> = memory.holds.look(&found, &limits, now).into_iter().collect();
        memory.said.retain(|id, _| known.episodes.iter().any(|episode| episode.id == *id));
        for reading in &readings {
            let subject = reading.found.subject.as_str();
            let episode = stored.get(subject).copied();
            if let Some(step) = due.get(subject) {
                let covers = known.snoozes.get(subject).copied().unwrap_or_default();
                self.claim(town, reading, *step, episode, covers >= step.to.rank(), now).await?;
            } else if let Some(episode) = episode.filter(|episode| episode.state != AlertState::Fine) {
                self.keep(town, episode, reading, now).await?;
            }
        }
        Ok(())
    }

    /// Makes a step. What is snoozed is not told, except that it ended.
    async fn claim(
        &self,
        town: &TownRow,
        reading: &Reading,
        step: Step,
        episode: Option<&Episode>,
        snoozed: bool,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let ends = step.tell.is_some_and(|kind| matches!(kind, AlertKind::TankRefilled | AlertKind::Cleared));
        let told = ends || !snoozed;
        let data = match step.tell {
            Some(AlertKind::Cleared) => cleared(reading.found.from, episode),
            _ => reading.data.clone(),
        };
        let bodies = match step.tell {
            Some(kind) if told => self.bodies(town, kind, &data, now),
            _ => Vec::new(),
        };
        let deliveries: Vec<_> = bodies.iter().map(Body::delivery).collect();
        let claim = Claim {
            town: town.key,
            subject: &reading.found.subject,
            from: reading.found.from,
            to: step.to,
            at: now,
            words: &reading.words,
            data: &data.to_string(),
            told,
        };
        if alert::step(&self.pool, claim, &deliveries).await? && !deliveries.is_empty() {
            self.hooks.wake();
        }
        Ok(())
    }

    /// What lasts: told at last when its snooze has ended, and said anew when its figures changed.
    async fn keep(
        &mut self,
        town: &TownRow,
        episode: &Episode,
        reading: &Reading,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if !episode.told && episode.snoozed_until.is_none() {
            let bodies = self.bodies(town, episode.state.kind(), &reading.data, now);
            let deliveries: Vec<_> = bodies.iter().map(Body::delivery).collect();
            if alert::tell(&self.pool, episode, &deliveries).await? && !deliveries.is_empty() {
                self.hooks.wake();
            }
        }
        // While a step waits to have held, the reading speaks of where it leads.
        if reading.found.step.is_some() || reading.words.is_empty() || reading.words == episode.words {
            return Ok(());
        }
        let Some(memory) = self.towns.get_mut(&town.key) else { return Ok(()) };
        let said = memory.said.get(&episode.id).copied().unwrap_or(episode.since);
        if episode.words.is_empty() || now.seconds() - said.seconds() >= SAY_S {
            memory.said.insert(episode.id, now);
            alert::say(&self.pool, episode, &reading.words, &reading.data.to_string()).await?;
        }
        Ok(())
    }

    fn bodies<'a>(&'a self, town: &'a TownRow, kind: AlertKind, data: &Value, now: Timestamp) -> Vec<Body<'a>> {
        // A made-up town alarms nobody.
        if town.demo {
            return Vec::new();
        }
        self.hooks.told(kind, &town.name).map(|hook| Body::new(hook, kind, &town.name, now, data)).collect()
    }
}

impl Memory {
    fn sources(
        &mut self,
        look: &Look<'_>,
        heard: &[(String, Timestamp)],
        gauges: &Gauges,
        now: Timestamp,
    ) -> Vec<Reading> {
        let mut readings = Vec::with_capacity(heard.len());
        for (source, at) in heard {
            let others = heard.iter().any(|(other, at)| other != source && now < at.plus_seconds(WORKING_HOLD_S));
            let working_since = if others && gauges.working > 0 {
                Some(*self.working_since.entry(source.clone()).or_insert(now))
            } else {
                self.working_since.remove(source);
                None
            };
            readings.push(look.source(source, *at, working_since));
        }
        readings
    }
}

/// What is told of an end: which alert it was, since when, and what was told of it.
fn cleared(from: AlertState, episode: Option<&Episode>) -> Value {
    let mut data =
        episode.and_then(|e| serde_json::from_str(&e.data).ok()).filter(Value::is_object).unwrap_or(json!({}));
    data["alert"] = json!(from.kind());
    data["since"] = json!(episode.map(|episode| episode.since.to_string()));
    data
}
