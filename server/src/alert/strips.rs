//! Shows alerts on every page: whenever they change, the strip of each town is rendered once and handed to the hub, which
//! encodes it once for all who look.

use std::collections::HashMap;

use app::alert_markup;
use model::alert::AlertView;
use model::id::TownName;
use tokio::sync::Notify;

use super::subject;
use crate::clock::Clock;
use crate::db::{Pool, TownKey, alert, town};
use crate::hub::Hub;

/// The strips of all towns.
pub struct Strips {
    pool: Pool,
    hub: Hub,
    clock: Clock,
    /// What the hub shows.
    shown: HashMap<TownName, String>,
}

impl Strips {
    /// Shows nothing yet.
    #[must_use]
    pub fn new(pool: Pool, hub: Hub, clock: Clock) -> Self {
        Self { pool, hub, clock, shown: HashMap::new() }
    }

    /// Shows what the database has now: two queries for all towns.
    ///
    /// # Errors
    /// The store does not answer; what is shown stays.
    pub async fn refresh(&mut self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let towns = town::list(&self.pool).await?;
        let keys: Vec<TownKey> = towns.iter().map(|town| town.key).collect();
        let mut alerts: HashMap<TownKey, Vec<alert::Episode>> = HashMap::new();
        for episode in alert::list(&self.pool, &keys, now).await? {
            alerts.entry(episode.town).or_default().push(episode);
        }
        for town in towns {
            let views = views(&town.name, alerts.remove(&town.key).unwrap_or_default());
            let strip = alert_markup(&town.name, &views);
            let known = self.shown.get(&town.name);
            if known.map_or(strip.is_empty(), |known| *known == strip) {
                continue;
            }
            // A town that the hub does not know yet is shown the next time.
            if self.hub.show_alerts(town.name.clone(), strip.clone()).await {
                self.shown.insert(town.name, strip);
            }
        }
        Ok(())
    }
}

/// The alerts of a town: the critical ones first, of these the newest.
#[must_use]
pub fn views(town: &TownName, episodes: Vec<alert::Episode>) -> Vec<AlertView> {
    let mut views: Vec<AlertView> = episodes.iter().filter_map(|episode| subject::view(town, episode)).collect();
    views.sort_by(|a, b| (b.severity, b.since, &a.subject).cmp(&(a.severity, a.since, &b.subject)));
    views
}

/// Says that alerts changed somewhere.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// Look again.
    pub fn ring(&self) {
        self.0.notify_one();
    }
    /// Waits for the next ring. For one task only.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}
