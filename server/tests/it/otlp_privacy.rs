//! What people wrote and who they are ends with the request: it is in no table and no log.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use server::config::{Config, Settings};
use server::db::Pool;
use server::postgres::testing::fresh_database;
use server::serve;
use server::store::Store;
use tokio::net::TcpListener;

/// Begins everything that must not be found again.
const SECRET: &str = "zq9secret";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn pair(key: &str, value: &Value) -> Value {
    let kind = if value.is_string() { "stringValue" } else { "intValue" };
    json!({"key": key, "value": {kind: value}})
}

fn secret(of: &str) -> Value {
    json!(format!("{SECRET} of {of}"))
}

/// Attributes that hold what must not be kept, and those of the caller.
fn told(own: &[(&str, Value)]) -> Vec<Value> {
    let private = [
        "prompt",
        "response",
        "tool_parameters",
        "tool_input",
        "arguments",
        "output",
        "error",
        "error_message",
        "user.email",
        "user.id",
        "user.account_uuid",
        "user.account_id",
        "organization.id",
        "content",
        "msg.body",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.prompt",
        "metadata",
        "args",
        "response_text",
    ];
    let private = private.iter().map(|key| pair(key, &secret(key)));
    private.chain(own.iter().map(|(key, value)| pair(key, value))).collect()
}

fn bodies() -> Vec<(&'static str, String)> {
    let at = "1749558960000000000";
    let mut all = Vec::new();
    for service in ["claude-code", "codex_cli_rs", "gemini-cli", "gastown", "another"] {
        let resource = json!({"attributes": [pair("service.name", &json!(service)), pair("gt.prompt", &secret("gt.prompt")),
            pair("gt.topic", &secret("gt.topic")), pair("user.email", &secret("e-mail"))]});
        let names = [
            "api_request",
            "api_error",
            "tool_result",
            "user_prompt",
            "claude_code.assistant_response",
            "codex.user_prompt",
            "codex.tool_result",
            "codex.sse_event",
            "gemini_cli.api_response",
            "gemini_cli.tool_call",
            "mail",
            "prompt.send",
        ];
        let mut records: Vec<Value> = names
            .iter()
            .map(|name| {
                let own = [
                    ("event.name", json!(name)),
                    ("session.id", json!("s")),
                    ("model", json!("m")),
                    ("tool_name", json!("Bash")),
                    ("function_name", json!("read")),
                    ("tool_use_id", json!("toolu_1")),
                    ("input_tokens", json!(1)),
                    ("event.kind", json!("response.completed")),
                    ("success", json!("true")),
                    ("gen_ai.usage.input_tokens", json!(1)),
                    ("gen_ai.request.model", json!("m")),
                ];
                json!({"timeUnixNano": at, "body": {"stringValue": secret("body")}, "attributes": told(&own)})
            })
            .collect();
        // Refused, and nameless: what is said of them must not repeat them.
        let bad = [("event.name", json!("api_request")), ("model", json!("m")), ("input_tokens", secret("a count"))];
        records.push(json!({"timeUnixNano": at, "attributes": told(&bad), "eventName": secret("a name")}));
        records.push(json!({"timeUnixNano": at, "attributes": told(&[("event.name", secret("a name"))])}));
        records.push(json!({"timeUnixNano": at, "body": {"stringValue": SECRET}}));
        all.push((
            "/v1/logs",
            json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}),
        ));

        let point = json!({"attributes": told(&[("session.id", json!("s")), ("type", json!("input")), ("model", json!("m"))]),
            "startTimeUnixNano": at, "timeUnixNano": at, "asInt": 5});
        let metric = |name: &str| {
            json!({"name": name, "description": secret("description"), "unit": secret("unit"),
            "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [point]}})
        };
        let metrics =
            [metric("claude_code.token.usage"), metric("gemini_cli.token.usage"), metric(&format!("{SECRET} x"))];
        all.push((
            "/v1/metrics",
            json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}),
        ));

        let own = [("gen_ai.usage.output_tokens", json!(3)), ("gen_ai.request.model", json!("m"))];
        let span = json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
            "name": format!("chat {SECRET}"), "startTimeUnixNano": at, "endTimeUnixNano": at, "attributes": told(&own),
            "status": {"code": 2, "message": secret("status")}});
        all.push(("/v1/traces", json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})));
    }
    let mut all: Vec<(&str, String)> = all.into_iter().map(|(path, body)| (path, body.to_string())).collect();
    all.push(("/v1/logs", format!("{{\"resourceLogs\": \"{SECRET}\"}}")));
    all.push(("/v1/logs", format!("{SECRET} is no JSON")));
    all
}

/// Every row of every table as text.
async fn dump(pool: &Pool) -> String {
    let tables: Vec<(String,)> = sqlx::query_as(
        "select relname::text from pg_class where relkind in ('r', 'p') and not relispartition
         and relnamespace = 'public'::regnamespace order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 15, "{tables:?}");
    let mut all = String::new();
    for (table,) in tables {
        let sql = format!("select coalesce(string_agg(t::text, E'\\n'), '') from {table} t");
        let (rows,): (String,) = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await.unwrap();
        all += &format!("{table}:\n{rows}\n");
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_inputs_and_identities_are_in_no_table_no_log_and_no_answer() {
    let log = Log::default();
    let writer = log.clone();
    let logs = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(move || writer.clone());
    logs.with_ansi(false).try_init().unwrap();
    let pool = fresh_database().await;
    let settings = Settings { no_watch: true, data_dir: Some("unused".into()), ..Settings::default() };
    let config = Config::resolve(&settings, &|_| None).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let running = serve::start_on(config, listener, Store::on(pool.clone()).await.unwrap()).await.unwrap();
    let client = reqwest::Client::new();
    let mut answers = String::new();
    for (path, body) in bodies() {
        let request = client.post(format!("{}{path}", running.address)).header(CONTENT_TYPE, "application/json");
        answers += &request.body(body).send().await.unwrap().text().await.unwrap();
    }
    let kept = dump(&pool).await;
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(kept.contains("claude_code_otel") && kept.contains("Bash") && kept.contains("(nameless)"), "{kept}");
    assert!(!said.is_empty());
    for (place, text) in [("the database", kept), ("the log", said), ("an answer", answers)] {
        assert!(!text.contains(SECRET), "{place} holds it: {:?}", text.lines().find(|line| line.contains(SECRET)));
    }
    running.stop().await;
}
