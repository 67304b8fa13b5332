//! Where the hub loads towns from: a trait, so that the hub never sees the database.

use async_trait::async_trait;
use model::fuel::FuelTank;
use model::id::TownName;
use model::time::Timestamp;
use model::wire::BeadCounts;

use super::town::Seed;

/// The store, as the hub needs it.
#[async_trait]
pub trait Seeds: Send + Sync + 'static {
    /// Fixes one consistent view of the store; what is committed later is not in it.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn view(&self) -> anyhow::Result<Box<dyn SeedView>>;
    /// Bead counts of a town.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn beads(&self, town: &TownName) -> anyhow::Result<BeadCounts>;
    /// The tanks of a town beside its meter, by name.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn tanks(&self, town: &TownName, now: Timestamp) -> anyhow::Result<Vec<FuelTank>>;
    /// The names of all towns.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn towns(&self) -> anyhow::Result<Vec<TownName>>;
}

/// One consistent view of the store.
#[async_trait]
pub trait SeedView: Send {
    /// Everything about a town; none when there is no such town.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn read(self: Box<Self>, town: &TownName, now: Timestamp) -> anyhow::Result<Option<Seed>>;
}
