//! Keys of hooks: an agent waits for the answer, so that a database which does not answer must not make it wait.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::Settings;
use server::db::Pool;
use server::db::key::{self, Scope};
use server::http::{Access, AccessSettings, Secret, hash};
use server::postgres::testing::fresh_database;

use super::{fill, hooks};
use crate::server_support::{Server, call, now, start_with};

/// What the database said is believed for five seconds without asking it again.
const BELIEVED: Duration = Duration::from_secs(5);

async fn key(pool: &Pool, scope: Scope) -> String {
    let secret = Secret::random().unwrap();
    key::insert(pool, scope.name(), scope, &hash(secret.reveal()).unwrap()).await.unwrap();
    secret.reveal().to_owned()
}

fn bearing(key: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {key}").parse().unwrap())])
}

/// Asks as a hook with that key; status, answer, and how long it took.
async fn ask(server: &Server, key: &str) -> (u16, Value, Duration) {
    let begun = Instant::now();
    let request = server.client.post(server.url("/hooks/claude/PreToolUse")).bearer_auth(key);
    let answer = request.json(&hooks::hook("PreToolUse")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap(), begun.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_hangs_a_known_key_s_hook_is_answered_within_its_second_and_no_other_is_let_in() {
    let pool = fresh_database().await;
    let (admin, sender, reader) =
        (key(&pool, Scope::Admin).await, key(&pool, Scope::Ingest).await, key(&pool, Scope::Read).await);
    let settings = Settings { stop: Some("empty".into()), ..Settings::default() };
    let mut server = start_with("0.0.0.0", &pool, settings).await.unwrap();
    server.client = reqwest::Client::builder().default_headers(bearing(&admin)).build().unwrap();
    fill(&server, "home", "0.01").await;
    server.post("/api/ingest", &json!([call(now(), 1)])).await;
    let (status, denied, _) = ask(&server, &sender).await;
    assert_eq!((status, &denied["continue"]), (200, &json!(false)));
    assert_eq!(ask(&server, &reader).await.0, 403);
    let used = async || {
        key::list(&pool).await.unwrap().iter().any(|row| row.scope == Scope::Ingest && row.last_used.is_some())
    };
    for _ in 0..100 {
        if used().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(used().await, "its use is noted, though nobody waits for that");

    let mut locked = pool.begin().await.unwrap();
    sqlx::query("lock table api_key in access exclusive mode").execute(&mut *locked).await.unwrap();
    tokio::time::sleep(BELIEVED + Duration::from_millis(100)).await;
    // More than there are connections.
    for (status, answer, took) in futures::future::join_all((0..20).map(|_| ask(&server, &sender))).await {
        assert_eq!((status, &answer), (200, &denied));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    let unknown = Secret::random().unwrap();
    for (key, want) in [(reader.as_str(), 403), (unknown.reveal(), 503), ("tg_none", 401)] {
        let (status, _, took) = ask(&server, key).await;
        assert_eq!(status, want);
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    // The pool has connections left for whoever asks for anything else.
    let other = tokio::time::timeout(Duration::from_secs(1), sqlx::query("select 1").execute(&pool)).await;
    other.expect("hooks did not take all of them").unwrap();
    locked.rollback().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ask(&server, unknown.reveal()).await.0, 401);
    assert_eq!(ask(&server, &sender).await.1, denied);
    server.running.stop().await;
}

#[tokio::test]
async fn a_key_that_was_known_stays_known_to_hooks_without_a_database_and_no_flood_makes_it_forgotten() {
    let pool = fresh_database().await;
    let (sender, revoked) = (key(&pool, Scope::Ingest).await, key(&pool, Scope::Ingest).await);
    let (clock, hand) = Clock::manual(now());
    let settings =
        AccessSettings { address: "0.0.0.0:4680".parse().unwrap(), allow_hosts: Vec::new(), public_url: None };
    let access = Access::new(settings, pool.clone(), clock);
    let soon = async |key: &str| access.known_within(&bearing(key), Duration::from_secs(2)).await;
    assert_eq!(soon(&sender).await.unwrap().unwrap().scope, Scope::Ingest);
    assert!(soon(&revoked).await.unwrap().is_some());
    let second = key::list(&pool).await.unwrap()[0].id;
    assert_eq!(key::revoke(&pool, &second.to_string()).await.unwrap(), 1);
    hand.fetch_add(6_000_000, Ordering::Relaxed);
    assert!(soon(&revoked).await.unwrap().is_none(), "the database says so");
    for _ in 0..1_100 {
        assert!(soon(Secret::random().unwrap().reveal()).await.unwrap().is_none());
    }
    pool.close().await;
    hand.fetch_add(3_600_000_000, Ordering::Relaxed);
    assert_eq!(soon(&sender).await.unwrap().unwrap().scope, Scope::Ingest);
    assert!(soon(&revoked).await.is_err() || soon(&revoked).await.unwrap().is_none(), "never let in");
    assert_eq!(soon(Secret::random().unwrap().reveal()).await.unwrap_err().status.as_u16(), 503);
    assert!(access.known(&bearing(&sender)).await.is_err(), "whoever can wait is told that it cannot be known");
}
