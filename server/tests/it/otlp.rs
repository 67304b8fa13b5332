//! The OTLP receiver over HTTP: what it answers, what it stores, what it must never keep.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Write as _;
use std::path::Path;

use crate::otlp_support::{Logs, SECOND, T0, claude, request, tokens};
use crate::server_support::{Server, call, now, start, start_on, start_with};
use flate2::Compression;
use flate2::write::GzEncoder;
use model::Aggregate;
use prost::Message;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER};
use serde_json::{Value, json};
use server::config::Settings;
use server::db::key::{self, Scope};
use server::http::{Secret, hash};
use server::postgres::testing::fresh_database;

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

/// Status, content type and body of an answer.
async fn send(server: &Server, path: &str, kind: &str, body: Vec<u8>) -> (u16, String, Vec<u8>) {
    let answer = server.client.post(server.url(path)).header(CONTENT_TYPE, kind).body(body).send().await.unwrap();
    let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
}

/// Sends what must be taken as a whole.
async fn take(server: &Server, path: &str, kind: &str, body: Vec<u8>) {
    let (status, answered, said) = send(server, path, kind, body).await;
    let empty: &[u8] = if kind == JSON { b"{}" } else { b"" };
    assert_eq!((status, answered.as_str(), said.as_slice()), (200, kind, empty), "{path}");
}

