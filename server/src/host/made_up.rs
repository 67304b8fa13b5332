//! The machines of a made-up town: their past, and their life while the server runs. Marked as demo like all of it.

use model::Timestamp;
use model::demo::{DemoMachine, MACHINES};
use model::host::{HostSample, Tally};
use model::id::{HostName, TownName};
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::probe::Probe;
use super::recorder::Who;
use super::sampler;
use crate::clock::Clock;
use crate::db::host::{self, KEPT_S, STEPS_S};
use crate::db::{DbError, Pool, TownKey};

/// Readings of a step of the past.
const PER_STEP: i64 = 3;

/// Reads a machine that is not there.
struct MadeUpProbe {
    machine: DemoMachine,
    seed: u64,
    clock: Clock,
}

impl Probe for MadeUpProbe {
    fn read(&mut self) -> HostSample {
        self.machine.reading(self.seed, self.clock.now().seconds())
    }
}

/// Keeps a made-up town's machines going until `stop`.
pub fn live(desk: &Desk, town: &TownName, seed: u64, clock: &Clock, stop: &CancellationToken) {
    for machine in MACHINES {
        let Ok(name) = HostName::new(machine.name) else { continue };
        let who = Who { pid: None, ..Who::this_process("demo", name) };
        let sink = desk.sink(town.clone(), who, false);
        let probe = MadeUpProbe { machine, seed, clock: clock.clone() };
        tokio::spawn(sampler::run(move || Box::new(probe), sink, stop.clone()));
    }
}

/// Writes what the store lacks of the machines' past up to `now`.
///
/// # Errors
/// The database refused.
pub async fn fill_past(pool: &Pool, town: TownKey, seed: u64, now: Timestamp) -> Result<(), DbError> {
    for machine in MACHINES {
        let Ok(name) = HostName::new(machine.name) else { continue };
        for (step_s, kept_s) in STEPS_S.into_iter().zip(KEPT_S) {
            let earliest = now.plus_seconds(-kept_s).ceil_to(step_s);
            let newest = host::newest_mean(pool, town, &name, step_s).await?;
            let from = newest.map_or(earliest, |at| at.plus_seconds(step_s).max(earliest));
            let means: Vec<(Timestamp, HostSample)> = (from.seconds()..now.floor_to(step_s).seconds())
                .step_by(usize::try_from(step_s).unwrap_or(60))
                .map(|at_s| (Timestamp::from_seconds(at_s), mean(&machine, seed, at_s, step_s)))
                .collect();
            host::put_means(pool, town, &name, step_s, &means).await?;
        }
    }
    Ok(())
}

fn mean(machine: &DemoMachine, seed: u64, at_s: i64, step_s: i64) -> HostSample {
    let mut tally = Tally::default();
    for part in 0..PER_STEP {
        tally.add(&machine.reading(seed, at_s + part * step_s / PER_STEP), 1);
    }
    tally.mean()
}
