//! Webhooks: what is told, how often, and how it is tried again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::Timestamp;
use model::alert::AlertLimits;
use serde_json::{Value, json};
use server::alert::{Courier, Hooks, Watcher};
use server::clock::Clock;
use server::config::Settings;
use server::db::webhook;
use server::postgres::testing::fresh_database;

use super::fill;
use super::receiver::{Receiver, SECRET};
use crate::server_support::{self, Server, call, now, start_with};

/// A configuration with one webhook at `address`, in `folder`.
pub fn write_config(folder: &Path, address: &str, more: &str) -> std::path::PathBuf {
    let secret = folder.join("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let file = folder.join("towngauge.toml");
    let url = format!("http://me:password@{address}/hook/token");
    let toml = format!("[[webhook]]\nurl = \"{url}\"\nsecret_file = \"{}\"\n{more}", secret.display());
    std::fs::write(&file, toml).unwrap();
    file
}

/// A server without webhooks of its own, and what would run in it: driven by hand, by a clock of its own.
pub struct Rig {
    pub server: Server,
    watcher: Watcher,
    courier: Courier,
    hand: Arc<AtomicI64>,
    hooks: Arc<Hooks>,
    clock: Clock,
    _folder: tempfile::TempDir,
}

impl Rig {
    pub async fn start(receiver: &Receiver, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = write_config(folder.path(), &receiver.address, more);
        let config = server_support::config(Settings { config: Some(file), ..Settings::default() });
        let hooks = Arc::new(Hooks::read(&config.webhooks.value, &|_| None).unwrap());
        // Its own watcher is still: this test's one has the watch.
        let quiet = Settings { alert: vec!["every_s=0".to_owned()], ..Settings::default() };
        let server = start_with("127.0.0.1", &fresh_database().await, quiet).await.unwrap();
        let (clock, hand) = Clock::manual(now());
        let courier = Courier::new(server.pool.clone(), clock.clone(), Arc::clone(&hooks));
        let watcher = watcher(&server, &hooks, &clock);
        Self { server, watcher, courier, hand, hooks, clock, _folder: folder }
    }
    pub fn pass(&self, seconds: i64) {
        self.hand.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
    /// Looks, and tries what is due.
    pub async fn turn(&mut self) {
        self.watcher.look().await.unwrap();
        while self.courier.run_once().await.unwrap() > 0 {}
    }
    /// Another server's watcher, on the same database.
    pub fn another(&self) -> Watcher {
        watcher(&self.server, &self.hooks, &self.clock)
    }
    async fn topup(&self, usd: &str) {
        fill(&self.server, "home", usd).await;
    }
    pub async fn spend(&self, id: usize) {
        assert_eq!(self.server.post("/api/ingest", &json!([call(now(), id)])).await.1["stored"], 1);
    }
}

fn watcher(server: &Server, hooks: &Arc<Hooks>, clock: &Clock) -> Watcher {
    let (pool, hub) = (server.pool.clone(), server.running.app().hub.clone());
    Watcher::new(pool, hub, clock.clone(), Arc::clone(hooks), AlertLimits::default())
}

/// The newest deliveries of one webhook.
async fn newest(rig: &Rig, hook: &str, limit: i64) -> Vec<webhook::Listed> {
    webhook::newest(&rig.server.pool, &[hook], limit).await.unwrap().remove(hook).unwrap_or_default()
}

#[tokio::test]
async fn every_step_of_a_tank_is_told_once() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    rig.turn().await;
    assert!(receiver.events().is_empty(), "a town without a tank has nothing to tell");
    rig.topup("0.017").await;
    rig.turn().await;
    rig.spend(1).await;
    for _ in 0..3 {
        rig.turn().await;
    }
    assert_eq!(receiver.events(), ["tank.low"]);
    rig.spend(2).await;
    rig.turn().await;
    rig.topup("1").await;
    rig.turn().await;
    rig.turn().await;
    assert_eq!(receiver.events(), ["tank.low", "tank.empty", "tank.refilled"]);
    let told = &receiver.received()[1].body;
    assert_eq!((&told["town"], &told["data"]["balance_nanodollars"]), (&json!("home"), &json!(-10_600_000)));
    assert_eq!((&told["data"]["runway"], &told["data"]["tank"]), (&json!("empty"), &json!("Meter")));
    rig.server.running.stop().await;
}

#[tokio::test]
async fn windows_of_subscriptions_are_told_by_their_names_and_each_for_itself() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    let resets = now().plus_seconds(3_600);
    let mut told = 0;
    // Windows are told a moment apart: of one moment the first reading counts.
    let mut tell = async |rig: &Rig, name: &str, used: i64| {
        told += 1;
        let window = json!({"name": name, "used_percent": used, "resets_at": resets.to_string()});
        let at = now().plus_seconds(told * 61 - 600).to_string();
        let body = json!({"source": "claude_code", "at": at, "windows": [window]});
        assert_eq!(rig.server.post("/api/towns/home/windows", &body).await.1["stored"], 1);
        let want = 1_000_000 - used * 10_000;
        for _ in 0..200 {
            let gauges = rig.server.get("/api/towns/home/snapshot").await;
            let tanks = gauges["tanks"].as_array().unwrap();
            if tanks.iter().any(|tank| tank["name"] == name && tank["left"] == want) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{name} is not known to the live state");
    };
    tell(&rig, "Claude Code 5 h", 60).await;
    tell(&rig, "Claude Code 7 d", 10).await;
    rig.turn().await;
    assert!(receiver.events().is_empty());
    tell(&rig, "Claude Code 5 h", 85).await;
    rig.turn().await;
    rig.turn().await;
    assert_eq!(receiver.events(), ["tank.low"]);
    tell(&rig, "Claude Code 5 h", 100).await;
    tell(&rig, "Claude Code 7 d", 81).await;
    rig.turn().await;
    assert_eq!(receiver.events(), ["tank.low", "tank.empty", "tank.low"]);
    let data = receiver.received()[1].body["data"].clone();
    assert_eq!((&data["tank"], &data["left"]), (&json!("Claude Code 5 h"), &json!("0 %")), "{data}");
    assert_eq!(data["resets_at"], resets.to_string());
    assert_eq!(receiver.received()[2].body["data"]["tank"], "Claude Code 7 d");
    // The resets have passed: both are whole again, and that is told once.
    rig.pass(3_700);
    rig.turn().await;
    rig.turn().await;
    assert_eq!(receiver.events()[3..], ["tank.refilled", "tank.refilled"]);
    rig.server.running.stop().await;
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_id_and_redirects_are_not_followed() {
    let receiver = Receiver::start("127.0.0.1:0", &[500, 302]).await;
    let mut rig = Rig::start(&receiver, "events = [\"tank.empty\"]").await;
    rig.topup("0.01").await;
    rig.spend(1).await;
    rig.turn().await;
    let listed = async |rig: &Rig| {
        let all = newest(rig, &rig.hooks.all()[0].id, 10).await;
        assert_eq!(all.len(), 1, "{all:?}");
        (all[0].tries, all[0].outcome.clone())
    };
    let (tries, outcome) = listed(&rig).await;
    assert_eq!((tries, outcome.status, outcome.delivered_at), (1, Some(500), None));
    rig.pass(7);
    rig.turn().await;
    assert_eq!(receiver.events().len(), 1, "not before its time");
    rig.pass(6);
    rig.turn().await;
    let (tries, outcome) = listed(&rig).await;
    assert_eq!((tries, outcome.status, outcome.error.as_deref()), (2, Some(302), Some("redirects are not followed")));
    rig.pass(50);
    rig.turn().await;
    let (tries, outcome) = listed(&rig).await;
    assert_eq!((tries, outcome.status, outcome.next_try), (3, Some(200), None));
    assert_eq!(outcome.delivered_at, Some(rig.clock.now()));
    rig.pass(90_000);
    rig.turn().await;
    let ids: Vec<String> = receiver.received().into_iter().map(|received| received.delivery).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    rig.server.running.stop().await;
}

#[tokio::test]
async fn what_never_succeeds_is_given_up_after_ten_tries() {
    let receiver = Receiver::start("127.0.0.1:0", &[503; 20]).await;
    let mut rig = Rig::start(&receiver, "").await;
    rig.topup("0.01").await;
    rig.spend(1).await;
    for _ in 0..20 {
        rig.turn().await;
        rig.pass(26_000);
    }
    assert_eq!(receiver.events().len(), 10);
    let all = newest(&rig, &rig.hooks.all()[0].id, 10).await;
    assert_eq!((all[0].tries, all[0].outcome.next_try, all[0].outcome.delivered_at), (10, None, None));
    rig.server.running.stop().await;
}

#[tokio::test]
async fn of_several_servers_one_tells_and_a_new_one_knows_what_was_told() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    rig.topup("0.01").await;
    rig.spend(1).await;
    let mut others: Vec<Watcher> = (0..4).map(|_| watcher(&rig.server, &rig.hooks, &rig.clock)).collect();
    let looks = others.iter_mut().map(Watcher::look);
    for looked in futures::future::join_all(looks).await {
        looked.unwrap();
    }
    rig.turn().await;
    assert_eq!(receiver.events(), ["tank.empty"]);
    rig.server.running.stop().await;
}

#[tokio::test]
async fn a_stalled_agent_and_a_violation_are_told_once_each_until_there_is_progress() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "").await;
    let hooked = |id: &str, at: Timestamp| {
        json!({"type": "agent_state", "ts": at.to_string(), "id": id, "rig": "gas", "agent": "toast",
            "role": "polecat", "state": "working", "bead": "gt-1"})
    };
    rig.server.post("/api/ingest", &json!([hooked("h1", now())])).await;
    rig.turn().await;
    rig.pass(16 * 60);
    rig.turn().await;
    rig.turn().await;
    assert_eq!(receiver.events(), ["agent.stalled"]);
    let data = &receiver.received()[0].body["data"];
    assert_eq!(
        (&data["agent"], &data["bead"], &data["gupp_violation"]),
        (&json!("toast"), &json!("gt-1"), &json!(false))
    );
    rig.pass(15 * 60);
    rig.turn().await;
    rig.turn().await;
    assert_eq!(receiver.received()[1].body["data"]["gupp_violation"], true);
    // Progress, by the clock of this test, and stalled once more.
    let mut progress = call(now(), 9);
    progress["ts"] = json!(rig.clock.now().to_string());
    rig.server.post("/api/ingest", &json!([progress])).await;
    rig.turn().await;
    assert_eq!(receiver.events()[2..], ["alert.cleared"]);
    let cleared = &receiver.received()[2].body["data"];
    assert_eq!((&cleared["alert"], &cleared["agent"]), (&json!("agent.stalled"), &json!("toast")), "{cleared}");
    rig.pass(15 * 60);
    rig.turn().await;
    assert_eq!(receiver.events()[3..], ["agent.stalled"]);
    // The bead is closed, by whomever: nothing is hooked any more.
    let closed = json!({"type": "bead", "ts": now().to_string(), "bead": "gt-1", "state": "closed"});
    rig.server.post("/api/ingest", &json!([closed])).await;
    rig.pass(30 * 60);
    rig.turn().await;
    rig.turn().await;
    assert_eq!(receiver.events()[4..], ["alert.cleared"], "{:?}", receiver.received());
    rig.server.running.stop().await;
}

