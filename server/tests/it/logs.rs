//! Lines of logs: what is taken of them, how many, and what is never kept.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::server_support::{Server, now, start, start_with};
use serde_json::{Value, json};
use server::config::Settings;
use server::postgres::testing::fresh_database;

fn log(level: &str, message: &str) -> Value {
    json!({"type": "log", "ts": now().to_string(), "level": level, "source": "gateway", "message": message, "rig": "gas",
           "agent": "toast", "session": "s1"})
}

async fn lines(server: &Server, query: &str) -> Vec<Value> {
    let page = server.get(&format!("/api/towns/home/events?limit=500&kind=log{query}")).await;
    page["events"].as_array().unwrap().clone()
}

/// Everything that the store holds, as one text.
async fn everything(server: &Server) -> String {
    let mut all = String::new();
    for table in ["event", "rejection", "unmapped", "source", "session", "agent", "change"] {
        let sql = format!("select coalesce(string_agg(t::text, ' '), '') from {table} t");
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&server.pool).await.unwrap();
        all.push_str(&text);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_an_event_with_level_and_source_and_without_secrets() {
    let server = start().await;
    let secret = "sk-ant-REDACTED";
    let body = json!([
        log("info", "listening on port 8080"),
        log("warning", "ann@example.org could not log in from /home/ann/work"),
        log("ERROR", &format!("upstream refused {secret}")),
    ]);
    let (status, answer) = server.post("/api/ingest?town=home", &body).await;
    assert_eq!((status, &answer["stored"]), (200, &json!(3)), "{answer}");
    let (_, answer) = server.post("/api/ingest?town=home", &body).await;
    assert_eq!(answer["duplicate"], json!(3), "sent twice");
    let shown = lines(&server, "").await;
    let of = |level: &str| shown.iter().find(|line| line["level"] == level).unwrap();
    assert_eq!(of("info")["text"], "listening on port 8080");
    assert_eq!(of("warn")["text"], "[e-mail] could not log in from ~/work");
    assert_eq!((&of("error")["text"], &of("error")["ok"]), (&json!("upstream refused [secret]"), &json!(false)));
    assert!(shown.iter().all(|line| line["what"] == "gateway" && line["source"] == "api" && line["agent"] == "toast"));
    assert_eq!(lines(&server, "&level=error").await.len(), 1);
    assert_eq!(lines(&server, "&q=PORT%208080").await.len(), 1);
    assert_eq!(lines(&server, "&source=api").await.len(), 3);
    let kept = everything(&server).await;
    assert!(!kept.contains(secret) && !kept.contains("ann@") && !kept.contains("/home/"), "{kept}");
    let refused = async |body: Value| server.post("/api/ingest?town=home", &body).await.1["error"].to_string();
    assert!(refused(log("debug", "x")).await.contains("use info, warn or error"));
    assert!(refused(json!({"type": "log", "ts": now().to_string(), "level": "info"})).await.contains("message"));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_lines_are_left_out_and_counted_and_nothing_else_is() {
    let settings = Settings { log_lines_per_s: Some(1), ..Settings::default() };
    let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
    let mut body: Vec<Value> = (0..40).map(|n| log("info", &format!("line {n}"))).collect();
    body.push(crate::server_support::call(now(), 1));
    let (_, answer) = server.post("/api/ingest?town=home", &json!(body)).await;
    assert_eq!((&answer["stored"], &answer["rejected"]), (&json!(11), &json!(30)));
    assert_eq!(answer["results"][1]["from"], json!(11), "the first ones are taken");
    let reason = answer["results"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("more than 1 log lines a second"), "{reason}");
    let sources = server.get("/api/towns/home/sources").await;
    let api = sources["sources"].as_array().unwrap().iter().find(|source| source["name"] == "api").unwrap().clone();
    assert_eq!((&api["stored"], &api["rejected"]), (&json!(11), &json!(30)));
    server.running.stop().await;
}

fn export(service: &str, attributes: &Value, severity: i64, body: &str) -> Value {
    let pair = |(key, value): (&String, &Value)| json!({"key": key, "value": {"stringValue": value}});
    let attributes: Vec<Value> = attributes.as_object().unwrap().iter().map(pair).collect();
    json!({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeLogs": [{"scope": {"name": "billing"}, "logRecords": [{
            "timeUnixNano": (now().0 * 1_000).to_string(), "severityNumber": severity, "attributes": attributes,
            "body": {"stringValue": body}}]}]}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn of_opentelemetry_only_what_the_owner_names_is_kept_and_never_what_agents_say() {
    let said = "please write me a poem about a private matter";
    let none = json!({});
    let exports = [
        export("shop", &none, 17, "payment failed for ann@example.org"),
        export("shop", &none, 9, "started"),
        export("shop", &none, 5, said),
        export("shop", &json!({"gen_ai.prompt": "x"}), 9, said),
        export("shop", &json!({"event.name": "gen_ai.user.message"}), 9, said),
        export("other", &none, 17, said),
        export("claude-code", &none, 17, said),
        export("codex_cli_rs", &none, 17, said),
        export("gemini-cli", &none, 17, said),
    ];
    let stored = async |settings: Settings| {
        let server = start_with("127.0.0.1", &fresh_database().await, settings).await.unwrap();
        for body in &exports {
            let (status, answer) = server.post("/v1/logs?town=home", body).await;
            assert_eq!((status, answer), (200, json!({})));
        }
        let kept = everything(&server).await;
        assert!(!kept.contains("poem") && !kept.contains("ann@"), "{kept}");
        let shown = lines(&server, "").await;
        let unmapped = server.get("/api/towns/home/unmapped").await.to_string();
        server.running.stop().await;
        (shown, unmapped)
    };
    let (shown, unmapped) = stored(Settings::default()).await;
    assert_eq!(shown, Vec::<Value>::new(), "none, unless somebody asks for it");
    assert!(unmapped.contains("nameless"), "{unmapped}");
    let names = ["shop", "claude-code", "codex_cli_rs", "gemini-cli"].map(str::to_owned).to_vec();
    let (shown, unmapped) = stored(Settings { otlp_logs_of: names, ..Settings::default() }).await;
    let texts: Vec<&str> = shown.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["started", "payment failed for [e-mail]"]);
    assert!(shown.iter().all(|line| line["what"] == "billing" && line["source"] == "otel"));
    assert!(unmapped.contains("log.below_info"), "{unmapped}");
}
