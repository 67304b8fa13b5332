//! What counts, how often, and to whom: on constructed transcripts.

use std::path::Path;
use std::sync::{Arc, Mutex};

use model::dedupe::{Claim, Resolution, resolve};
use model::event::{Envelope, Event, ModelCall};
use model::tokens::TokenCounts;
use model::unit::Nanodollars;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{FileIdentity, Projects, Transcript};
use crate::source::{LineReader, Spot, Yield};

fn reader(path: &str, memory: Option<&str>) -> Transcript {
    let projects = Arc::new(Mutex::new(Projects::default()));
    Transcript::new(FileIdentity::of(Path::new(path)), memory, projects, false).unwrap()
}

fn read(text: &str) -> Yield {
    reader("/h/projects/-w-app/0123456789abcdef.jsonl", None).read_all(text.as_bytes())
}

fn answer(change: impl FnOnce(&mut Value)) -> String {
    let mut line = json!({
        "type": "assistant", "timestamp": "2026-01-02T03:04:05.000Z", "uuid": "u1", "sessionId": "0123456789abcdef",
        "version": "2.1.0", "cwd": "/w/app", "requestId": "req_1", "isSidechain": false,
        "message": {"id": "msg_1", "model": "claude-sonnet-4-5", "content": [],
            "usage": {"input_tokens": 10, "output_tokens": 3, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7}},
    });
    change(&mut line);
    format!("{line}\n")
}

/// What is stored in the end: calls without a claim, and of the others the winners.
fn counted(events: &[Envelope]) -> Vec<&ModelCall> {
    let mut stored: Vec<(&Claim, &ModelCall)> = Vec::new();
    let mut calls = Vec::new();
    for envelope in events {
        let Event::ModelCall(call) = &envelope.event else { continue };
        let Some(claim) = &envelope.claim else {
            calls.push(call);
            continue;
        };
        let same: Vec<usize> = (0..stored.len()).filter(|i| stored[*i].0.message == claim.message).collect();
        let claims: Vec<Claim> = same.iter().map(|i| *stored[*i].0).collect();
        if let Resolution::Store { replaces } = resolve(&claims, claim) {
            for position in replaces.iter().rev() {
                stored.remove(same[*position]);
            }
            stored.push((claim, call));
        }
    }
    calls.extend(stored.into_iter().map(|(_, call)| call));
    calls
}

fn tokens(events: &[Envelope]) -> TokenCounts {
    let mut sum = [0; 5];
    for call in counted(events) {
        for (slot, n) in sum.iter_mut().zip(call.tokens.kinds()) {
            *slot += n;
        }
    }
    TokenCounts::from_kinds(sum)
}

fn reasons(text: &str) -> Vec<String> {
    read(text).rejected.into_iter().map(|r| r.reason).collect()
}

#[test]
fn one_answer_over_several_lines_counts_once_with_its_largest_usage() {
    let text = answer(|l| l["message"]["usage"]["output_tokens"] = json!(1))
        + &answer(|l| l["message"]["usage"]["output_tokens"] = json!(9))
        + &answer(|_| {});
    let events = read(&text).events;
    assert_eq!(counted(&events).len(), 1);
    assert_eq!(tokens(&events).kinds(), [10, 9, 7, 5, 0]);
}

#[test]
fn cache_writes_are_split_and_iterations_are_not_added() {
    let text = answer(|l| {
        l["message"]["usage"]["cache_creation"] =
            json!({"ephemeral_1h_input_tokens": 4, "ephemeral_5m_input_tokens": 1});
        l["message"]["usage"]["iterations"] = json!([{"type": "message", "input_tokens": 10, "output_tokens": 3}]);
    });
    assert_eq!(tokens(&read(&text).events).kinds(), [10, 3, 7, 1, 4]);
}

#[test]
fn an_advisor_is_a_call_of_its_own() {
    let text = answer(|l| {
        l["message"]["usage"]["iterations"] =
            json!([{"type": "advisor_message", "model": "claude-opus-4-6", "input_tokens": 100, "output_tokens": 1}]);
    });
    let events = read(&(text.clone() + &text)).events;
    assert_eq!(counted(&events).len(), 2);
    assert_eq!(tokens(&events).input, 110);
}

