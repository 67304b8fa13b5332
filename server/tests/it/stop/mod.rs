//! What Towngauge does about a tank, a source or an agent: hooks that stop agents, alerts, webhooks, and who has stalled.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod alerts;
mod command;
mod hooks;
mod keys;
mod killed;
mod receiver;
mod roster;
mod webhooks;

use std::time::Duration;

use serde_json::json;

use crate::server_support::Server;

/// Fills `usd` into a town's tank, and waits until the live state has it.
async fn fill(server: &Server, town: &str, usd: &str) {
    let tank = async || server.get(&format!("/api/towns/{town}/gauges")).await["tank"]["balance_nanodollars"].clone();
    let before = tank().await;
    assert_eq!(server.post(&format!("/api/towns/{town}/topup"), &json!({"usd": usd})).await.0, 201);
    for _ in 0..200 {
        if tank().await != before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the tank of {town} stays as it was");
}
