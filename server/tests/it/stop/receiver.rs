//! A receiver of webhooks on loopback, which remembers what it was told and checks the signatures by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

/// What its bodies are signed with.
pub const SECRET: &str = "a secret of the test";

/// One delivery as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub event: String,
    pub delivery: String,
    pub body: Value,
}

#[derive(Debug, Default)]
struct Seen {
    received: Vec<Received>,
    answers: VecDeque<u16>,
}

/// A running receiver; it ends with the test.
pub struct Receiver {
    pub address: String,
    seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    /// Answers with these statuses, one after the other, and with 200 after them.
    pub async fn start(address: &str, answers: &[u16]) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Seen { received: Vec::new(), answers: answers.iter().copied().collect() }));
        let router = Router::new().route("/hook/{*rest}", post(take)).with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }
    pub fn received(&self) -> Vec<Received> {
        self.seen.lock().unwrap().received.clone()
    }
    /// Types of what came, in order.
    pub fn events(&self) -> Vec<String> {
        self.received().into_iter().map(|received| received.event).collect()
    }
}

async fn take(State(seen): State<Arc<Mutex<Seen>>>, headers: HeaderMap, body: Bytes) -> axum::response::Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let signed = [header("x-towngauge-timestamp").as_bytes(), b".", &body].concat();
    assert_eq!(header("x-towngauge-signature"), format!("sha256={}", hmac(SECRET.as_bytes(), &signed)));
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&json["id"], &json["type"]),
        (&header("x-towngauge-delivery").into(), &header("x-towngauge-event").into())
    );
    let mut seen = seen.lock().unwrap();
    seen.received.push(Received {
        event: header("x-towngauge-event"),
        delivery: header("x-towngauge-delivery"),
        body: json,
    });
    let status = seen.answers.pop_front().unwrap_or(200);
    (StatusCode::from_u16(status).unwrap(), [("location", "/hook/elsewhere")], "not kept").into_response()
}

/// RFC 2104, for keys of less than a block.
fn hmac(key: &[u8], message: &[u8]) -> String {
    let block = |pad: u8| -> Vec<u8> { (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ pad).collect() };
    let inner = Sha256::digest([block(0x36).as_slice(), message].concat());
    let outer = Sha256::digest([block(0x5c).as_slice(), &inner].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}
