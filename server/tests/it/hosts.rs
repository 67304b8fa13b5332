//! Hosts on a real Postgres: one sampler each, a bounded past, and live readings for those who look and nobody else.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::server_support;
use std::time::Duration;

use crate::server_support::{Server, now, start, start_with};
use futures::{SinkExt as _, StreamExt as _};
use model::host::{GpuUse, HostSample, Percent, PerfMetrics, Space};
use model::id::{HostName, TownName};
use model::time::{Timestamp, Window};
use serde_json::{Value, json};
use server::config::Settings;
use server::db::host::{self, HostRow, LEASE_S, Put};
use server::db::{Pool, TownKey, town};
use server::host::{Recorder, Sink as _, Who};
use server::postgres::testing::fresh_database;
use server::ship::{ShippedSink, Target};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

/// 2026-02-25T06:00:00Z.
const T0: Timestamp = Timestamp::from_seconds(1_771_999_200);

fn name(raw: &str) -> HostName {
    HostName::new(raw).unwrap()
}

fn sample(cpu_tenths: u16) -> HostSample {
    HostSample {
        cpu: Some(Percent::from_tenths(cpu_tenths)),
        memory: Some(Space::new(12 << 30, 32 << 30)),
        gpu: Some(GpuUse { percent: Some(Percent::from_tenths(500)), vram: Some(Space::new(1 << 30, 24 << 30)) }),
        disk: Some(Space::new(100 << 30, 400 << 30)),
    }
}

async fn home(pool: &Pool) -> TownKey {
    town::ensure(pool, &TownName::new("home").unwrap(), false).await.unwrap()
}

fn row(host: &str, writer: Uuid, at: Timestamp) -> HostRow {
    HostRow { name: name(host), writer, pid: Some(7), at, sample: sample(100) }
}

async fn put(pool: &Pool, town: TownKey, row: &HostRow) -> Put {
    host::put(pool, town, row).await.unwrap()
}

#[tokio::test]
async fn one_process_reads_a_host_until_it_is_silent() {
    let pool = fresh_database().await;
    let town = home(&pool).await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let stored = Put::Stored { wanted_s: None };
    assert_eq!(put(&pool, town, &row("forge", first, T0)).await, stored);
    assert_eq!(put(&pool, town, &row("forge", second, T0.plus_seconds(5))).await, Put::Taken);
    assert_eq!(host::list(&pool, town).await.unwrap(), [row("forge", first, T0)]);
    let late = row("forge", second, T0.plus_seconds(LEASE_S + 1));
    assert_eq!(put(&pool, town, &late).await, stored);
    assert_eq!(host::list(&pool, town).await.unwrap(), [late]);
}

#[tokio::test]
async fn whoever_looks_elsewhere_is_told_to_the_sampler_and_forgotten_after_a_while() {
    let pool = fresh_database().await;
    let town = home(&pool).await;
    let (mine, other) = (Uuid::now_v7(), Uuid::now_v7());
    put(&pool, town, &row("forge", mine, T0)).await;
    put(&pool, town, &row("laptop", other, T0)).await;
    host::want(&pool, town, &[mine], 1, T0).await.unwrap();
    let wanted = |seconds: i64, writer| {
        let host = if writer == mine { "forge" } else { "laptop" };
        let row = row(host, writer, T0.plus_seconds(seconds));
        let pool = pool.clone();
        async move { put(&pool, town, &row).await }
    };
    assert_eq!(wanted(1, other).await, Put::Stored { wanted_s: Some(1) });
    assert_eq!(wanted(1, mine).await, Put::Stored { wanted_s: None });
    assert_eq!(wanted(31, other).await, Put::Stored { wanted_s: None });
}

