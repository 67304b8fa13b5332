//! The OpenAPI document: nothing of the API is missing in it, what it shows to send is taken, and what it shows as answers
//! is what a real server answers.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeSet;
use std::path::Path;

use crate::server_support::{Server, call, now, start};
use serde_json::{Value, json};
use server::http::openapi::{OPERATIONS, Operation, Try, document, fits};

/// Method and path of every route under /api, as the routers' sources have them.
fn routes() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http")).unwrap() {
        let path = file.unwrap().path();
        let path = if path.is_dir() { path.join("mod.rs") } else { path };
        let Ok(source) = std::fs::read_to_string(path) else { continue };
        for after in source.split(".route(\"/api/").skip(1) {
            let (path, rest) = after.split_once('"').unwrap();
            // Up to the end of this call: `, get(list).post(add))`.
            let call = rest.split(".route(").next().unwrap().split(['\n', ';']).next().unwrap();
            for method in ["get", "post", "put", "delete", "patch"] {
                if call.contains(&format!("{method}(")) {
                    found.insert((method.to_owned(), format!("/api/{path}")));
                }
            }
        }
    }
    found
}

#[test]
fn every_route_of_the_api_is_in_the_document_and_nothing_else() {
    let described: BTreeSet<(String, String)> =
        OPERATIONS.iter().map(|operation| (operation.method.to_owned(), operation.path.to_owned())).collect();
    assert_eq!(described.len(), OPERATIONS.len(), "an operation stands twice in the table");
    let routes = routes();
    assert!(routes.len() > 30, "{routes:?}");
    assert_eq!(described, routes);
    let document = document();
    for (method, path) in routes {
        assert!(document["paths"][&path][&method]["summary"].is_string(), "{method} {path}");
    }
}

#[test]
fn scopes_are_those_that_the_guard_asks_for() {
    let document = document();
    let scope = |method: &str, path: &str| document["paths"][path][method]["description"].as_str().unwrap().to_owned();
    assert!(scope("post", "/api/ingest").contains("ingest"));
    assert!(scope("get", "/api/live/stream").contains("read"));
    assert!(scope("post", "/api/prices").contains("admin"));
    assert!(scope("get", "/api/webhooks").contains("admin"));
}

/// A town in which something happened, so that answers have something in them.
async fn lively() -> Server {
    let server = start().await;
    let at = now();
    let mut unpriced = call(at.plus_seconds(-3), 2);
    unpriced["model"] = json!("nobody-knows-it");
    let mut held = call(at, 1);
    held["session"] = json!("s1");
    held["duration_ms"] = json!(2_100);
    let tool = json!({"type": "tool_call", "ts": at.to_string(), "tool": "Bash", "duration_ms": 812, "session": "s1",
                      "agent": "toast", "rig": "gas", "role": "polecat", "file": "src/lib.rs"});
    let begun = at.plus_seconds(-5).to_string();
    let request = json!({"type": "request", "ts": begun, "request_id": "r1", "state": "started", "session": "s1",
                         "agent": "toast", "rig": "gas", "role": "polecat", "model": "claude-sonnet-4-5"});
    server.post("/api/ingest?town=home", &json!([held, unpriced, tool, request])).await;
    // Nothing of a fresh town lasts long enough for an alert of its own.
    let alert = "insert into alert (town_id, subject, state, since, words)
                 select town_id, 'review', 'waiting', now(), '12 beads wait for review' from town where name = 'home'";
    sqlx::query(alert).execute(&server.pool).await.unwrap();
    server
}

async fn ask(server: &Server, operation: &Operation) -> (u16, Value) {
    let method = operation.method.to_ascii_uppercase().parse().unwrap();
    let mut request = server.client.request(method, server.url(&operation.example_path()));
    if let Some(body) = operation.body {
        request = request.header("content-type", "application/json").body(body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

/// The same with one item per list. Rows of a few figures stay whole: they have as many as there are measures.
fn shortened(value: Value) -> Value {
    match value {
        Value::Array(items) if items.len() <= 24 && items.iter().all(Value::is_number) => Value::Array(items),
        Value::Array(items) => items.into_iter().take(1).map(shortened).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, shortened(value))).collect(),
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_document_shows_is_what_a_server_takes_and_answers() {
    let server = lively().await;
    let writes = std::env::var("TOWNGAUGE_EXAMPLES").is_ok_and(|word| word == "write");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/openapi/examples");
    // What is sent comes first, so that what is read is not empty.
    let tried = || OPERATIONS.iter().filter(|operation| operation.tried == Try::AsItIs);
    for operation in tried().filter(|o| o.body.is_some()).chain(tried().filter(|o| o.body.is_none())) {
        let name = format!("{} {}", operation.method, operation.path);
        let (status, answer) = ask(&server, operation).await;
        assert_eq!(status, operation.status, "{name}: {answer}");
        if writes {
            let path = operation.path.trim_start_matches("/api/").replace('/', "_").replace(['{', '}'], "");
            let file = folder.join(format!("{}_{path}.json", operation.method));
            std::fs::write(file, format!("{:#}\n", shortened(answer))).unwrap();
        } else {
            let example = operation.answer_json().unwrap();
            assert!(!example.is_null(), "{name} has no example");
            fits(&answer, &example, "").unwrap_or_else(|error| panic!("{name}: {error}\n{answer:#}"));
        }
    }
    server.running.stop().await;
}

#[test]
fn typed_examples_read_back() {
    fn check<T: serde::de::DeserializeOwned>(path: &str) {
        let operation = OPERATIONS.iter().find(|o| o.path == path && o.method == "get").unwrap();
        let example = operation.answer_json().unwrap();
        serde_json::from_value::<T>(example.clone()).unwrap_or_else(|error| panic!("{path}: {error}\n{example:#}"));
    }
    check::<model::live_stats::LiveStats>("/api/live/stats");
    check::<model::event_line::EventPage>("/api/towns/{town}/events");
    check::<model::event_line::EventPage>("/api/system/events");
    check::<model::wire::Snapshot>("/api/towns/{town}/snapshot");
    check::<model::system::SystemMetrics>("/api/system/metrics");
    check::<model::host::OwnCost>("/api/system/cost");
    check::<model::system::SystemHealth>("/api/system/health");
    check::<model::system::ActiveRequests>("/api/system/activeRequests");
    check::<model::system::Channels>("/api/system/channels");
    check::<model::alert::WebhooksView>("/api/webhooks");
    check::<model::alert::AlertsView>("/api/towns/{town}/alerts");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_served() {
    let server = start().await;
    let served = server.get("/api/openapi.json").await;
    assert_eq!(served, document());
    assert_eq!(served["openapi"], "3.1.0");
    server.running.stop().await;
}
