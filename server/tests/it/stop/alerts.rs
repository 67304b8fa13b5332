//! Alerts as episodes: raised and ended once, snoozed across restarts, seen on every page and by webhooks alike.

use std::time::Duration;

use serde_json::{Value, json};
use server::alert::{Strips, Watcher};
use server::clock::Clock;
use server::config::Settings;
use server::db::key::{self, Scope};
use server::http::{Secret, hash};
use server::postgres::testing::fresh_database;
use sqlx::Row as _;

use super::fill;
use super::receiver::Receiver;
use super::webhooks::{Rig, write_config};
use crate::server_support::{Server, call, now, start_with};

/// A session of `agent` that began `ago_s` seconds ago.
fn start(agent: &str, n: usize, ago_s: i64) -> Value {
    json!({"type": "session", "state": "started", "ts": now().plus_seconds(-ago_s).to_string(), "id": format!("{agent}-{n}"),
           "session": format!("{agent}-{n}"), "agent": agent, "rig": "gas", "role": "polecat"})
}

fn tool(n: usize, ok: bool) -> Value {
    json!({"type": "tool_call", "ts": now().to_string(), "id": format!("tool-{n}"), "tool": "Bash", "ok": ok,
           "agent": "toast", "rig": "gas", "role": "polecat"})
}

async fn beads(server: &Server, status: &str, count: i64) {
    sqlx::query("delete from bead").execute(&server.pool).await.unwrap();
    sqlx::query(
        "insert into bead (town_id, bead, status, issue_type, created_at, counted)
         select town_id, 'gt-' || n, $1, 'task', now(), true from town, generate_series(1, $2) n where name = 'home'",
    )
    .bind(status)
    .bind(count)
    .execute(&server.pool)
    .await
    .unwrap();
    let hub = &server.running.app().hub;
    hub.reload_beads(model::TownName::new("home").unwrap()).await;
    for _ in 0..200 {
        let counted = server.get("/api/towns/home/snapshot").await["beads"].clone();
        let counted = [&counted["in_review"], &counted["blocked"]].map(|n| n.as_i64().unwrap()).iter().sum::<i64>();
        if counted == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the live state does not know the beads");
}

async fn alerts(server: &Server) -> Vec<Value> {
    server.get("/api/towns/home/alerts").await["alerts"].as_array().unwrap().clone()
}

async fn kinds(server: &Server) -> Vec<String> {
    alerts(server).await.iter().map(|alert| alert["kind"].as_str().unwrap().to_owned()).collect()
}

async fn snooze(server: &Server, minutes: u32) -> Value {
    let id = alerts(server).await[0]["id"].as_str().unwrap().to_owned();
    let (status, answer) =
        server.post(&format!("/api/towns/home/alerts/{id}/snooze"), &json!({"minutes": minutes})).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn what_is_seen_is_what_webhooks_are_told() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    let six: Vec<Value> = (0..6).map(|n| start("toast", n, 60)).collect();
    let twice: Vec<Value> = (0..2).map(|n| start("nux", n, 60)).collect();
    let calls: Vec<Value> = (0..40).map(|n| tool(n, n >= 12)).collect();
    assert_eq!(rig.server.post("/api/ingest", &json!([six, twice, calls].concat())).await.1["stored"], 48);
    beads(&rig.server, "in_review", 12).await;
    rig.turn().await;
    assert_eq!((receiver.events(), kinds(&rig.server).await.len()), (vec!["agent.restart_loop".to_owned()], 1));
    // Errors and beads must hold before they are an alert.
    rig.pass(30);
    rig.turn().await;
    rig.pass(30);
    rig.turn().await;
    assert_eq!(receiver.events(), ["agent.restart_loop", "errors.spike", "review.queue"]);
    let listed = alerts(&rig.server).await;
    let mut seen: Vec<&str> = listed.iter().map(|alert| alert["kind"].as_str().unwrap()).collect();
    assert_eq!(seen[0], "errors.spike", "the critical one comes first");
    seen.sort_unstable();
    assert_eq!(seen, ["agent.restart_loop", "errors.spike", "review.queue"]);
    let words = |kind: &str| listed.iter().find(|alert| alert["kind"] == kind).unwrap()["words"].clone();
    assert_eq!(words("agent.restart_loop"), "gas/toast was started 6 times within 10 min");
    assert_eq!(words("errors.spike"), "12 of 40 calls failed within 5 min");
    assert_eq!(words("review.queue"), "12 beads wait for review");
    let told = receiver.received();
    assert_eq!((&told[0].body["data"]["starts"], &told[1].body["data"]["failed"]), (&json!(6), &json!(12)));
    assert_eq!(told[2].body["data"]["waiting"], 12);

    // Between the thresholds nothing happens; below them each ends once, and that is told with what it was.
    beads(&rig.server, "blocked", 6).await;
    rig.pass(120);
    rig.turn().await;
    assert!(kinds(&rig.server).await.contains(&"review.queue".to_owned()));
    beads(&rig.server, "blocked", 5).await;
    rig.turn().await;
    assert!(kinds(&rig.server).await.contains(&"review.queue".to_owned()), "its end must hold, too");
    rig.pass(60);
    rig.turn().await;
    rig.turn().await;
    assert!(!kinds(&rig.server).await.contains(&"review.queue".to_owned()));
    // By the clock of this test the sessions are ten minutes old by now.
    rig.pass(600);
    rig.turn().await;
    rig.turn().await;
    let told = receiver.received();
    let ended: Vec<&Value> =
        told.iter().filter(|told| told.event == "alert.cleared").map(|told| &told.body["data"]["alert"]).collect();
    assert_eq!(ended, ["review.queue", "agent.restart_loop"]);
    rig.server.running.stop().await;
}

#[tokio::test]
async fn what_is_snoozed_is_told_to_nobody_until_it_ends_or_gets_worse() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    fill(&rig.server, "home", "0.017").await;
    rig.spend(1).await;
    rig.turn().await;
    assert_eq!(receiver.events(), ["tank.low"]);
    snooze(&rig.server, 60).await;
    // Filled: its end is told. Low again within the hour: nobody hears of it, though it is listed as snoozed.
    fill(&rig.server, "home", "0.1").await;
    rig.turn().await;
    assert_eq!(receiver.events(), ["tank.low", "tank.refilled"]);
    for id in 2..8 {
        rig.spend(id).await;
    }
    rig.turn().await;
    assert_eq!(receiver.events().len(), 2);
    let listed = alerts(&rig.server).await;
    assert_eq!(listed[0]["kind"], "tank.low", "{listed:?}");
    assert!(listed[0]["snoozed_until"].is_i64(), "{listed:?}");
    // Worse than what was silenced.
    rig.spend(8).await;
    rig.spend(9).await;
    rig.turn().await;
    assert_eq!(receiver.events()[2..], ["tank.empty"]);
    let listed = alerts(&rig.server).await;
    assert_eq!((&listed[0]["kind"], &listed[0]["snoozed_until"]), (&json!("tank.empty"), &Value::Null));
    rig.server.running.stop().await;
}

