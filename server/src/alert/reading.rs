//! What is read of a town, subject by subject: the step it asks for, what pages say of it, and what webhooks are told.
//! Pure: everything comes from the live state and from what was asked of the database before.

use std::collections::{HashMap, HashSet};

use model::alert::{
    AlertLimits, AlertState, Calls, Condition, Found, SourceReading, Step, error_step, fuel_step, restart_step,
    review_step, silence_step, stall_step, tank_step,
};
use model::format::{dollars, grouped};
use model::id::RigName;
use model::roster::AgentRow;
use model::time::Timestamp;
use model::wire::BeadCounts;
use serde_json::{Value, json};

use super::subject::{AGENT, ERRORS, LOOP, METER, REVIEW, SOURCE, TANK};
use crate::db::alert::{Episode, Starts};
use crate::hub::Watched;

/// What the meter is called, as in `GET /api/towns/{town}/tanks`.
const METER_NAME: &str = "Meter";

/// What was read of one subject.
#[derive(Debug)]
pub struct Reading {
    /// The step it asks for.
    pub found: Found,
    /// What pages say while it is not fine.
    pub words: String,
    /// What webhooks are told.
    pub data: Value,
}

/// A look at one town.
pub struct Look<'a> {
    /// What is not fine, by subject.
    pub stored: &'a HashMap<&'a str, &'a Episode>,
    /// Where states begin and end.
    pub limits: &'a AlertLimits,
    /// When.
    pub now: Timestamp,
}

