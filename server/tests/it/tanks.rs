//! Tanks on a real Postgres: readings in any order, corrections of the meter, providers over loopback, windows over HTTP.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::server_support::{Server, call, config, now, start, start_with};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use model::Nanodollars;
use model::fuel::{FuelKind, FuelState};
use model::id::TownName;
use model::time::Timestamp;
use serde_json::{Value, json};
use server::config::{BalanceSettings, Settings};
use server::db::ledger::{self, EntryKind};
use server::db::tank::{self, Asked, Told};
use server::db::{Pool, TownKey, balance, fuel, town};
use server::postgres::testing::fresh_database;
use server::source::balance::{Account, Asker, KeySource, Provider};
use tokio::net::TcpListener;

const CENT: i64 = 10_000_000;

fn home() -> TownName {
    TownName::new("home").unwrap()
}

fn told(cents: i64, at: Timestamp) -> Told {
    Told {
        tank: "OpenRouter".into(),
        kind: FuelKind::Money,
        source: "openrouter".into(),
        currency: "USD".into(),
        at,
        left: cents * CENT,
        resets_at: None,
    }
}

fn window(used_percent: i64, at: Timestamp, resets_at: Timestamp) -> Told {
    Told {
        tank: "Claude Code 5 h".into(),
        kind: FuelKind::Window,
        source: "claude_code".into(),
        currency: String::new(),
        at,
        left: (100 - used_percent) * 10_000,
        resets_at: Some(resets_at),
    }
}

async fn town_with_tank(pool: &Pool) -> TownKey {
    let key = town::ensure(pool, &home(), false).await.unwrap();
    let asked = Asked { tank: "OpenRouter", source: "openrouter", meter: true, capacity: None };
    assert!(tank::take_turn(pool, key, asked, now(), 60).await.unwrap());
    key
}

/// The ledger, oldest first: kind, cents, note.
async fn entries(pool: &Pool, key: TownKey) -> Vec<(EntryKind, i64, String)> {
    let entries = ledger::newest(pool, key, 100).await.unwrap();
    entries.into_iter().rev().map(|entry| (entry.kind, entry.amount.0 / CENT, entry.note)).collect()
}

#[tokio::test]
async fn a_provider_fills_an_empty_ledger_and_corrects_it_once_per_difference() {
    let pool = fresh_database().await;
    let key = town_with_tank(&pool).await;
    let t0 = now();
    let say = async |cents: i64, after_s: i64| {
        balance::correct(&pool, (key, &home()), &told(cents, t0.plus_seconds(after_s)), "test").await.unwrap()
    };
    assert!(say(7_510, 0).await);
    assert!(!say(7_510, 0).await, "the same reading again");
    assert!(!say(7_510, 60).await, "equal");
    assert!(!say(7_475, 120).await, "too low once may be a late call");
    assert!(!say(7_475, 120).await, "and the same reading is no second one");
    assert!(say(7_475, 130).await);
    assert!(!say(7_475, 190).await);
    assert!(say(8_000, 250).await, "too high is nothing late, and more than full: a top-up at the provider's");
    let entries = entries(&pool, key).await;
    assert_eq!(
        entries,
        [
            (EntryKind::Topup, 7_510, "OpenRouter says $75.10: the meter begins with it".into()),
            (EntryKind::Correction, -35, "OpenRouter says $74.75, the meter said $75.10".into()),
            (EntryKind::Topup, 525, "OpenRouter says $80.00, the meter said $74.75".into()),
        ]
    );
}

