//! Test: what is told while a town is being loaded is not lost to what was read before.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::fuel::{FuelKind, FuelTank, WINDOW_FULL};
use model::id::TownName;
use model::time::Timestamp;
use model::wire::BeadCounts;
use tokio::sync::Notify;

use super::{Hub, HubSettings, Seed, SeedView, Seeds};
use crate::clock::Clock;

/// A store with one town, one tank and beads: a view of it is slow to read, and shows what was when it was opened.
#[derive(Default)]
struct Store {
    left: AtomicI64,
    /// Views after the first wait for this.
    go_on: Notify,
    views: AtomicI64,
}

struct View {
    store: Arc<Store>,
    left: i64,
    waits: bool,
}

fn tank(left: i64) -> FuelTank {
    FuelTank {
        name: "Claude Code 5 h".into(),
        source: "claude_code".into(),
        kind: FuelKind::Window,
        meter: false,
        left,
        full: WINDOW_FULL,
        currency: String::new(),
        resets_at: None,
        read_at: Some(Timestamp::from_seconds(1_772_000_000)),
        trouble: None,
        band: None,
    }
}

fn beads(left: i64) -> BeadCounts {
    BeadCounts { open: u32::try_from(left).unwrap(), ..BeadCounts::default() }
}

struct Shared(Arc<Store>);

#[async_trait]
impl Seeds for Shared {
    async fn view(&self) -> anyhow::Result<Box<dyn SeedView>> {
        let waits = self.0.views.fetch_add(1, Ordering::SeqCst) > 0;
        Ok(Box::new(View { left: self.0.left.load(Ordering::SeqCst), store: Arc::clone(&self.0), waits }))
    }
    async fn beads(&self, _: &TownName) -> anyhow::Result<BeadCounts> {
        Ok(beads(self.0.left.load(Ordering::SeqCst)))
    }
    async fn tanks(&self, _: &TownName, _: Timestamp) -> anyhow::Result<Vec<FuelTank>> {
        Ok(vec![tank(self.0.left.load(Ordering::SeqCst))])
    }
    async fn towns(&self) -> anyhow::Result<Vec<TownName>> {
        Ok(vec![TownName::new("t")?])
    }
}

#[async_trait]
impl SeedView for View {
    async fn read(self: Box<Self>, _: &TownName, _: Timestamp) -> anyhow::Result<Option<Seed>> {
        if self.waits {
            self.store.go_on.notified().await;
        }
        Ok(Some(Seed { tanks: vec![tank(self.left)], beads: beads(self.left), ..Seed::default() }))
    }
}

#[tokio::test]
async fn tanks_and_beads_that_change_while_a_town_is_loaded_are_read_again() {
    let store = Arc::new(Store::default());
    store.left.store(9, Ordering::SeqCst);
    let settings = HubSettings { max_viewers: 1, build: String::new() };
    let (hub, _committed, task) =
        Hub::start(settings, Clock::system(), Arc::new(Shared(Arc::clone(&store)))).await.unwrap();
    let town = TownName::new("t").unwrap();
    hub.reload(town.clone()).await;
    let until = async |what: &str, is_so: &dyn Fn(i64, u32) -> bool| {
        for _ in 0..400 {
            let snapshot = hub.snapshot(&town).await.unwrap();
            if is_so(snapshot.tanks[0].left, snapshot.beads.open) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what}");
    };
    for _ in 0..400 {
        if store.views.load(Ordering::SeqCst) == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The view is open, and shows 9; now it becomes 5, which is told.
    store.left.store(5, Ordering::SeqCst);
    hub.reload_tanks(town.clone()).await;
    hub.reload_beads(town.clone()).await;
    until("what is told is read while loading", &|tank, beads| tank == 5 && beads == 5).await;
    store.go_on.notify_one();
    until("the load is done", &|_, _| hub.stats().loads.load(Ordering::Relaxed) == 1).await;
    until("and what it overwrote is read again", &|tank, beads| tank == 5 && beads == 5).await;
    hub.stop().await;
    task.await.unwrap();
}