#[test]
fn answers_without_an_id_always_count() {
    let without = |uuid: &str| {
        answer(|l| {
            l["uuid"] = json!(uuid);
            l["message"].as_object_mut().unwrap().remove("id");
        })
    };
    let nameless = answer(|l| {
        l.as_object_mut().unwrap().remove("uuid");
        l["message"].as_object_mut().unwrap().remove("id");
    });
    let events = read(&(without("a") + &without("b") + &nameless + &nameless)).events;
    assert_eq!(counted(&events).len(), 4);
    let mut keys: Vec<_> = events.iter().map(|e| e.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), events.len());
}

#[test]
fn answers_without_a_request_count_once_if_their_id_is_unique_in_the_world() {
    let line = |id: &str, second: u32| {
        answer(|l| {
            l.as_object_mut().unwrap().remove("requestId");
            l["message"]["id"] = json!(id);
            l["timestamp"] = json!(format!("2026-01-02T03:04:{second:02}Z"));
        })
    };
    assert_eq!(counted(&read(&(line("msg_9", 1) + &line("msg_9", 2))).events).len(), 1);
    assert_eq!(counted(&read(&(line("gateway", 1) + &line("gateway", 2))).events).len(), 2);
    assert_eq!(counted(&read(&(line("gateway", 1) + &line("gateway", 1))).events).len(), 1);
}

#[test]
fn a_replay_in_a_side_chain_gives_way_to_the_conversation() {
    let replay = answer(|l| {
        l["isSidechain"] = json!(true);
        l["requestId"] = json!("req_2");
        l["message"]["usage"]["input_tokens"] = json!(9_999);
    });
    for text in [answer(|_| {}) + &replay, replay + &answer(|_| {})] {
        assert_eq!(tokens(&read(&text).events).input, 10);
    }
}

#[test]
fn a_copy_in_a_resumed_session_counts_once() {
    let original = reader("/h/projects/-w-app/a.jsonl", None).read_all(answer(|_| {}).as_bytes());
    let copy = answer(|l| l["sessionId"] = json!("b"));
    let mut events = original.events;
    events.extend(reader("/h/projects/-w-app/b.jsonl", None).read_all(copy.as_bytes()).events);
    assert_eq!(counted(&events).len(), 1);
}

#[test]
fn a_sub_agent_s_line_inside_a_progress_line_is_the_same_call() {
    let mut wrapped: Value = serde_json::from_str(&answer(|l| l["isSidechain"] = json!(true))).unwrap();
    wrapped["type"] = json!("assistant");
    let progress = json!({"type": "progress", "timestamp": "2026-01-02T03:04:06Z", "sessionId": "s",
        "data": {"type": "agent_progress", "message": wrapped}});
    let events = read(&format!("{progress}\n{}", answer(|l| l["isSidechain"] = json!(true)))).events;
    assert_eq!(counted(&events).len(), 1);
}

#[test]
fn white_space_in_a_line_does_not_hide_it() {
    let line: Value = serde_json::from_str(&answer(|_| {})).unwrap();
    let spaced = line.to_string().replace(':', ": ").replace("T03: 04: 05", "T03:04:05");
    assert_eq!(counted(&read(&spaced).events).len(), 1);
}

#[test]
fn costs_that_the_agent_reports_are_read_exactly() {
    let events = read(&answer(|l| l["costUSD"] = json!(0.0123456))).events;
    assert_eq!(counted(&events)[0].reported, Some(Nanodollars(12_345_600)));
}

#[test]
fn errors_are_failed_calls_and_the_client_s_own_messages_are_none() {
    let synthetic = |failed: bool| {
        answer(|l| {
            l["isApiErrorMessage"] = json!(failed);
            l["message"]["model"] = json!("<synthetic>");
            l["message"]["usage"] = json!({"input_tokens": 0, "output_tokens": 0});
        })
    };
    assert_eq!(counted(&read(&synthetic(false)).events).len(), 0);
    let events = read(&synthetic(true)).events;
    let calls = counted(&events);
    assert_eq!((calls.len(), calls[0].ok, calls[0].reported), (1, false, Some(Nanodollars::ZERO)));
}

