//! Alerts: looks every few seconds which state tanks, sources and agents are in, and tells webhooks of the steps.
//!
//! A step is claimed in the database together with what is to be told of it, and delivered by whoever takes it from
//! there. So it is told at least once, and by its id once, however many servers there are and whenever they are killed.

mod body;
mod card;
mod courier;
mod hooks;
mod watcher;

pub use body::Body;
pub use card::cards;
pub use courier::Courier;
pub use hooks::{Hook, Hooks};
pub use watcher::{Limits, Watcher};

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::db::Pool;
use crate::hub::Hub;

/// How often states are looked at.
const LOOK_PERIOD: Duration = Duration::from_secs(5);
/// How often it is looked for what is due, unless something new is there.
const DELIVERY_PERIOD: Duration = Duration::from_secs(1);

/// Watches and delivers until `stop`; does nothing at all without a webhook.
pub fn spawn(
    pool: Pool,
    hub: Hub,
    clock: Clock,
    hooks: Arc<Hooks>,
    limits: Limits,
    stop: CancellationToken,
) -> Vec<JoinHandle<()>> {
    if hooks.is_empty() {
        return Vec::new();
    }
    let watcher = Watcher::new(pool.clone(), hub, clock.clone(), Arc::clone(&hooks), limits);
    let courier = Courier::new(pool, clock, hooks);
    let watch = |stop: CancellationToken| async move {
        stop.run_until_cancelled(watch(watcher)).await;
    };
    let deliver = |stop: CancellationToken| async move {
        stop.run_until_cancelled(deliver(courier)).await;
    };
    vec![tokio::spawn(watch(stop.clone())), tokio::spawn(deliver(stop))]
}

async fn watch(mut watcher: Watcher) {
    let mut tick = tokio::time::interval(LOOK_PERIOD);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = watcher.look().await {
            tracing::warn!(%error, "alerts cannot be looked at; trying again");
        }
    }
}

async fn deliver(courier: Courier) {
    loop {
        match courier.run_once().await {
            // There may be more.
            Ok(n) if n > 0 => {}
            Ok(_) => courier.rest(DELIVERY_PERIOD).await,
            Err(error) => {
                tracing::warn!(%error, "webhooks cannot be told; trying again");
                tokio::time::sleep(DELIVERY_PERIOD).await;
            }
        }
    }
}
