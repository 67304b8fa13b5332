//! What this server itself costs: its processor time, its memory, its queries.

use std::sync::{Mutex, PoisonError};

use model::Timestamp;
use model::host::{Bytes, OwnCost};

use crate::db::{Pool, status};
use crate::hub::Hub;
use crate::ingest::Intake;
use crate::process;

/// Rates are taken over at least this long, and are good for as long.
const SPAN_US: i64 = 2_000_000;
/// Over a longer time a rate says nothing of the present.
const LONGEST_US: i64 = 60_000_000;

/// What only grows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Counts {
    at: Timestamp,
    cpu_s: Option<f64>,
    transactions: Option<i64>,
}

#[derive(Debug, Default)]
struct Rates {
    counts: Option<Counts>,
    cpu_percent: Option<f64>,
    queries_per_s: Option<f64>,
}

/// Reads the server's own cost when somebody asks, and nothing while nobody does.
#[derive(Debug, Default)]
pub struct OwnMeter(Mutex<Rates>);

impl OwnMeter {
    /// The cost now. Who asks within two seconds is told the same rates.
    pub async fn read(&self, pool: &Pool, hub: &Hub, intake: &Intake, now: Timestamp) -> OwnCost {
        let usage = process::usage();
        if self.is_due(now) {
            let transactions = status::transactions(pool).await;
            self.advance(Counts { at: now, cpu_s: usage.map(|usage| usage.cpu_s), transactions });
        }
        let rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        OwnCost {
            cpu_percent: rates.cpu_percent,
            rss_bytes: usage.map(|usage| Bytes(usage.resident_bytes)),
            queries_per_s: rates.queries_per_s,
            viewers: u64::try_from(hub.viewers()).unwrap_or(u64::MAX),
            queue_events: u64::try_from(intake.depth()).unwrap_or(u64::MAX),
            event_to_pixel: hub.canaries().told(now),
        }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rates.counts.is_none_or(|counts| now.micros_since(counts.at) >= SPAN_US)
    }

    fn advance(&self, counts: Counts) {
        let mut rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = rates.counts.replace(counts);
        let span = before.map(|before| (before, counts.at.micros_since(before.at)));
        let Some((before, span_us)) = span.filter(|(_, span_us)| (1..=LONGEST_US).contains(span_us)) else {
            (rates.cpu_percent, rates.queries_per_s) = (None, None);
            return;
        };
        #[expect(clippy::cast_precision_loss, reason = "a minute of microseconds, and a rate for people")]
        let per_s = |grown: f64| (grown / (span_us as f64 / 1e6)).max(0.0);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let grown = |now: i64, then: i64| now.saturating_sub(then) as f64;
        rates.cpu_percent = counts.cpu_s.zip(before.cpu_s).map(|(now, then)| per_s((now - then) * 100.0));
        rates.queries_per_s = counts.transactions.zip(before.transactions).map(|(now, then)| per_s(grown(now, then)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(seconds: i64, cpu_s: f64, transactions: i64) -> Counts {
        Counts { at: Timestamp::from_seconds(seconds), cpu_s: Some(cpu_s), transactions: Some(transactions) }
    }

    fn rates(meter: &OwnMeter) -> (Option<f64>, Option<f64>) {
        let rates = meter.0.lock().unwrap();
        (rates.cpu_percent, rates.queries_per_s)
    }

    #[test]
    fn a_rate_needs_two_readings_that_are_not_far_apart() {
        let meter = OwnMeter::default();
        meter.advance(counts(100, 1.0, 1_000));
        assert_eq!(rates(&meter), (None, None));
        assert!(!meter.is_due(Timestamp::from_seconds(101)));
        meter.advance(counts(104, 1.5, 1_200));
        assert_eq!(rates(&meter), (Some(12.5), Some(50.0)));
        meter.advance(counts(1_000, 2.0, 1_300));
        assert_eq!(rates(&meter), (None, None), "a mean over a quarter of an hour is not the present");
    }
}
