//! Following files as they grow: told by the system where it can, and looking every second where it cannot.

mod following;
mod system;

use std::time::Duration;

use model::id::TownName;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::following::Following;
use self::system::SystemWatch;
use super::commit::CommitError;
use super::registry::Roots;
use crate::db::Pool;
use crate::ingest::Intake;

/// Changes that come within this time are read together.
const GATHER: Duration = Duration::from_millis(40);
/// After the store did not answer.
const RETRY: Duration = Duration::from_secs(2);

/// Follows `roots` for `town` until `cancel`. Nothing ends it otherwise: what cannot be read now is tried again.
#[must_use]
pub fn spawn(
    roots: Roots,
    town: TownName,
    intake: Intake,
    pool: Pool,
    cancel: CancellationToken,
    no_paths: bool,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let begun = follow(&roots, &town, &intake, &pool, &cancel, no_paths);
            match begun.await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "the watcher begins again in {} s", RETRY.as_secs()),
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    })
}

async fn follow(
    roots: &Roots,
    town: &TownName,
    intake: &Intake,
    pool: &Pool,
    cancel: &CancellationToken,
    no_paths: bool,
) -> Result<(), CommitError> {
    let mut following = Following::new(roots, town, intake, pool, no_paths).await?;
    let mut system = SystemWatch::new();
    let mut due = Instant::now();
    loop {
        let mut changed = Vec::new();
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep_until(due) => {}
            path = system.next() => {
                tokio::time::sleep(GATHER).await;
                changed.push(path);
                changed.extend(system.waiting());
            }
        }
        // A new folder may have files that nobody told of.
        if changed.is_empty() || system.missed() || changed.iter().any(|path| path.is_dir()) {
            system.watch(following.look_for_roots(roots).await?);
            following.read_all(cancel).await?;
            due = Instant::now() + system.period();
        } else {
            following.read_changed(changed, cancel).await?;
        }
    }
}
