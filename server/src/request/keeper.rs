//! Gives up requests whose end never came, and says so in the stream.

use std::collections::BTreeMap;
use std::time::Duration;

use model::id::TownName;
use model::request::{RequestEdge, RequestId};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Step;
use crate::clock::Clock;
use crate::db::request::{self, Overdue};
use crate::db::{DbError, Pool, TownKey};
use crate::ingest::{Intake, Outcome, SubmitError};

/// How often it is looked. Pages go by age, so nothing is shown as active for longer than it may be.
const PERIOD: Duration = Duration::from_secs(5);
/// Requests that are given up at once.
const AT_ONCE: i64 = 500;

/// Why requests wait to be given up.
#[derive(Debug, thiserror::Error)]
enum KeeperError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

/// Looks after requests until `stop`. Several servers may do so at once: each of a request's steps counts once.
#[must_use]
pub fn spawn(pool: Pool, intake: Intake, clock: Clock, lost_after_s: i64, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(PERIOD);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let work = look(&pool, &intake, &clock, lost_after_s);
            tokio::select! {
                () = stop.cancelled() => return,
                done = work => if let Err(error) = done {
                    tracing::warn!(%error, "requests that never ended wait to be given up");
                },
            }
        }
    })
}

async fn look(pool: &Pool, intake: &Intake, clock: &Clock, lost_after_s: i64) -> Result<(), KeeperError> {
    request::settle(pool).await?;
    loop {
        let overdue = request::overdue(pool, clock.now(), lost_after_s, AT_ONCE).await?;
        let is_all = i64::try_from(overdue.len()).is_ok_and(|n| n < AT_ONCE);
        let mut towns: BTreeMap<(TownKey, TownName), Vec<Overdue>> = BTreeMap::new();
        for one in overdue {
            towns.entry((one.town, one.town_name.clone())).or_default().push(one);
        }
        for ((key, name), lost) in towns {
            let step = |one: &Overdue| {
                let at = one.started.plus_seconds(lost_after_s);
                Step { id: one.id, edge: RequestEdge::Lost, at, of: &one.of, told_by: one.told_by }.envelope()
            };
            let outcomes = intake.submit_waiting(&name, lost.iter().map(step).collect()).await?;
            // What is stored has changed its row with the same commit.
            let rest = lost.iter().zip(outcomes).filter(|(_, outcome)| *outcome != Outcome::Stored);
            let rest: Vec<RequestId> = rest.map(|(one, _)| one.id).collect();
            if !rest.is_empty() {
                request::give_up(pool, key, &rest, lost_after_s).await?;
            }
        }
        if is_all {
            return Ok(());
        }
    }
}
