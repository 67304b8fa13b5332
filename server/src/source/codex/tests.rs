//! What counts, how often, and to whom: on constructed rollouts.

use std::path::Path;

use model::dedupe::Basis;
use model::event::{Event, SessionEdge};
use model::id::{AgentName, RigName};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::reader::RolloutReader;
use crate::source::counting::{calls, stored, tokens};
use crate::source::file_source::Shared;
use crate::source::{LineReader, Spot, Yield, rfc3339};

const THREAD: &str = "0199aaaa-0000-7000-8000-0123456789ab";

/// The file of a parent.
const PARENT: &str = "rollout-2026-05-13T09-00-00-a";

fn shared() -> Shared {
    Shared { projects: std::sync::Arc::default(), no_paths: false }
}

fn read_on(stem: &str, memory: Option<&str>, text: &[u8], lines_before: u64) -> (Yield, Option<String>) {
    let shared = shared();
    let mut out = Yield::default();
    let changed = rfc3339::parse("2026-05-13T12:00:00Z").ok();
    let mut reader = RolloutReader::new(stem, memory, changed, &shared);
    for (line, number) in text.split(|byte| *byte == b'\n').zip(lines_before + 1..) {
        reader.line(line, Spot { line: number, offset: 0 }, &mut out);
    }
    let memory = reader.memory();
    (out, memory)
}

fn read_as(stem: &str, lines: &[Value]) -> Yield {
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    read_on(stem, None, text.join("\n").as_bytes(), 0).0
}

fn read(lines: &[Value]) -> Yield {
    read_as("rollout-a", lines)
}

fn line(second: &str, kind: &str, payload: Value) -> Value {
    json!({"timestamp": format!("2026-05-13T09:{second}Z"), "type": kind, "payload": payload})
}

fn meta(second: &str) -> Value {
    line(second, "session_meta", json!({"id": THREAD, "cwd": "/w/app", "originator": "codex_cli_rs"}))
}

fn sub_agent_meta(second: &str) -> Value {
    let source = json!({"subagent": {"thread_spawn": {"parent_thread_id": THREAD, "depth": 1}}});
    line(
        second,
        "session_meta",
        json!({"id": "0199bbbb-0000-7000-8000-00000000beef", "cwd": "/w/app", "source": source}),
    )
}

fn usage(input: u64, cached: u64, output: u64) -> Value {
    json!({"input_tokens": input, "cached_input_tokens": cached, "output_tokens": output,
        "reasoning_output_tokens": output / 2, "total_tokens": input + output})
}

fn count(second: &str, last: Value, total: Value) -> Value {
    let info = json!({"last_token_usage": last, "total_token_usage": total, "model_context_window": 272_000});
    line(
        second,
        "event_msg",
        json!({"type": "token_count", "info": info, "rate_limits": {"primary": {"used_percent": 5.0}}}),
    )
}

fn model(second: &str, name: &str) -> Value {
    line(second, "turn_context", json!({"model": name, "cwd": "/w/app"}))
}

#[test]
fn input_is_without_cache_and_output_with_reasoning() {
    let events = read(&[
        meta("00:00"),
        model("00:01", "gpt-5.4"),
        count("00:09", usage(1_000, 250, 120), usage(1_000, 250, 120)),
    ])
    .events;
    assert_eq!(tokens(&events), [750, 120, 250, 0, 0]);
    assert_eq!(calls(&events)[0].model.as_str(), "gpt-5.4");
}

#[test]
fn cache_writes_are_part_of_the_input_and_a_cached_part_beyond_it_is_cut() {
    let mut used = usage(1_000, 250, 10);
    used["cache_write_input_tokens"] = json!(100);
    assert_eq!(tokens(&read(&[count("00:09", used, Value::Null)]).events), [650, 10, 250, 100, 0]);
    assert_eq!(tokens(&read(&[count("00:09", usage(10, 99, 1), Value::Null)]).events), [0, 1, 10, 0, 0]);
}

#[test]
fn without_a_last_usage_the_total_s_growth_counts_and_a_drop_begins_anew() {
    let events = read(&[
        count("00:01", Value::Null, usage(100, 10, 20)),
        count("00:02", Value::Null, usage(300, 60, 25)),
        count("00:03", Value::Null, usage(40, 0, 5)),
    ])
    .events;
    assert_eq!(calls(&events).len(), 3);
    assert_eq!(tokens(&events), [90 + 150 + 40, 20 + 5 + 5, 10 + 50, 0, 0]);
}