#[tokio::test]
async fn killed_at_any_point_a_reading_is_there_whole_or_not_at_all() {
    let pool = fresh_database().await;
    let key = town_with_tank(&pool).await;
    let (t0, home) = (now(), home());
    for attempt in 0..40_u64 {
        let at = t0.plus_seconds(i64::try_from(attempt).unwrap());
        let reading = told(1_000 + 100 * i64::try_from(attempt).unwrap(), at);
        let correct = balance::correct(&pool, (key, &home), &reading, "test");
        // Dropped somewhere on its way, as by kill -9: the connection goes, and the transaction with it.
        let _ = tokio::time::timeout(Duration::from_micros(300 * attempt), correct).await;
        // What a restarted server asks again is told again.
        for _ in 0..20 {
            match balance::correct(&pool, (key, &home), &reading, "test").await {
                Ok(_) => break,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        let filled: i64 = entries(&pool, key).await.iter().map(|(_, cents, _)| cents).sum();
        assert_eq!(filled, 1_000 + 100 * i64::try_from(attempt).unwrap(), "attempt {attempt}");
    }
    assert_eq!(entries(&pool, key).await.len(), 40);
}

#[tokio::test]
async fn what_is_spent_and_not_billed_yet_is_no_difference() {
    let server = start().await;
    let pool = server.pool.clone();
    let key = town_with_tank(&pool).await;
    let t0 = now().plus_seconds(-600);
    balance::correct(&pool, (key, &home()), &told(1_000, t0), "test").await.unwrap();
    // One call a second ago: about 1.4 cents each.
    let calls: Vec<Value> = (0..20).map(|id| call(now().plus_seconds(-1), id)).collect();
    assert_eq!(server.post("/api/ingest", &json!(calls)).await.0, 200);
    let spent_cents = 20 * 13_800_000 / CENT;
    assert!(spent_cents > 20);
    for (cents, differs) in [(1_000, false), (1_000 - spent_cents, false), (1_000 + 5, true)] {
        let entered = balance::correct(&pool, (key, &home()), &told(cents, now()), "test").await.unwrap();
        assert_eq!(entered, differs, "{cents}");
    }
    server.running.stop().await;
}

#[tokio::test]
async fn of_several_processes_one_asks_in_each_period() {
    let pool = fresh_database().await;
    let key = town::ensure(&pool, &home(), false).await.unwrap();
    let asked = Asked { tank: "Kilo", source: "kilo", meter: true, capacity: Some(Nanodollars(5)) };
    let t0 = now();
    let turns = futures::future::join_all((0..8).map(|_| tank::take_turn(&pool, key, asked, t0, 60))).await;
    assert_eq!(turns.into_iter().filter(|turn| *turn.as_ref().unwrap()).count(), 1);
    assert!(!tank::take_turn(&pool, key, asked, t0.plus_seconds(30), 60).await.unwrap());
    assert!(tank::take_turn(&pool, key, asked, t0.plus_seconds(60), 60).await.unwrap());
    // A clock that was set back does not stop the asking for ever.
    assert!(tank::take_turn(&pool, key, asked, t0.plus_seconds(-9_000), 60).await.unwrap());
}

#[tokio::test]
async fn the_newest_reading_by_time_counts_whatever_the_order_of_arrival() {
    let pool = fresh_database().await;
    let key = town::ensure(&pool, &home(), false).await.unwrap();
    let (t, resets) = (now(), now().plus_seconds(9_000));
    for (used, ago_s) in [(40, 600), (55, 60), (20, 3_000), (90, -86_400)] {
        tank::save(&pool, key, &[window(used, t.plus_seconds(-ago_s), resets)]).await.unwrap();
    }
    let list = async |at: Timestamp| {
        let mut connection = pool.acquire().await.unwrap();
        fuel::list(&mut connection, key, at).await.unwrap()
    };
    let [tank] = &list(t).await[..] else { panic!("one tank") };
    // That of tomorrow does not count today.
    assert_eq!((tank.left, tank.state(t), tank.figure().0.as_str()), (450_000, FuelState::Fresh, "45 %"));
    assert_eq!(tank.state(resets), FuelState::Reset, "its reset has passed");
    // 15 percent in nine minutes, after 20 in forty: about a quarter of an hour is left for 45.
    let band = tank.band.unwrap();
    assert!(band.p10_s > 600 && band.p90_s < 9_000, "{band:?}");
    assert!(list(t.plus_seconds(40 * 86_400)).await.is_empty(), "nobody told of it for a month");
}

#[tokio::test]
async fn tanks_and_readings_have_bounds_and_a_tank_belongs_to_who_told_of_it() {
    let pool = fresh_database().await;
    let key = town::ensure(&pool, &home(), false).await.unwrap();
    let (t, resets) = (now(), now().plus_seconds(9_000));
    let many = (0..60).map(|n| Told { tank: format!("w{n}"), ..window(5, t, resets) }).collect::<Vec<_>>();
    assert_eq!(i64::try_from(tank::save(&pool, key, &many).await.unwrap()).unwrap(), tank::MAX_TANKS);
    let more: Vec<Told> = (0..2_500).map(|n| window(n % 100, t.plus_seconds(-n * 61), resets)).collect();
    let more: Vec<Told> = more.into_iter().map(|told| Told { tank: "w0".into(), ..told }).collect();
    tank::save(&pool, key, &more).await.unwrap();
    let (kept,): (i64,) =
        sqlx::query_as("select count(*) from reading where tank = 'w0'").fetch_one(&pool).await.unwrap();
    assert_eq!(kept, 2_000);
    let foreign = Told { source: "codex".into(), tank: "w0".into(), ..window(99, t.plus_seconds(100), resets) };
    assert_eq!(tank::save(&pool, key, &[foreign]).await.unwrap(), 0);
    let again = Told { tank: "w1".into(), ..window(5, t.plus_seconds(20), resets) };
    assert_eq!(tank::save(&pool, key, &[again]).await.unwrap(), 0, "within a minute it says nothing new");
    // Nobody told of the others for a month: they make way, with their readings.
    let late = Told { tank: "later".into(), ..window(7, t.plus_seconds(31 * 86_400), resets) };
    assert_eq!(tank::save(&pool, key, &[late]).await.unwrap(), 1);
    let (left,): (Vec<String>,) =
        sqlx::query_as("select array_agg(distinct tank) from reading").fetch_one(&pool).await.unwrap();
    assert_eq!(left, ["later"]);
}

/// What is answered at a path: status and body.
type Answer = (&'static str, u16, String);

/// A provider on loopback that answers what it is told to.
#[derive(Clone, Default)]
struct Fake {
    answers: Arc<Mutex<Vec<Answer>>>,
    heard: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

impl Fake {
    fn says(&self, path: &'static str, status: u16, body: impl ToString) {
        self.answers.lock().unwrap().insert(0, (path, status, body.to_string()));
    }

    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answer = async |State(fake): State<Self>, uri: Uri, headers: HeaderMap| {
            fake.heard.lock().unwrap().push((uri.path().to_owned(), headers));
            let answers = fake.answers.lock().unwrap();
            let found = answers.iter().find(|(path, ..)| *path == uri.path());
            found.map_or((StatusCode::NOT_FOUND, String::new()), |(_, status, body)| {
                (StatusCode::from_u16(*status).unwrap(), body.clone())
            })
        };
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }
}

#[tokio::test]
async fn providers_are_asked_with_the_key_and_a_management_key_is_not_needed() {
    let fake = Fake::default();
    let base_url = fake.start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "sk-filed\n").unwrap();
    let asker = Asker::new(|name| (name == "THE_KEY").then(|| "sk-env".to_owned())).unwrap();
    let env = KeySource::Environment("THE_KEY".into());
    let account = |provider, key: &KeySource, organization: Option<&str>| Account {
        provider,
        base_url: base_url.clone(),
        key: key.clone(),
        organization: organization.map(str::to_owned),
    };
    fake.says("/profile/balance", 200, json!({"balance": 12.34, "isDepleted": false}));
    let balance = asker.ask(&account(Provider::Kilo, &env, Some("org-1"))).await.unwrap();
    assert_eq!((balance.left, balance.currency.as_str()), (Nanodollars(12_340_000_000), "USD"));
    fake.says("/credits", 403, json!({"error": {"code": 403}}));
    fake.says("/key", 200, json!({"data": {"limit": 10, "limit_remaining": 7.5}}));
    let balance = asker.ask(&account(Provider::OpenRouter, &KeySource::File(file.clone()), None)).await.unwrap();
    assert_eq!(balance.left, Nanodollars(7_500_000_000));
    let heard = fake.heard.lock().unwrap().clone();
    let header = |index: usize, name: &str| heard[index].1.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(
        (header(0, "authorization").unwrap(), header(0, "x-kilocode-organizationid").unwrap()),
        ("Bearer sk-env".into(), "org-1".into())
    );
    assert_eq!((heard[1].0.as_str(), heard[2].0.as_str()), ("/credits", "/key"));
    assert_eq!(header(2, "authorization").unwrap(), "Bearer sk-filed");

    let trouble = async |account: &Account| asker.ask(account).await.unwrap_err().text;
    // Once the account's own balance was told, a passing refusal is no reason to take a key's limit for it.
    let managed = account(Provider::OpenRouter, &env, None);
    fake.says("/credits", 200, json!({"data": {"total_credits": 30, "total_usage": 10}}));
    assert_eq!(asker.ask(&managed).await.unwrap().left, Nanodollars(20_000_000_000));
    fake.says("/credits", 403, json!({"error": {"code": 403}}));
    asker.ask(&managed).await.unwrap_err();
    fake.says("/user/balance", 200, "x".repeat(100_000));
    assert!(trouble(&account(Provider::DeepSeek, &env, None)).await.contains("too long"));
    let none = KeySource::Environment("NO_KEY".into());
    assert!(trouble(&account(Provider::DeepSeek, &none, None)).await.contains("NO_KEY is not set"));
    // What readers are told of a file is its name, not where it is.
    let gone = KeySource::File(folder.path().join("gone"));
    let filed = KeySource::File(file.clone());
    let said = trouble(&account(Provider::DeepSeek, &gone, None)).await;
    assert_eq!(said, "There is no key: file gone cannot be read (entity not found).");
    std::fs::write(&file, "  \n").unwrap();
    assert_eq!(trouble(&account(Provider::DeepSeek, &filed, None)).await, "There is no key: file key is empty.");
    std::fs::write(&file, "sk-\u{1}").unwrap();
    let said = trouble(&account(Provider::DeepSeek, &filed, None)).await;
    assert_eq!(said, "The key in file key holds characters that no key has.");
    let nowhere = Account { base_url: "http://127.0.0.1:1".into(), ..account(Provider::DeepSeek, &env, None) };
    assert!(trouble(&nowhere).await.contains("cannot be reached"));
}

async fn until(server: &Server, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..100 {
        let body = server.get(path).await;
        if done(&body) {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never came to be as expected: {}", server.get(path).await);
}

#[tokio::test]
async fn a_server_asks_shows_and_says_what_is_wrong_without_its_key() {
    let fake = Fake::default();
    fake.says("/credits", 200, json!({"data": {"total_credits": 100.5, "total_usage": 25.75}}));
    fake.says("/user/balance", 200, json!({"balance_infos": [{"currency": "CNY", "total_balance": "110.00"}]}));
    fake.says("/profile/balance", 402, json!({"error": {"message": "no"}}));
    let base_url = fake.start().await;
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, "sk-very-secret").unwrap();
    let table = |provider: &str| BalanceSettings {
        provider: provider.into(),
        base_url: Some(base_url.clone()),
        key_file: Some(key_file.clone()),
        full: Some(toml::Value::Integer(200)),
        ..BalanceSettings::default()
    };
    let settings = Settings { balance: ["openrouter", "deepseek", "kilo"].map(table).to_vec(), ..Settings::default() };
    let shown = format!("{:?} {:?}", config(settings.clone()), config(settings.clone()).lines());
    assert!(shown.contains("corrects the meter") && !shown.contains("sk-very-secret"), "{shown}");
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    let ready = |body: &Value| {
        let tanks = body["tanks"].as_array().unwrap();
        let told = |tank: &Value| tank["read_at"].is_string() || tank["trouble"].is_string();
        tanks.len() == 3 && tanks[0]["meter"] == true && tanks.iter().all(told)
    };
    let body = until(&server, "/api/towns/home/tanks", ready).await;
    let tank = |name: &str| body["tanks"].as_array().unwrap().iter().find(|t| t["name"] == name).unwrap().clone();
    let meter = tank("OpenRouter");
    assert_eq!(
        (&meter["meter"], &meter["left_nanos"], &meter["zone"]),
        (&json!(true), &json!(74_750_000_000_i64), &json!("yellow"))
    );
    let yuan = tank("DeepSeek");
    assert_eq!(
        (&yuan["left"], &yuan["meter"], &yuan["currency"]),
        (&json!("110.00 CNY"), &json!(false), &json!("CNY"))
    );
    let kilo = tank("Kilo");
    assert!(kilo["trouble"].as_str().unwrap().contains("used up (402)") && kilo["state"] == "unread", "{kilo}");
    let ledger = server.get("/api/towns/home/ledger").await;
    assert_eq!(ledger["entries"].as_array().unwrap().len(), 1, "{ledger}");
    let gauges = server.get("/api/towns/home/gauges").await;
    assert_eq!(
        (&gauges["tank"]["capacity_nanodollars"], gauges["tanks"].as_array().unwrap().len()),
        (&json!(200_000_000_000_i64), 3)
    );
    server.running.stop().await;
}

#[test]
fn the_command_line_refuses_another_amount_under_the_same_request_id() {
    let folder = tempfile::tempdir().unwrap();
    let id = "0197a2b0-0000-7000-8000-000000000001";
    let topup = |usd: &str, more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_towngauge"));
        command.args(["topup", "--usd", usd, "--request-id", id]).args(more);
        command.arg("--data-dir").arg(folder.path().join("data"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder.path());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (done, said, _) = topup("50", &[]);
    assert!(done && said.contains("Filled $50.00"), "{said}");
    let (done, said, _) = topup("50", &[]);
    assert!(done && said.contains("filled in before"), "{said}");
    let (done, said, error) = topup("100", &["--capacity", "200"]);
    assert!(!done && said.is_empty(), "{said}");
    assert!(error.contains("$50.00 already, not of $100.00") && error.contains("nothing was filled in"), "{error}");
}