/// What the events of a town sum up to, and the tiers with them.
async fn total(server: &Server, town: &str) -> Aggregate {
    let columns = Aggregate::NAMES.map(|name| format!("coalesce(sum({name}), 0)::bigint")).join(", ");
    let sql = format!(
        "select array[{columns}] from headline_10s where town_id = (select town_id from town where name = '{town}')"
    );
    let (sums,): (Vec<i64>,) = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(&server.pool).await.unwrap();
    Aggregate::from_array(sums.try_into().unwrap())
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn two_calls() -> Logs {
    Logs { resource: claude(), records: vec![request("s1", 1, Some("req_1"), 70), request("s1", 2, Some("req_2"), 30)] }
}

#[tokio::test]
async fn both_encodings_say_the_same_and_sending_again_changes_nothing() {
    let server = start().await;
    take(&server, "/v1/logs", PROTOBUF, two_calls().protobuf()).await;
    let once = total(&server, "home").await;
    assert_eq!((once.calls, once.total_tokens(), once.cost.0), (2, 2_100, 25_000_000));
    take(&server, "/v1/logs", JSON, two_calls().json()).await;
    take(&server, "/insert/opentelemetry/v1/logs", PROTOBUF, two_calls().protobuf()).await;
    let packed = server.client.post(server.url("/v1/logs")).header(CONTENT_TYPE, JSON);
    let packed = packed.header(CONTENT_ENCODING, "gzip").body(gzip(&two_calls().json())).send().await.unwrap();
    assert_eq!(packed.status(), 200);
    assert_eq!(total(&server, "home").await, once);
    let events = server.get("/api/events?town=home").await;
    let event = &events["events"][0];
    let told = [&event["agent"], &event["role"], &event["rig"], &event["bead"], &event["session"]];
    assert_eq!(told, ["furiosa", "polecat", "gastown", "gt-69dai", "s1"], "{event}");
    let sources: Vec<(String, i64)> =
        sqlx::query_as("select source, stored from source").fetch_all(&server.pool).await.unwrap();
    assert_eq!(sources, [("claude_code_otel".to_owned(), 2)]);
    server.running.stop().await;
}

#[tokio::test]
async fn numbers_come_in_whatever_clothes() {
    let server = start().await;
    let body = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"claude-code"}},
        {"key":"odd","value":{"futureValue":{"x":1}}}],"entityRefs":null},"schemaUrl":"","scopeLogs":[{"logRecords":[
        {"timeUnixNano":1749558960000000000,"flags":0,"traceId":"","attributes":[
        {"key":"event.name","value":{"stringValue":"api_request"}},{"key":"model","value":{"stringValue":"m"}},
        {"key":"session.id","value":{"stringValue":"s"}},
        {"key":"input_tokens","value":{"intValue":"1"}},{"key":"output_tokens","value":{"intValue":20}},
        {"key":"cache_read_tokens","value":{"stringValue":"300"}},{"key":"cache_creation_tokens","value":{"doubleValue":4e3}},
        {"key":"cost_usd","value":{"doubleValue":"0.5"}},{"key":"duration_ms","value":{"stringValue":"12.5"}}]}]}]}]}"#;
    take(&server, "/v1/logs", JSON, body.as_bytes().to_vec()).await;
    let sum = total(&server, "home").await;
    assert_eq!((sum.tokens, sum.cost.0), ([1, 20, 300, 4_000, 0], 500_000_000));
    let (duration,): (i64,) = sqlx::query_as("select duration_us from event").fetch_one(&server.pool).await.unwrap();
    assert_eq!(duration, 12_500);
    server.running.stop().await;
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[tokio::test]
async fn every_refusal_has_its_status_and_says_why_in_the_senders_encoding() {
    let server = start().await;
    // Nothing to take is taken.
    for (path, kind, body) in [("/v1/logs", JSON, "{}"), ("/v1/metrics", PROTOBUF, ""), ("/v1/traces", JSON, "{}")] {
        take(&server, path, kind, body.into()).await;
    }
    let (status, kind, body) = send(&server, "/v1/logs", PROTOBUF, b"\xff\xff\xff".to_vec()).await;
    let said = Status::decode(body.as_slice()).unwrap();
    assert_eq!((status, kind.as_str(), said.code), (400, PROTOBUF, 3), "{said:?}");
    let (status, kind, body) = send(&server, "/v1/logs", JSON, b"{\"resourceLogs\": \"secret\"}".to_vec()).await;
    let said: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, kind.as_str(), &said["code"]), (400, JSON, &json!(3)));
    assert!(said["message"].as_str().unwrap().contains("line 1") && !said.to_string().contains("secret"), "{said}");
    let (status, _, body) = send(&server, "/v1/metrics", "application/grpc", Vec::new()).await;
    let said = String::from_utf8(body).unwrap();
    assert!(status == 415 && said.contains("gRPC") && said.contains("http/protobuf"), "{said}");
    assert_eq!(send(&server, "/v1/metrics", "text/plain", Vec::new()).await.0, 415);
    assert_eq!(send(&server, "/v1/logs?town=no%20town", JSON, b"{}".to_vec()).await.0, 400);

    let bomb = gzip(&vec![b' '; (64 << 20) + 1]);
    let request = server.client.post(server.url("/v1/logs")).header(CONTENT_TYPE, JSON);
    assert_eq!(request.header(CONTENT_ENCODING, "gzip").body(bomb).send().await.unwrap().status(), 413);
    let request = server.client.post(server.url("/v1/logs")).header(CONTENT_TYPE, JSON);
    assert_eq!(request.header(CONTENT_ENCODING, "zstd").body("{}").send().await.unwrap().status(), 415);
    let request = server.client.post(server.url("/v1/logs")).header(CONTENT_TYPE, JSON);
    assert_eq!(request.header(HOST, "evil.example").body("{}").send().await.unwrap().status(), 421);
    assert_eq!(server.client.get(server.url("/v1/logs")).send().await.unwrap().status(), 405);

    // One of two is bad: the other is taken, and the answer says so.
    let mut logs = two_calls();
    logs.records[1].1["input_tokens"] = json!("many");
    let (status, _, body) = send(&server, "/v1/logs", JSON, logs.json()).await;
    let said: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &said["partialSuccess"]["rejectedLogRecords"]), (200, &json!("1")), "{said}");
    let reason = said["partialSuccess"]["errorMessage"].as_str().unwrap();
    assert!(reason.contains("item 2") && reason.contains("input_tokens") && !reason.contains("many"), "{reason}");
    assert_eq!(total(&server, "home").await.calls, 1);
    let (_, _, body) = send(&server, "/v1/logs", PROTOBUF, logs.protobuf()).await;
    let said = opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse::decode(body.as_slice());
    assert_eq!(said.unwrap().partial_success.unwrap().rejected_log_records, 1);
    server.running.stop().await;
}

