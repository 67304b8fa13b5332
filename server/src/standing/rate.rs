//! How much came from each source within the last minute: counters, read every few seconds. What other processes store
//! is in the counters too, and no event costs a write more for it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::time::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::db::{Pool, TownKey, source};

/// How often counters are read.
const PERIOD: Duration = Duration::from_secs(5);
/// Over how long rates are means.
const SPAN_S: i64 = 60;
/// Samples kept: a span of them and its end.
const SAMPLES: usize = 13;
/// A newest sample older than this says nothing of now.
const STALE_S: i64 = 20;
/// From a shorter span no rate is told.
const LEAST_S: i64 = 4;

/// What the sources of all towns had received at one instant.
type Sample = (Timestamp, HashMap<TownKey, HashMap<String, i64>>);

/// The samples of the last minute.
#[derive(Debug, Clone, Default)]
pub struct Rates(Arc<Mutex<VecDeque<Sample>>>);

impl Rates {
    /// Begins to read the counters, until `stop`.
    #[must_use]
    pub fn spawn(pool: Pool, clock: Clock, stop: CancellationToken) -> (Self, tokio::task::JoinHandle<()>) {
        let rates = Self::default();
        let own = rates.clone();
        let task = tokio::spawn(async move {
            let mut tick = tokio::time::interval(PERIOD);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = tick.tick() => {}
                }
                match source::received(&pool).await {
                    Ok(counts) => own.add(clock.now(), counts),
                    Err(error) => tracing::warn!(%error, "the sources' counters could not be read"),
                }
            }
        });
        (rates, task)
    }

    fn add(&self, at: Timestamp, counts: Vec<(TownKey, String, i64)>) {
        let mut sample: HashMap<TownKey, HashMap<String, i64>> = HashMap::new();
        for (town, source, received) in counts {
            sample.entry(town).or_default().insert(source, received);
        }
        let mut samples = self.lock();
        samples.push_back((at, sample));
        while samples.len() > SAMPLES || samples.front().is_some_and(|(first, _)| *first < at.plus_seconds(-SPAN_S)) {
            samples.pop_front();
        }
    }

    /// Items per second that came from a source over the last minute, or since this server started; none while that is
    /// not known.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "display only")]
    pub fn per_s(&self, town: TownKey, source: &str, now: Timestamp) -> Option<f64> {
        let samples = self.lock();
        let ((first, before), (last, after)) = (samples.front()?, samples.back()?);
        let span_us = last.micros_since(*first);
        if span_us < LEAST_S * 1_000_000 || now.micros_since(*last) > STALE_S * 1_000_000 {
            return None;
        }
        let count = |sample: &HashMap<TownKey, HashMap<String, i64>>| {
            sample.get(&town).and_then(|sources| sources.get(source)).copied().unwrap_or_default()
        };
        Some((count(after) - count(before)) as f64 / (span_us as f64 / 1e6))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_750_000_000 + second)
    }

    #[test]
    fn a_rate_is_the_mean_of_the_last_minute_and_unknown_without_two_fresh_samples() {
        let rates = Rates::default();
        let town = TownKey(1);
        let count = |n| vec![(town, "api".to_owned(), n)];
        assert_eq!(rates.per_s(town, "api", at(0)), None);
        rates.add(at(0), Vec::new());
        assert_eq!(rates.per_s(town, "api", at(0)), None);
        rates.add(at(5), count(10));
        assert_eq!(rates.per_s(town, "api", at(6)), Some(2.0), "a new source began at nothing");
        assert_eq!(rates.per_s(town, "codex", at(6)), Some(0.0));
        for second in (10..=120).step_by(5) {
            rates.add(at(second), count(10 + second * 3));
        }
        assert_eq!(rates.per_s(town, "api", at(121)), Some(3.0));
        assert!(rates.lock().len() <= SAMPLES);
        assert_eq!(rates.per_s(town, "api", at(150)), None, "nobody read the counters for a while");
    }
}
