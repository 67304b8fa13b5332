//! Works off jobs that price stored calls again.

use crate::db::batch::{self, Progress};
use crate::db::{DbError, Pool, TownKey, reprice};
use crate::ingest;

/// Events looked at in one transaction: a batch of the writer, which waits meanwhile if it has claims to decide.
const EVENTS: usize = 5_000;
/// Transactions of one job in one turn: a second's work or so, so that the tiers follow in between.
const PIECES: usize = 10;
/// Jobs that get a turn before the tiers do; the others wait for the next time.
const JOBS: usize = 4;

/// A turn of every job that waits. Safe to repeat, and with several replicas at once: a job that another worker has in
/// hand is left to it.
pub(super) async fn run_once(pool: &Pool) -> Result<(), DbError> {
    for (town, job) in reprice::pending(pool).await?.into_iter().take(JOBS) {
        turn(pool, town, job).await?;
    }
    Ok(())
}

/// Some pieces of one job; says whether there is more.
///
/// # Errors
/// The database does not answer, or not now. Any other error ends the job, with the reason in its row.
pub async fn turn(pool: &Pool, town: TownKey, job: i32) -> Result<Progress, DbError> {
    for _ in 0..PIECES {
        match batch::reprice(pool, town, job, EVENTS, ingest::new_cost_of).await {
            Ok(Progress::More) => {}
            Ok(progress) => return Ok(progress),
            Err(error) if error.is_transient() => return Err(error),
            // The same each time, perhaps: the jobs after it must not wait for it.
            Err(error) => {
                tracing::error!(%error, job, "a repricing is given up");
                reprice::give_up(pool, town, job, &error.to_string()).await?;
                return Ok(Progress::Done);
            }
        }
    }
    Ok(Progress::More)
}