#[test]
fn fast_mode_is_known() {
    let events = read(&answer(|l| l["message"]["usage"]["speed"] = json!("fast"))).events;
    assert!(counted(&events)[0].fast);
}

#[test]
fn bad_lines_say_what_is_wrong_and_never_what_they_hold() {
    let check = |line: String, want: &str| {
        let reasons = reasons(&(line.clone() + &answer(|_| {})));
        assert_eq!(reasons.len(), 1, "{line}");
        assert!(reasons[0].contains(want), "{} for {line}", reasons[0]);
        assert!(!reasons[0].contains("secret"));
    };
    check("secret\n".into(), "not a JSON object");
    check("{\"secret\":}\n".into(), "not valid JSON");
    check(answer(|l| l["requestId"] = Value::Null), "requestId is null");
    check(answer(|l| l["message"]["id"] = Value::Null), "message.id is null");
    check(answer(|l| l["version"] = json!("secret")), "version");
    check(answer(|l| l["requestId"] = json!("")), "requestId is empty");
    check(answer(|l| l["message"]["model"] = json!("")), "message.model is empty");
    check(answer(|l| l["timestamp"] = json!("1970-01-01T00:00:00Z")), "timestamp");
    check(answer(|l| l["message"]["usage"]["input_tokens"] = json!(-1)), "wrong type");
    check(answer(|l| l["message"]["usage"]["input_tokens"] = json!(u64::MAX)), "token count");
    check(
        answer(|l| drop(l["message"]["usage"].as_object_mut().unwrap().remove("input_tokens"))),
        "input_tokens is missing",
    );
    let place = &read("\n\nnonsense\n").rejected[0].place;
    assert_eq!(place, "0123456789abcdef.jsonl:3");
}

#[test]
fn a_null_inside_a_tool_s_input_does_not_drop_the_line() {
    let text = answer(|l| {
        l["message"]["content"] =
            json!([{"type": "tool_use", "id": "t1", "name": "Task", "input": {"id": null, "file_path": 5}}]);
    });
    assert_eq!(counted(&read(&text).events).len(), 1);
}

#[test]
fn unknown_and_timeless_lines_are_passed_over() {
    let text = "{\"type\":\"summary\",\"summary\":\"x\",\"leafUuid\":\"y\"}\n{\"type\":\"file-history-snapshot\"}\n\n";
    let got = read(text);
    assert_eq!((got.events.len(), got.rejected.len(), got.lines), (0, 0, 3));
}

fn tool_lines(result: Value, is_error: bool) -> String {
    let call = answer(|l| {
        l["message"]["content"] =
            json!([{"type": "tool_use", "id": "t1", "name": "Edit", "input": {"file_path": "/w/app/src/a.rs"}}]);
    });
    let line = json!({"type": "user", "timestamp": "2026-01-02T03:04:07.500Z", "sessionId": "0123456789abcdef",
        "cwd": "/w/app", "message": {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "secret", "is_error": is_error}]},
        "toolUseResult": result});
    format!("{call}{line}\n")
}

#[test]
fn a_tool_s_latency_is_from_use_to_result() {
    let events = read(&tool_lines(json!("Error: no"), true)).events;
    let Event::ToolCall(call) = &events.last().unwrap().event else { panic!("a tool call comes last") };
    assert_eq!((call.tool.as_str(), call.duration_us, call.ok), ("Edit", Some(2_500_000), false));
    assert_eq!(call.file.as_deref(), Some("src/a.rs"));
}

