//! A made-up town: seeded and deterministic, for the demo, tests and benchmarks.
//!
//! Every minute is a pure function of the seed and the minute's number, so any span can be made on its own, a running
//! demo continues its history, and two runs agree to the byte.

mod cast;
mod machine;
mod request;
mod rhythm;
mod rng;
mod work;

use crate::event::Envelope;
use crate::id::BeadId;
use crate::time::Timestamp;

pub use cast::{Actor, cast};
pub use machine::{DemoMachine, MACHINES};
pub use request::requests;
pub use rhythm::Rhythm;
use rng::Rng;

/// Minutes of one shift: an agent's conversation, with one bead.
const SHIFT_MIN: i64 = 120;

/// No request of a made-up town takes longer, in minutes.
pub const LONGEST_REQUEST_MIN: i64 = 7;

/// A made-up town.
#[derive(Debug, Clone)]
pub struct Demo {
    seed: u64,
    rhythm: Rhythm,
    cast: Vec<Actor>,
}

/// A bead of the made-up town, as an issue tracker would list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoBead {
    /// Its id, such as `gt-4f2a1c07`.
    pub id: BeadId,
    /// One line of text.
    pub title: String,
    /// When it was written down.
    pub created: Timestamp,
    /// When it was closed; none while open or abandoned.
    pub closed: Option<Timestamp>,
    /// Who works on it, in Gas Town's address form.
    pub assignee: String,
    /// Whether somebody asked for help with it.
    pub escalation: bool,
}

impl Demo {
    /// A town with the given seed and rhythm.
    #[must_use]
    pub fn new(seed: u64, rhythm: Rhythm) -> Self {
        Self { seed, rhythm, cast: cast() }
    }

    /// Appends the events of one minute (minutes since 1970, UTC), in order of time.
    pub fn minute(&self, minute: i64, events: &mut Vec<Envelope>) {
        let first = events.len();
        for actor in &self.cast {
            if let Some(shift) = self.shift(actor, minute) {
                work::minute(self.seed, actor, &shift, minute, self.rhythm.density(minute), events);
            }
        }
        if let Some(new) = events.get_mut(first..) {
            new.sort_by_key(|event| (event.at, event.key));
        }
    }

    /// The beads whose shift begins within `[from_minute, to_minute)`, by id, each once.
    #[must_use]
    pub fn beads(&self, from_minute: i64, to_minute: i64) -> Vec<DemoBead> {
        let mut beads = Vec::new();
        for actor in self.cast.iter().filter(|actor| actor.takes_beads()) {
            let mut slot = actor.slot(from_minute);
            while actor.slot_start(slot) < to_minute {
                if let Some(shift) = self.shift_of_slot(actor, slot)
                    && (from_minute..to_minute).contains(&shift.from_minute)
                {
                    beads.extend(work::bead(self.seed, actor, &shift));
                }
                slot += 1;
            }
        }
        beads.sort_by(|a, b| a.id.cmp(&b.id));
        beads.dedup_by(|later, earlier| later.id == earlier.id);
        beads
    }

    fn shift(&self, actor: &Actor, minute: i64) -> Option<Shift> {
        let shift = self.shift_of_slot(actor, actor.slot(minute))?;
        (shift.from_minute..shift.to_minute).contains(&minute).then_some(shift)
    }

    fn shift_of_slot(&self, actor: &Actor, slot: i64) -> Option<Shift> {
        let mut rng = Rng::new(self.seed, actor.number, slot);
        let start = actor.slot_start(slot);
        let chance = self.rhythm.intensity(start + SHIFT_MIN / 2) * actor.diligence;
        if rng.unit() >= chance {
            return None;
        }
        let from_minute = start + rng.below(25);
        let to_minute = from_minute + 45 + rng.below(SHIFT_MIN - 45 - (from_minute - start));
        Some(Shift { slot, from_minute, to_minute })
    }
}

/// One stretch of work of one actor.
#[derive(Debug, Clone, Copy)]
struct Shift {
    slot: i64,
    from_minute: i64,
    to_minute: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;

    /// Monday 2026-03-02 00:00 UTC.
    const MONDAY: i64 = 1_772_409_600 / 60;

    fn day(demo: &Demo, day: i64) -> Vec<Envelope> {
        let mut events = Vec::new();
        for minute in (MONDAY + day * 1_440)..(MONDAY + (day + 1) * 1_440) {
            demo.minute(minute, &mut events);
        }
        events
    }

    #[test]
    fn the_same_seed_gives_the_same_town_and_another_another() {
        let town = |seed| day(&Demo::new(seed, Rhythm::steady(1.0)), 0);
        assert_eq!(town(7), town(7));
        assert_ne!(town(7), town(8));
    }

    #[test]
    fn working_days_are_busier_than_sundays_and_nights() {
        let demo = Demo::new(1, Rhythm::steady(1.0));
        // Single days may be off, or have a night shift: the rule holds over weeks.
        let all = |weekday: i64| (0..8).flat_map(|week| day(&demo, week * 7 + weekday)).collect::<Vec<_>>();
        let (mondays, sundays) = (all(0), all(6));
        assert!(mondays.len() > 5 * sundays.len(), "{} on Mondays, {} on Sundays", mondays.len(), sundays.len());
        let by_hour = |from: i64, to: i64| {
            let hours = from * 3_600..to * 3_600;
            mondays.iter().filter(|e| hours.contains(&e.at.seconds().rem_euclid(86_400))).count()
        };
        assert!(by_hour(9, 17) > 5 * by_hour(0, 6).max(1));
    }

    #[test]
    fn events_lie_in_their_minute_in_order_and_have_distinct_keys() {
        let demo = Demo::new(3, Rhythm::steady(2.0));
        let mut keys = std::collections::HashSet::new();
        for minute in (MONDAY + 600)..(MONDAY + 700) {
            let mut events = Vec::new();
            demo.minute(minute, &mut events);
            assert!(events.is_sorted_by_key(|e| e.at));
            for event in events {
                assert_eq!(event.at.seconds().div_euclid(60), minute);
                assert!(keys.insert((event.at, event.key)));
            }
        }
        assert!(keys.len() > 500, "{}", keys.len());
    }

    #[test]
    fn every_kind_of_event_and_some_errors_occur_in_a_week() {
        let demo = Demo::new(5, Rhythm::steady(1.0));
        let week: Vec<_> = (0..5).flat_map(|d| day(&demo, d)).collect();
        for kind in EventKind::ALL {
            // The made-up town's cost is known call by call, nobody sees its repositories or its logs, and its requests
            // are told only while it is live.
            if matches!(kind, EventKind::CostSnapshot | EventKind::LinesLanded | EventKind::Request | EventKind::Log) {
                continue;
            }
            assert!(week.iter().any(|e| e.event.kind() == kind), "{kind:?}");
        }
        let beads = demo.beads(MONDAY, MONDAY + 5 * 1_440);
        assert!(
            beads.len() > 20 && beads.iter().any(|b| b.closed.is_none()) && beads.iter().any(|b| b.closed.is_some())
        );
    }
}