#[test]
fn a_count_without_info_or_with_the_same_total_adds_nothing() {
    let none = line("00:00", "event_msg", json!({"type": "token_count", "info": null, "rate_limits": {}}));
    let same = |second| count(second, usage(100, 0, 9), usage(100, 0, 9));
    let events = read(&[none, same("00:01"), same("00:02"), count("00:03", usage(0, 0, 0), usage(100, 0, 9))]).events;
    assert_eq!(calls(&events).len(), 1);
}

#[test]
fn a_sub_agent_s_copy_of_its_parent_s_history_is_skipped() {
    let out = read_as(
        "rollout-b",
        &[
            sub_agent_meta("10:00.100"),
            meta("10:00.110"),
            count("10:00.120", usage(500, 0, 50), usage(500, 0, 50)),
            count("10:00.130", usage(500, 0, 50), usage(1_000, 0, 100)),
            line(
                "10:00.140",
                "response_item",
                json!({"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c1"}),
            ),
            line("10:00.150", "response_item", json!({"type": "function_call_output", "call_id": "c1", "output": "x"})),
            count("10:20", Value::Null, usage(1_200, 0, 130)),
        ],
    );
    assert_eq!(tokens(&out.events), [200, 30, 0, 0, 0]);
    let names: Vec<_> = out.events.iter().map(|e| e.agent.as_ref().map_or("", AgentName::as_str)).collect();
    assert_eq!(names, ["456789ab/0000beef", "456789ab/0000beef"], "its start and its call");
}

#[test]
fn a_branch_repeats_its_parent_s_calls_and_they_count_once() {
    let history = [count("00:01", usage(100, 0, 10), Value::Null), count("00:02", usage(100, 0, 10), Value::Null)];
    let mut branch =
        vec![line("05:00", "session_meta", json!({"id": "other", "forked_from_id": THREAD, "cwd": "/w/app"}))];
    branch.extend(history.clone());
    branch.push(count("05:09", usage(7, 0, 1), Value::Null));
    let (first, second) = (read_as(PARENT, &history).events, read_as("rollout-2026-05-13T09-05-00-b", &branch).events);
    for events in [[first.clone(), second.clone()].concat(), [second, first].concat()] {
        assert_eq!(tokens(&events), [207, 21, 0, 0, 0]);
        let parent = stored(&events).into_iter().filter(|e| matches!(e.event, Event::ModelCall(_)));
        assert_eq!(parent.filter(|e| e.session.as_ref().unwrap().as_str() == PARENT).count(), 2);
    }
}

#[test]
fn a_fork_that_writes_its_history_anew_does_not_count_it_again() {
    let forked = json!({"id": "other", "forked_from_id": THREAD, "cwd": "/w/app"});
    let out = read(&[
        line("05:00", "session_meta", forked),
        count("05:00.100", usage(100, 0, 10), usage(100, 0, 10)),
        call("05:00.110", "c1", "shell", "{}"),
        output("05:00.120", "c1", "Exit code: 0"),
        count("05:09", Value::Null, usage(107, 0, 11)),
    ]);
    assert_eq!(tokens(&out.events), [7, 1, 0, 0, 0]);
    assert_eq!(tools_of(&out), []);
}

#[test]
fn numbered_calls_of_two_threads_are_two() {
    let of = |thread: &str, id: &str| {
        let meta = line("00:00", "session_meta", json!({"id": thread, "cwd": "/w/app"}));
        read(&[meta, call("00:01", id, "shell", "{}"), output("00:02", id, "Exit code: 0")]).events
    };
    let tools = |id: &str| {
        let both = [of("a", id), of("b", id)].concat();
        stored(&both).into_iter().filter(|event| matches!(event.event, Event::ToolCall(_))).count()
    };
    assert_eq!((tools("call_0"), tools("call_0123456789abcdef")), (2, 1));
}

#[test]
fn what_is_remembered_is_bounded() {
    let long = "x".repeat(5_000);
    let lines = [
        line("00:00", "session_meta", json!({"id": long, "cwd": format!("/w/{long}")})),
        model("00:01", &long),
        call("00:02", &long, "shell", "{}"),
        call("00:03", "c1", &long, "{}"),
    ];
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let memory = read_on("rollout-a", None, text.join("\n").as_bytes(), 0).1.unwrap();
    assert!(memory.len() < 1_000, "{memory}");
}