#[tokio::test]
async fn beyond_loopback_exports_need_a_key_that_may() {
    let pool = fresh_database().await;
    let mut keys = Vec::new();
    for scope in [Scope::Admin, Scope::Ingest, Scope::Read] {
        let secret = Secret::random().unwrap();
        key::insert(&pool, scope.name(), scope, &hash(secret.reveal()).unwrap()).await.unwrap();
        keys.push(secret.reveal().to_owned());
    }
    let server = start_on("0.0.0.0", &pool).await.unwrap();
    let status = async |key: &str, path: &str| {
        let request = server.client.post(server.url(path)).header(CONTENT_TYPE, JSON).body("{}");
        request.header(AUTHORIZATION, format!("Bearer {key}")).send().await.unwrap().status().as_u16()
    };
    for path in ["/v1/logs", "/v1/metrics", "/v1/traces", "/opentelemetry/api/v1/push", "/insert/opentelemetry/v1/logs"]
    {
        assert_eq!(status("tg_wrong", path).await, 401, "{path}");
        assert_eq!((status(&keys[1], path).await, status(&keys[2], path).await), (200, 403), "{path}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_answers_503_and_loses_nothing() {
    let pool = fresh_database().await;
    let settings = Settings { queue_events: Some(2), ..Settings::default() };
    let server = start_with("127.0.0.1", &pool, settings).await.unwrap();
    let mut blocker = pool.begin().await.unwrap();
    sqlx::query("lock table event in access exclusive mode").execute(&mut *blocker).await.unwrap();
    let (client, url) = (server.client.clone(), server.url("/v1/logs"));
    let waiting = tokio::spawn(async move {
        let request = client.post(url).header(CONTENT_TYPE, PROTOBUF).body(two_calls().protobuf());
        request.send().await.unwrap().status().as_u16()
    });
    let third = Logs { resource: claude(), records: vec![request("s1", 3, Some("req_3"), 1)] };
    let post = async || {
        let request = server.client.post(server.url("/v1/logs")).header(CONTENT_TYPE, PROTOBUF);
        request.body(third.protobuf()).send().await.unwrap()
    };
    while server.get("/ready").await["queue_has_room"] != json!(false) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let refused = post().await;
    assert_eq!((refused.status().as_u16(), refused.headers()[RETRY_AFTER].to_str().unwrap()), (503, "1"));
    assert_eq!(Status::decode(refused.bytes().await.unwrap()).unwrap().code, 14);
    blocker.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap(), 200);
    assert_eq!(post().await.status(), 200);
    server.post("/api/ingest", &call(now(), 1)).await;
    assert_eq!(total(&server, "home").await.calls, 4);
    server.running.stop().await;
}

#[tokio::test]
async fn a_town_is_named_by_the_address_then_the_header_then_gas_town_if_it_is_known() {
    let server = start().await;
    let logs = |n: u64| Logs { resource: claude(), records: vec![request("s", n, Some(&format!("req_{n}")), 1)] };
    take(&server, "/v1/logs?town=a", JSON, logs(1).json()).await;
    let request = server.client.post(server.url("/v1/logs")).header(CONTENT_TYPE, JSON);
    request.header("x-towngauge-town", "b").body(logs(2).json()).send().await.unwrap();
    take(&server, "/v1/logs", JSON, logs(3).json()).await;
    for town in ["a", "b", "home"] {
        assert_eq!(total(&server, town).await.calls, 1, "{town}");
    }
    take(&server, "/v1/logs?town=gt", JSON, logs(4).json()).await;
    take(&server, "/v1/logs", JSON, logs(5).json()).await;
    assert_eq!((total(&server, "home").await.calls, total(&server, "gt").await.calls), (1, 2));
    server.running.stop().await;
}

/// What a transcript says of a call, through the API.
fn transcript(request: &str, output: u64) -> Value {
    json!({"type": "model_call", "ts": "2025-06-10T12:36:01Z", "session": "s1", "model": "claude-sonnet-4-5",
        "message_id": format!("msg_{request}"), "request_id": request, "id": format!("{request} {output}"),
        "input_tokens": 4, "output_tokens": output, "cache_read_tokens": 496, "cache_write_1h_tokens": 500})
}

#[tokio::test]
async fn a_call_told_by_transcript_and_telemetry_counts_once_whoever_comes_first() {
    let server = start().await;
    for order in [[true, false], [false, true]] {
        for (outputs, want) in [((70, 70), [4, 70, 496, 0, 500]), ((8, 70), [4, 70, 496, 500, 0])] {
            let (in_transcript, in_telemetry) = outputs;
            let town = format!("t-{}-{in_transcript}", order[0]);
            for telemetry in order {
                if telemetry {
                    let records = vec![request("s1", 1, Some("req_1"), in_telemetry)];
                    let logs = Logs { resource: claude(), records };
                    take(&server, &format!("/v1/logs?town={town}"), JSON, logs.json()).await;
                } else {
                    server.post(&format!("/api/ingest?town={town}"), &transcript("req_1", in_transcript)).await;
                }
            }
            let sum = total(&server, &town).await;
            assert_eq!((sum.calls, sum.tokens), (1, want), "{town}");
        }
    }
    server.running.stop().await;
}

#[tokio::test]
async fn sums_count_while_a_session_sends_no_calls_and_never_beside_them() {
    let server = start().await;
    let points = [("input", 0, 10, 4.0), ("output", 0, 10, 70.0), ("cacheRead", 0, 10, 496.0)];
    take(&server, "/opentelemetry/api/v1/push", PROTOBUF, tokens("s1", false, &points).protobuf()).await;
    let mut cost = tokens("s1", false, &[("", 0, 10, 0.0125)]);
    cost.name = "claude_code.cost.usage";
    take(&server, "/v1/metrics", JSON, cost.json()).await;
    take(&server, "/v1/metrics", JSON, tokens("s1", false, &points).json()).await;
    let sum = total(&server, "home").await;
    assert_eq!((sum.tokens, sum.cost.0, sum.unpriced_tokens), ([4, 70, 496, 0, 0], 12_500_000, 0));
    // The session turns out to send its calls: now these count, and later sums do not.
    let logs = Logs { resource: claude(), records: vec![request("s1", 1, Some("req_1"), 70)] };
    take(&server, "/v1/logs", PROTOBUF, logs.protobuf()).await;
    take(&server, "/v1/metrics", PROTOBUF, tokens("s1", false, &[("output", 10, 20, 5.0)]).protobuf()).await;
    take(&server, "/v1/metrics", PROTOBUF, tokens("s2", false, &[("output", 10, 20, 5.0)]).protobuf()).await;
    let sum = total(&server, "home").await;
    assert_eq!((sum.tokens, sum.calls), ([4, 75, 496, 500, 0], 2));
    server.running.stop().await;
}

#[tokio::test]
async fn running_sums_are_carried_on_over_restarts_replicas_and_repetitions() {
    let server = start().await;
    let send = async |server: &Server, start: u64, at: u64, value: f64| {
        let sum = tokens("s1", true, &[("output", start, at, value)]);
        take(server, "/v1/metrics", PROTOBUF, sum.protobuf()).await;
    };
    let output = async |server: &Server| total(server, "home").await.tokens[1];
    send(&server, 0, 10, 100.0).await;
    send(&server, 0, 20, 150.0).await;
    // Late, repeated, and repeated at the end with a new time.
    send(&server, 0, 10, 100.0).await;
    send(&server, 0, 20, 150.0).await;
    send(&server, 0, 21, 150.0).await;
    assert_eq!(output(&server).await, 150);
    // The process starts anew: its sum begins at nothing.
    send(&server, 30, 40, 20.0).await;
    assert_eq!(output(&server).await, 170);
    // Another server on the same database remembers nothing and knows everything.
    let other = start_on("127.0.0.1", &server.pool).await.unwrap();
    send(&other, 0, 50, 160.0).await;
    send(&other, 30, 50, 25.0).await;
    assert_eq!(output(&server).await, 185);
    // The first one is behind now.
    send(&server, 0, 60, 165.0).await;
    send(&server, 0, 50, 160.0).await;
    assert_eq!(output(&server).await, 190);
    let spread: Vec<(i64,)> =
        sqlx::query_as("select output_tokens from event order by ts").fetch_all(&server.pool).await.unwrap();
    assert_eq!(spread.into_iter().map(|(n,)| n).collect::<Vec<_>>(), [100, 50, 20, 10, 5, 5], "each when it was spent");
    other.running.stop().await;
    server.running.stop().await;
}

#[tokio::test]
async fn tools_lines_and_other_agents_are_understood_and_the_rest_is_counted() {
    let server = start().await;
    let tool = |told: Value| (T0 + SECOND, told);
    let logs = Logs {
        resource: claude(),
        records: vec![
            tool(
                json!({"event.name": "tool_result", "session.id": "s1", "tool_name": "Bash", "tool_use_id": "toolu_1",
                "success": "true", "duration_ms": 7}),
            ),
            tool(json!({"event.name": "api_error", "session.id": "s1", "model": "m", "status_code": "529"})),
            tool(json!({"event.name": "user_prompt", "session.id": "s1", "prompt": "x"})),
            tool(json!({"event.name": "user_prompt", "session.id": "s1", "prompt": "x", "event.sequence": 9})),
        ],
    };
    take(&server, "/v1/logs", JSON, logs.json()).await;
    // The transcript's report of the same use, with the wait for permission in it.
    let used = json!({"type": "tool_call", "ts": "2025-06-10T12:36:01Z", "session": "s1", "tool": "Bash",
        "tool_use_id": "toolu_1", "duration_ms": 9_000});
    server.post("/api/ingest", &used).await;
    let codex = Logs {
        resource: json!({"service.name": "codex_cli_rs"}),
        records: vec![
            tool(json!({"event.name": "codex.sse_event", "event.kind": "response.completed", "conversation.id": "c1",
                "model": "gpt-5", "input_token_count": "100", "cached_token_count": "60", "output_token_count": "7"})),
            tool(json!({"event.name": "codex.tool_result", "conversation.id": "c1", "tool_name": "shell",
                "call_id": "call_1", "duration_ms": "5", "success": "false", "output": "x"})),
            tool(json!({"event.name": "codex.sandbox_outcome", "conversation.id": "c1"})),
        ],
    };
    take(&server, "/v1/logs", PROTOBUF, codex.protobuf()).await;
    let gemini = Logs {
        resource: json!({"service.name": "gemini-cli", "session.id": "g1"}),
        records: vec![
            tool(json!({"event.name": "gemini_cli.api_response", "model": "gemini-2.5-pro", "input_token_count": 50,
                "cached_content_token_count": 10, "output_token_count": 5, "thoughts_token_count": 3,
                "tool_token_count": 2, "duration_ms": 1})),
            tool(json!({"event.name": "gemini_cli.tool_call", "function_name": "write_file", "duration_ms": 4,
                "success": true, "metadata": "{\"model_added_lines\":12,\"model_removed_lines\":2}"})),
        ],
    };
    // Gemini CLI has one address for everything.
    take(&server, "/v1/otlp", JSON, gemini.json()).await;
    take(&server, "/v1/otlp", JSON, b"{}".to_vec()).await;
    assert_eq!(send(&server, "/v1/otlp", PROTOBUF, Vec::new()).await.0, 415);
    let other = Logs {
        resource: json!({"service.name": "own-agent"}),
        records: vec![tool(json!({"event.name": "gen_ai.client.inference.operation.details",
            "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 1}))],
    };
    take(&server, "/v1/logs", PROTOBUF, other.protobuf()).await;
    let mut lines = tokens("s1", false, &[("added", 0, 10, 12.0), ("removed", 0, 10, 3.0)]);
    lines.name = "claude_code.lines_of_code.count";
    take(&server, "/v1/otlp", JSON, lines.json()).await;
    let mut commits = tokens("s1", false, &[("", 0, 10, 1.0)]);
    commits.name = "claude_code.commit.count";
    take(&server, "/v1/metrics", JSON, commits.json()).await;

    let sum = total(&server, "home").await;
    assert_eq!(sum.tokens, [40 + 42 + 11, 7 + 8 + 1, 60 + 10, 0, 0]);
    assert_eq!((sum.calls, sum.call_errors, sum.tool_calls, sum.tool_errors), (4, 1, 3, 1));
    assert_eq!((sum.lines_added, sum.lines_removed), (24, 5));
    let (bash,): (i64,) =
        sqlx::query_as("select duration_us from event where tool = 'Bash'").fetch_one(&server.pool).await.unwrap();
    assert_eq!(bash, 7_000, "the tool's own time");

    let unmapped = server.get("/api/towns/home/unmapped").await;
    let names: Vec<_> =
        unmapped["unmapped"].as_array().unwrap().iter().map(|u| (&u["source"], &u["name"], &u["count"])).collect();
    let expected = [
        (&json!("claude_code_otel"), &json!("user_prompt"), &json!(2)),
        (&json!("claude_code_otel"), &json!("claude_code.commit.count"), &json!(1)),
        (&json!("codex_otel"), &json!("codex.sandbox_outcome"), &json!(1)),
    ];
    assert_eq!(names, expected, "{unmapped}");
    let nowhere = server.client.get(server.url("/api/towns/nowhere/unmapped")).send().await.unwrap();
    assert_eq!(nowhere.status(), 404);
    server.running.stop().await;
}

#[tokio::test]
async fn a_small_body_of_millions_of_empty_records_is_refused_before_it_is_read() {
    let server = start().await;
    let field = |number: u8, content: &[u8]| {
        let mut bytes = vec![number << 3 | 2];
        prost::encode_length_delimiter(content.len(), &mut bytes).unwrap();
        bytes.extend_from_slice(content);
        bytes
    };
    let body = gzip(&field(1, &field(2, &[2 << 3 | 2, 0].repeat(30_000_000))));
    let post = server.client.post(server.url("/v1/logs")).header(CONTENT_TYPE, PROTOBUF);
    let answer = post.header(CONTENT_ENCODING, "gzip").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let said = Status::decode(answer.bytes().await.unwrap()).unwrap();
    assert!(said.code == 8 && said.message.contains("200000 records"), "{said:?}");
    let body =
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#, vec!["{}"; 300_000].join(","));
    assert_eq!(send(&server, "/v1/logs", JSON, body.into_bytes()).await.0, 413);

    let towns = |n: u64| {
        let (at, mut told) = request("s1", n, Some(&format!("req_{n}")), 1);
        told["gt.town"] = json!(format!("town-{n}"));
        (at, told)
    };
    let logs = |n: u64| Logs { resource: json!({"service.name": "claude-code"}), records: (0..n).map(towns).collect() };
    assert_eq!(send(&server, "/v1/logs", JSON, logs(17).json()).await.0, 413, "a town each");
    take(&server, "/v1/logs", JSON, logs(16).json()).await;
    assert_eq!(total(&server, "home").await.calls, 16);
    server.running.stop().await;
}

#[tokio::test]
async fn telemetry_that_names_the_ids_of_some_tool_uses_counts_them_all() {
    let server = start().await;
    let tool = |second: u64, told: Value| {
        let mut all = json!({"event.name": "codex.tool_result", "conversation.id": "c1", "tool_name": "shell"});
        all.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        let records = vec![(T0 + second * SECOND, all)];
        Logs { resource: json!({"service.name": "codex_cli_rs"}), records }.protobuf()
    };
    for (second, told) in [(1, json!({})), (2, json!({"call_id": "call_1"})), (3, json!({}))] {
        take(&server, "/v1/logs", PROTOBUF, tool(second, told)).await;
    }
    assert_eq!(total(&server, "home").await.tool_calls, 3);
    server.running.stop().await;
}

#[tokio::test]
async fn names_that_nobody_understands_are_bounded() {
    let server = start().await;
    for round in 0..3_u64 {
        let record = |n: u64| (T0, json!({"event.name": format!("event.{}", round * 90 + n), "session.id": "s"}));
        let logs = Logs { resource: claude(), records: (0..90).map(record).collect() };
        take(&server, "/v1/logs", PROTOBUF, logs.protobuf()).await;
    }
    let unmapped = server.get("/api/towns/home/unmapped").await;
    let rows = unmapped["unmapped"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["name"], &rows[0]["count"]), (201, &json!("(others)"), &json!(70)));
    let known = Logs { resource: claude(), records: vec![(T0, json!({"event.name": "event.5", "session.id": "s"}))] };
    take(&server, "/v1/logs", PROTOBUF, known.protobuf()).await;
    let unmapped = server.get("/api/towns/home/unmapped").await;
    let row = unmapped["unmapped"].as_array().unwrap().iter().find(|row| row["name"] == "event.5").unwrap();
    assert_eq!(row["count"], 2);
    server.running.stop().await;
}

#[tokio::test]
async fn the_samples_of_real_wire_bytes_are_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/otlp");
    if !folder.exists() {
        println!("skipped: there are no samples in ../shared/fixtures");
        return;
    }
    let server = start().await;
    let mut sums = Vec::new();
    for (kind, ending) in [(JSON, "json"), (PROTOBUF, "pb")] {
        let read = |signal: &str| std::fs::read(folder.join(format!("claude_v1_{signal}.{ending}"))).unwrap();
        take(&server, &format!("/v1/metrics?town={ending}-metrics"), kind, read("metrics")).await;
        take(&server, &format!("/v1/logs?town={ending}"), kind, read("logs")).await;
        take(&server, &format!("/v1/metrics?town={ending}"), kind, read("metrics")).await;
        sums.push((total(&server, &format!("{ending}-metrics")).await, total(&server, ending).await));
    }
    assert_eq!(sums[0], sums[1]);
    let (metrics, both) = sums[0];
    println!("metrics alone: {metrics:?}\nwith logs: {both:?}");
    assert!(metrics.total_tokens() > 0 && both.calls > 0 && both.tool_calls > 0 && both.lines_added > 0);
    server.running.stop().await;
}
