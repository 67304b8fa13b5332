//! Following files as they grow: told by the system where it can, and looking every second where it cannot.

mod following;
mod system;

use std::sync::Arc;
use std::time::Duration;

use model::id::TownName;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::following::Following;
use self::system::SystemWatch;
use super::destination::{CommitError, Destination, StoreDestination};
use super::registry::Roots;
use super::{gt_status, tmux};
use crate::db::Pool;
use crate::ingest::Intake;

/// Changes that come within this time are read together.
const GATHER: Duration = Duration::from_millis(40);
/// After the store did not answer.
const RETRY: Duration = Duration::from_secs(2);

/// Follows `roots` into the store, for `town`; as [`spawn_into`].
#[must_use]
pub fn spawn(
    roots: Roots,
    town: TownName,
    intake: Intake,
    pool: Pool,
    cancel: CancellationToken,
    no_paths: bool,
) -> JoinHandle<()> {
    spawn_into(Arc::new(StoreDestination::new(town, pool, intake)), roots, cancel, no_paths)
}

/// Follows `roots` into `destination` until `cancel`, and asks `gt status` and tmux beside a Gas Town's files. Nothing ends it otherwise: what cannot be read now is tried again.
#[must_use]
pub fn spawn_into(
    destination: Arc<dyn Destination>,
    roots: Roots,
    cancel: CancellationToken,
    no_paths: bool,
) -> JoinHandle<()> {
    let terminals = tmux::poll(roots.clone(), Arc::clone(&destination), cancel.clone());
    let status = gt_status::poll(roots.clone(), Arc::clone(&destination), cancel.clone());
    let files = async move {
        loop {
            match follow(&roots, &destination, &cancel, no_paths).await {
                Ok(()) => return,
                Err(_) if cancel.is_cancelled() => return,
                Err(error) => tracing::warn!(%error, "the watcher begins again in {} s", RETRY.as_secs()),
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    };
    tokio::spawn(async move {
        tokio::join!(files, terminals, status);
    })
}

async fn follow(
    roots: &Roots,
    destination: &Arc<dyn Destination>,
    cancel: &CancellationToken,
    no_paths: bool,
) -> Result<(), CommitError> {
    let mut following = Following::new(roots, Arc::clone(destination), no_paths).await?;
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
