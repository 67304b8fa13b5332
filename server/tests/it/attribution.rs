//! Whose a session is may be known late: in the end the store holds the same as if it had been known from the start.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::server_support;
use std::time::Duration;

use crate::support::{Dice, Seed, T0, assert_holds, count, intake, town};
use model::event::{Envelope, Event, SessionEdge};
use model::id::{AgentName, RigName, Role, SessionId, SourceName};
use model::time::Timestamp;
use serde_json::json;
use server::db::Pool;
use server::ingest::IntakeLimits;
use server::postgres::testing::fresh_database;
use server::rollup;
use tokio_util::sync::CancellationToken;

/// Events of two sessions over ninety minutes that name nobody, with model calls that are reported several times.
fn anonymous(dice: &mut Dice, n: usize) -> Vec<Envelope> {
    let event = |dice: &mut Dice| {
        let mut event = Seed { town: 0, ..dice.seed() }.event();
        let session = if dice.roll(2) == 0 { "gt-toast" } else { "gt-nux" };
        event.session = SessionId::new(session).ok();
        (event.agent, event.rig, event.role) = (None, None, Role::Other);
        // A session keeps who reported it first, whoever attributes it.
        event.source = SourceName::new("api").unwrap();
        event
    };
    (0..n).map(|_| event(dice)).collect()
}

/// The session's beginning, which says whose it is.
fn named(session: &str, agent: &str, at: Timestamp) -> Envelope {
    let mut event = Seed { town: 0, minute: 0, second: 0, kind: 3, who: 0, size: 0, claim: None }.event();
    (event.at, event.source) = (at, SourceName::new("api").unwrap());
    event.key = model::EventKey(xxhash_rust::xxh3::xxh3_128(session.as_bytes()));
    event.session = SessionId::new(session).ok();
    (event.agent, event.rig, event.role) = (AgentName::new(agent).ok(), RigName::new("gastown").ok(), Role::Polecat);
    event.event = Event::Session(SessionEdge::Started);
    event
}

/// Everything that depends on attribution, as text.
async fn everything(pool: &Pool) -> Vec<String> {
    let tiers = ["10s", "1m", "5m", "30m", "6h"];
    let mut tables: Vec<String> =
        tiers.iter().flat_map(|t| [format!("headline_{t}"), format!("by_role_{t}")]).collect();
    tables.extend(tiers[1..].iter().map(|t| format!("working_{t}")));
    tables.extend(["event", "presence", "agent", "session"].map(str::to_owned));
    let mut all = Vec::new();
    for table in tables {
        let statement = format!("select '{table} ' || t::text from {table} as t order by 1");
        let rows: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_all(pool).await.unwrap();
        all.extend(rows.into_iter().map(|(row,)| row));
    }
    all
}

/// The session's beginning, which only says in which rig it is.
fn located(session: &str, at: Timestamp) -> Envelope {
    Envelope { agent: None, role: Role::Other, ..named(session, "nobody", at) }
}