#[test]
fn lines_are_counted_from_patches_new_files_and_cells() {
    let check = |result: Value, want: Option<(u32, u32)>| {
        let events = read(&tool_lines(result.clone(), false)).events;
        let lines = events.iter().find_map(|e| match &e.event {
            Event::LinesChanged(lines) => Some((lines.added, lines.removed)),
            _ => None,
        });
        assert_eq!(lines, want, "{result}");
    };
    let patch = json!([{"oldStart": 1, "lines": [" a", "-b", "+c", "+d", "+", "\\ No newline"]}]);
    check(json!({"filePath": "/w/app/src/a.rs", "structuredPatch": patch}), Some((3, 1)));
    check(json!({"type": "update", "content": "x\ny\n", "structuredPatch": patch}), Some((3, 1)));
    check(json!({"type": "create", "content": "x\ny\n", "structuredPatch": []}), Some((2, 0)));
    check(json!({"type": "create", "content": "x\n\"y\"", "structuredPatch": []}), Some((2, 0)));
    check(json!({"new_source": "x\ny", "edit_mode": "insert"}), Some((2, 0)));
    check(json!({"new_source": "", "old_source": "x", "edit_mode": "delete"}), Some((0, 1)));
    check(json!({"stdout": "x", "stderr": ""}), None);
    check(json!({"type": "text", "file": {"content": "x"}}), None);
    check(json!({"content": [{"type": "text"}], "usage": {"input_tokens": 5, "output_tokens": 5}}), None);
    check(json!("a string"), None);
    check(Value::Null, None);
}

#[test]
fn a_result_without_its_use_counts_without_latency() {
    let text = tool_lines(json!({}), false);
    let (_, result) = text.split_once('\n').unwrap();
    let events = read(result).events;
    let Event::ToolCall(call) = &events.last().unwrap().event else { panic!("a tool call comes last") };
    assert_eq!((call.tool.as_str(), call.duration_us), ("unknown", None));
}

#[test]
fn who_it_was() {
    let first = |path: &str, text: String| reader(path, None).read_all(text.as_bytes()).events.pop().unwrap();
    let who = |e: &Envelope| {
        (
            e.rig.as_ref().map(|r| r.as_str().to_owned()),
            e.role.name(),
            e.agent.as_ref().map(|a| a.as_str().to_owned()),
            e.session.as_ref().map(|s| s.as_str().to_owned()),
        )
    };
    let own = |s: &str| Some(s.to_owned());
    let main = first("/h/projects/-w-app/0123456789abcdef.jsonl", answer(|l| l["cwd"] = json!("/w/app/src")));
    assert_eq!(who(&main), (own("app"), "other", own("01234567"), own("0123456789abcdef")));
    let sub =
        first("/h/projects/-w-app/0123456789abcdef/subagents/agent-a7.jsonl", answer(|l| l["agentId"] = json!("a7")));
    assert_eq!(who(&sub), (own("app"), "other", own("01234567/a7"), own("0123456789abcdef")));
    let polecat = first("/h/projects/-x/s.jsonl", answer(|l| l["cwd"] = json!("/home/u/gt/gastown/polecats/toast")));
    assert_eq!(who(&polecat), (own("gastown"), "polecat", own("toast"), own("0123456789abcdef")));
}

#[test]
fn a_session_begins_once_with_its_first_dated_line() {
    let text = "{\"type\":\"summary\"}\n".to_owned() + &answer(|_| {}) + &answer(|l| l["requestId"] = json!("r"));
    let begun = |events: &[Envelope]| events.iter().filter(|e| matches!(e.event, Event::Session(_))).count();
    assert_eq!(begun(&read(&text).events), 1);
    let sub = reader("/h/projects/-w-app/s/subagents/agent-a.jsonl", None).read_all(text.as_bytes());
    assert_eq!(begun(&sub.events), 0);
}

#[test]
fn the_end_of_a_turn_says_that_the_agent_is_idle() {
    let end = json!({"type": "system", "subtype": "turn_duration", "durationMs": 5, "uuid": "u9", "sessionId": "s",
        "timestamp": "2026-01-02T03:05:00Z"});
    let events = read(&format!("{}{end}\n", answer(|_| {}))).events;
    assert_eq!(events.last().unwrap().event, Event::AgentState(model::event::AgentState::Idle));
}

