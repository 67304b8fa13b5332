//! A town read from the store again, while it is written to.

use std::sync::Arc;

use model::id::TownName;
use tokio::sync::mpsc;

use super::command::{Command, LoadFailed};
use super::seeds::Seeds;
use crate::clock::Clock;
use crate::ingest::Committed;

/// Loads a town without losing or repeating what is committed meanwhile. Writers take a place in the hub's channel
/// before they commit; while this task holds all places, everything committed is in the hub, nothing else is on its
/// way, and its view of the store is fixed.
pub(super) async fn load(
    seeds: Arc<dyn Seeds>,
    town: TownName,
    committed: mpsc::Sender<Committed>,
    commands: mpsc::Sender<Command>,
    clock: Clock,
) {
    let seed = async {
        let quiet = committed.reserve_many(committed.max_capacity()).await?;
        let view = seeds.view().await?;
        let (noted, is_noted) = tokio::sync::oneshot::channel();
        commands.send(Command::Fixed(town.clone(), noted)).await?;
        is_noted.await?;
        drop(quiet);
        view.read(&town, clock.now()).await
    };
    let seed = seed.await.map(|seed| seed.map(Box::new)).map_err(|error| {
        tracing::warn!(%town, error = format!("{error:#}"), "could not load a town's live state; trying again");
        LoadFailed
    });
    let _ = commands.send(Command::Loaded(town, seed)).await;
}
