//! Server-Sent Events as bytes.

use bytes::Bytes;
use model::event_line::{EventLine, Gone, message_name};
use serde::Serialize;

use crate::db::feed::{Cursor, Entry};
use crate::hub::event_row;

/// The message of an entry; its id is where a stream goes on behind it.
pub(super) fn of(cursor: Cursor, entry: &Entry) -> Bytes {
    match entry {
        Entry::Added(priced) => {
            let line = EventLine::of(priced, event_row(priced));
            message(message_name(line.row.kind), Some(cursor), &line)
        }
        Entry::Gone(key) => message("gone", Some(cursor), &Gone { key: *key }),
    }
}

/// A message. Without an id, the client's place stays what it is.
pub(super) fn message(name: &str, id: Option<Cursor>, data: &impl Serialize) -> Bytes {
    let id = id.map(|cursor| format!("id: {cursor}\n")).unwrap_or_default();
    match serde_json::to_string(data) {
        // JSON has no line breaks of its own.
        Ok(json) => Bytes::from(format!("{id}event: {name}\ndata: {json}\n\n")),
        Err(error) => {
            tracing::error!(%error, name, "a message could not be encoded");
            comment("a message could not be encoded")
        }
    }
}

/// What clients do not show, such as a sign of life.
pub(super) fn comment(text: &str) -> Bytes {
    Bytes::from(format!(": {text}\n\n"))
}
