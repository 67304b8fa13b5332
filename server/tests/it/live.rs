//! The live link against a real server: what a viewer is told, and what becomes of one that does not listen.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::time::Duration;

use crate::server_support::{Server, call, now, start};
use futures::{SinkExt as _, StreamExt as _};
use model::live::{Applied, LiveState};
use model::wire::{PROTOCOL, ServerMessage};
use serde_json::json;
use server::db::ledger::{self, Added, Entry, EntryKind};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn live_url(server: &Server, town: &str) -> String {
    server.url(&format!("/live?town={town}")).replace("http://", "ws://")
}

async fn join(server: &Server) -> Socket {
    connect_async(live_url(server, "home")).await.unwrap().0
}

/// The next message of the protocol.
async fn next(socket: &mut Socket) -> ServerMessage {
    loop {
        match timeout(Duration::from_secs(8), socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_viewer_is_welcomed_told_everything_and_then_every_change() {
    let server = start().await;
    let mut socket = join(&server).await;
    assert!(matches!(next(&mut socket).await, ServerMessage::Welcome { protocol: PROTOCOL, .. }));
    let mut state = LiveState::default();
    let snapshot = next(&mut socket).await;
    assert!(matches!(snapshot, ServerMessage::Snapshot(_)));
    state.apply(snapshot);
    let mut deltas = 0;
    for id in 0..6 {
        server.post("/api/ingest", &call(now(), id)).await;
        let message = next(&mut socket).await;
        deltas += usize::from(matches!(message, ServerMessage::Delta(_)));
        assert!(!matches!(state.apply(message), Applied::Gap | Applied::OtherProtocol));
    }
    assert!(deltas > 0);
    // One more frame may be needed for the last event.
    for _ in 0..8 {
        let flow = state.town.as_ref().unwrap().gauges.flow;
        if flow.is_some_and(|flow| flow.tokens == 6 * 4_120) {
            break;
        }
        let message = next(&mut socket).await;
        assert_ne!(state.apply(message), Applied::Gap);
    }
    let town = state.town.unwrap();
    assert_eq!((town.gauges.flow.unwrap().tokens, town.events.len(), town.roster.len()), (6 * 4_120, 6, 1));
    let dial = server.get("/api/towns/home/gauges").await["tokens_per_s"].as_f64().unwrap();
    assert!((town.gauges.tokens_per_s().unwrap() - dial).abs() < 1e-9);
    server.running.stop().await;
}

#[tokio::test]
async fn whoever_asks_gets_a_snapshot_a_pong_or_a_goodbye() {
    let server = start().await;
    let mut socket = join(&server).await;
    for _ in 0..2 {
        next(&mut socket).await;
    }
    socket.send(Message::text(r#"{"type":"resync"}"#)).await.unwrap();
    while !matches!(next(&mut socket).await, ServerMessage::Snapshot(_)) {}
    socket.send(Message::Ping("hello".into())).await.unwrap();
    let pong = async {
        loop {
            if let Message::Pong(payload) = socket.next().await.unwrap().unwrap() {
                return payload;
            }
        }
    };
    assert_eq!(timeout(Duration::from_secs(3), pong).await.unwrap().as_ref(), b"hello");

    let mut loud = join(&server).await;
    loud.send(Message::text("x".repeat(600))).await.unwrap();
    assert_eq!(close_code(&mut loud).await, Some(1009));

    let stopping = tokio::spawn(server.running.stop());
    assert_eq!(close_code(&mut socket).await, Some(1001));
    stopping.await.unwrap();
}

async fn close_code(socket: &mut Socket) -> Option<u16> {
    loop {
        match timeout(Duration::from_secs(8), socket.next()).await.unwrap()? {
            Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn other_sites_and_unknown_towns_are_refused_at_the_handshake() {
    let server = start().await;
    let status = async |town: &str, origin: Option<&str>| {
        let mut request = live_url(&server, town).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((_, answer)) => answer.status().as_u16(),
            Err(Error::Http(answer)) => answer.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(status("home", None).await, 101);
    assert_eq!(status("home", Some(&server.running.address.clone())).await, 101);
    assert_eq!(status("home", Some("https://evil.example")).await, 403);
    assert_eq!(status("nowhere", None).await, 404);
    let plain = server.client.get(server.url("/live?town=home")).send().await.unwrap();
    assert_eq!(plain.status(), 426);
    server.running.stop().await;
}

#[tokio::test]
async fn a_viewer_that_does_not_listen_costs_one_frame_and_catches_up_with_a_snapshot() {
    let server = start().await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let address = server.running.address.trim_start_matches("http://").parse().unwrap();
    let stream = socket.connect(address).await.unwrap();
    let (mut viewer, _) = tokio_tungstenite::client_async(live_url(&server, "home"), stream).await.unwrap();
    let stats = server.running.app().hub.clone();
    let skipped = || stats.stats().skipped.load(std::sync::atomic::Ordering::Relaxed);
    let mut id = 0;
    for _ in 0..80 {
        let batch: Vec<_> = (0..40).map(|n| call(now(), id + n)).collect();
        id += batch.len();
        server.post("/api/ingest", &json!(batch)).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        if skipped() > 2 {
            break;
        }
    }
    assert!(skipped() > 2, "the socket never filled");
    // Now it listens: what was begun is finished, a snapshot makes up for the rest, and then deltas follow on it.
    let mut state = LiveState::default();
    let (mut snapshots, mut caught_up) = (0, false);
    for _ in 0..2_000 {
        let Message::Text(text) = timeout(Duration::from_secs(8), viewer.next()).await.unwrap().unwrap().unwrap()
        else {
            continue;
        };
        let message: ServerMessage = serde_json::from_str(&text).unwrap();
        snapshots += usize::from(matches!(message, ServerMessage::Snapshot(_)));
        assert_ne!(state.apply(message), Applied::Gap);
        caught_up = snapshots > 1 && state.town.as_ref().is_some_and(|t| t.gauges.at > now().plus_seconds(-1));
        if caught_up {
            break;
        }
    }
    assert!(caught_up);
    server.running.stop().await;
}

#[tokio::test]
async fn what_another_process_fills_in_reaches_the_tank_within_a_second() {
    let server = start().await;
    server.post("/api/ingest", &call(now(), 1)).await;
    let town = model::TownName::new("home").unwrap();
    let key = server::db::town::find(&server.pool, &town).await.unwrap().unwrap().key;
    let entry = Entry {
        at: now().plus_seconds(-60),
        kind: EntryKind::Topup,
        amount: model::Nanodollars(1_000_000_000),
        note: String::new(),
        request: uuid::Uuid::now_v7(),
    };
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(ledger::add(&server.pool, (key, &town), &entry, "somebody-else").await.unwrap(), Added::Stored);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let tank = server.get("/api/towns/home/gauges").await["tank"].clone();
    assert_eq!(tank["balance_nanodollars"], 1_000_000_000 - 13_800_000, "{tank}");
    server.running.stop().await;
}

/// Loading a town while it is written to neither loses nor repeats anything (hub::load).
#[tokio::test]
async fn a_town_loaded_while_events_stream_in_counts_each_of_them_once() {
    let server = start().await;
    let at = now().plus_seconds(-20);
    let town = model::TownName::new("home").unwrap();
    let hub = server.running.app().hub.clone();
    let reloads = tokio::spawn(async move {
        for _ in 0..30 {
            hub.reload(town.clone()).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut sent = 0;
    while !reloads.is_finished() {
        server.post("/api/ingest", &call(at, sent)).await;
        sent += 1;
    }
    let loads = server.running.app().hub.stats().loads.load(std::sync::atomic::Ordering::Relaxed);
    assert!(loads >= 2, "{loads} loads");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let snapshot = server.get("/api/towns/home/snapshot").await;
    assert_eq!(snapshot["gauges"]["flow"]["tokens"], sent * 4_120, "{sent} events, {loads} loads");
    server.running.stop().await;
}