#[tokio::test]
async fn every_window_shows_means_on_its_steps_and_gaps_where_nothing_was_read() {
    let pool = fresh_database().await;
    let town = home(&pool).await;
    put(&pool, town, &row("forge", Uuid::now_v7(), T0)).await;
    let forge = name("forge");
    let fine: Vec<_> = [0, 15, 45].map(|at| (T0.plus_seconds(at), sample(100))).into();
    host::put_means(&pool, town, &forge, 15, &fine).await.unwrap();
    // Two minutes, then three minutes of nothing, then another.
    let coarse: Vec<_> = [(0, 100), (60, 300), (300, 500)].map(|(at, cpu)| (T0.plus_seconds(at), sample(cpu))).into();
    host::put_means(&pool, town, &forge, 60, &coarse).await.unwrap();
    let read = |window| {
        let pool = pool.clone();
        async move {
            let page = host::history(&pool, town, window, T0.plus_seconds(600)).await.unwrap();
            assert!(page.steps() <= 360);
            let of = &page.hosts[0];
            let known: Vec<(i64, u16)> = page
                .times()
                .zip(&of.cpu_percent)
                .filter_map(|(at, share)| Some((at - T0.seconds(), share.as_ref()?.tenths())))
                .collect();
            (page.step_s, known)
        }
    };
    assert_eq!(read(Window::Hour).await, (15, vec![(0, 100), (15, 100), (45, 100)]));
    assert_eq!(read(Window::SixHours).await, (60, vec![(0, 100), (60, 300), (300, 500)]));
    assert_eq!(read(Window::Day).await, (300, vec![(0, 200), (300, 500)]));
    assert_eq!(read(Window::Week).await, (1_800, vec![(0, 300)]));
    // What is there stays: a step that was begun anew after a restart says less.
    host::put_mean(&pool, town, &forge, (60, T0), &sample(999)).await.unwrap();
    assert_eq!(read(Window::SixHours).await.1[0], (0, 100));
}

#[tokio::test]
async fn the_past_is_kept_as_long_as_a_page_shows_it_and_no_longer() {
    let pool = fresh_database().await;
    let town = home(&pool).await;
    let forge = name("forge");
    put(&pool, town, &row("forge", Uuid::now_v7(), T0)).await;
    for (step_s, ages_s) in [(15, [0, 3_600, 7_100, 7_300]), (60, [0, 7 * 86_400, 8 * 86_400 - 60, 8 * 86_400 + 60])] {
        let means = ages_s.map(|age_s| (T0.plus_seconds(-age_s), sample(1)));
        host::put_means(&pool, town, &forge, step_s, &means).await.unwrap();
    }
    assert_eq!(host::trim(&pool, T0).await.unwrap(), 2);
    assert_eq!(host::trim(&pool, T0).await.unwrap(), 0);
    let left: i64 = sqlx::query_scalar("select count(*) from host_mean").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 6);
}

#[tokio::test]
async fn a_town_has_so_many_hosts_and_the_silent_ones_make_room() {
    let pool = fresh_database().await;
    let town = home(&pool).await;
    for n in 0..40 {
        put(&pool, town, &row(&format!("h{n:02}"), Uuid::now_v7(), T0.plus_seconds(n))).await;
    }
    let names: Vec<String> = host::list(&pool, town).await.unwrap().iter().map(|row| row.name.to_string()).collect();
    assert_eq!((names.len(), names[0].as_str(), names[31].as_str()), (32, "h08", "h39"));
    put(&pool, town, &row("new", Uuid::now_v7(), T0.plus_seconds(9 * 86_400))).await;
    assert_eq!(host::list(&pool, town).await.unwrap().len(), 1, "what is silent for longer than its past is gone");
}

#[tokio::test]
async fn a_recorder_writes_the_mean_of_each_step_when_it_is_over() {
    let pool = fresh_database().await;
    let town = home(&pool).await;
    let who = Who { name: name("forge"), writer: Uuid::now_v7(), pid: None };
    let mut recorder = Recorder::new(pool.clone(), town, who);
    for second in 0..=60 {
        let cpu = if second < 30 { 100 } else { 300 };
        assert!(recorder.take(&sample(cpu), T0.plus_seconds(second), Duration::from_secs(1)).await);
    }
    let page = host::history(&pool, town, Window::Hour, T0.plus_seconds(60)).await.unwrap();
    let known: Vec<u16> = page.hosts[0].cpu_percent.iter().flatten().map(|share| share.tenths()).collect();
    assert_eq!(known, [100, 100, 300, 300]);
    let page = host::history(&pool, town, Window::SixHours, T0.plus_seconds(60)).await.unwrap();
    let known: Vec<u16> = page.hosts[0].cpu_percent.iter().flatten().map(|share| share.tenths()).collect();
    assert_eq!(known, [200]);
}

fn report(shipper: Uuid, name: &str) -> Value {
    json!({"ship": 1, "shipper": shipper, "name": name, "pid": 42, "sample": sample(234)})
}