impl Look<'_> {
    /// Everything of a town but its sources.
    pub fn of(&self, watched: &Watched, starts: &[Starts]) -> Vec<Reading> {
        let mut readings = Vec::new();
        readings.extend(self.meter(watched));
        self.tanks(watched, &mut readings);
        self.agents(&watched.roster, &mut readings);
        self.loops(starts, &mut readings);
        readings.push(self.errors(Calls::of(&watched.sum)));
        readings.push(self.review(watched.beads));
        readings
    }

    fn state(&self, subject: &str) -> AlertState {
        self.stored.get(subject).map(|episode| episode.state).unwrap_or_default()
    }

    fn found(&self, subject: String, condition: Condition, step: impl FnOnce(AlertState) -> Option<Step>) -> Found {
        let from = self.state(&subject);
        Found { step: step(from), subject, condition, from }
    }

    /// Subjects of a kind that are not fine, and of which nothing was read this time.
    fn missing(&self, beginning: &str, seen: &HashSet<String>) -> impl Iterator<Item = &str> {
        let is_missing = move |subject: &&str| subject.starts_with(beginning) && !seen.contains(*subject);
        self.stored.keys().copied().filter(is_missing)
    }

    fn meter(&self, watched: &Watched) -> Option<Reading> {
        let gauges = &watched.gauges;
        let tank = gauges.tank?;
        let name = watched.tanks.iter().find(|tank| tank.meter).map_or(METER_NAME, |tank| tank.name.as_str());
        let runway = tank.runway(gauges.pace).to_string();
        let found =
            self.found(METER.to_owned(), Condition::Tank, |from| tank_step(from, &tank, gauges.pace, self.limits));
        let words = match goal(&found) {
            AlertState::Empty => format!("{name} is empty: {} left", dollars(tank.balance)),
            _ => format!("{name} is low: {} left, {runway}", dollars(tank.balance)),
        };
        let data = json!({
            "tank": name,
            "balance_nanodollars": tank.balance.0, "balance": dollars(tank.balance),
            "capacity_nanodollars": tank.capacity.0, "level": tank.level(),
            "runway": runway,
        });
        Some(Reading { found, words, data })
    }

    /// The tanks beside the meter: windows of subscriptions, and balances of their own.
    fn tanks(&self, watched: &Watched, readings: &mut Vec<Reading>) {
        let (mut seen, now) = (HashSet::with_capacity(watched.tanks.len()), self.now);
        for tank in watched.tanks.iter().filter(|tank| !tank.meter) {
            let subject = format!("{TANK}{}", tank.name);
            seen.insert(subject.clone());
            let found = self.found(subject, Condition::Tank, |from| fuel_step(from, tank, self.limits, now));
            let known = tank.is_known(now);
            let (left, beside) = tank.figure();
            let words = match goal(&found) {
                AlertState::Empty => format!("{} is empty: {}", tank.name, tank.note(now)),
                _ => format!("{} is low: {left} {beside}, {}", tank.name, tank.note(now)),
            };
            let data = json!({
                "tank": tank.name, "kind": tank.kind, "source": tank.source,
                "left": known.then_some(left), "level": known.then(|| tank.gas().level()),
                "resets_at": tank.resets_at.filter(|_| known).map(|at| at.to_string()), "note": tank.note(now),
            });
            readings.push(Reading { found, words, data });
        }
        // A tank that is not there any more, or that the meter stands for by now, is nothing to tell of.
        let silently = Some(Step { to: AlertState::Fine, tell: None });
        for subject in self.missing(TANK, &seen) {
            readings.push(self.ended(subject, Condition::Tank, silently));
        }
    }

    fn agents(&self, roster: &[AgentRow], readings: &mut Vec<Reading>) {
        let mut seen = HashSet::with_capacity(roster.len());
        for agent in roster {
            let rig = agent.rig.as_ref().map_or("", RigName::as_str);
            let subject = format!("{AGENT}{rig}/{}", agent.name);
            seen.insert(subject.clone());
            let untouched_s = agent.untouched_s(self.now);
            let found = self.found(subject, Condition::Agent, |from| stall_step(from, untouched_s, self.limits));
            if found.step.is_none() && found.from == AlertState::Fine {
                continue;
            }
            let bead = agent.hook.as_ref().and_then(|hook| hook.bead.as_ref());
            let (gupp, minutes) = (goal(&found) == AlertState::Gupp, untouched_s.unwrap_or_default() / 60);
            let on = bead.map_or_else(String::new, |bead| format!(" on {bead}"));
            let word = if gupp { "violates GUPP" } else { "has stalled" };
            let words = format!("{} {word}: no progress{on} for {minutes} min", named(rig, agent.name.as_str()));
            let data = json!({
                "agent": agent.name, "rig": agent.rig, "role": agent.role.name(), "bead": bead,
                "minutes": minutes, "gupp_violation": gupp,
            });
            readings.push(Reading { found, words, data });
        }
        // Who is no longer on the roster has stalled no more.
        for subject in self.missing(AGENT, &seen) {
            let step = stall_step(self.state(subject), None, self.limits);
            readings.push(self.ended(subject, Condition::Agent, step));
        }
    }

    fn loops(&self, starts: &[Starts], readings: &mut Vec<Reading>) {
        let mut seen = HashSet::with_capacity(starts.len());
        let within = self.limits.restart_minutes;
        for Starts { rig, agent, count, .. } in starts {
            let subject = format!("{LOOP}{rig}/{agent}");
            seen.insert(subject.clone());
            let found = self.found(subject, Condition::Restarts, |from| restart_step(from, *count, self.limits));
            let words = format!("{} was started {count} times within {within} min", named(rig, agent));
            let rig = Some(rig).filter(|rig| !rig.is_empty());
            let data = json!({"agent": agent, "rig": rig, "starts": count, "minutes": within});
            readings.push(Reading { found, words, data });
        }
        for subject in self.missing(LOOP, &seen) {
            let step = restart_step(self.state(subject), 0, self.limits);
            readings.push(self.ended(subject, Condition::Restarts, step));
        }
    }

    fn errors(&self, calls: Calls) -> Reading {
        let Calls { all, failed } = calls;
        let minutes = self.limits.error_minutes;
        let found = self.found(ERRORS.to_owned(), Condition::Errors, |from| error_step(from, calls, self.limits));
        let words = format!("{} of {} calls failed within {minutes} min", grouped(failed), grouped(all));
        Reading { found, words, data: json!({"failed": failed, "calls": all, "minutes": minutes}) }
    }

    fn review(&self, beads: BeadCounts) -> Reading {
        let waiting = i64::from(beads.in_review) + i64::from(beads.blocked);
        let found = self.found(REVIEW.to_owned(), Condition::Review, |from| review_step(from, waiting, self.limits));
        let words = match (beads.in_review, beads.blocked) {
            (review, 0) => format!("{review} beads wait for review"),
            (0, blocked) => format!("{blocked} beads are blocked"),
            (review, blocked) => format!("{waiting} beads wait: {review} in review, {blocked} blocked"),
        };
        Reading {
            found,
            words,
            data: json!({"waiting": waiting, "in_review": beads.in_review, "blocked": beads.blocked}),
        }
    }

    /// A source, when it was heard, and since when others have told of work.
    pub fn source(&self, source: &str, heard: Timestamp, working_since: Option<Timestamp>) -> Reading {
        let reading = SourceReading { heard, working_since };
        let step = |from| silence_step(from, reading, self.limits, self.now);
        let found = self.found(format!("{SOURCE}{source}"), Condition::Source, step);
        let minutes = (self.now.seconds() - heard.seconds()) / 60;
        let words = format!("Source {source} has been silent for {minutes} min while agents work");
        let data = json!({"source": source, "last_heard": heard.to_string(), "silent_minutes": minutes});
        Reading { found, words, data }
    }

    fn ended(&self, subject: &str, condition: Condition, step: Option<Step>) -> Reading {
        let found = Found { subject: subject.to_owned(), condition, from: self.state(subject), step };
        Reading { found, words: String::new(), data: Value::Null }
    }
}

/// The state that a reading is about: where it leads, or else where it is.
fn goal(found: &Found) -> AlertState {
    found.step.map_or(found.from, |step| step.to)
}

fn named(rig: &str, agent: &str) -> String {
    if rig.is_empty() { agent.to_owned() } else { format!("{rig}/{agent}") }
}
