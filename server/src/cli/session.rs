//! What surrounds a command: the store opened, and let go of afterwards. Works with no server running and beside one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::CommandContext;
use crate::config::Config;
use crate::db::notify::{Ears, Heard};
use crate::db::price::Prices;
use crate::db::{DbError, Pool};
use crate::ingest::{Intake, IntakeLimits, WriterHandle, instance_id};
use crate::postgres::OpenMode;
use crate::rollup;
use crate::store::Store;

/// Before the database is listened to again.
const PAUSE: Duration = Duration::from_secs(2);

/// Who makes the coarser tiers of what a command stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollups {
    /// The command, before it ends.
    Own,
    /// A running server, which looks every second; without one the command.
    Server,
}

/// An open store with a writer.
pub struct Session {
    context: CommandContext,
    writer: WriterHandle,
    store: Store,
    /// Hears of new prices: `watch` runs for months.
    prices: JoinHandle<()>,
}

impl Session {
    /// Opens the store.
    ///
    /// # Errors
    /// No database, or one that cannot be used.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let store = Store::open(config, OpenMode::Attach).await?;
        // Nobody here has dials: a running server hears of the changes from the database.
        let (committed, _) = mpsc::channel(1);
        let (intake, writer) =
            Intake::start(store.pool.clone(), Arc::clone(&store.prices), committed, IntakeLimits::default());
        let context = CommandContext {
            pool: store.pool.clone(),
            intake,
            town: config.town.value.clone(),
            no_paths: !config.paths.value,
        };
        let prices = tokio::spawn(follow_prices(store.pool.clone(), Arc::clone(&store.prices)));
        Ok(Self { context, writer, store, prices })
    }

    /// What the command is given.
    pub const fn context(&self) -> &CommandContext {
        &self.context
    }

    /// Finishes what was submitted and its rollups, and lets go of the store.
    pub async fn close(self, rollups: Rollups) {
        self.context.intake.close_and_drain(self.writer).await;
        self.prices.abort();
        // Without a server nobody else would do it soon.
        if (rollups == Rollups::Own || !self.store.is_served())
            && let Err(error) = rollup::run_once(&self.context.pool).await
        {
            tracing::warn!(%error, "rollups are left to the next server");
        }
        drop(self.context);
        self.store.close().await;
    }
}

/// Prices with the newest book, whoever adds to it.
async fn follow_prices(pool: Pool, prices: Arc<Prices>) {
    loop {
        let followed = async {
            let mut ears = Ears::open(&pool).await?;
            // What was said before there were ears.
            prices.reload(&pool).await?;
            loop {
                if matches!(ears.next(instance_id()).await?, Heard::Prices | Heard::Anything) {
                    prices.reload(&pool).await?;
                }
            }
        };
        let ended: Result<(), DbError> = followed.await;
        if let Err(error) = ended {
            tracing::warn!(%error, "cannot hear of new prices; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