#[tokio::test]
async fn another_machine_reports_and_the_api_says_the_same() {
    let server = start().await;
    let shipper = Uuid::now_v7();
    let (status, answer) = server.post("/api/ship/host", &report(shipper, "laptop")).await;
    assert_eq!((status, answer), (200, json!({"next_s": 15})), "nobody looks");
    let body = server.get("/api/towns/home/hosts").await;
    let host = &body["hosts"][0];
    let expected = json!({
        "type": "perf_metrics", "project": "home", "host": "laptop", "demo": false,
        "run": {"status": "idle", "pid": 42, "started_at": null, "run_id": null},
        "tokens": {"current_run": 0, "total_session": 0, "available": false},
        "cpu": {"percent": 23.4}, "memory": {"used_bytes": 12_u64 << 30, "total_bytes": 32_u64 << 30, "percent": 37.5},
        "gpu": {"percent": 50.0, "vram_used_bytes": 1_u64 << 30, "vram_total_bytes": 24_u64 << 30},
        "disk": {"used_bytes": 100_u64 << 30, "total_bytes": 400_u64 << 30, "percent": 25.0},
    });
    let mut told = host.clone();
    let at = told.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert_eq!(told, expected);
    let age_us = now().micros_since(Timestamp::parse_rfc3339(at.as_str().unwrap()).unwrap());
    assert!((0..5_000_000).contains(&age_us), "{at}");
    // The same name from elsewhere is another machine.
    let (status, answer) = server.post("/api/ship/host", &report(Uuid::now_v7(), "laptop")).await;
    assert_eq!(status, 409);
    assert!(answer["hint"].as_str().unwrap().contains("--name"), "{answer}");
    for (bad, status) in [
        (json!({"ship": 2, "shipper": shipper, "name": "a", "pid": 1, "sample": {"cpu": 101}}), 400),
        (json!({"ship": 2, "shipper": shipper, "name": "a", "pid": 1, "sample": sample(1)}), 409),
        (report(shipper, ""), 400),
        (report(shipper, "a\u{7}"), 400),
    ] {
        assert_eq!(server.post("/api/ship/host", &bad).await.0, status, "{bad}");
    }
    assert_eq!(server.get("/api/towns/home/hosts").await["hosts"].as_array().unwrap().len(), 1);
    let past = server.get("/api/towns/home/hosts/history?window=6h").await;
    assert_eq!((past["window"].as_str(), past["step_s"].as_i64()), (Some("6h"), Some(60)));
    assert_eq!(
        server.client.get(server.url("/api/towns/home/hosts/history?window=2h")).send().await.unwrap().status(),
        400
    );
    assert_eq!(server.client.get(server.url("/api/towns/nowhere/hosts")).send().await.unwrap().status(), 404);
    server.running.stop().await;
}

#[tokio::test]
async fn a_path_or_a_user_has_no_place_in_a_report() {
    let server = start().await;
    let mut bad = report(Uuid::now_v7(), "laptop");
    bad["user"] = json!("somebody");
    assert_eq!(server.post("/api/ship/host", &bad).await.0, 400);
    server.running.stop().await;
}