#[tokio::test]
async fn what_began_while_snoozed_is_told_when_the_snooze_ends_if_it_lasts() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    beads(&rig.server, "in_review", 20).await;
    for _ in 0..2 {
        rig.turn().await;
        rig.pass(60);
    }
    assert_eq!(receiver.events(), ["review.queue"]);
    // The server's own clock: an hour from there.
    snooze(&rig.server, 60).await;
    let turns = async |rig: &mut Rig| {
        for _ in 0..3 {
            rig.turn().await;
            rig.pass(60);
        }
    };
    beads(&rig.server, "in_review", 1).await;
    turns(&mut rig).await;
    beads(&rig.server, "in_review", 30).await;
    turns(&mut rig).await;
    assert_eq!(receiver.events(), ["review.queue", "alert.cleared"], "it began anew, in silence");
    rig.pass(3_600);
    turns(&mut rig).await;
    assert_eq!(receiver.events()[2..], ["review.queue"], "told once the snooze is over");
    assert_eq!(receiver.received()[2].body["data"]["waiting"], 30);
    rig.server.running.stop().await;
}

#[tokio::test]
async fn a_snooze_outlives_the_server_and_another_server_shows_it() {
    let pool = fresh_database().await;
    let settings = || Settings { alert: vec!["every_s=1".to_owned()], ..Settings::default() };
    // A server closes the connections that it was given.
    let begin = async || {
        let options = (*pool.connect_options()).clone();
        let own = sqlx::postgres::PgPoolOptions::new().connect_with(options).await.unwrap();
        start_with("127.0.0.1", &own, settings()).await.unwrap()
    };
    let first = begin().await;
    fill(&first, "home", "0.01").await;
    first.post("/api/ingest", &json!([call(now(), 1)])).await;
    let strip =
        async |server: &Server| server.get("/api/towns/home/snapshot").await["alerts"].as_str().map(str::to_owned);
    let shows = async |server: &Server, word: &str| {
        for _ in 0..300 {
            if strip(server).await.is_some_and(|strip| strip.contains(word)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{word} is not in {:?}", strip(server).await);
    };
    shows(&first, "Meter is empty").await;
    let second = begin().await;
    // At once: what is known is shown before the first request is answered.
    let html = second.client.get(second.url("/t/home/sources")).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("Meter is empty") && html.contains("data-severity=\"critical\""), "{html}");
    let until = snooze(&first, 60).await["snoozed_until"].clone();
    shows(&second, "1 snoozed").await;
    first.running.stop().await;
    second.running.stop().await;
    let third = begin().await;
    assert_eq!(alerts(&third).await[0]["snoozed_until"], until);
    shows(&third, "1 snoozed").await;
    let id = alerts(&third).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(third.post(&format!("/api/towns/home/alerts/{id}/unsnooze"), &json!({})).await.0, 200);
    shows(&third, ">Snooze<").await;
    let episodes: i64 = sqlx::query("select count(*) from alert").fetch_one(&pool).await.unwrap().get(0);
    assert_eq!(episodes, 1, "no restart repeats an alert");
    third.running.stop().await;
}

#[tokio::test]
async fn of_several_servers_one_watches_and_another_takes_over_when_it_is_gone() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    rig.turn().await;
    beads(&rig.server, "in_review", 20).await;
    let mut other = rig.another();
    let both = async |rig: &mut Rig, other: &mut Watcher| {
        other.look().await.unwrap();
        rig.turn().await;
    };
    for _ in 0..4 {
        both(&mut rig, &mut other).await;
        rig.pass(30);
    }
    assert_eq!(receiver.events(), ["review.queue"]);
    // The first one is gone for longer than it said.
    sqlx::query("update alert_watch set until = now() - interval '1 second'").execute(&rig.server.pool).await.unwrap();
    beads(&rig.server, "in_review", 0).await;
    for _ in 0..3 {
        other.look().await.unwrap();
        rig.pass(60);
    }
    rig.turn().await;
    assert_eq!(receiver.events(), ["review.queue", "alert.cleared"]);
    other.leave().await.unwrap();
    rig.turn().await;
    let holders: i64 =
        sqlx::query("select count(*) from alert_watch").fetch_one(&rig.server.pool).await.unwrap().get(0);
    assert_eq!(holders, 1);
    rig.server.running.stop().await;
}

