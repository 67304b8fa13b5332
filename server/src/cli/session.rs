//! What surrounds a command: the store opened, and let go of afterwards. Works with no server running and beside one.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::CommandContext;
use crate::config::Config;
use crate::ingest::{Intake, IntakeLimits, WriterHandle};
use crate::postgres::OpenMode;
use crate::rollup;
use crate::store::Store;

/// An open store with a writer.
pub struct Session {
    context: CommandContext,
    writer: WriterHandle,
    store: Store,
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
        Ok(Self { context, writer, store })
    }

    /// What the command is given.
    pub const fn context(&self) -> &CommandContext {
        &self.context
    }

    /// Finishes what was submitted and its rollups, and lets go of the store.
    pub async fn close(self) {
        self.context.intake.close_and_drain(self.writer).await;
        // Without a server nobody else would do it soon.
        if let Err(error) = rollup::run_once(&self.context.pool).await {
            tracing::warn!(%error, "rollups are left to the next server");
        }
        drop(self.context);
        self.store.close().await;
    }
}
