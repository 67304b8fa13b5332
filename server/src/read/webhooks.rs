//! What the Tank page and the API say of the webhooks: one query for all of them, and once a second for all who look.

use app::reader::ReadError;
use model::alert::{AlertKind, DeliveryView, WebhookView, WebhooksView};

use super::{FRESH_US, Reader, unavailable};
use crate::alert::{Hook, Hooks};
use crate::db::DbError;
use crate::db::webhook::{self, Listed};

/// Deliveries listed of each webhook.
const LISTED: i64 = 20;

impl Reader {
    /// The webhooks and what came of what they were told; up to a second old.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn webhooks(&self, hooks: &Hooks) -> Result<WebhooksView, ReadError> {
        let mut kept = self.webhooks.lock().await;
        if let Some((read_at, view)) = kept.as_ref()
            && self.clock.now().micros_since(*read_at) < FRESH_US
        {
            return Ok(view.clone());
        }
        let view = self.read_webhooks(hooks).await.map_err(unavailable)?;
        *kept = Some((view.at, view.clone()));
        Ok(view)
    }

    /// The same, as it is right now.
    ///
    /// # Errors
    /// The database refused.
    pub async fn read_webhooks(&self, hooks: &Hooks) -> Result<WebhooksView, DbError> {
        let at = self.clock.now();
        let ids: Vec<&str> = hooks.all().iter().map(|hook| hook.id.as_str()).collect();
        // Most servers have none, and then nothing is to be read.
        let mut listed =
            if ids.is_empty() { Default::default() } else { webhook::newest(&self.pool, &ids, LISTED).await? };
        let view = |hook: &Hook| WebhookView {
            id: hook.id.clone(),
            address: hook.url.to_string(),
            events: hook.events.clone(),
            town: hook.town.clone(),
            deliveries: listed.remove(&hook.id).unwrap_or_default().into_iter().map(shown).collect(),
        };
        Ok(WebhooksView { at, webhooks: hooks.all().iter().map(view).collect() })
    }
}

fn shown(listed: Listed) -> DeliveryView {
    DeliveryView {
        id: listed.id.to_string(),
        // The only one that cannot be chosen is a test.
        kind: AlertKind::parse(&listed.kind).unwrap_or(AlertKind::Test),
        town: listed.town,
        at: listed.at,
        tries: listed.tries,
        delivered_at: listed.outcome.delivered_at,
        next_try: listed.outcome.next_try,
        status: listed.outcome.status,
        error: listed.outcome.error,
    }
}
