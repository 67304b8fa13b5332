//! Whether the store answers: asked all the time, so that open pages say within seconds that nothing is stored.

use std::time::Duration;

use model::Timestamp;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::db::{self, Pool};
use crate::hub::Hub;

/// How often it is asked. The question is `select 1`.
const PERIOD: Duration = Duration::from_secs(2);
/// A store that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// So often in a row it must fail to answer: a connection may be cut, and the next one be fine.
const FAILURES: u32 = 2;

/// Asks until `stop`, and tells the hub when the answer changes.
pub async fn run(pool: Pool, hub: Hub, clock: Clock, stop: CancellationToken) {
    let mut judge = Judge::default();
    loop {
        let began = clock.now();
        let answers = async { matches!(timeout(PATIENCE, db::status::answers(&pool)).await, Ok(true)) };
        let answers = tokio::select! {
            () = stop.cancelled() => return,
            answers = answers => answers,
        };
        if let Some(down_since) = judge.hear(answers, began) {
            match down_since {
                Some(since) => tracing::error!(%since, "the store does not answer; nothing is taken in meanwhile"),
                None => tracing::info!("the store answers again"),
            }
            hub.show_store(down_since).await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// What follows from answers.
#[derive(Debug, Default)]
struct Judge {
    failures: u32,
    first_failure: Option<Timestamp>,
    is_down: bool,
}

impl Judge {
    /// Takes one answer; says since when the store is down, or none when it answers again, and nothing when that is
    /// known already.
    fn hear(&mut self, answers: bool, at: Timestamp) -> Option<Option<Timestamp>> {
        if answers {
            (self.failures, self.first_failure) = (0, None);
            return std::mem::take(&mut self.is_down).then_some(None);
        }
        self.failures = self.failures.saturating_add(1);
        let since = *self.first_failure.get_or_insert(at);
        if self.is_down || self.failures < FAILURES {
            return None;
        }
        self.is_down = true;
        Some(Some(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_is_none_and_a_change_is_told_once_with_its_beginning() {
        let mut judge = Judge::default();
        let mut hear = |answers, at_s| judge.hear(answers, Timestamp::from_seconds(at_s));
        assert_eq!([hear(true, 1), hear(false, 2), hear(true, 3), hear(false, 4)], [None; 4]);
        assert_eq!(hear(false, 6), Some(Some(Timestamp::from_seconds(4))));
        assert_eq!([hear(false, 8), hear(false, 10)], [None; 2]);
        assert_eq!(hear(true, 12), Some(None));
        assert_eq!([hear(true, 14), hear(false, 16)], [None; 2]);
        assert_eq!(hear(false, 18), Some(Some(Timestamp::from_seconds(16))));
    }
}
