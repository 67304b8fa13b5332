//! The HTTP API against a real Postgres: what it answers, and whom it refuses.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Write as _;

use crate::server_support::{Server, call, now, start, start_on};
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, ORIGIN, RETRY_AFTER};
use serde_json::{Value, json};
use server::db::key::{self, Scope};
use server::http::{Secret, hash};
use server::postgres::testing::fresh_database;

#[tokio::test]
async fn every_item_is_answered_for_and_sending_again_changes_nothing() {
    let server = start().await;
    let mut broken = call(now(), 3);
    broken["input_tokens"] = json!("many");
    let batch = json!([call(now(), 1), call(now().plus_seconds(-1), 2), broken]);
    let (status, report) = server.post("/api/ingest", &batch).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!((&report["received"], &report["stored"], &report["rejected"]), (&json!(3), &json!(2), &json!(1)));
    assert_eq!(report["results"][0], json!({"from": 1, "to": 2, "status": "stored"}));
    let reason = report["results"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("item 3") && reason.contains("input_tokens"), "{reason}");
    let (_, again) = server.post("/api/ingest", &batch).await;
    assert_eq!((&again["stored"], &again["duplicate"], &again["rejected"]), (&json!(0), &json!(2), &json!(1)));

    let gauges = server.get("/api/towns/home/gauges").await;
    assert!((gauges["tokens_per_s"].as_f64().unwrap() - 2.0 * 4_120.0 / 60.0).abs() < 1e-9, "{gauges}");
    assert_eq!(gauges["agents"], json!({"working": 1, "known": 1}));
    server.running.stop().await;
}

#[tokio::test]
async fn lines_and_gzip_are_understood_and_rubbish_is_named() {
    let server = start().await;
    let lines = format!("{}\n\n{}\n", call(now(), 1), call(now(), 2));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    let post = |body: Vec<u8>| server.client.post(server.url("/api/ingest?town=other")).body(body);
    let packed =
        post(gzip.finish().unwrap()).header(CONTENT_TYPE, "application/x-ndjson").header(CONTENT_ENCODING, "gzip");
    let report: Value = packed.send().await.unwrap().json().await.unwrap();
    assert_eq!(report["stored"], 2, "{report}");

    let refused = async |body: &[u8], kind: &str| {
        let answer = post(body.to_vec()).header(CONTENT_TYPE, kind).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned())
    };
    let (status, error) = refused(b"{\"type\":\"model_call\"}", "application/json").await;
    assert!(status == 400 && error.contains("line 1") && error.contains("ts"), "{status} {error}");
    assert_eq!(refused(b"", "application/json").await.0, 400);
    assert_eq!(refused(b"{}", "text/plain").await.0, 415);
    let large = refused(&vec![b' '; (64 << 20) + 1], "application/json").await;
    assert_eq!(large.0, 413);
    server.running.stop().await;
}

#[tokio::test]
async fn a_series_says_what_was_stored_and_a_gap_is_a_gap() {
    let server = start().await;
    let at = now();
    server.post("/api/ingest", &json!([call(at, 1), call(at, 2)])).await;
    for window in ["1h", "6h", "24h", "7d"] {
        let page = server.get(&format!("/api/towns/home/series?metric=cost&window={window}")).await;
        let (t, step) = (page["t"].as_array().unwrap(), page["step_s"].as_i64().unwrap());
        let polecat = page["series"].as_array().unwrap().iter().find(|s| s["name"] == "polecat").unwrap();
        let bucket = t.iter().position(|t| t.as_i64().unwrap() == at.floor_to(step).seconds()).unwrap();
        let shown = polecat["v"][bucket].as_f64().unwrap();
        assert!((shown - 2.0 * 13_800.0 / step as f64).abs() < 1e-6, "{window}: {shown}");
        assert_eq!(polecat["v"][0], Value::Null, "{window}: nobody looked then");
    }
    let csv = server.client.get(server.url("/api/towns/home/series?metric=lines")).header(ACCEPT, "text/csv");
    let csv = csv.send().await.unwrap();
    assert!(csv.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("text/csv"));
    assert_eq!(csv.text().await.unwrap().lines().count(), 361);

    let status = async |path: &str| server.client.get(server.url(path)).send().await.unwrap().status().as_u16();
    assert_eq!(status("/api/towns/home/series?metric=fuel").await, 400);
    assert_eq!(status("/api/towns/home/series?metric=cost&window=2h").await, 400);
    assert_eq!(status("/api/towns/nowhere/series?metric=cost").await, 404);
    assert_eq!(status("/api/nothing").await, 404);
    server.running.stop().await;
}

