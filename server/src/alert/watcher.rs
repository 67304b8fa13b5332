//! Looks which state everything is in, and claims the steps.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context as _;
use model::alert::{AlertState, SourceReading, Step, TankLimits, agent_step, fuel_step, silence_step, tank_step};
use model::format::dollars;
use model::fuel::FuelTank;
use model::id::{RigName, TownName};
use model::roster::{AgentRow, AgentStatus, WORKING_HOLD_S};
use model::time::Timestamp;
use model::wire::{Gauges, Snapshot};
use serde_json::{Value, json};

use super::{Body, Hooks};
use crate::clock::Clock;
use crate::db::alert::{self, Claim};
use crate::db::town;
use crate::db::{Pool, TownKey};
use crate::hub::Hub;

/// The subject of a town's meter.
const METER: &str = "tank";
/// What the meter is called, as in `GET /api/towns/{town}/tanks`.
const METER_NAME: &str = "Meter";
/// Beginnings of the other subjects.
const TANK: &str = "tank/";
const SOURCE: &str = "source/";
const AGENT: &str = "agent/";

/// Where states begin.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of tanks.
    pub tank: TankLimits,
    /// After how many seconds a source is silent.
    pub silent_s: i64,
}

/// Looks at everything again and again.
pub struct Watcher {
    pool: Pool,
    hub: Hub,
    clock: Clock,
    hooks: Arc<Hooks>,
    limits: Limits,
    /// Since when other sources than this one have told of work, without a pause. In memory only: after a restart a
    /// silence is noticed later, not twice.
    working_since: HashMap<(TownKey, String), Timestamp>,
}

/// Something that may be told.
struct Reading {
    subject: String,
    from: AlertState,
    step: Step,
    data: Value,
}

impl Watcher {
    /// Looks at the towns of `hub`.
    #[must_use]
    pub fn new(pool: Pool, hub: Hub, clock: Clock, hooks: Arc<Hooks>, limits: Limits) -> Self {
        Self { pool, hub, clock, hooks, limits, working_since: HashMap::new() }
    }

    /// Looks once.
    ///
    /// # Errors
    /// The store does not answer; what was not claimed is found again at the next look.
    pub async fn look(&mut self) -> anyhow::Result<()> {
        for card in self.hub.cards().await.context("the hub has stopped")? {
            // A made-up town alarms nobody.
            if card.demo {
                continue;
            }
            let Some(town) = town::find(&self.pool, &card.name).await? else { continue };
            let Some(snapshot) = self.hub.snapshot(&card.name).await else { continue };
            self.look_at(&card.name, town.key, &snapshot).await?;
        }
        Ok(())
    }

    async fn look_at(&mut self, name: &TownName, town: TownKey, snapshot: &Snapshot) -> anyhow::Result<()> {
        let now = self.clock.now();
        let stored: HashMap<String, AlertState> = alert::list(&self.pool, town).await?.into_iter().collect();
        let state = |subject: &str| stored.get(subject).copied().unwrap_or_default();
        let mut readings = Vec::new();
        readings.extend(meter(snapshot, state(METER), self.limits.tank));
        readings.extend(tanks(&snapshot.tanks, &stored, self.limits.tank, now));
        readings.extend(agents(&snapshot.roster, &stored, now));
        let heard = alert::heard(&self.pool, town).await?;
        readings.extend(self.sources(town, &heard, &snapshot.gauges, &state, now));
        for reading in readings {
            self.claim(name, town, &reading, now).await?;
        }
        Ok(())
    }

    fn sources(
        &mut self,
        town: TownKey,
        heard: &[(String, Timestamp)],
        gauges: &Gauges,
        state: &impl Fn(&str) -> AlertState,
        now: Timestamp,
    ) -> Vec<Reading> {
        let mut readings = Vec::new();
        for (source, at) in heard {
            let others = heard.iter().any(|(other, at)| other != source && now < at.plus_seconds(WORKING_HOLD_S));
            let key = (town, source.clone());
            let working_since = if others && gauges.working > 0 {
                Some(*self.working_since.entry(key).or_insert(now))
            } else {
                self.working_since.remove(&key);
                None
            };
            let subject = format!("{SOURCE}{source}");
            let from = state(&subject);
            let reading = SourceReading { heard: *at, working_since };
            if let Some(step) = silence_step(from, reading, self.limits.silent_s, now) {
                let minutes = (now.seconds() - at.seconds()) / 60;
                let data = json!({"source": source, "last_heard": at.to_string(), "silent_minutes": minutes});
                readings.push(Reading { subject, from, step, data });
            }
        }
        readings
    }

