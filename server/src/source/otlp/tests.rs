//! What bodies become, before anything is stored.

use model::dedupe::Basis;
use model::event::{AgentState, Event, SessionEdge};
use model::id::{AgentName, RigName, Role};
use serde_json::{Value, json};

use super::{Encoding, Parsed, Share, Signal, decode};

fn attribute(key: &str, value: &Value) -> Value {
    let kind = match value {
        Value::String(_) => "stringValue",
        Value::Number(number) if number.is_f64() => "doubleValue",
        _ => "intValue",
    };
    json!({"key": key, "value": {kind: value}})
}

fn attributes(all: &Value) -> Value {
    all.as_object().unwrap().iter().map(|(key, value)| attribute(key, value)).collect()
}

fn read(signal: Signal, body: &Value) -> Parsed {
    decode(signal, Encoding::Json, body.to_string().as_bytes(), &[]).unwrap()
}

/// The only share of a body.
fn share(signal: Signal, body: &Value) -> Share {
    let mut shares = read(signal, body).shares;
    assert_eq!(shares.len(), 1, "{shares:?}");
    shares.pop_first().unwrap().1
}

fn logs(service: &str, records: &[Value]) -> Value {
    json!({"resourceLogs": [{"resource": {"attributes": attributes(&json!({"service.name": service}))},
        "scopeLogs": [{"scope": {"name": "x"}, "logRecords": records}]}]})
}

/// Metrics of one point each: name, attributes, value.
fn histogram(temporality: &Value, told: &Value, sum: &Value) -> Value {
    let point = json!({"attributes": attributes(told), "startTimeUnixNano": "1749558960000000000",
        "timeUnixNano": "1749558961000000000", "count": "2", "sum": sum, "bucketCounts": ["1", "1"]});
    json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "gen_ai.client.token.usage",
        "histogram": {"aggregationTemporality": temporality, "dataPoints": [point]}}]}]}]})
}

#[test]
fn gas_town_says_who_comes_and_goes_in_the_records_bodies() {
    let at = "1749558960000000000";
    let record = |body: &str, told: Value| json!({"timeUnixNano": at, "body": {"stringValue": body}, "attributes": attributes(&told)});
    let share = share(
        Signal::Logs,
        &logs(
            "gastown",
            &[
                record(
                    "agent.instantiate",
                    json!({"role": "polecat", "agent_name": "toast", "session_id": "gt-toast",
            "rig": "gastown", "issue_id": "gt-69dai"}),
                ),
                record("session.stop", json!({"session_id": "gt-toast", "role": "polecat"})),
                record("agent.state_change", json!({"agent_id": "gt-gastown-polecat-toast", "new_state": "stuck"})),
                record("agent.usage", json!({"session": "gt-toast", "input_tokens": 5})),
                record("a message to somebody", json!({})),
            ],
        ),
    );
    let who: Vec<_> = share
        .events
        .iter()
        .map(|e| (e.role, e.agent.as_ref().map(AgentName::as_str), e.rig.as_ref().map(RigName::as_str)))
        .collect();
    let toast = (Role::Polecat, Some("toast"), Some("gastown"));
    assert_eq!(who, [toast, (Role::Polecat, None, None), toast]);
    let events: Vec<_> = share.events.iter().map(|e| e.event.clone()).collect();
    let want = [SessionEdge::Started, SessionEdge::Ended].map(Event::Session);
    assert_eq!((&events[..2], &events[2]), (&want[..], &Event::AgentState(AgentState::Stuck)));
    let names: Vec<_> = share.unmapped.keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["(nameless)", "agent.usage"]);
}

#[test]
fn spans_of_the_conventions_are_calls_and_tools_and_an_agents_span_is_neither() {
    let span = |id: &str, told: Value| {
        json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": id, "name": "x",
        "startTimeUnixNano": "1749558960000000000", "endTimeUnixNano": "1749558961500000000",
        "attributes": attributes(&told), "status": {"code": "STATUS_CODE_ERROR"}})
    };
    let usage = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.cache_read.input_tokens": 20, "gen_ai.usage.output_tokens": "4"});
    let mut agent = usage.clone();
    agent["gen_ai.operation.name"] = json!("invoke_agent");
    let tool =
        json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.id": "c1"});
    let spans = [span("00f067aa0ba902b7", usage), span("00f067aa0ba902b8", agent), span("00f067aa0ba902b9", tool)];
    let body = json!({"resourceSpans": [{"resource": null, "scopeSpans": [{"spans": spans}]}]});
    let share = share(Signal::Traces, &body);
    let [call, tool] = share.events.as_slice() else { panic!("{:?}", share.events) };
    let Event::ModelCall(told) = &call.event else { panic!("{call:?}") };
    assert_eq!((told.tokens.kinds(), told.duration_us, told.ok), ([10, 4, 20, 0, 0], Some(1_500_000), false));
    assert!(matches!(&tool.event, Event::ToolCall(tool) if tool.tool.as_str() == "search"));
    assert_eq!(share.unmapped.into_values().sum::<i64>(), 1);
}