#[tokio::test]
async fn a_source_is_silent_while_the_town_works_and_not_at_night() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let mut rig = Rig::start(&receiver, "events = [\"source.silent\"]").await;
    // The hub's own clock says that somebody works; when sources were heard is set by hand.
    rig.spend(1).await;
    let heard = async |rig: &Rig, source: &str| {
        let at = rig.clock.now().to_string();
        sqlx::query(
            "insert into source (town_id, source, last_heard) select town_id, $1, $2::text::timestamptz from town where name = 'home'
             on conflict (town_id, source) do update set last_heard = excluded.last_heard",
        )
        .bind(source)
        .bind(at)
        .execute(&rig.server.pool)
        .await
        .unwrap();
    };
    heard(&rig, "codex").await;
    // Everybody sleeps: no alarm.
    for _ in 0..4 {
        rig.pass(600);
        rig.turn().await;
    }
    // The town works, as another source tells; a quarter of an hour later it is noticed.
    for minute in 0..20 {
        heard(&rig, "api").await;
        rig.turn().await;
        assert_eq!(receiver.events().len(), usize::from(minute >= 15), "minute {minute}");
        rig.pass(60);
    }
    assert_eq!(receiver.received()[0].body["data"]["source"], "codex");
    heard(&rig, "codex").await;
    rig.turn().await;
    assert_eq!(receiver.events().len(), 1);
    rig.server.running.stop().await;
}