#[tokio::test]
async fn a_made_up_town_shows_its_alerts_and_tells_nobody() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    sqlx::query("update town set demo = true where name = 'home'").execute(&rig.server.pool).await.unwrap();
    beads(&rig.server, "blocked", 20).await;
    for _ in 0..3 {
        rig.turn().await;
        rig.pass(60);
    }
    assert_eq!(alerts(&rig.server).await[0]["words"], "20 beads are blocked");
    assert!(receiver.events().is_empty());
    rig.server.running.stop().await;
}

#[tokio::test]
async fn words_follow_the_figures_once_a_minute_at_most() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    beads(&rig.server, "in_review", 20).await;
    for _ in 0..2 {
        rig.turn().await;
        rig.pass(60);
    }
    beads(&rig.server, "in_review", 25).await;
    rig.turn().await;
    let words = async |rig: &Rig| alerts(&rig.server).await[0]["words"].as_str().unwrap().to_owned();
    assert_eq!(words(&rig).await, "25 beads wait for review");
    beads(&rig.server, "in_review", 26).await;
    rig.pass(59);
    rig.turn().await;
    assert_eq!(words(&rig).await, "25 beads wait for review");
    rig.pass(1);
    rig.turn().await;
    assert_eq!(words(&rig).await, "26 beads wait for review");
    rig.server.running.stop().await;
}