#[tokio::test]
async fn this_machine_is_read_by_the_server_itself() {
    let settings = Settings { host: Some("forge".into()), ..Settings::default() };
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    let host = async {
        loop {
            let body = server.get("/api/towns/home/hosts").await;
            if let Some(host) = body["hosts"].get(0) {
                return host.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let host = timeout(Duration::from_secs(10), host).await.unwrap();
    assert_eq!((host["host"].as_str(), host["run"]["pid"].as_u64()), (Some("forge"), Some(std::process::id().into())));
    assert!(host["memory"]["used_bytes"].as_u64().unwrap() > 0 && host["cpu"]["percent"].is_number());
    let cost = server.get("/api/system/cost").await;
    assert!(cost["rss_bytes"].as_u64().unwrap() > 0 && cost["queue_events"].is_number(), "{cost}");
    server.running.stop().await;
}

#[tokio::test]
async fn the_shippers_sink_sends_what_the_server_shows() {
    let server = start().await;
    let target = Target { url: server.running.address.clone(), town: TownName::new("home").unwrap(), key: None };
    let mut sink = ShippedSink::new(&target, Uuid::now_v7(), "laptop").unwrap();
    let next = sink.take(sample(111), Duration::from_secs(1)).await;
    assert_eq!(next.as_secs(), 15);
    let body = server.get("/api/towns/home/hosts").await;
    assert_eq!(body["hosts"][0]["cpu"]["percent"], 11.1);
    server.running.stop().await;
    assert_eq!(sink.take(sample(1), Duration::from_secs(1)).await.as_secs(), 15, "what cannot be sent is a gap");
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn join(server: &Server) -> Socket {
    let url = format!("{}/live?town=home", server.running.address.replace("http", "ws"));
    connect_async(url).await.unwrap().0
}

/// The next reading within `seconds`.
async fn reading(socket: &mut Socket, seconds: u64) -> Option<PerfMetrics> {
    let next = async {
        loop {
            if let Message::Text(text) = socket.next().await.unwrap().unwrap()
                && text.starts_with(r#"{"type":"perf_metrics""#)
            {
                return serde_json::from_str::<PerfMetrics>(&text).unwrap();
            }
        }
    };
    timeout(Duration::from_secs(seconds), next).await.ok()
}

#[tokio::test]
async fn whoever_looks_is_told_at_once_and_faster_and_nobody_else_is() {
    let server = start().await;
    let shipper = Uuid::now_v7();
    let send = |server: &Server| {
        let (client, url, body) = (server.client.clone(), server.url("/api/ship/host"), report(shipper, "laptop"));
        async move { client.post(url).json(&body).send().await.unwrap().json::<Value>().await.unwrap() }
    };
    assert_eq!(send(&server).await["next_s"], 15);
    let (mut looks, mut does_not) = (join(&server).await, join(&server).await);
    looks.send(Message::text(r#"{"type":"look"}"#)).await.unwrap();
    assert_eq!(reading(&mut looks, 5).await.unwrap().host, name("laptop"), "what is known, at once");
    assert_eq!(send(&server).await["next_s"], 3, "the town idles");
    let told = reading(&mut looks, 5).await.unwrap();
    assert_eq!((told.host, told.cpu.unwrap().percent), (name("laptop"), Percent::from_tenths(234)));
    assert_eq!(reading(&mut does_not, 1).await, None);
    // While the town runs, each second.
    server.post("/api/ingest", &json!([server_support::call(now(), 1)])).await;
    assert_eq!(send(&server).await["next_s"], 1);
    // What was read of the run is good for some seconds.
    let counted = async {
        loop {
            let told = reading(&mut looks, 5).await.unwrap();
            if (told.tokens.current_run, told.tokens.total_session, told.tokens.available) == (4_120, 4_120, true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            send(&server).await;
        }
    };
    timeout(Duration::from_secs(15), counted).await.unwrap();
    looks.send(Message::text(r#"{"type":"look_away"}"#)).await.unwrap();
    let quiet = async {
        while send(&server).await["next_s"] != 15 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), quiet).await.unwrap();
    while reading(&mut looks, 1).await.is_some() {}
    // A viewer that goes without a word does not look either.
    looks.send(Message::text(r#"{"type":"look"}"#)).await.unwrap();
    reading(&mut looks, 5).await.unwrap();
    drop(looks);
    let quiet = async {
        while send(&server).await["next_s"] != 15 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), quiet).await.unwrap();
    server.running.stop().await;
}

#[tokio::test]
async fn a_reading_is_encoded_once_for_all_who_look() {
    let server = start().await;
    let shipper = Uuid::now_v7();
    server.post("/api/ship/host", &report(shipper, "laptop")).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = join(&server).await;
        socket.send(Message::text(r#"{"type":"look"}"#)).await.unwrap();
        reading(&mut socket, 5).await.unwrap();
        sockets.push(socket);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let encoded = || server.running.app().hub.stats().encoded.load(std::sync::atomic::Ordering::Relaxed);
    let before = encoded();
    server.post("/api/ship/host", &report(shipper, "laptop")).await;
    for socket in &mut sockets {
        reading(socket, 5).await.unwrap();
    }
    // A tick of the town itself may fall in between.
    assert!(encoded() - before <= 8, "{} frames for twenty viewers", encoded() - before);
    server.running.stop().await;
}

#[tokio::test]
async fn what_another_process_reads_reaches_who_looks_here() {
    let server = start().await;
    let key = home(&server.pool).await;
    // As `towngauge watch` beside the server does.
    let who = Who { name: name("forge"), writer: Uuid::now_v7(), pid: Some(9) };
    let mut recorder = Recorder::new(server.pool.clone(), key, who);
    assert!(recorder.take(&sample(10), now(), Duration::from_secs(1)).await);
    let mut socket = join(&server).await;
    socket.send(Message::text(r#"{"type":"look"}"#)).await.unwrap();
    let first = reading(&mut socket, 10).await.unwrap();
    assert_eq!((first.host, first.run.pid), (name("forge"), Some(9)));
    // It is told that somebody looks with its next writing, and is heard from then on.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(recorder.take(&sample(20), now().plus_seconds(15), Duration::from_secs(1)).await);
    assert_eq!(recorder.wanted_s(), Some(3));
    let fresh = async {
        loop {
            if reading(&mut socket, 10).await.unwrap().cpu.unwrap().percent == Percent::from_tenths(20) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), fresh).await.unwrap();
    server.running.stop().await;
}