#[tokio::test]
async fn a_webhook_can_be_tried_and_is_listed_without_its_secrets() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = write_config(folder.path(), &receiver.address, "events = [\"tank.low\"]\ntown = \"other\"");
    let settings = Settings { config: Some(file), ..Settings::default() };
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    let (status, error) = server.post("/api/webhooks/test", &json!({"webhook": "none"})).await;
    assert!(status == 404 && error["hint"].as_str().unwrap().contains("[[webhook]]"), "{error}");
    let (status, answer) = server.post("/api/webhooks/test", &json!({})).await;
    assert_eq!(status, 202, "{answer}");
    let mut list = Value::Null;
    for _ in 0..100 {
        list = server.get("/api/webhooks").await;
        if list["webhooks"][0]["deliveries"][0]["status"] == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let hook = &list["webhooks"][0];
    assert_eq!(
        (&hook["deliveries"][0]["kind"], &hook["deliveries"][0]["id"]),
        (&json!("test"), &answer["deliveries"][0])
    );
    assert_eq!(hook["deliveries"][0]["tries"], 1, "{list}");
    assert_eq!(hook["address"], format!("http://{}/…", receiver.address));
    let text = list.to_string();
    assert!(["password", "token", SECRET].iter().all(|secret| !text.contains(secret)), "{text}");
    let config = server.running.app().config.lines().into_iter().map(|(_, value, _)| value).collect::<String>();
    assert!(["password", "token", SECRET].iter().all(|secret| !config.contains(secret)), "{config}");
    assert_eq!(receiver.events(), ["test"]);
    server.running.stop().await;
}

