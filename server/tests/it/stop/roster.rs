//! Hooked work in the database: what a restart knows is what the running server knew.

use std::sync::Arc;

use model::TownName;
use model::event::AgentState;
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::Settings;
use server::db::live_seed::PgSeeds;
use server::hub::{Hub, HubSettings};
use server::postgres::testing::fresh_database;

use crate::server_support::{Server, now, start_with};

fn state(id: usize, seconds: i64, state: AgentState, bead: Option<&str>) -> Value {
    let mut event = json!({"type": "agent_state", "ts": now().plus_seconds(seconds).floor_to(1).to_string(),
        "id": id.to_string(), "rig": "gas", "agent": "toast", "role": "polecat", "state": state.name()});
    if let Some(bead) = bead {
        event["bead"] = json!(bead);
    }
    event
}

async fn toast(server: &Server) -> Value {
    server.get("/api/towns/home/snapshot").await["roster"][0].clone()
}

/// The same as a server would have it that starts now.
async fn toast_after_restart(server: &Server) -> Value {
    let settings = HubSettings { max_viewers: 1, build: String::new() };
    let seeds = Arc::new(PgSeeds(server.pool.clone()));
    let (hub, _committed, _task) = Hub::start(settings, Clock::system(), seeds).await.unwrap();
    let snapshot = hub.snapshot(&TownName::new("home").unwrap()).await.unwrap();
    hub.stop().await;
    serde_json::to_value(&snapshot.roster[0]).unwrap()
}

#[tokio::test]
async fn the_database_merges_what_agents_say_of_their_hook_as_the_live_state_does() {
    let pool = fresh_database().await;
    let server = start_with("127.0.0.1", &pool, Settings::default()).await.unwrap();
    // A small generator: states and beads at times that come in any order, one request each.
    let mut dice = 7_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for id in 0..60 {
        let said = AgentState::ALL[usize::try_from(roll(4)).unwrap()];
        let bead = ["gt-1", "gt-2"].get(usize::try_from(roll(3)).unwrap()).copied();
        // Drifting forward, so that some are new and some late.
        let seconds = i64::try_from(roll(200)).unwrap() - 4_000 + 60 * i64::try_from(id).unwrap();
        server.post("/api/ingest", &json!([state(id, seconds, said, bead)])).await;
        if id % 10 == 9 {
            let live = toast(&server).await;
            assert!(live["hook"].is_object(), "{live}");
            assert_eq!(toast_after_restart(&server).await, live, "after {id}");
        }
    }
    server.running.stop().await;
}

#[tokio::test]
async fn a_bead_closed_while_nobody_looked_is_off_the_hook_after_a_restart() {
    let pool = fresh_database().await;
    let server = start_with("127.0.0.1", &pool, Settings::default()).await.unwrap();
    let progress = json!({"type": "tool_call", "ts": now().plus_seconds(-3_000).to_string(), "id": "t", "rig": "gas",
        "agent": "toast", "tool": "Bash"});
    server.post("/api/ingest", &json!([progress, state(1, -2_000, AgentState::Working, Some("gt-1"))])).await;
    let agent = toast(&server).await;
    assert_eq!((&agent["hook"]["bead"], &agent["hook"]["closed"]), (&json!("gt-1"), &json!(false)));
    assert!(agent["progressed"].is_number(), "{agent}");
    let closed = json!({"type": "bead", "ts": now().to_string(), "bead": "gt-1", "state": "closed"});
    server.post("/api/ingest", &json!([closed])).await;
    assert_eq!(toast(&server).await["hook"]["closed"], true);
    assert_eq!(toast_after_restart(&server).await["hook"]["closed"], true);

    // A tracker's word counts too, whoever told it.
    sqlx::query("update agent set hook_closed = false").execute(&pool).await.unwrap();
    sqlx::query(
        "insert into bead (town_id, bead, status, issue_type, created_at, closed_at, counted)
         select town_id, 'gt-1', 'closed', 'task', now(), now(), true from town where name = 'home'",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(toast_after_restart(&server).await["hook"]["closed"], true);
    server.running.stop().await;
}
