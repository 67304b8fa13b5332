//! What pages and the API say about alerts, and about webhooks: which there are, and what came of what they were told.

use serde::{Deserialize, Serialize};

use super::{AlertKind, Severity};
use crate::id::TownName;
use crate::time::Timestamp;

/// The alerts of a town.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsView {
    /// When this was so.
    pub at: Timestamp,
    /// The critical ones first, of these the newest.
    pub alerts: Vec<AlertView>,
}

/// An alert, from when it begins until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// Another for each episode.
    pub id: String,
    /// What webhooks were told.
    pub kind: AlertKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about: `tank`, `source/codex`, `agent/gas/toast`.
    pub subject: String,
    /// The same in words.
    pub words: String,
    /// Since when.
    pub since: Timestamp,
    /// Where to look: a path of this server.
    pub href: String,
    /// Until when nobody wants to hear of it.
    pub snoozed_until: Option<Timestamp>,
}

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
