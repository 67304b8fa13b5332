//! Coarser tiers from finer ones, periodically.

mod reprice;

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::db::{DbError, Pool, batch, latency, spend, tier};

pub use reprice::turn as reprice_turn;

/// How often the worker looks.
const PERIOD: Duration = Duration::from_secs(1);
/// Half hours redone in one transaction: a second's work at most, so that the present never waits long for the past.
const SPANS: i64 = 96;
/// Events told again in one transaction: a batch of the writer, which waits meanwhile.
const EVENTS: i64 = 5_000;

/// Turns of the worker from one for the sketches of durations, and for sums of spending, to the next. They can wait: whoever
/// reads them takes what waits as well.
const LATENCY_TURNS: u32 = 5;
/// Spans of five minutes whose sketches are redone in one transaction.
const LATENCY_SPANS: i64 = 48;
/// Spans of six hours whose sketches are made in one turn, of history from before there were any.
const REBUILT: i64 = 4;
/// Rows of spending that are added in one transaction.
const SPEND_ROWS: i64 = 10_000;

/// Tells again what was attributed late and what is to be repriced, then redoes every span that changed, and returns how
/// many. Safe to repeat, and with several replicas at once: a town that another worker has in hand is left to it.
///
/// # Errors
/// The database refused; what was done up to then stays done.
pub async fn run_once(pool: &Pool) -> Result<u64, DbError> {
    let done = sums(pool).await?;
    sketches(pool).await?;
    spending(pool).await?;
    Ok(done)
}

/// Everything but the sketches of durations and the sums of spending.
async fn sums(pool: &Pool) -> Result<u64, DbError> {
    // First, because it makes work for what follows. Its trouble must not keep the tiers from following the rest.
    if let Err(error) = restate(pool).await {
        tracing::warn!(%error, "events of sessions that were attributed late stay as they were");
    }
    if let Err(error) = reprice::run_once(pool).await {
        tracing::warn!(%error, "repricing is late");
    }
    let mut done = 0;
    for town in tier::dirty_towns(pool).await? {
        // Bounded: a town that changes faster than this redoes it gets its next turn in the next period.
        for _ in 0..10_000 {
            match tier::redo(pool, town, SPANS).await? {
                None | Some(0) => break,
                Some(spans) => {
                    done += spans;
                    if spans < u64::try_from(SPANS).unwrap_or(u64::MAX) {
                        break;
                    }
                }
            }
        }
    }
    Ok(done)
}

/// Brings the sketches of durations up to date.
async fn sketches(pool: &Pool) -> Result<(), DbError> {
    latency::rebuild(pool, REBUILT).await?;
    for town in latency::dirty_towns(pool).await? {
        for _ in 0..10_000 {
            match latency::redo(pool, town, LATENCY_SPANS).await? {
                Some(spans) if spans == LATENCY_SPANS.unsigned_abs() => {}
                _ => break,
            }
        }
    }
    Ok(())
}

/// Brings the sums of what calls cost whom up to date.
async fn spending(pool: &Pool) -> Result<(), DbError> {
    spend::rebuild(pool, REBUILT).await?;
    for town in spend::towns(pool).await? {
        for _ in 0..10_000 {
            match spend::join(pool, town, SPEND_ROWS).await? {
                Some(rows) if rows == SPEND_ROWS.unsigned_abs() => {}
                _ => break,
            }
        }
    }
    Ok(())
}

/// Tells events again whose session was attributed only after they were stored.
async fn restate(pool: &Pool) -> Result<(), DbError> {
    for (town, session) in batch::pending(pool).await? {
        loop {
            match batch::restate(pool, town, &session, EVENTS).await {
                Ok(told) if told == EVENTS.unsigned_abs() => {}
                Ok(_) => break,
                Err(error) if error.is_transient() => return Err(error),
                // The same each time, perhaps: the sessions after it must not wait for it.
                Err(error) => {
                    tracing::warn!(%error, session = session.as_str(), "a session that was attributed late stays as it was");
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Does every second until `stop` what [`run_once`] does, though sketches and spending less often; and once more then.
#[must_use]
pub fn spawn_worker(pool: Pool, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut clock = tokio::time::interval(PERIOD);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last = false;
        let mut turns = 0_u32;
        while !last {
            tokio::select! {
                _ = clock.tick() => {}
                () = stop.cancelled() => last = true,
            }
            let turn = async {
                sums(&pool).await?;
                if last || turns.is_multiple_of(LATENCY_TURNS) {
                    sketches(&pool).await?;
                    spending(&pool).await?;
                }
                Ok::<_, DbError>(())
            };
            if let Err(error) = turn.await {
                tracing::warn!(%error, "rollups are late");
            }
            turns = turns.wrapping_add(1);
        }
    })
}
