//! What webhooks are told: `{"id", "type", "town", "at", "data"}`, made once and sent the same at every try.

use model::alert::AlertKind;
use model::id::TownName;
use model::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Hook;
use crate::db::webhook::NewDelivery;

/// A body for one webhook.
#[derive(Debug)]
pub struct Body<'a> {
    id: Uuid,
    hook: &'a Hook,
    kind: AlertKind,
    at: Timestamp,
    json: String,
}

impl<'a> Body<'a> {
    /// A body with an id of its own.
    pub fn new(hook: &'a Hook, kind: AlertKind, town: &TownName, at: Timestamp, data: &Value) -> Self {
        let id = Uuid::now_v7();
        let body = json!({"id": id, "type": kind, "town": town, "at": at.to_string(), "data": data});
        Self { id, hook, kind, at, json: body.to_string() }
    }
    /// As the database takes it.
    pub fn delivery(&self) -> NewDelivery<'_> {
        NewDelivery { id: self.id, hook: &self.hook.id, kind: self.kind, at: self.at, body: &self.json }
    }
    /// Its id.
    pub const fn id(&self) -> Uuid {
        self.id
    }
}