#[tokio::test]
async fn a_top_up_fills_once_and_the_tank_is_drawn_by_cost() {
    let server = start().await;
    server.post("/api/ingest", &call(now().plus_seconds(-5), 1)).await;
    let topup = json!({"usd": "50", "request_id": "0197a2b0-0000-7000-8000-000000000001"});
    assert_eq!(server.post("/api/towns/home/topup", &topup).await.0, 201);
    let (status, again) = server.post("/api/towns/home/topup", &topup).await;
    assert_eq!((status, &again["status"]), (200, &json!("duplicate")));
    let other = json!({"usd": "100", "request_id": topup["request_id"]});
    let (status, refused) = server.post("/api/towns/home/topup", &other).await;
    let error = refused["error"].as_str().unwrap();
    assert_eq!(status, 409, "{refused}");
    assert!(error.contains("$50.00 already, not of $100.00") && error.contains("nothing was filled in"), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("another request_id"), "{refused}");
    let ledger = server.get("/api/towns/home/ledger").await;
    assert_eq!(ledger["entries"].as_array().unwrap().len(), 1, "{ledger}");
    assert_eq!(server.post("/api/towns/home/topup", &json!({"usd": "-1"})).await.0, 400);
    assert_eq!(server.post("/api/towns/nowhere/topup", &topup).await.0, 404);
    server.post("/api/ingest", &call(now(), 2)).await;
    let mut tank = Value::Null;
    for _ in 0..40 {
        tank = server.get("/api/towns/home/gauges").await["tank"].clone();
        if !tank.is_null() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Spending before the first entry does not count; full is what was there right after the top-up.
    assert_eq!(tank["balance_nanodollars"], 50_000_000_000_i64 - 13_800_000, "{tank}");
    assert_eq!(tank["capacity_nanodollars"], 50_000_000_000_i64);
    assert_eq!(server.get("/api/towns/home/ledger").await["entries"].as_array().unwrap().len(), 1);
    server.running.stop().await;
}

#[tokio::test]
async fn on_loopback_other_names_and_other_sites_are_refused() {
    let server = start().await;
    let port = server.running.address.rsplit(':').next().unwrap().to_owned();
    let get = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = server.client.get(server.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let host = HOST.as_str();
    assert_eq!(get("/health", &[(host, &format!("localhost:{port}"))]).await, 200);
    assert_eq!(get("/health", &[(host, &format!("[::1]:{port}"))]).await, 200);
    assert_eq!(get("/health", &[(host, "evil.example")]).await, 421);
    assert_eq!(get("/health", &[(host, "localhost:1")]).await, 421);
    let origin = ORIGIN.as_str();
    assert_eq!(get("/api/towns", &[(origin, &format!("http://127.0.0.1:{port}"))]).await, 200);
    assert_eq!(get("/api/towns", &[(origin, "http://127.0.0.1:1")]).await, 403);
    assert_eq!(get("/api/towns", &[(origin, "null")]).await, 403);
    assert_eq!(get("/api/towns", &[("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(get("/api/towns", &[("sec-fetch-site", "same-origin")]).await, 200);
    let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(get("/", &link).await, 200);
    assert_eq!(get("/api/towns", &link).await, 403);
    server.running.stop().await;
}

async fn make_key(server: &Server, scope: Scope) -> String {
    new_key(&server.pool, scope).await
}

async fn new_key(pool: &server::db::Pool, scope: Scope) -> String {
    let secret = Secret::random().unwrap();
    key::insert(pool, scope.name(), scope, &hash(secret.reveal()).unwrap()).await.unwrap();
    secret.reveal().to_owned()
}

#[tokio::test]
async fn beyond_loopback_nothing_works_without_a_key() {
    let pool = fresh_database().await;
    let refused = start_on("0.0.0.0", &pool).await.err().unwrap().to_string();
    assert!(refused.contains("towngauge key create"), "{refused}");
    // The refusal closed its pool.
    let pool = fresh_database().await;
    let admin = new_key(&pool, Scope::Admin).await;
    let server = start_on("0.0.0.0", &pool).await.unwrap();
    let (ingest, read) = (make_key(&server, Scope::Ingest).await, make_key(&server, Scope::Read).await);

    let get = async |path: &str, key: &str| {
        let request = server.client.get(server.url(path)).header(AUTHORIZATION, format!("Bearer {key}"));
        request.send().await.unwrap().status().as_u16()
    };
    let post = async |path: &str, key: &str, body: Value| {
        let request = server.client.post(server.url(path)).header(AUTHORIZATION, format!("Bearer {key}")).json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    for path in ["/api/towns", "/health", "/metrics", "/pkg/x.js", "/live?town=home"] {
        assert_eq!(server.client.get(server.url(path)).send().await.unwrap().status(), 401, "{path}");
    }
    assert_eq!(get("/api/towns", "tg_wrong").await, 401);
    assert_eq!(get("/api/towns", &read).await, 200);
    assert_eq!(get("/api/towns", &ingest).await, 403);
    assert_eq!(post("/api/ingest", &ingest, call(now(), 1)).await, 200);
    assert_eq!(post("/api/ingest", &read, call(now(), 2)).await, 403);
    assert_eq!(post("/api/towns/home/topup", &read, json!({"usd": "1"})).await, 403);
    assert_eq!(post("/api/towns/home/topup", &admin, json!({"usd": "1"})).await, 201);
    server.running.stop().await;
}

#[tokio::test]
async fn a_browser_logs_in_with_a_key_and_the_session_dies_with_it() {
    let pool = fresh_database().await;
    let read = new_key(&pool, Scope::Read).await;
    let server = start_on("0.0.0.0", &pool).await.unwrap();
    let page = server.client.get(server.url("/t/home")).header(ACCEPT, "text/html").send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.headers()["location"].to_str().unwrap()), (303, "/login?next=/t/home"));
    let login = async |key: &str| {
        let body = format!("key={key}&next=/t/home");
        let request = server.client.post(server.url("/login")).body(body);
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").send().await.unwrap()
    };
    assert_eq!(login("tg_wrong").await.status(), 401);
    let answer = login(&read).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "/t/home"));
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let session = cookie.split(';').next().unwrap().to_owned();
    let with = async |session: &str| {
        server.client.get(server.url("/api/towns")).header(COOKIE, session).send().await.unwrap().status().as_u16()
    };
    assert_eq!(with(&session).await, 200);
    assert_eq!(with(&session.replacen('.', ".9", 1)).await, 401, "its end cannot be moved");
    assert_eq!(key::revoke(&pool, "read").await.unwrap(), 1);
    assert_eq!(with(&session).await, 401);
    let mut last = 0;
    for _ in 0..12 {
        last = login("tg_guess").await.status().as_u16();
    }
    assert_eq!(last, 429);
    server.running.stop().await;
}

#[tokio::test]
async fn a_stopping_server_says_when_to_come_back_and_keeps_what_it_acknowledged() {
    let server = start().await;
    let (_, report) = server.post("/api/ingest", &call(now(), 1)).await;
    assert_eq!(report["stored"], 1);
    let (url, client, app) = (server.url("/api/ingest"), server.client.clone(), server.running.app().clone());
    assert_eq!(server.get("/ready").await["status"], "ready");
    let metrics = client.get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("towngauge_http_events_total{outcome=\"stored\"} 1"), "{metrics}");
    let stopping = tokio::spawn(server.running.stop());
    // Either the intake is closed already, or nobody accepts connections any more.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    if let Ok(answer) = client.post(url).json(&call(now(), 2)).send().await {
        assert!(answer.status() == 503 && answer.headers().contains_key(RETRY_AFTER) || answer.status() == 200);
    }
    drop(app);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_chart_is_read_through_the_primary_key() {
    use sqlx::Row as _;
    let pool = fresh_database().await;
    let mut connection = pool.acquire().await.unwrap();
    // A generic plan, as after the fifth call; enough rows that the planner has a choice.
    let fill = "insert into headline_5m select 1, to_timestamp(300 * n), 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 from generate_series(1, 50000) n;
                insert into by_role_5m select 1, to_timestamp(300 * n), 0, 1, 1, 1, 1 from generate_series(1, 50000) n;
                insert into working_5m select 1, to_timestamp(300 * n), 60 from generate_series(1, 50000) n;
                analyze; set plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(fill).execute(&mut *connection).await.unwrap();
    let charts = [
        ("headline_5m", include_str!("../../src/db/sql/series_headline.sql")),
        ("by_role_5m", include_str!("../../src/db/sql/series_cost.sql")),
        ("working_5m", include_str!("../../src/db/sql/series_working.sql")),
    ];
    for (table, template) in charts {
        let points = template.replace("{tier}", "5m").replace("{columns}", "lines_added, lines_removed");
        let columns = include_str!("../../src/db/sql/series_columns.sql");
        let sql = columns.replace("{points}", &points).replace("{arrays}", "");
        let prepare = format!("prepare {table}_chart as {sql}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
        let explain = format!("explain execute {table}_chart(1, '1970-02-01 00:00+00', '1970-02-02 00:00+00')");
        let plan = sqlx::raw_sql(sqlx::AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
        let plan: String = plan.iter().map(|row| row.get::<String, _>(0) + "\n").collect();
        assert!(plan.contains(&format!("{table}_pkey")) && !plan.contains(&format!("Seq Scan on {table}")), "{plan}");
    }
}
