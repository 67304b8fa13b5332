//! What the page and the API say about webhooks: which there are, and what came of what they were told.

use serde::{Deserialize, Serialize};

use super::AlertKind;
use crate::id::TownName;
use crate::time::Timestamp;

/// Every webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhooksView {
    /// When this was so.
    pub at: Timestamp,
    /// In the order of the configuration.
    pub webhooks: Vec<WebhookView>,
}

/// One webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookView {
    /// Made of its address: the same as long as that is.
    pub id: String,
    /// Its address as far as it is no secret: `https://example.org/…`.
    pub address: String,
    /// What it is told.
    pub events: Vec<AlertKind>,
    /// Of which town; none: of all.
    pub town: Option<TownName>,
    /// What it was told last, the newest first.
    pub deliveries: Vec<DeliveryView>,
}

/// Something that a webhook was or will be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// The same at every try.
    pub id: String,
    /// What it is about.
    pub kind: AlertKind,
    /// Of which town.
    pub town: TownName,
    /// When it happened.
    pub at: Timestamp,
    /// Tries so far.
    pub tries: u32,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When it is tried again; none: delivered, or given up.
    pub next_try: Option<Timestamp>,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// Why the last try failed.
    pub error: Option<String>,
}
