//! Alerts: looks every few seconds which state tanks, sources, agents and a town's work are in, shows what is not fine on
//! every page, and tells webhooks of the steps. One look, two consumers.
//!
//! A step is claimed in the database together with what is to be told of it, and delivered by whoever takes it from
//! there. So it is told at least once, and by its id once, however many servers there are and whenever they are killed.

mod body;
mod card;
mod courier;
mod hooks;
mod reading;
mod strips;
mod subject;
mod watcher;

pub use body::Body;
pub use card::cards;
pub use courier::Courier;
pub use hooks::{Hook, Hooks};
pub use strips::{Bell, Strips, views};
pub use subject::view;
pub use watcher::Watcher;

use std::sync::Arc;
use std::time::Duration;

use model::alert::AlertLimits;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::db::Pool;
use crate::hub::Hub;

/// How often what is shown is compared with the database although nobody told of a change: a snooze ends by itself.
const SHOW_PERIOD: Duration = Duration::from_secs(5);
/// How often it is looked for what is due, unless something new is there.
const DELIVERY_PERIOD: Duration = Duration::from_secs(1);

/// What alerts need.
#[derive(Clone)]
pub struct Watch {
    /// The database.
    pub pool: Pool,
    /// The live state.
    pub hub: Hub,
    /// The time.
    pub clock: Clock,
    /// Who is told.
    pub hooks: Arc<Hooks>,
    /// Where states begin and end.
    pub limits: AlertLimits,
    /// Rung when alerts changed.
    pub bell: Arc<Bell>,
}

/// Watches, shows and delivers until `stop`. What is known already is shown when this returns.
pub async fn spawn(watch: Watch, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let Watch { pool, hub, clock, hooks, limits, bell } = watch;
    let mut strips = Strips::new(pool.clone(), hub.clone(), clock.clone());
    refresh(&mut strips).await;
    let mut tasks = vec![tokio::spawn(until(stop.clone(), show(strips, bell)))];
    if limits.every_s > 0 {
        let watcher = Watcher::new(pool.clone(), hub, clock.clone(), Arc::clone(&hooks), limits);
        let every = Duration::from_secs(u64::from(limits.every_s));
        tasks.push(tokio::spawn(look(watcher, every, stop.clone())));
    }
    if !hooks.is_empty() {
        tasks.push(tokio::spawn(until(stop.clone(), deliver(Courier::new(pool, clock, hooks)))));
    }
    tasks
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    stop.run_until_cancelled(work).await;
}

async fn look(mut watcher: Watcher, every: Duration, stop: CancellationToken) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(watcher.look()).await {
            tracing::warn!(%error, "alerts cannot be looked at; trying again");
        }
    }
    if let Err(error) = watcher.leave().await {
        tracing::debug!(%error, "another server takes over the alerts a little later");
    }
}

async fn show(mut strips: Strips, bell: Arc<Bell>) {
    loop {
        // Too late is as good as not at all.
        let _ = tokio::time::timeout(SHOW_PERIOD, bell.rung()).await;
        refresh(&mut strips).await;
    }
}

async fn refresh(strips: &mut Strips) {
    if let Err(error) = strips.refresh().await {
        tracing::warn!(%error, "alerts cannot be shown; what is shown stays");
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