#[test]
fn paths_can_be_switched_off() {
    let projects = Arc::new(Mutex::new(Projects::default()));
    let file = FileIdentity::of(Path::new("/h/projects/-w-app/s.jsonl"));
    let mut reader = Transcript::new(file, None, projects, true).unwrap();
    for event in reader.read_all(tool_lines(json!({"structuredPatch": [{"lines": ["+x"]}]}), false).as_bytes()).events {
        match event.event {
            Event::ToolCall(call) => assert_eq!(call.file, None),
            Event::LinesChanged(lines) => assert_eq!(lines.file, None),
            _ => {}
        }
    }
}

/// The two real sessions of ../shared/fixtures, where they are at hand.
#[test]
fn real_sessions_give_the_known_totals() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/fixtures/claude-code/projects/-Users-test-dev-ai-music");
    for (stem, want) in [
        ("ba79134d-b6e9-4867-af0c-6941038c9e4b", [91, 2_266, 503_769, 16_072, 0]),
        ("fed8ce56-bc79-401f-a83e-af084253362f", [88, 278, 44_544, 16_000, 0]),
    ] {
        let path = folder.join(format!("{stem}.jsonl"));
        let Ok(bytes) = std::fs::read(&path) else {
            eprintln!("skipped: {} is not there", path.display());
            continue;
        };
        let got = reader(&path.to_string_lossy(), None).read_all(&bytes);
        assert_eq!(got.rejected, vec![]);
        assert_eq!(tokens(&got.events).kinds(), want, "{stem}");
    }
}

/// Reads `text` in the given pieces, each time with a new reader that only has the memory of the one before.
fn read_in_pieces(text: &[u8], cuts: &[usize]) -> Yield {
    let path = "/h/projects/-w-app/0123456789abcdef.jsonl";
    let (mut out, mut memory, mut offset) = (Yield::default(), None::<String>, 0_u64);
    let lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    let mut reader_now = reader(path, None);
    for (i, line) in lines.iter().enumerate() {
        if cuts.contains(&i) {
            memory = reader_now.memory();
            reader_now = reader(path, memory.as_deref());
        }
        out.lines += 1;
        let spot = Spot { line: out.lines, offset };
        offset += u64::try_from(line.len()).unwrap();
        reader_now.line(line.strip_suffix(b"\n").unwrap_or(line), spot, &mut out);
    }
    drop(memory);
    out
}

fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..3_u8, 0..3_u8, any::<bool>(), 0..50_u32).prop_map(|(id, request, side, n)| answer(|l| {
            l["message"]["id"] = json!(format!("msg_{id}"));
            l["requestId"] = json!(format!("req_{request}"));
            l["isSidechain"] = json!(side);
            l["message"]["usage"]["output_tokens"] = json!(n);
        })),
        Just(tool_lines(json!({"structuredPatch": [{"lines": ["+x", "-y"]}]}), false)),
        Just("{\"type\":\"summary\"}\n".to_owned()),
        "[ -~]{0,40}\n",
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        reader("/h/projects/-w-app/s.jsonl", None).read_all(&bytes);
    }

    #[test]
    fn damaged_lines_never_panic(cut in 0..400_usize, byte in any::<u8>()) {
        let mut bytes = tool_lines(json!({"structuredPatch": [{"lines": ["+x"]}]}), false).into_bytes();
        let at = cut % bytes.len();
        bytes[at] = byte;
        reader("/h/projects/-w-app/s.jsonl", None).read_all(&bytes);
        bytes.truncate(at);
        reader("/h/projects/-w-app/s.jsonl", None).read_all(&bytes);
    }

    #[test]
    fn any_pieces_yield_the_same_as_the_whole(
        lines in proptest::collection::vec(any_line(), 0..12),
        cuts in proptest::collection::vec(0..24_usize, 0..6),
    ) {
        let text = lines.concat();
        let whole = read(&text);
        let pieces = read_in_pieces(text.as_bytes(), &cuts);
        prop_assert_eq!(whole.events, pieces.events);
        prop_assert_eq!(whole.rejected, pieces.rejected);
    }
}