#[test]
fn a_missing_model_is_assumed_and_marked() {
    let events = read(&[
        count("00:01", usage(10, 0, 1), Value::Null),
        model("00:02", "gpt-5.5"),
        count("00:03", usage(10, 0, 1), Value::Null),
    ])
    .events;
    let models: Vec<&str> = calls(&events).iter().map(|call| call.model.as_str()).collect();
    assert_eq!(models, ["gpt-5[assumed]", "gpt-5.5"]);
}

#[test]
fn turns_of_the_headless_mode_count_once_whatever_the_file_s_time() {
    let lines = [
        json!({"type": "thread.started", "thread_id": "t-1"}),
        json!({"type": "turn.started"}),
        json!({"type": "item.completed", "item": {"type": "agent_message", "text": "secret"}}),
        json!({"type": "turn.completed", "usage": {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 9, "reasoning_output_tokens": 4}}),
        json!({"type": "turn.completed", "usage": {"input_tokens": 250, "cached_input_tokens": 90, "output_tokens": 20}}),
    ];
    let first = read(&lines);
    let group = crate::source::identity::group("model_call", "t-1");
    for claim in first.events.iter().filter_map(|event| event.claim) {
        assert_eq!((claim.basis, claim.message), (Basis::Metric, group), "it counts while no rollout tells the same");
    }
    assert_eq!((first.ignored, first.unknown, first.rejected.len()), (2, 0, 0));
    let mut later = read_as("renamed", &lines).events;
    later.iter_mut().for_each(|event| event.at = event.at.plus_seconds(60));
    assert_eq!(tokens(&[first.events, later].concat()), [160, 20, 90, 0, 0]);
}

fn call(second: &str, id: &str, name: &str, arguments: &str) -> Value {
    line(second, "response_item", json!({"type": "function_call", "name": name, "arguments": arguments, "call_id": id}))
}

fn output(second: &str, id: &str, text: &str) -> Value {
    line(second, "response_item", json!({"type": "function_call_output", "call_id": id, "output": text}))
}

const PATCH: &str = "*** Begin Patch\n*** Update File: src/a.rs\n@@\n-old\n+new\n+more\n*** End Patch";

fn lines_of(out: &Yield) -> Vec<(u32, u32, Option<&str>)> {
    out.events
        .iter()
        .filter_map(|e| match &e.event {
            Event::LinesChanged(lines) => Some((lines.added, lines.removed, lines.file.as_deref())),
            _ => None,
        })
        .collect()
}