#[tokio::test]
async fn who_may_snooze_and_for_how_long_is_said_clearly() {
    let pool = fresh_database().await;
    let keys = async |scope: Scope| {
        let secret = Secret::random().unwrap();
        key::insert(&pool, scope.name(), scope, &hash(secret.reveal()).unwrap()).await.unwrap();
        secret.reveal().to_owned()
    };
    let (admin, reader) = (keys(Scope::Admin).await, keys(Scope::Read).await);
    let server = start_with("0.0.0.0", &pool, Settings::default()).await.unwrap();
    let ask = async |key: &str, path: &str, body: &str| {
        let request = server.client.post(server.url(path)).bearer_auth(key).header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let path = "/api/towns/home/alerts/0198c6c2-0000-7000-8000-000000000000/snooze";
    let (status, error) = ask(&reader, path, "{\"minutes\": 15}").await;
    assert!(status == 403 && error.contains("admin"), "{status} {error}");
    for (body, words) in [
        ("{\"minutes\": 0}", "1 to 10080"),
        ("{\"minutes\": 10081}", "a week"),
        ("{\"hours\": 1}", "hours"),
        ("15", "minutes"),
    ] {
        let (status, error) = ask(&admin, path, body).await;
        assert!((400..500).contains(&status) && error.contains(words), "{body}: {status} {error}");
    }
    let (status, error) = ask(&admin, path, "{\"minutes\": 15}").await;
    assert!(status == 404 && error.contains("has ended"), "{error}");
    assert_eq!(ask(&admin, "/api/towns/home/alerts/x/unsnooze", "").await.0, 404);
    assert_eq!(ask(&admin, "/api/towns/nowhere/alerts/x/unsnooze", "").await.0, 404);
    let list = server.client.get(server.url("/api/towns/home/alerts")).bearer_auth(&reader).send().await.unwrap();
    assert_eq!(list.json::<Value>().await.unwrap()["alerts"], json!([]));
    // A page of another site may not do it through a browser either.
    let foreign = server.client.post(server.url(path)).bearer_auth(&admin).header("origin", "https://evil.example");
    assert_eq!(foreign.body("{\"minutes\": 15}").send().await.unwrap().status(), 403);
    server.running.stop().await;
}

#[tokio::test]
async fn starts_and_episodes_are_read_through_their_indexes() {
    let pool = fresh_database().await;
    let fill = "insert into session (town_id, session, source, role, agent, first_seen, last_seen)
                    select 1 + n % 3, 's' || n, 'x', 6, 'a', to_timestamp(n), now() from generate_series(1, 60000) n;
                insert into alert (town_id, subject, state, since)
                    select 1 + n % 300, 'agent/' || n, 'stalled', now() from generate_series(1, 30000) n;
                insert into source (town_id, source, received, stored)
                    select n / 15, 's' || n % 15, 1, 1 from generate_series(1, 15000) n;
                analyze session, alert, source";
    sqlx::raw_sql(fill).execute(&pool).await.unwrap();
    let plan = async |sql: &str, parameters: &str| {
        let mut connection = pool.acquire().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("prepare looked as {sql}"))).execute(&mut *connection).await.unwrap();
        let explain = format!("explain execute looked({parameters})");
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
        sqlx::raw_sql("deallocate looked").execute(&mut *connection).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
    };
    let starts =
        plan(include_str!("../../../src/db/sql/alert_starts.sql"), "array[1, 2], to_timestamp(59000), 3, 200").await;
    assert!(starts.contains("session_by_start") && !starts.contains("Seq Scan on session"), "{starts}");
    let list = plan(include_str!("../../../src/db/sql/alert_list.sql"), "array[1, 2], 5000, now()").await;
    assert!(list.contains("alert_pkey") && !list.contains("Seq Scan on alert\n"), "{list}");
    let heard = plan(include_str!("../../../src/db/sql/alert_heard.sql"), "array[1, 2], 200").await;
    assert!(heard.contains("source_pkey") && !heard.contains("Seq Scan on source"), "{heard}");
}

#[tokio::test]
async fn a_strip_is_shown_again_only_when_it_changed_and_by_a_snooze_that_ends() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    beads(&rig.server, "in_review", 20).await;
    for _ in 0..2 {
        rig.turn().await;
        rig.pass(60);
    }
    let hub = rig.server.running.app().hub.clone();
    let (clock, hand) = Clock::manual(now());
    let mut strips = Strips::new(rig.server.pool.clone(), hub, clock);
    let shown =
        async |rig: &Rig| rig.server.get("/api/towns/home/snapshot").await["alerts"].as_str().unwrap().to_owned();
    strips.refresh().await.unwrap();
    assert!(shown(&rig).await.contains("20 beads wait for review"));
    snooze(&rig.server, 15).await;
    strips.refresh().await.unwrap();
    assert!(shown(&rig).await.contains("1 snoozed"));
    // The server's own strip sees the snooze as well; this one's clock is past its end.
    hand.fetch_add(16 * 60 * 1_000_000, std::sync::atomic::Ordering::Relaxed);
    strips.refresh().await.unwrap();
    assert!(!shown(&rig).await.contains("1 snoozed"));
    rig.server.running.stop().await;
}

/// A configuration file can say all of it.
#[tokio::test]
async fn a_table_in_the_file_decides() {
    let folder = tempfile::tempdir().unwrap();
    let file = write_config(folder.path(), "127.0.0.1:9", "[alerts]\nevery_s = 1\nreview = 2\nreview_hold_s = 0\n");
    let settings = Settings { config: Some(file), ..Settings::default() };
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    beads(&server, "in_review", 2).await;
    for _ in 0..100 {
        if kinds(&server).await == ["review.queue"] {
            server.running.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no alert at two beads");
}
