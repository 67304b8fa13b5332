//! One host's way into the store: its newest reading now and then, and means for the past.

use model::Timestamp;
use model::host::{HISTORY_STEP_S, HostSample, Tally};
use model::id::HostName;
use std::time::Duration;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

use crate::db::host::{self, HostRow, Put, STEPS_S};
use crate::db::{Pool, TownKey};

/// Which host, and who reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The machine.
    pub name: HostName,
    /// The process that reads it: one at a time.
    pub writer: Uuid,
    /// Its number on that machine; none for what is made up.
    pub pid: Option<u32>,
}

impl Who {
    /// This process, reading the machine `name` as `role` (`serve`, `watch`). The same after a restart, which so need not
    /// wait until its predecessor counts as silent.
    #[must_use]
    pub fn this_process(role: &str, name: HostName) -> Self {
        let writer = Uuid::from_u128(xxh3_128(format!("{role}/{name}").as_bytes()));
        Self { name, writer, pid: Some(std::process::id()) }
    }
}

/// A step of the past that is not over.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    at: Timestamp,
    tally: Tally,
}

/// Takes readings of one host, in the order of time.
#[derive(Debug)]
pub struct Recorder {
    pool: Pool,
    town: TownKey,
    who: Who,
    open: [Open; STEPS_S.len()],
    put_at: Option<Timestamp>,
    wanted_s: Option<i64>,
    is_taken: bool,
    is_failing: bool,
}

impl Recorder {
    /// For one host of a town.
    #[must_use]
    pub fn new(pool: Pool, town: TownKey, who: Who) -> Self {
        Self {
            pool,
            town,
            who,
            open: [Open::default(); STEPS_S.len()],
            put_at: None,
            wanted_s: None,
            is_taken: false,
            is_failing: false,
        }
    }

    /// Whose readings these are.
    #[must_use]
    pub const fn who(&self) -> &Who {
        &self.who
    }

    /// Whether another process reads this host.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        self.is_taken
    }

    /// How often viewers of other processes want readings, if any look.
    #[must_use]
    pub const fn wanted_s(&self) -> Option<i64> {
        self.wanted_s
    }

    /// Takes a reading. False when another process reads this host: then it is not ours to tell.
    pub async fn take(&mut self, sample: &HostSample, at: Timestamp, weight: Duration) -> bool {
        let due = self.put_at.is_none_or(|put_at| {
            let every_s = self.wanted_s.unwrap_or(HISTORY_STEP_S);
            // A timer that wakes a little early is in time.
            at.micros_since(put_at) >= every_s * 1_000_000 - 200_000
        });
        if due {
            self.put_at = Some(at);
            let Who { name, writer, pid } = self.who.clone();
            let put = host::put(&self.pool, self.town, &HostRow { name, writer, pid, at, sample: *sample }).await;
            match self.note(put) {
                Some(Put::Taken) => self.taken(true),
                Some(Put::Stored { wanted_s }) => {
                    self.wanted_s = wanted_s;
                    self.taken(false);
                }
                // It is shown all the same.
                None => {}
            }
        }
        if self.is_taken {
            self.open = [Open::default(); STEPS_S.len()];
            return false;
        }
        self.count(sample, at, weight).await;
        true
    }

    async fn count(&mut self, sample: &HostSample, at: Timestamp, weight: Duration) {
        for (place, step_s) in STEPS_S.into_iter().enumerate() {
            let begin = at.floor_to(step_s);
            if self.open[place].at != begin {
                let over = std::mem::replace(&mut self.open[place], Open { at: begin, tally: Tally::default() });
                if !over.tally.is_empty() {
                    let (step, mean) = ((step_s, over.at), over.tally.mean());
                    let done = host::put_mean(&self.pool, self.town, &self.who.name, step, &mean).await;
                    self.note(done);
                }
            }
            self.open[place].tally.add(sample, u64::try_from(weight.as_millis()).unwrap_or(u64::MAX));
        }
    }

    fn taken(&mut self, is_taken: bool) {
        if is_taken && !self.is_taken {
            tracing::info!(host = %self.who.name, "another process reads this host; this one waits until it is silent");
        }
        self.is_taken = is_taken;
    }

    /// Logs a failure when failing begins.
    fn note<T>(&mut self, done: Result<T, crate::db::DbError>) -> Option<T> {
        match done {
            Ok(value) => {
                self.is_failing = false;
                Some(value)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    tracing::warn!(%error, host = %self.who.name, "what a host uses cannot be stored; its past has a gap");
                }
                None
            }
        }
    }
}
