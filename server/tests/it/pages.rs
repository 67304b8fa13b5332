//! The pages as the server sends them, and what open pages read again.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::server_support::{Server, call, now, start};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING};
use serde_json::{Value, json};
use server::clock::Clock;
use server::db::ledger::{self, Added, Entry, EntryKind};
use server::read::{Address, Reader, SetupFacts};

async fn page(server: &Server, path: &str) -> reqwest::Response {
    server.client.get(server.url(path)).header(ACCEPT, "text/html").send().await.unwrap()
}

/// The data that a document carries.
fn seed(html: &str) -> Value {
    let text = html.split("type=\"application/json\">").nth(1).unwrap().split("</script>").next().unwrap();
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn pages_carry_real_numbers_and_only_scripts_with_their_nonce() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;
    for path in ["/", "/t/home", "/t/home/observability", "/t/home/sources", "/t/home/tank"] {
        let page = page(&server, path).await;
        assert_eq!(page.status(), 200, "{path}");
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(!policy.contains("unsafe-inline") && policy.contains("frame-ancestors 'none'"));
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let html = page.text().await.unwrap();
        for script in html.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(
                tag.contains(&format!("nonce=\"{nonce}\""))
                    || tag.contains("src=\"/pkg/")
                    || tag.contains("type=\"application/json\""),
                "{path}: <script{tag}>"
            );
        }
        assert!(!html.contains(" style=\""), "{path}: inline styles are forbidden");
    }
    server.running.stop().await;
}

#[tokio::test]
async fn a_page_shows_the_data_that_its_client_starts_from() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;

    let html = page(&server, "/t/home").await.text().await.unwrap();
    assert!(html.contains("data-client=\"overview\"") && html.contains("<title>home · Towngauge</title>"), "{html}");
    let snapshot = &seed(&html)["snapshot"];
    assert_eq!((&snapshot["town"], &snapshot["gauges"]["working"]), (&json!("home"), &json!(1)));
    assert!(html.contains("<strong>1</strong> <span class=\"unit\">of 1</span>"), "{html}");

    let html = page(&server, "/t/home/observability?window=6h").await.text().await.unwrap();
    let seed_of_charts = seed(&html);
    assert!(html.contains("data-client=\"observability\""), "{html}");
    assert_eq!(
        (seed_of_charts["charts"]["Ok"]["charts"].as_array().unwrap().len(), &seed_of_charts["asked"]),
        (8, &json!({"range": {"window": "6h"}, "tool": null, "before": false}))
    );

    let html = page(&server, "/t/home/observability?window=6h&tool=mcp%20x&compare=before").await.text().await.unwrap();
    assert!(html.contains("?window=24h&amp;tool=mcp%20x&amp;compare=before"), "{html}");

    let html = page(&server, "/t/home/sources").await.text().await.unwrap();
    assert!(html.contains("data-client=\"sources\"") && html.contains("data-source=\"api\""), "{html}");
    let sources = seed(&html)["sources"]["Ok"]["sources"].clone();
    let api = sources.as_array().unwrap().iter().find(|source| source["name"] == "api").unwrap();
    assert_eq!((&api["received"], &api["stored"]), (&json!(1), &json!(1)));
    server.post("/api/towns/home/topup", &json!({"usd": "12.50", "note": "March"})).await;
    let html = page(&server, "/t/home/tank").await.text().await.unwrap();
    let entries = &seed(&html)["page"]["Ok"]["entries"];
    assert!(html.contains("data-client=\"tank\"") && html.contains("March"), "{html}");
    assert_eq!((entries.as_array().unwrap().len(), &entries[0]["amount"]), (1, &json!(12_500_000_000_i64)));

    let html = page(&server, "/").await.text().await.unwrap();
    assert!(html.contains("data-client=\"towns\""), "{html}");
    assert_eq!(seed(&html)["towns"][0]["name"], "home");
    server.running.stop().await;
}