fn tools_of(out: &Yield) -> Vec<(&str, Option<u64>, bool)> {
    out.events
        .iter()
        .filter_map(|e| match &e.event {
            Event::ToolCall(call) => Some((call.tool.as_str(), call.duration_us, call.ok)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_tool_s_latency_runs_from_its_call_to_its_output() {
    let out = read(&[
        meta("00:00"),
        call("00:01", "c1", "shell", r#"{"command":["ls"]}"#),
        output("00:03.5", "c1", r#"{"output":"x","metadata":{"exit_code":1,"duration_seconds":0.1}}"#),
        output("00:04", "never-called", "Exit code: 0\nWall time: 1 seconds"),
        call("00:05", "c2", "exec_command", "{}"),
        output("00:06", "c2", "Wall time: 0.1 seconds\nProcess exited with code 2\nOutput:\n"),
    ]);
    assert_eq!(
        tools_of(&out),
        [("shell", Some(2_500_000), false), ("unknown", None, true), ("exec_command", Some(1_000_000), false)]
    );
}

#[test]
fn a_patch_s_lines_count_when_it_succeeded() {
    let arguments = json!({"input": PATCH}).to_string();
    let good =
        read(&[meta("00:00"), call("00:01", "c1", "apply_patch", &arguments), output("00:02", "c1", "Exit code: 0\n")]);
    assert_eq!(lines_of(&good), [(2, 1, Some("src/a.rs"))]);
    let bad = read(&[
        meta("00:00"),
        call("00:01", "c1", "apply_patch", &arguments),
        output("00:02", "c1", "apply_patch verification failed: x"),
    ]);
    assert_eq!(lines_of(&bad), []);
}

#[test]
fn the_end_of_a_patch_and_the_tool_s_output_tell_of_it_once() {
    let input = json!({"type": "custom_tool_call", "name": "apply_patch", "input": PATCH, "call_id": "c1"});
    let end = |success: bool| {
        let changes = json!({"/w/app/src/a.rs": {"update": {"unified_diff": "@@\n-old\n+new\n+more\n"}}});
        line(
            "00:02",
            "event_msg",
            json!({"type": "patch_apply_end", "call_id": "c1", "success": success, "changes": changes}),
        )
    };
    let done =
        line("00:03", "response_item", json!({"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"}));
    let begin = line("00:01", "response_item", input);
    assert_eq!(lines_of(&read(&[meta("00:00"), begin.clone(), end(true), done.clone()])), [(2, 1, Some("src/a.rs"))]);
    assert_eq!(lines_of(&read(&[meta("00:00"), begin, end(false), done])), []);
    assert_eq!(lines_of(&read(&[meta("00:00"), end(true)])), [(2, 1, Some("src/a.rs"))]);
    let newer = json!({"/w/app/b.txt": {"type": "add", "content": "one\ntwo\n"}, "/w/app/c.txt": {"type": "delete", "content": "x\n"}});
    let newer = line(
        "00:02",
        "event_msg",
        json!({"type": "patch_apply_end", "call_id": "c9", "success": true, "changes": newer}),
    );
    assert_eq!(lines_of(&read(&[meta("00:00"), newer])), [(2, 0, Some("b.txt")), (0, 1, Some("c.txt"))]);
}

#[test]
fn the_thread_begins_with_its_description_and_names_rig_and_agent() {
    let out = read(&[meta("00:00")]);
    let start = &out.events[0];
    assert_eq!(start.event, Event::Session(SessionEdge::Started));
    assert_eq!(start.rig.as_ref().map(RigName::as_str), Some("app"));
    assert_eq!(start.session.as_ref().unwrap().as_str(), THREAD);
    let nameless =
        read_as(&format!("rollout-2026-05-13T09-00-00-{THREAD}"), &[count("00:01", usage(1, 0, 1), Value::Null)]);
    assert_eq!(nameless.events[0].session.as_ref().unwrap().as_str(), THREAD);
}

#[test]
fn bad_lines_are_rejected_with_their_place_and_never_repeated() {
    let text = "{\"type\":\"event_msg\",\"secret\n[]\n\n{\"timestamp\":\"secret\",\"type\":\"event_msg\"}\n{\"type\":\"brand_new\"}";
    let (out, _) = read_on("rollout-a", None, text.as_bytes(), 0);
    let places: Vec<&str> = out.rejected.iter().map(|r| r.place.as_str()).collect();
    assert_eq!(places, ["rollout-a.jsonl:1", "rollout-a.jsonl:2", "rollout-a.jsonl:4"]);
    assert!(out.rejected.iter().all(|r| !r.reason.contains("secret")), "{:?}", out.rejected);
    assert_eq!(out.unknown, 1);
}

#[test]
fn without_paths_none_is_kept_even_between_lines() {
    let shared = Shared { no_paths: true, ..shared() };
    let mut reader = RolloutReader::new("rollout-a", None, None, &shared);
    let mut out = Yield::default();
    let arguments = json!({"input": PATCH}).to_string();
    let lines = [meta("00:00"), call("00:01", "c1", "apply_patch", &arguments)];
    for line in &lines {
        reader.line(line.to_string().as_bytes(), Spot { line: 1, offset: 0 }, &mut out);
    }
    assert!(!reader.memory().unwrap().contains("a.rs"));
    reader.line(output("00:02", "c1", "Exit code: 0").to_string().as_bytes(), Spot { line: 3, offset: 0 }, &mut out);
    assert_eq!(lines_of(&out), [(2, 1, None)]);
}

fn story() -> Vec<u8> {
    let arguments = json!({"input": PATCH}).to_string();
    let lines = [
        meta("00:00"),
        model("00:01", "gpt-5.4"),
        count("00:02", Value::Null, usage(100, 10, 20)),
        call("00:03", "c1", "apply_patch", &arguments),
        output("00:04", "c1", "Exit code: 0\n"),
        count("00:05", Value::Null, usage(300, 60, 25)),
        json!({"type": "turn.completed", "usage": {"input_tokens": 5, "output_tokens": 1}}),
        json!({"type": "turn.completed", "usage": {"input_tokens": 5, "output_tokens": 1}}),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes()
}

proptest! {
    #[test]
    fn any_pieces_yield_the_same_as_the_whole(cuts in proptest::collection::vec(0..9_usize, 0..5)) {
        let text = story();
        let whole = read_on("rollout-a", None, &text, 0).0.events;
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let mut cuts = cuts;
        cuts.push(lines.len());
        cuts.sort_unstable();
        let (mut events, mut memory, mut from) = (Vec::new(), None::<String>, 0);
        for cut in cuts {
            let cut = cut.min(lines.len());
            let (piece, next) = read_on("rollout-a", memory.as_deref(), &lines[from..cut].concat(), 0);
            events.extend(piece.events);
            (memory, from) = (next, cut);
        }
        prop_assert_eq!(events, whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_on("rollout-a", None, &text, 0);
    }

    #[test]
    fn damaged_rollouts_never_panic(at in 0..1_200_usize, byte in any::<u8>()) {
        let mut text = story();
        let at = at % text.len();
        text[at] = byte;
        let _ = read_on("rollout-a", None, &text, 0);
    }
}

/// The rollout of ../shared/fixtures, where it is at hand. Its sums were taken apart from this code, with `jq`.
#[test]
fn the_sample_gives_the_known_totals() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/fixtures/codex/sessions/project-alpha/session-alpha.jsonl");
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return;
    };
    let (out, _) = read_on("session-alpha", None, &text, 0);
    assert_eq!(tokens(&out.events), [750 + 2_000, 425, 750, 0, 0]);
    let models: Vec<&str> = calls(&out.events).iter().map(|call| call.model.as_str()).collect();
    assert_eq!(models, ["gpt-5.2-codex", "gpt-5.3-codex"]);
}

#[test]
fn what_a_count_says_of_limits_is_a_reading_per_window_even_where_it_counts_nothing() {
    let said = |second: &str, limits: Value| {
        line(second, "event_msg", json!({"type": "token_count", "info": null, "rate_limits": limits}))
    };
    let whole = json!({"limit_id": "codex", "limit_name": null, "plan_type": "pro",
        "primary": {"used_percent": 37.5, "window_minutes": 300, "resets_at": 1_778_670_000},
        "secondary": {"used_percent": 12, "window_minutes": 10_080, "resets_in_seconds": 3_600},
        "credits": {"has_credits": true, "unlimited": false, "balance": "12.50"}});
    let read_all = read(&[meta("00:00"), said("00:01", json!({"primary": {"used_percent": 1}})), said("00:09", whole)]);
    let at = rfc3339::parse("2026-05-13T09:00:09Z").unwrap();
    let told: Vec<_> = read_all.readings.iter().map(|r| (r.tank.as_str(), r.left, r.at == at)).collect();
    // Of one tank the newest of five minutes stays.
    assert_eq!(
        told,
        [("Codex 5 h", 625_000, true), ("Codex 7 d", 880_000, true), ("Codex credits", 12_500_000_000, true)]
    );
    assert_eq!(read_all.readings[0].resets_at, Some(model::Timestamp::from_seconds(1_778_670_000)));
    assert_eq!(read_all.readings[1].resets_at, Some(at.plus_seconds(3_600)));
    assert!(calls(&read_all.events).is_empty() && read_all.rejected.is_empty());

    let odd = [
        json!(null),
        json!([1]),
        json!({"primary": {"used_percent": {}}, "credits": {"balance": null}}),
        json!({"secondary": {"used_percent": "5", "window_minutes": -3, "resets_at": "never"}}),
        json!({"credits": {"unlimited": true, "balance": "3"}}),
    ];
    let lines: Vec<Value> = odd.into_iter().map(|limits| said("00:09", limits)).collect();
    let read_odd = read(&lines);
    assert!(read_odd.rejected.is_empty(), "{:?}", read_odd.rejected);
    let told: Vec<_> = read_odd.readings.iter().map(|r| (r.tank.as_str(), r.left, r.resets_at)).collect();
    assert_eq!(told, [("Codex 7 d", 950_000, None)]);
    let other =
        read(&[said("00:09", json!({"limit_id": "spark", "limit_name": "Spark", "primary": {"used_percent": 1}}))]);
    assert_eq!(other.readings[0].tank, "Codex Spark 5 h");
}
