//! One producer per town: reads what was committed and encodes it once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::id::TownName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::message;
use crate::db::feed::{self, Cursor};
use crate::db::{DbError, Pool, TownKey};

/// Streams at once: each holds one of the server's connections.
const MAX_STREAMS: usize = 2_000;
/// Listeners that read from the store at once; the others wait for their turn.
const CATCHING_UP: usize = 2;
/// How often a producer looks what was committed: one read through a primary key.
const LOOK: Duration = Duration::from_millis(100);
/// How often listeners are told what is being spent.
const TICK: Duration = Duration::from_secs(5);
/// Messages of one piece at most.
pub(super) const PIECE: u32 = 256;
/// Pieces that a listener may be behind before it has to read from the store: with [`PIECE`], some megabytes per town.
const RING: usize = 64;

/// What every listener of a town gets.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Messages that follow one another, from behind `from` up to `reached`.
    Messages { from: Cursor, reached: Cursor, messages: Arc<[(Cursor, Bytes)]> },
    /// It is time to say what is being spent.
    Tick,
}

/// The producers of all towns.
#[derive(Debug, Clone)]
pub struct Feeds(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    rings: Mutex<HashMap<TownKey, broadcast::Sender<Piece>>>,
    places: Arc<Semaphore>,
    turns: Semaphore,
    stop: CancellationToken,
}

impl Feeds {
    /// No producer yet; all streams end at `stop`.
    #[must_use]
    pub fn new(pool: Pool, stop: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            pool,
            rings: Mutex::default(),
            places: Arc::new(Semaphore::new(MAX_STREAMS)),
            turns: Semaphore::new(CATCHING_UP),
            stop,
        }))
    }

    /// A place for one more stream; none when all are taken.
    #[must_use]
    pub fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.places).try_acquire_owned().ok()
    }

    /// Streams that are open.
    #[must_use]
    pub fn streams(&self) -> usize {
        MAX_STREAMS - self.0.places.available_permits()
    }

    /// Producers at work: one for each town that somebody listens to.
    #[must_use]
    pub fn producers(&self) -> usize {
        self.rings().len()
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// What follows from the store, in turn with other listeners.
    pub(super) async fn read(&self, town: TownKey, cursor: Cursor) -> Result<feed::Page, DbError> {
        let _turn = self.0.turns.acquire().await;
        feed::after(&self.0.pool, town, cursor, PIECE).await
    }

    /// Hears what the town's producer tells from now on; starts it if there is none.
    pub(super) fn subscribe(&self, town: TownKey, name: &TownName) -> broadcast::Receiver<Piece> {
        let mut rings = self.rings();
        if let Some(ring) = rings.get(&town) {
            return ring.subscribe();
        }
        let (ring, receiver) = broadcast::channel(RING);
        rings.insert(town, ring.clone());
        drop(rings);
        tokio::spawn(self.clone().produce(town, name.clone(), ring));
        receiver
    }

    fn rings(&self) -> MutexGuard<'_, HashMap<TownKey, broadcast::Sender<Piece>>> {
        self.0.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody listens any more; then the producer is off the list, and whoever comes next starts another.
    fn is_done(&self, town: TownKey, ring: &broadcast::Sender<Piece>) -> bool {
        let mut rings = self.rings();
        let done = ring.receiver_count() == 0;
        if done {
            rings.remove(&town);
        }
        done
    }

    async fn produce(self, town: TownKey, name: TownName, ring: broadcast::Sender<Piece>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_tick = Instant::now() + TICK;
        // Where listeners start themselves; what comes before it they read from the store.
        let mut cursor = None;
        let mut silent = false;
        loop {
            tokio::select! {
                () = self.0.stop.cancelled() => return,
                _ = looks.tick() => {}
            }
            if self.is_done(town, &ring) {
                return;
            }
            match self.look(town, &mut cursor, &ring).await {
                Ok(()) => silent = false,
                Err(error) => {
                    // Once for each time that it does not answer; listeners lose nothing.
                    if !std::mem::replace(&mut silent, true) {
                        tracing::warn!(%error, town = %name, "streams wait for the store");
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            if Instant::now() >= next_tick {
                next_tick = Instant::now() + TICK;
                // Without listeners there is nothing to do.
                let _ = ring.send(Piece::Tick);
            }
        }
    }

    async fn look(
        &self,
        town: TownKey,
        cursor: &mut Option<Cursor>,
        ring: &broadcast::Sender<Piece>,
    ) -> Result<(), DbError> {
        let mut from = match *cursor {
            Some(cursor) => cursor,
            None => Cursor::behind(feed::reach(&self.0.pool, town).await?.newest),
        };
        *cursor = Some(from);
        // Bounded: others get their turn, and the tick its time.
        for _ in 0..RING / 4 {
            let page = feed::after(&self.0.pool, town, from, PIECE).await?;
            if page.reached == from {
                return Ok(());
            }
            let messages = page.entries.iter().map(|(cursor, entry)| (*cursor, message::of(*cursor, entry))).collect();
            let _ = ring.send(Piece::Messages { from, reached: page.reached, messages });
            from = page.reached;
            *cursor = Some(from);
        }
        Ok(())
    }
}