#[test]
fn a_histograms_sum_is_counted_and_belongs_to_the_process_that_also_sends_spans() {
    let told = json!({"gen_ai.token.type": "input", "gen_ai.request.model": "m"});
    let delta = share(Signal::Metrics, &histogram(&json!("AGGREGATION_TEMPORALITY_DELTA"), &told, &json!("12.0")));
    let claim = delta.events[0].claim.unwrap();
    assert_eq!((claim.basis, delta.totals.len()), (Basis::Metric, 0));
    let cumulative = share(Signal::Metrics, &histogram(&json!(2), &told, &json!(12)));
    let (series, point) = cumulative.totals.first_key_value().unwrap();
    assert_eq!((series.group, point.value, cumulative.events.len()), (claim.message, 12, 0));
    let record = json!({"timeUnixNano": "1749558960000000000",
        "attributes": attributes(&json!({"gen_ai.usage.input_tokens": 12, "gen_ai.request.model": "m"}))});
    let event = share(Signal::Logs, &json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}));
    assert_eq!(event.events[0].claim.unwrap().message, claim.message, "so that only one of them counts");
}

#[test]
fn a_running_sum_that_cannot_be_carried_on_is_refused_and_says_why() {
    let reason = |body: &Value| {
        let share = share(Signal::Metrics, body);
        share.rejected.into_values().flatten().map(|rejection| rejection.reason).collect::<Vec<_>>().join("; ")
    };
    let told = json!({"gen_ai.token.type": "input", "gen_ai.request.model": "m"});
    let mut body = histogram(&json!(2), &told, &json!(12));
    body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["histogram"]["dataPoints"][0]["startTimeUnixNano"] =
        json!(0);
    assert_eq!(reason(&body), "a running sum without its start time");
    assert!(reason(&histogram(&json!(0), &told, &json!(12))).contains("aggregationTemporality"));
    assert_eq!(reason(&histogram(&json!(1), &told, &json!(-1))), "the value is not a count");
    assert_eq!(reason(&histogram(&json!(1), &told, &json!("NaN"))), "the value is not a count");
    assert_eq!(reason(&histogram(&json!(1), &told, &Value::Null)), "the point has no value");
}

#[test]
fn the_order_of_attributes_makes_no_other_series_and_a_start_does() {
    let series = |told: Value, start: &str| {
        let mut body = histogram(&json!(2), &told, &json!(12));
        let point = &mut body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["histogram"]["dataPoints"][0];
        point["startTimeUnixNano"] = json!(start);
        if let Some(all) = point["attributes"].as_array_mut().filter(|_| start.ends_with('1')) {
            all.reverse();
        }
        share(Signal::Metrics, &body).totals.into_keys().next().unwrap()
    };
    let told = json!({"gen_ai.token.type": "input", "gen_ai.request.model": "m", "n": 3});
    let one = series(told.clone(), "1749558960000000001");
    let mut reversed = told.clone();
    reversed["n"] = json!(3.0);
    assert_eq!(one, series(reversed, "1749558960000000001"), "a whole double is an integer");
    assert_ne!(one, series(told, "1749558960000000002"));
}

#[test]
fn a_codex_call_is_told_by_the_event_with_its_tokens_alone() {
    let record = |told: Value| {
        let mut all = json!({"event.name": "codex.sse_event", "event.kind": "response.completed",
            "conversation.id": "c1", "model": "gpt-5"});
        all.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        json!({"timeUnixNano": "1749558960000000000", "attributes": attributes(&all)})
    };
    let records = [
        record(json!({"duration_ms": "12"})),
        record(json!({"input_token_count": 100, "cached_token_count": 60, "output_token_count": 7})),
        record(json!({"error.message": "x"})),
    ];
    let share = share(Signal::Logs, &logs("codex_cli_rs", &records));
    let told = |event: &Event| match event {
        Event::ModelCall(call) => (call.tokens.total(), call.ok),
        other => panic!("{other:?}"),
    };
    assert_eq!(share.events.iter().map(|e| told(&e.event)).collect::<Vec<_>>(), [(107, true), (0, false)]);
    assert!(share.unmapped.is_empty(), "the first is understood: {:?}", share.unmapped);
}

#[test]
fn sums_that_name_gas_towns_session_only_are_not_counted_beside_the_transcripts() {
    let point = json!({"attributes": attributes(&json!({"type": "input", "model": "m", "gt.session": "gt-toast"})),
        "startTimeUnixNano": "1749558960000000000", "timeUnixNano": "1749558961000000000", "asInt": "5"});
    let body = json!({"resourceMetrics": [{"resource": {"attributes": attributes(&json!({"service.name": "claude-code"}))},
        "scopeMetrics": [{"metrics": [{"name": "claude_code.token.usage",
            "sum": {"aggregationTemporality": 1, "dataPoints": [point]}}]}]}]});
    let share = share(Signal::Metrics, &body);
    assert_eq!((share.events.len(), share.unmapped.into_values().sum::<i64>()), (0, 1));
}
