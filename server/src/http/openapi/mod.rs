//! `GET /api/openapi.json`: the API as an OpenAPI 3.1 document, made from the table of operations.
//!
//! The table is held against the routers' own source, and its examples are sent to and compared with a real server
//! (server/tests/it/openapi.rs); scopes come from what the guard asks for. Schemas are those of the examples: their fields and
//! types are promised, further fields may come.

mod operation;
mod schema;
mod table;

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::get;
use serde_json::{Map, Value, json};

pub use operation::{Operation, Try};
pub use schema::fits;
pub use table::OPERATIONS;

use crate::state::App;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// `/api/openapi.json`.
pub fn router() -> Router<App> {
    Router::new().route("/api/openapi.json", get(openapi))
}

async fn openapi() -> (HeaderMap, &'static str) {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    (headers, DOCUMENT.as_str())
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        item[operation.method] = operation.describe();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Towngauge",
            "version": crate::VERSION,
            "description": "A live instrument panel for coding agents. On loopback no key is needed; elsewhere each request \
                            has one: `towngauge key create`. Money is integer nanodollars. Instants are RFC 3339, or numbers \
                            of microseconds since 1970 in what pages read too.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "tg_…, made by towngauge key create"},
                "session": {"type": "apiKey", "in": "cookie", "name": super::access::COOKIE_NAME},
            },
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error", "hint"],
                    "properties": {
                        "error": {"type": "string", "description": "what is wrong"},
                        "hint": {"type": "string", "description": "what to do about it"},
                    },
                },
            },
        },
    })
}
