//! Who says what an agent does, and whom to believe, on a real Postgres: heartbeats, beads and terminals together.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::support;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::Dice;
use model::event::{AgentState, Envelope, Event};
use model::id::{AgentName, BeadId, EventKey, RigName, Role, SourceName, TownName};
use model::roster::{AgentRow, AgentStatus};
use model::time::Timestamp;
use serde_json::json;
use server::clock::Clock;
use server::db::Pool;
use server::db::live_seed::PgSeeds;
use server::db::price::Prices;
use server::hub::{Hub, HubSettings};
use server::ingest::{Intake, IntakeLimits};
use server::postgres::testing::fresh_database;
use server::source::FileSource;
use server::source::backfill::{self, Order};
use server::source::beads::Issues;
use server::source::gas_town::Town;

const T0: Timestamp = support::T0;

/// A store with a live state beside it, and a clock that is moved by hand.
struct Place {
    pool: Pool,
    intake: Intake,
    hub: Hub,
    clock: Clock,
    hand: Arc<AtomicI64>,
    town: TownName,
}

impl Place {
    async fn new() -> Self {
        let pool = fresh_database().await;
        let (clock, hand) = Clock::manual(T0);
        let (hub, committed, _task) = hub(&pool, &clock).await;
        let prices = Prices::new(support::book());
        let (intake, _writer) = Intake::start(pool.clone(), prices, committed, IntakeLimits::default());
        Self { pool, intake, hub, clock, hand, town: support::town(1) }
    }

    fn at(&self, s: i64) -> Timestamp {
        let now = T0.plus_seconds(s);
        self.hand.store(now.0, Ordering::Relaxed);
        now
    }

    async fn read(&self, source: &'static dyn FileSource, path: &Path) -> u64 {
        let order = Order { source, paths: vec![path.to_owned()], town: self.town.clone(), no_paths: false };
        backfill::run(&order, &self.pool, &self.intake, |_| {}).await.unwrap().totals.stored
    }

    /// The agent that is called `name`, if it is on the roster.
    async fn live(&self, name: &str) -> Option<AgentRow> {
        named(&self.hub, &self.town, name).await
    }

    /// The same for a server that starts now.
    async fn after_restart(&self, name: &str) -> Option<AgentRow> {
        let (hub, _committed, _task) = hub(&self.pool, &self.clock).await;
        let agent = named(&hub, &self.town, name).await;
        hub.stop().await;
        agent
    }
}

async fn hub(
    pool: &Pool,
    clock: &Clock,
) -> (Hub, tokio::sync::mpsc::Sender<server::ingest::Committed>, tokio::task::JoinHandle<()>) {
    let settings = HubSettings { max_viewers: 1, build: String::new() };
    Hub::start(settings, clock.clone(), Arc::new(PgSeeds(pool.clone()))).await.unwrap()
}

async fn named(hub: &Hub, town: &TownName, name: &str) -> Option<AgentRow> {
    let roster = hub.snapshot(town).await.unwrap().roster;
    roster.into_iter().find(|agent| agent.name.as_str() == name)
}