/// Whether events that are attributed by `names` end the same, whenever those come; nothing may be left that `lacks`.
async fn ends_alike(events: &[Envelope], names: &[Envelope], lacks: &str) {
    let mut ends = Vec::new();
    for names_after in [0, events.len() / 3, events.len()] {
        let pool = fresh_database().await;
        let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
        let (before, after) = events.split_at(names_after);
        intake.submit(&town(0), before.to_vec()).await.unwrap();
        // The tiers stand as they were, and have to follow.
        rollup::run_once(&pool).await.unwrap();
        intake.submit(&town(0), names.to_vec()).await.unwrap();
        intake.submit(&town(0), after.to_vec()).await.unwrap();
        intake.close_and_drain(writer).await;
        assert_holds(&pool).await;
        assert_eq!(count(&pool, &format!("event where {lacks}")).await, 0);
        // What still lacks is counted roughly: reports that were replaced since are counted too.
        sqlx::raw_sql("update session set lacks_agent = least(lacks_agent, 1), lacks_role = least(lacks_role, 1)")
            .execute(&pool)
            .await
            .unwrap();
        ends.push(everything(&pool).await);
        pool.close().await;
    }
    assert!(ends[0].len() > 500, "{}", ends[0].len());
    for end in &ends[1..] {
        let differ: Vec<_> = end.iter().zip(&ends[0]).filter(|(a, b)| a != b).take(5).collect();
        assert!(differ.is_empty() && end.len() == ends[0].len(), "{differ:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_attributed_late_ends_as_if_it_had_been_known_from_the_start() {
    let events = anonymous(&mut Dice(5), 400);
    let names = [named("gt-toast", "toast", T0.plus_seconds(7)), named("gt-nux", "nux", T0.plus_seconds(9))];
    ends_alike(&events, &names, "agent = session or role = 6 or rig is null").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rig_known_late_and_alone_is_carried_into_earlier_events() {
    let events = anonymous(&mut Dice(9), 400);
    let names = [located("gt-toast", T0.plus_seconds(7)), located("gt-nux", T0.plus_seconds(9))];
    ends_alike(&events, &names, "rig is null").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_known_bit_by_bit_is_told_bit_by_bit() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    intake.submit(&town(0), anonymous(&mut Dice(10), 100)).await.unwrap();
    intake.submit(&town(0), vec![located("gt-toast", T0), located("gt-nux", T0)]).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    assert_eq!(count(&pool, "event where rig is null").await, 0);
    assert!(count(&pool, "event where agent = session").await > 0);
    let late = T0.plus_seconds(10);
    intake.submit(&town(0), vec![named("gt-toast", "toast", late), named("gt-nux", "nux", late)]).await.unwrap();
    intake.close_and_drain(writer).await;
    assert_holds(&pool).await;
    assert_eq!(count(&pool, "event where agent = session or role = 6").await, 0);
    assert_eq!(count(&pool, "agent").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_of_the_whole_town_stay_without_a_rig() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let mayor = Envelope { role: Role::Mayor, rig: None, ..named("hq-mayor", "mayor", T0) };
    let visit = Envelope { at: T0.plus_seconds(5), ..located("hq-mayor", T0) };
    intake.submit(&town(0), vec![mayor, visit]).await.unwrap();
    intake.close_and_drain(writer).await;
    assert_holds(&pool).await;
    rollup::run_once(&pool).await.unwrap();
    assert_eq!(count(&pool, "event where rig is null and agent = 'mayor'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_that_learns_it_later_than_it_writes_is_put_right() {
    let pool = fresh_database().await;
    let mut dice = Dice(6);
    let (one, one_writer, _changes) = intake(&pool, IntakeLimits::default());
    let (other, other_writer, _changes) = intake(&pool, IntakeLimits::default());
    // The other has asked, and believes for half a minute that nobody knows.
    other.submit(&town(0), anonymous(&mut dice, 20)).await.unwrap();
    one.submit(&town(0), vec![named("gt-toast", "toast", T0), named("gt-nux", "nux", T0)]).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    other.submit(&town(0), anonymous(&mut dice, 100)).await.unwrap();
    assert!(count(&pool, "event where agent = session").await > 0, "there is something to put right");
    for (intake, writer) in [(one, one_writer), (other, other_writer)] {
        intake.close_and_drain(writer).await;
    }
    assert_holds(&pool).await;
    assert_eq!(count(&pool, "event where agent = session or role = 6").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn better_reports_and_late_names_at_once_leave_nothing_twice() {
    let pool = fresh_database().await;
    let mut dice = Dice(8);
    let (intake, writer, _changes) = intake(&pool, IntakeLimits { batch_events: 50, ..IntakeLimits::default() });
    let stop = CancellationToken::new();
    let worker = tokio::spawn({
        let (pool, stop) = (pool.clone(), stop.clone());
        async move {
            while !stop.is_cancelled() {
                rollup::run_once(&pool).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let mut tasks = Vec::new();
    for part in 0..4 {
        let (intake, mut events) = (intake.clone(), anonymous(&mut dice, 300));
        events.insert(150 + part, named("gt-toast", "toast", T0));
        events.insert(200 + part, named("gt-nux", "nux", T0));
        tasks.push(tokio::spawn(async move {
            for chunk in events.chunks(17) {
                intake.submit_waiting(&town(0), chunk.to_vec()).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    stop.cancel();
    worker.await.unwrap();
    intake.close_and_drain(writer).await;
    assert_holds(&pool).await;
    assert_eq!(count(&pool, "event where agent = session or role = 6").await, 0);
    // Marks (5) hold no event.
    let lost = "claim c where basis <> 5 and not exists (select from event e where e.ts = c.ts and e.key = c.key)";
    assert_eq!(count(&pool, lost).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retention_has_dropped_is_left_alone() {
    let pool = fresh_database().await;
    let mut dice = Dice(7);
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    intake.submit(&town(0), anonymous(&mut dice, 100)).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    let floor = T0.plus_seconds(45 * 60);
    let announce = format!("insert into retention (store, floor) values ('10s', '{floor}')");
    sqlx::raw_sql(sqlx::AssertSqlSafe(announce)).execute(&pool).await.unwrap();
    let late = T0.plus_seconds(80 * 60);
    intake.submit(&town(0), vec![named("gt-toast", "toast", late), named("gt-nux", "nux", late)]).await.unwrap();
    intake.close_and_drain(writer).await;
    rollup::run_once(&pool).await.unwrap();
    let lacking = |when: &str| format!("event where agent = session and ts {when} '{floor}'");
    assert!(count(&pool, &lacking("<")).await > 0);
    assert_eq!(count(&pool, &lacking(">=")).await, 0);
    assert_eq!(count(&pool, "session where lacks_agent <> 0 or lacks_role <> 0 or lacks_rig <> 0").await, 0);
}

#[tokio::test]
async fn a_running_page_learns_the_name_too() {
    let server = server_support::start().await;
    let now = server_support::now();
    let mut call = server_support::call(now, 1);
    for name in ["agent", "role", "rig"] {
        call.as_object_mut().unwrap().remove(name);
    }
    call["session"] = json!("gt-toast");
    assert_eq!(server.post("/api/ingest", &call).await.1["stored"], 1);
    let roster = async || {
        let snapshot = server.get("/api/towns/home/snapshot").await;
        let name = |agent: &serde_json::Value| format!("{}/{}", agent["role"], agent["name"]).replace('"', "");
        snapshot["roster"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(roster().await, ["other/gt-toast"]);
    let start = json!({"type": "session", "ts": now.to_string(), "id": "s", "state": "started", "session": "gt-toast",
        "agent": "toast", "role": "polecat", "rig": "gastown"});
    assert_eq!(server.post("/api/ingest", &start).await.1["stored"], 1);
    for _ in 0..100 {
        if roster().await == ["polecat/toast"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(roster().await, ["polecat/toast"], "nobody is called by the session any more");
    assert_eq!(count(&server.pool, "agent").await, 1);
    server.running.stop().await;
}
