//! Pages of events: every stored event once, newest first, whatever is filtered; and the server's own figures.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashSet;

use crate::server_support::{Server, call, now, start};
use model::event_line::{EventPage, Level};
use serde_json::{Value, json};

/// All pages of a list, and how many there were.
async fn all(server: &Server, query: &str) -> (Vec<EventPage>, Vec<u64>) {
    let (mut pages, mut keys, mut before) = (Vec::new(), Vec::new(), String::new());
    loop {
        let answer = server.get(&format!("/api/towns/home/events?{query}&before={before}")).await;
        let page: EventPage = serde_json::from_value(answer.clone()).unwrap_or_else(|e| panic!("{e}: {answer:#}"));
        assert!(page.events.is_sorted_by(|a, b| a.row.at >= b.row.at));
        keys.extend(page.events.iter().map(|line| line.row.key.0));
        let next = page.next.clone();
        pages.push(page);
        match next {
            Some(next) => before = next,
            None => return (pages, keys),
        }
    }
}

async fn filled() -> Server {
    let server = start().await;
    let at = now();
    let event = |n: usize| -> Value {
        // Several at the same instant, and some of last week.
        let ts = at.plus_seconds(-i64::try_from(n / 3).unwrap() - if n > 80 { 700_000 } else { 0 }).to_string();
        let (rig, agent) = (["gas", "oil"][n % 2], format!("a{}", n % 5));
        match n % 4 {
            0 => {
                json!({"type": "tool_call", "ts": ts, "id": format!("t{n}"), "tool": "Bash", "ok": !n.is_multiple_of(8), "rig": rig, "role": "crew", "agent": agent})
            }
            1 => {
                json!({"type": "agent_state", "ts": ts, "id": format!("s{n}"), "state": "stuck", "rig": rig, "role": "witness", "agent": agent})
            }
            2 => {
                json!({"type": "model_call", "ts": ts, "id": format!("u{n}"), "model": "nobody-knows-it", "output_tokens": 5, "rig": rig, "role": "polecat", "agent": agent})
            }
            _ => {
                json!({"type": "lines_changed", "ts": ts, "id": format!("l{n}"), "added": 1, "removed": 0, "file": format!("src/f{n}_100%.rs"), "rig": rig, "role": "crew", "agent": agent})
            }
        }
    };
    let batch: Vec<Value> = (0..120).map(event).collect();
    let (_, answer) = server.post("/api/ingest", &json!(batch)).await;
    assert_eq!(answer["stored"], 120, "{answer}");
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_join_into_the_whole_list_whatever_is_filtered() {
    let server = filled().await;
    let check = async |query: &str, want: usize| {
        let (pages, keys) = all(&server, query).await;
        let once: HashSet<_> = keys.iter().collect();
        assert_eq!((keys.len(), once.len()), (want, want), "{query}");
        assert!(pages.iter().all(|page| page.events.len() <= 7 && !page.partial));
        pages.into_iter().flat_map(|page| page.events).collect::<Vec<_>>()
    };
    check("limit=7", 120).await;
    check("limit=7&kind=tool_call", 30).await;
    check("limit=7&kind=tool_call,agent_state", 60).await;
    check("limit=7&rig=gas", 60).await;
    check("limit=7&role=witness,polecat", 60).await;
    check("limit=7&agent=a3", 24).await;
    check("limit=7&agent=a3&rig=gas&kind=tool_call", 6).await;
    let errors = check("limit=7&level=error", 15).await;
    assert!(errors.iter().all(|line| line.row.level == Level::Error && !line.row.ok && line.row.what == "Bash"));
    let warnings = check("limit=7&level=warn", 60).await;
    assert!(warnings.iter().all(|line| line.row.level == Level::Warn));
    check("limit=7&level=info,warn,error", 120).await;
    check("limit=7&q=BASH", 30).await;
    // Text is text: a percent sign is no pattern.
    check("limit=7&q=_100%25", 30).await;
    check("limit=7&q=nothing-of-this", 0).await;
    check("limit=7&source=api", 120).await;
    check("limit=7&source=claude_code", 0).await;
    check("limit=7&source=claude_code,api&level=error", 15).await;
    let calls = check("limit=7&q=nobody-knows", 30).await;
    assert_eq!(calls[0].counts.unwrap().output, 5);
    assert_eq!((calls[0].row.source.as_str(), calls[0].row.cost), ("api", None));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_said_and_what_others_can_be() {
    let server = filled().await;
    let ask = async |query: &str| {
        let answer = server.client.get(server.url(&format!("/api/towns/home/events?{query}"))).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    for (query, hint) in [
        ("kind=tools", "model_call, tool_call"),
        ("level=loud", "info, warn, error"),
        ("role=boss", "mayor"),
        ("before=yesterday", "next"),
        (&format!("q={}", "x".repeat(101)), "100 bytes"),
    ] {
        let (status, answer) = ask(query).await;
        assert!(status == 400 && answer["hint"].as_str().unwrap().contains(hint), "{query}: {answer}");
    }
    assert_eq!(server.client.get(server.url("/api/towns/nowhere/events")).send().await.unwrap().status(), 404);
    let (_, most) = ask("limit=100000").await;
    assert_eq!(most["events"].as_array().unwrap().len(), 120);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_tells_its_own_figures() {
    let server = start().await;
    let mut event = call(now(), 1);
    event["session"] = json!("s1");
    server.post("/api/ingest", &event).await;
    let metrics: model::system::SystemMetrics =
        serde_json::from_value(server.get("/api/system/metrics").await).unwrap();
    assert_eq!((metrics.events_received, metrics.events_stored, metrics.streams), (1, 1, 0));
    assert!(metrics.requests >= 2 && metrics.database_connections > 0 && metrics.rollups_pending.is_some());
    let page: EventPage = serde_json::from_value(server.get("/api/system/events?limit=5").await).unwrap();
    assert_eq!((page.events.len(), page.next), (1, None));
    let active: model::system::ActiveRequests =
        serde_json::from_value(server.get("/api/system/activeRequests").await).unwrap();
    assert_eq!(active.sessions[0].session.as_str(), "s1");
    let health: model::system::SystemHealth = serde_json::from_value(server.get("/api/system/health").await).unwrap();
    assert_eq!((health.status.as_str(), health.trouble.len()), ("ok", 0));
    let channels: model::system::Channels = serde_json::from_value(server.get("/api/system/channels").await).unwrap();
    assert!(channels.channels.iter().any(|channel| channel.name == "api" && channel.state == "live"));
    server.pool.close().await;
    let health: model::system::SystemHealth = serde_json::from_value(server.get("/api/system/health").await).unwrap();
    assert_eq!((health.status.as_str(), health.database, health.trouble.len()), ("degraded", false, 1));
    server.running.stop().await;
}
