//! What the database said of keys: believed for seconds, and, where nobody can wait for it, until it says otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::access::Known;
use super::secret;
use crate::clock::Clock;
use crate::db::key;
use crate::db::{DbError, Pool};
use crate::error::ApiError;

/// How long a key is believed before the database is asked again: after this, a revoked key is dead.
const BELIEVED_US: i64 = 5_000_000;
/// Keys remembered at most.
const MAX_REMEMBERED: usize = 1_000;
/// Questions of those who cannot wait that are under way at once. They are not broken off when they come too late, so
/// while the database hangs each holds one of the pool's connections.
const LOOKING_AT_ONCE: usize = 3;
/// Uses of keys that are noted at once. What finds no room is noted with a later use.
const TOUCHING_AT_ONCE: usize = 2;
/// How long these wait for the database, with nobody waiting for them.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the database said about a hash, and when.
type Believed = HashMap<[u8; 32], (Timestamp, Option<Known>)>;

/// What is believed.
pub(super) struct Beliefs {
    pool: Pool,
    clock: Clock,
    believed: Mutex<Believed>,
    looking: Arc<Semaphore>,
    touching: Arc<Semaphore>,
}

impl Beliefs {
    pub(super) fn new(pool: Pool, clock: Clock) -> Arc<Self> {
        let believed = Mutex::default();
        let (looking, touching) = (Semaphore::new(LOOKING_AT_ONCE), Semaphore::new(TOUCHING_AT_ONCE));
        Arc::new(Self { pool, clock, believed, looking: Arc::new(looking), touching: Arc::new(touching) })
    }

    /// The key with that hash.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn ask(&self, hash: [u8; 32]) -> Result<Option<Known>, DbError> {
        match self.fresh(&hash) {
            Some(known) => Ok(known),
            None => self.look(hash).await,
        }
    }

    /// The key with that hash, for whoever cannot wait longer than `patience`: what the database said last holds when it
    /// does not answer by then.
    ///
    /// # Errors
    /// It does not answer, and never said anything about this hash.
    pub(super) async fn ask_within(
        self: &Arc<Self>,
        hash: [u8; 32],
        patience: Duration,
    ) -> Result<Option<Known>, ApiError> {
        if let Some(known) = self.fresh(&hash) {
            return Ok(known);
        }
        let looked = match timeout(patience, Arc::clone(self).look_apart(hash)).await {
            Ok(Some(Ok(known))) => return Ok(known),
            Ok(Some(Err(error))) => Some(error),
            Ok(None) | Err(_) => None,
        };
        match (self.last(&hash), looked) {
            (Some((at, known)), _) => {
                tracing::debug!(%at, "a key is believed as it was: the database does not answer");
                Ok(known)
            }
            (None, Some(error)) => Err(error.into()),
            (None, None) => Err(ApiError::unavailable("the store does not answer", 2)),
        }
    }

    /// Asks on a task of its own, which learns the answer even when it comes too late for this request. None: it did not
    /// answer at all.
    async fn look_apart(self: Arc<Self>, hash: [u8; 32]) -> Option<Result<Option<Known>, DbError>> {
        let permit = Arc::clone(&self.looking).acquire_owned().await.ok()?;
        // Somebody may have asked the same meanwhile.
        if let Some(known) = self.fresh(&hash) {
            return Some(Ok(known));
        }
        let look = async move {
            let looked = timeout(PATIENCE, self.look(hash)).await.ok();
            drop(permit);
            looked
        };
        tokio::spawn(look).await.ok().flatten()
    }

    async fn look(&self, hash: [u8; 32]) -> Result<Option<Known>, DbError> {
        let now = self.clock.now();
        let row = key::find(&self.pool, &hash).await?.filter(|row| secret::equal(&row.hash, &hash));
        let known = row.map(|row| Known { id: row.id, scope: row.scope });
        if let Some(known) = known {
            self.touch(known.id);
        }
        let mut believed = self.lock();
        if believed.len() >= MAX_REMEMBERED {
            // Whoever tries many keys does not make the good ones forgotten.
            believed.retain(|_, (_, known)| known.is_some());
        }
        if believed.len() >= MAX_REMEMBERED {
            believed.clear();
        }
        believed.insert(hash, (now, known));
        Ok(known)
    }

    /// Notes that a key was used; nobody waits for it.
    fn touch(&self, id: i32) {
        let Ok(permit) = Arc::clone(&self.touching).try_acquire_owned() else { return };
        let pool = self.pool.clone();
        tokio::spawn(async move {
            match timeout(PATIENCE, key::touch(&pool, id)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "it could not be noted that a key was used"),
                Err(_) => tracing::warn!("it could not be noted in time that a key was used"),
            }
            drop(permit);
        });
    }

    fn fresh(&self, hash: &[u8; 32]) -> Option<Option<Known>> {
        let (at, known) = self.last(hash)?;
        (self.clock.now().micros_since(at) < BELIEVED_US).then_some(known)
    }

    fn last(&self, hash: &[u8; 32]) -> Option<(Timestamp, Option<Known>)> {
        self.lock().get(hash).copied()
    }

    fn lock(&self) -> MutexGuard<'_, Believed> {
        self.believed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