/// A line of a beads export: the bead of polecat `name`, written at second `s`.
fn agent_bead(name: &str, state: &str, hook: &str, s: i64) -> String {
    let description = format!(
        "A polecat.\n\nrole_type: polecat\nrig: gastown\nagent_state: {state}\nhook_bead: {hook}\nnotes: secret"
    );
    json!({"id": format!("gt-gastown-polecat-{name}"), "title": "A polecat", "description": description,
        "status": "open", "issue_type": "agent", "created_at": T0.plus_seconds(-9_000).to_string(),
        "updated_at": T0.plus_seconds(s).to_string(), "agent_state": "idle", "hook_bead": "gt-stale"})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bead_says_what_its_agent_does_until_a_heartbeat_does_and_after_it_is_stale() {
    let place = Place::new().await;
    let folder = tempfile::tempdir().unwrap();
    let town = folder.path();
    std::fs::create_dir_all(town.join("mayor")).unwrap();
    std::fs::create_dir_all(town.join(".runtime/heartbeats")).unwrap();
    std::fs::create_dir_all(town.join("gastown/.beads")).unwrap();
    std::fs::write(town.join("mayor/town.json"), "{}").unwrap();
    std::fs::write(town.join("mayor/rigs.json"), r#"{"rigs":{"gastown":{"beads":{"prefix":"gt"}}}}"#).unwrap();
    let beads = town.join("gastown/.beads/issues.jsonl");
    let work = json!({"id": "gt-1", "title": "Work", "status": "hooked", "issue_type": "task",
        "created_at": T0.plus_seconds(-60).to_string()});
    let write = |lines: &[String]| std::fs::write(&beads, format!("{}\n{work}\n", lines.join("\n"))).unwrap();
    let status = async |s: i64| {
        let now = place.at(s);
        let agent = place.live("toast").await;
        assert_eq!(place.after_restart("toast").await, agent, "a restart knows the same");
        agent.map(|agent| agent.status(now))
    };

    write(&[agent_bead("toast", "spawning", "gt-1", -30), agent_bead("old", "nuked", "null", -30)]);
    assert_eq!(place.read(&Issues, &beads).await, 3, "two states, one bead");
    let toast = place.live("toast").await.unwrap();
    assert_eq!((toast.rig.as_ref().map(RigName::as_str), toast.role), (Some("gastown"), Role::Polecat));
    assert_eq!(toast.hook.unwrap().bead.unwrap().as_str(), "gt-1");
    assert_eq!((toast.said, toast.worked), (None, None), "it has not said anything itself");
    assert_eq!(status(0).await, Some(AgentStatus::Working));
    assert_eq!(place.live("old").await, None, "who was nuked is not there");
    assert_eq!(status(869).await, Some(AgentStatus::Working));
    assert_eq!(status(870).await, Some(AgentStatus::Stalled));

    // It speaks for itself: idle, and a bead that says otherwise later waits until that is stale.
    let beat = json!({"timestamp": T0.plus_seconds(900).to_string(), "state": "idle"}).to_string();
    std::fs::write(town.join(".runtime/heartbeats/gt-toast.json"), beat).unwrap();
    assert_eq!(place.read(&Town, town).await, 1);
    assert_eq!(status(900).await, Some(AgentStatus::Idle));
    write(&[agent_bead("toast", "escalated", "gt-1", 960)]);
    assert_eq!(place.read(&Issues, &beads).await, 1);
    assert_eq!(status(1_079).await, Some(AgentStatus::Idle));
    assert_eq!(status(1_080).await, Some(AgentStatus::Stuck));

    // Nuked it is gone, and a new one of that name comes back.
    write(&[agent_bead("toast", "nuked", "null", 1_200)]);
    assert_eq!(place.read(&Issues, &beads).await, 1);
    assert_eq!(status(1_200).await, None);
    write(&[agent_bead("toast", "spawning", "gt-1", 1_300)]);
    assert_eq!(place.read(&Issues, &beads).await, 1);
    assert_eq!(status(1_300).await, Some(AgentStatus::Working));
    assert_eq!(place.read(&Issues, &beads).await, 0, "reading again changes nothing");

    // No work was counted but the one bead, no text was kept, and what a bead says is no sign of work.
    let (counted,): (i64,) =
        sqlx::query_as("select count(*) from bead where counted").fetch_one(&place.pool).await.unwrap();
    assert_eq!((counted, support::count(&place.pool, "presence").await), (1, 0));
    let (kept,): (i64,) =
        sqlx::query_as("select count(*) from event e, bead b where e::text || b::text like '%secret%'")
            .fetch_one(&place.pool)
            .await
            .unwrap();
    assert_eq!(kept, 0);
    server::rollup::run_once(&place.pool).await.unwrap();
    support::assert_holds(&place.pool).await;
}

fn saying(id: u32, source: &str, state: AgentState, bead: Option<&str>, s: i64) -> Envelope {
    Envelope {
        at: T0.plus_seconds(s),
        key: EventKey(u128::from(id)),
        claim: None,
        source: SourceName::new(source).unwrap(),
        rig: RigName::new("gas").ok(),
        role: Role::Polecat,
        agent: AgentName::new("toast").ok(),
        session: None,
        bead: bead.map(|bead| BeadId::new(bead).unwrap()),
        event: Event::AgentState(state),
    }
}

/// In whatever order states of all ranks come: the live state and the database know the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_ranks_states_as_the_live_state_does() {
    let place = Place::new().await;
    let mut dice = Dice(11);
    let mut pick = |sides: usize| usize::try_from(dice.roll(sides.try_into().unwrap())).unwrap();
    for id in 0..80_u32 {
        let source = ["gas_town", "beads", "gt_status", "tmux", "api"][pick(5)];
        let state = AgentState::ALL[pick(AgentState::ALL.len())];
        let bead = ["gt-1", "gt-2"].get(pick(3)).copied();
        let s = i64::from(id) * 60 - i64::try_from(pick(200)).unwrap();
        place.at(i64::from(id) * 60);
        place.intake.submit(&place.town, vec![saying(id, source, state, bead, s)]).await.unwrap();
        if id % 5 == 4 {
            assert_eq!(place.live("toast").await, place.after_restart("toast").await, "after {id}");
        }
    }
    server::rollup::run_once(&place.pool).await.unwrap();
    support::assert_holds(&place.pool).await;
}