#[tokio::test]
async fn the_newest_of_several_webhooks_come_in_one_reading_each_up_to_the_limit() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let rig = Rig::start(&receiver, "").await;
    let town = server::db::town::find(&rig.server.pool, &model::TownName::new("home").unwrap()).await.unwrap().unwrap();
    for (n, hook) in ["a", "b", "a", "a", "c"].into_iter().enumerate() {
        let at = rig.clock.now().plus_seconds(i64::try_from(n).unwrap());
        let id = uuid::Uuid::from_u128(u128::try_from(n).unwrap());
        let delivery = webhook::NewDelivery { id, hook, kind: model::alert::AlertKind::TankLow, at, body: "{}" };
        webhook::add(&rig.server.pool, town.key, &[delivery]).await.unwrap();
    }
    let all = webhook::newest(&rig.server.pool, &["a", "b", "unknown"], 2).await.unwrap();
    let ids: Vec<(&str, Vec<u128>)> =
        all.iter().map(|(hook, all)| (hook.as_str(), all.iter().map(|one| one.id.as_u128()).collect())).collect();
    assert_eq!(ids, [("a", vec![3, 2]), ("b", vec![1])], "newest first, without those of others");
    rig.server.running.stop().await;
}

#[tokio::test]
async fn what_is_kept_of_a_webhook_is_bounded() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let rig = Rig::start(&receiver, "").await;
    let town = server::db::town::find(&rig.server.pool, &model::TownName::new("home").unwrap()).await.unwrap().unwrap();
    for n in 0..210_u128 {
        let at = rig.clock.now().plus_seconds(i64::try_from(n).unwrap());
        let delivery = webhook::NewDelivery {
            id: uuid::Uuid::from_u128(n),
            hook: "h",
            kind: model::alert::AlertKind::TankLow,
            at,
            body: "{}",
        };
        webhook::add(&rig.server.pool, town.key, &[delivery]).await.unwrap();
    }
    let kept = newest(&rig, "h", 1_000).await;
    assert_eq!(i64::try_from(kept.len()).unwrap(), webhook::KEPT);
    assert_eq!(kept[0].id, uuid::Uuid::from_u128(209), "the newest stay");
    rig.server.running.stop().await;
}

#[tokio::test]
async fn a_failed_read_of_the_webhooks_is_no_page_without_them() {
    let receiver = Receiver::start("127.0.0.1:0", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = write_config(folder.path(), &receiver.address, "");
    let settings = Settings { config: Some(file), ..Settings::default() };
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    server.post("/api/ingest", &call(now(), 1)).await;
    let page = server.get("/api/page/tank/home").await;
    assert_eq!(page["webhooks"].as_array().unwrap().len(), 1, "{page}");
    sqlx::query("alter table delivery rename to away").execute(&server.pool).await.unwrap();
    // What was read is good for a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let answer = server.client.get(server.url("/api/page/tank/home")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    // What the open page takes for "keep what there is, and say so".
    assert_eq!(answer.json::<Value>().await.unwrap(), json!("unavailable"));
    let html = server.client.get(server.url("/t/home/tank")).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("could not be read: the store does not answer"), "{html}");
    server.running.stop().await;
}