    async fn claim(&self, name: &TownName, town: TownKey, reading: &Reading, now: Timestamp) -> anyhow::Result<()> {
        let Reading { subject, from, step, data } = reading;
        let bodies: Vec<Body<'_>> = match step.tell {
            Some(kind) => self.hooks.told(kind, name).map(|hook| Body::new(hook, kind, name, now, data)).collect(),
            None => Vec::new(),
        };
        let deliveries: Vec<_> = bodies.iter().map(Body::delivery).collect();
        let claim = Claim { town, subject, from: *from, to: step.to, at: now };
        if alert::step(&self.pool, claim, &deliveries).await? && !deliveries.is_empty() {
            self.hooks.wake();
        }
        Ok(())
    }
}

fn meter(snapshot: &Snapshot, from: AlertState, limits: TankLimits) -> Option<Reading> {
    let gauges = &snapshot.gauges;
    let tank = gauges.tank?;
    let step = tank_step(from, &tank, limits)?;
    let behind = snapshot.tanks.iter().find(|tank| tank.meter);
    let data = json!({
        "tank": behind.map_or(METER_NAME, |tank| tank.name.as_str()),
        "balance_nanodollars": tank.balance.0, "balance": dollars(tank.balance),
        "capacity_nanodollars": tank.capacity.0, "level": tank.level(),
        "runway": tank.runway(gauges.pace).to_string(),
    });
    Some(Reading { subject: METER.to_owned(), from, step, data })
}

/// The tanks beside the meter: windows of subscriptions, and balances of their own.
fn tanks(tanks: &[FuelTank], stored: &HashMap<String, AlertState>, limits: TankLimits, now: Timestamp) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut seen = HashSet::with_capacity(tanks.len());
    for tank in tanks.iter().filter(|tank| !tank.meter) {
        let subject = format!("{TANK}{}", tank.name);
        let from = stored.get(&subject).copied().unwrap_or_default();
        if let Some(step) = fuel_step(from, tank, limits, now) {
            let known = tank.is_known(now);
            let data = json!({
                "tank": tank.name, "kind": tank.kind, "source": tank.source,
                "left": known.then(|| tank.figure().0), "level": known.then(|| tank.gas().level()),
                "resets_at": tank.resets_at.filter(|_| known).map(|at| at.to_string()), "note": tank.note(now),
            });
            readings.push(Reading { subject: subject.clone(), from, step, data });
        }
        seen.insert(subject);
    }
    // A tank that is not there any more, or that the meter stands for by now, is nothing to tell of.
    for (subject, from) in stored.iter().filter(|(subject, _)| subject.starts_with(TANK) && !seen.contains(*subject)) {
        let step = Step { to: AlertState::Fine, tell: None };
        readings.push(Reading { subject: subject.clone(), from: *from, step, data: Value::Null });
    }
    readings
}

fn agents(roster: &[AgentRow], stored: &HashMap<String, AlertState>, now: Timestamp) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut seen = HashSet::with_capacity(roster.len());
    for agent in roster {
        let rig = agent.rig.as_ref().map_or("", RigName::as_str);
        let subject = format!("{AGENT}{rig}/{}", agent.name);
        let from = stored.get(&subject).copied().unwrap_or_default();
        if let Some(step) = agent_step(from, agent.status(now)) {
            let data = json!({
                "agent": agent.name, "rig": agent.rig, "role": agent.role.name(),
                "bead": agent.hook.as_ref().and_then(|hook| hook.bead.as_ref()),
                "minutes": agent.untouched_s(now).unwrap_or_default() / 60,
                "gupp_violation": step.to == AlertState::Gupp,
            });
            readings.push(Reading { subject: subject.clone(), from, step, data });
        }
        seen.insert(subject);
    }
    // Who is no longer on the roster has stalled no more.
    for (subject, from) in stored.iter().filter(|(subject, _)| subject.starts_with(AGENT) && !seen.contains(*subject)) {
        if let Some(step) = agent_step(*from, AgentStatus::Gone) {
            readings.push(Reading { subject: subject.clone(), from: *from, step, data: Value::Null });
        }
    }
    readings
}