#[tokio::test]
async fn the_ledger_is_read_once_a_second_for_all_and_at_once_after_a_top_up() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;
    let app = server.running.app();
    let town = app.config.town.value.clone();
    let facts = SetupFacts {
        address: Address::Told("http://gauge".into()),
        town: town.clone(),
        folders: server::standing::Folders::default(),
        rates: server::standing::Rates::default(),
        keys_required: false,
        lost_after_s: 600,
    };
    // Its clock stands still: whatever it reads again within this second, it reads for another reason.
    let (clock, hand) = Clock::manual(now());
    let reader = Reader::new(server.pool.clone(), app.hub.clone(), clock, facts);
    let total = async || reader.tank(&town).await.unwrap().total;
    let key = reader.town_key(&town).await.unwrap();
    let entry = || Entry {
        at: now(),
        kind: EntryKind::Topup,
        amount: model::Nanodollars(1_000_000_000),
        note: String::new(),
        request: uuid::Uuid::now_v7(),
    };
    assert_eq!(total().await, 0);
    // Nobody but the database is told of this one.
    let own = server::ingest::instance_id();
    assert_eq!(ledger::add(&server.pool, (key, &town), &entry(), own).await.unwrap(), Added::Stored);
    assert_eq!(total().await, 0, "read again within a second");
    hand.fetch_add(1_000_000, Ordering::Relaxed);
    assert_eq!(total().await, 1);

    assert_eq!(server.post("/api/towns/home/topup", &json!({"usd": "5"})).await.0, 201);
    assert_eq!(total().await, 2, "the next reading after a top-up shows it");
    for n in 3..8 {
        server.post("/api/towns/home/topup", &json!({"usd": "5"})).await;
        let page = server.get("/api/page/tank/home").await;
        assert_eq!((&page["total"], page["entries"].as_array().unwrap().len()), (&json!(n), n), "{page}");
    }
    assert_eq!(
        server
            .client
            .put(server.url("/api/towns/home/capacity"))
            .json(&json!({"usd": "80"}))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(reader.tank(&town).await.unwrap().capacity, Some(model::Nanodollars(80_000_000_000)));

    // That of another process, such as `towngauge topup`: as soon as the server hears of it.
    assert_eq!(ledger::add(&server.pool, (key, &town), &entry(), "somebody-else").await.unwrap(), Added::Stored);
    for _ in 0..100 {
        if total().await == 8 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(total().await, 8);
    server.running.stop().await;
}

#[tokio::test]
async fn a_tank_page_that_cannot_be_read_whole_is_not_read() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;
    assert!(server.get("/api/page/tank/home").await["stop"].is_object());
    server.running.app().hub.stop().await;
    let answer = server.client.get(server.url("/api/page/tank/home")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!("unavailable"));
    server.running.stop().await;
}

#[tokio::test]
async fn pages_and_charts_are_compressed_for_those_who_ask() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;
    for path in ["/t/home/observability", "/api/page/charts/home?window=1h"] {
        let get = |encoding: &'static str| server.client.get(server.url(path)).header(ACCEPT_ENCODING, encoding).send();
        let packed = get("gzip").await.unwrap();
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip", "{path}");
        let plain = get("identity").await.unwrap();
        assert!(plain.headers().get(CONTENT_ENCODING).is_none(), "{path}");
        let (packed, plain) = (packed.bytes().await.unwrap().len(), plain.bytes().await.unwrap().len());
        assert!(packed * 4 < plain, "{path}: {packed} of {plain} bytes");
    }
    server.running.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let server = start().await;
    for (path, says) in
        [("/no/such/page", "There is no such page"), ("/t/nowhere", "nowhere"), ("/t/%3Cb%3E", "&lt;b&gt;")]
    {
        let answer = page(&server, path).await;
        assert_eq!(answer.status(), 404, "{path}");
        let html = answer.text().await.unwrap();
        assert!(
            html.contains(says) && html.contains("data-client=\"towns\"") && !html.contains("<b>"),
            "{path}: {html}"
        );
    }
    server.running.stop().await;
}

#[tokio::test]
async fn an_open_page_reads_its_charts_its_sources_and_towns_again() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;
    let charts = server.get("/api/page/charts/home?window=1h").await;
    let metrics = |of: &Value| {
        of.as_array().unwrap().iter().map(|chart| chart["metric"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = ["tokens", "cost", "agents", "beads", "lines", "latency", "errors", "requests"];
    assert_eq!((metrics(&charts["charts"]), &charts["before"]), (all.map(str::to_owned).to_vec(), &json!([])));
    let compared = server.get("/api/page/charts/home?window=6h&compare=before&tool=Bash").await;
    let pages: Value = compared["before"].as_array().unwrap().iter().map(|before| before["page"].clone()).collect();
    assert_eq!(metrics(&pages), all);
    for (shown, before) in compared["charts"].as_array().unwrap().iter().zip(compared["before"].as_array().unwrap()) {
        assert_eq!(before["shift_s"], 21_600);
        let at = |of: &Value| of["from_s"].as_i64().unwrap();
        assert_eq!(at(&before["page"]) + 21_600, at(shown), "{shown}");
        assert_eq!(before["page"]["step_s"], shown["step_s"]);
    }
    assert_eq!(server.get("/api/page/sources/home").await["sources"][0]["name"], "claude_code");
    assert_eq!(server.get("/api/page/towns").await[0]["gauges"]["working"], 1);
    let unknown = server.client.get(server.url("/api/page/charts/nowhere")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.json::<Value>().await.unwrap(), json!({"unknown_town": "nowhere"}));
    server.running.stop().await;
}

#[tokio::test]
async fn without_the_store_the_page_stands_and_says_what_could_not_be_read() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;
    server.pool.close().await;
    let answer = page(&server, "/t/home/observability").await;
    assert_eq!(answer.status(), 200);
    let html = answer.text().await.unwrap();
    assert!(html.contains("the store does not answer") && html.contains("Try again"), "{html}");
    let charts = server.client.get(server.url("/api/page/charts/home?window=7d")).send().await.unwrap();
    assert_eq!((charts.status().as_u16(), charts.json::<Value>().await.unwrap()), (503, json!("unavailable")));
    let sources = page(&server, "/t/home/sources").await.text().await.unwrap();
    assert!(sources.contains("The store does not answer") && sources.contains("Connect another"), "{sources}");
    // The hub still knows the dials.
    assert_eq!(page(&server, "/t/home").await.status(), 200);
    server.running.stop().await;
}
