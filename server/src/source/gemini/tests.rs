//! What counts, how often: on constructed chats.

use std::path::Path;

use model::dedupe::Basis;
use model::event::Event;
use model::id::RigName;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Chats;
use super::chat::ChatReader;
use crate::source::counting::{calls, stored, tokens};
use crate::source::file_source::{FileSource, Reading, Shared};
use crate::source::project::Project;
use crate::source::tail::LastLine;
use crate::source::{LineReader, Spot, Yield, rfc3339};

fn reader(memory: Option<&str>, extension: &str) -> ChatReader {
    let changed = rfc3339::parse("2026-05-13T12:00:00Z").ok();
    ChatReader::new("session-a", extension, Project::default(), changed, memory)
}

fn whole(chat: &Value) -> Yield {
    let mut out = Yield::default();
    reader(None, "json").whole(chat.to_string().as_bytes(), &mut out);
    out
}

fn lines_on(memory: Option<&str>, text: &[u8], before: u64) -> (Yield, Option<String>) {
    let mut out = Yield::default();
    let mut reader = reader(memory, "jsonl");
    for (line, number) in text.split(|byte| *byte == b'\n').zip(before + 1..) {
        reader.line(line, Spot { line: number, offset: 0 }, &mut out);
    }
    let memory = reader.memory();
    (out, memory)
}

fn lines(records: &[Value]) -> Yield {
    let text: Vec<String> = records.iter().map(Value::to_string).collect();
    lines_on(None, text.join("\n").as_bytes(), 0).0
}

fn answer(id: &str, tokens: Value) -> Value {
    json!({"id": id, "type": "gemini", "timestamp": "2026-05-13T09:00:05.000Z", "model": "gemini-2.5-pro",
        "content": "secret", "thoughts": [], "tokens": tokens})
}

fn chat(messages: Value) -> Value {
    json!({"sessionId": "11111111-2222-3333-4444-555555555555", "projectHash": "abc", "messages": messages,
        "startTime": "2026-05-13T09:00:00.000Z", "lastUpdated": "2026-05-13T09:00:09.000Z"})
}

#[test]
fn counts_are_disjoint_whether_input_includes_the_cache_or_not() {
    let check = |tokens_of: Value, want: [u64; 5]| {
        assert_eq!(tokens(&whole(&chat(json!([answer("a", tokens_of.clone())]))).events), want, "{tokens_of}");
    };
    check(
        json!({"input": 100, "output": 10, "cached": 40, "thoughts": 5, "tool": 2, "total": 117}),
        [62, 15, 40, 0, 0],
    );
    check(
        json!({"input": 100, "output": 10, "cached": 40, "thoughts": 5, "tool": 2, "total": 157}),
        [102, 15, 40, 0, 0],
    );
    check(json!({"input": 100, "output": 10, "cached": 0, "total": 110}), [100, 10, 0, 0, 0]);
    check(json!({"total": 654}), [0, 654, 0, 0, 0]);
    check(json!({"input": 0, "output": 0, "cached": 0, "total": 0}), [0; 5]);
    check(Value::Null, [0; 5]);
}

#[test]
fn a_message_that_is_written_again_counts_as_it_was_written_last() {
    let of = |output: u64| json!({"input": 10, "output": output, "cached": 0, "total": 10 + output});
    let records = [
        json!({"sessionId": "s", "projectHash": "abc", "startTime": "2026-05-13T09:00:00.000Z"}),
        answer("a", Value::Null),
        answer("a", of(90)),
        answer("b", of(1)),
        answer("a", of(50)),
        json!({"$set": {"lastUpdated": "2026-05-13T09:00:09.000Z"}}),
        json!({"$rewindTo": "a"}),
    ];
    let events = lines(&records).events;
    assert_eq!(tokens(&events), [20, 51, 0, 0, 0]);
    let twice = [events.clone(), events].concat();
    assert_eq!(tokens(&twice), [20, 51, 0, 0, 0]);
}

#[test]
fn a_chat_that_is_rewritten_counts_its_messages_once() {
    let of = |output: u64| json!({"input": 10, "output": output, "cached": 0, "total": 10 + output});
    let before = whole(&chat(json!([answer("a", of(1)), answer("b", Value::Null)])));
    let after = whole(&chat(json!([answer("a", of(1)), answer("b", of(7))])));
    assert_eq!(after.lines, 2);
    let both = [before.events, after.events].concat();
    assert_eq!((tokens(&both), calls(&both).len()), ([20, 8, 0, 0, 0], 2));
    let starts = stored(&both).into_iter().filter(|event| matches!(event.event, Event::Session(_))).count();
    assert_eq!(starts, 1);
}

#[test]
fn tools_and_their_lines_count_when_they_are_done() {
    let edit = |status: &str| {
        json!({"id": "replace-1", "name": "replace", "status": status, "timestamp": "2026-05-13T09:00:09.000Z",
            "args": {"file_path": "/w/app/src/a.rs", "old_string": "secret"},
            "resultDisplay": {"fileDiff": "x", "diffStat": {"model_added_lines": 3, "model_removed_lines": 1}}})
    };
    let list =
        json!({"id": "ls-2", "name": "ls", "status": "error", "timestamp": "x", "args": [], "resultDisplay": "text"});
    let with = |tools: Value| {
        let mut message = answer("a", Value::Null);
        message["toolCalls"] = tools;
        message
    };
    let out = lines(&[
        with(json!([edit("executing")])),
        with(json!([edit("success"), list])),
        with(json!([edit("success")])),
    ]);
    let kept = stored(&out.events);
    let shown: Vec<String> = kept
        .iter()
        .filter_map(|event| match &event.event {
            Event::ToolCall(call) => Some(format!("{} {}", call.tool, call.ok)),
            Event::LinesChanged(lines) => {
                Some(format!("+{} -{} {:?}", lines.added, lines.removed, lines.file.as_deref()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(shown, ["ls false", "replace true", "+3 -1 Some(\"a.rs\")"]);
}

#[test]
fn a_run_s_statistics_count_once_whatever_the_file_s_time() {
    let run = json!({"session_id": "r-1", "response": "secret", "stats": {"models": {"gemini-2.5-flash":
        {"api": {"totalRequests": 2}, "tokens": {"prompt": 100, "candidates": 10, "cached": 40, "thoughts": 5, "tool": 0, "total": 115}}},
        "tools": {}}});
    let first = whole(&run).events;
    let mut later = first.clone();
    later.iter_mut().for_each(|event| event.at = event.at.plus_seconds(60));
    assert_eq!(tokens(&[first, later].concat()), [60, 15, 40, 0, 0]);
}

#[test]
fn newer_statistics_name_the_input_twice_and_count_the_same() {
    let run = json!({"session_id": "r-1", "stats": {"models": {"gemini-2.5-flash": {"tokens":
        {"input": 60, "prompt": 100, "candidates": 10, "cached": 40, "thoughts": 5, "tool": 0, "total": 115}}}}});
    let out = whole(&run);
    assert_eq!((tokens(&out.events), out.rejected.len()), ([60, 15, 40, 0, 0], 0));
    let without_prompt = json!({"session_id": "r-1", "stats": {"models": {"gemini-2.5-flash": {"tokens":
        {"input": 60, "output": 10, "cached": 40, "thoughts": 5, "total": 115}}}}});
    assert_eq!(tokens(&whole(&without_prompt).events), [60, 15, 40, 0, 0]);
    let claim = out.events[0].claim.unwrap();
    let group = crate::source::identity::group("model_call", "r-1");
    assert_eq!((claim.basis, claim.message), (Basis::Metric, group), "it counts while no chat tells of the session");
}

#[test]
fn one_bad_number_costs_one_message() {
    let bad = answer("b", json!({"input": -1, "total": 1}));
    let out = whole(&chat(json!([
        answer("a", json!({"input": 5, "total": 5})),
        bad,
        "text",
        answer("c", json!({"input": 7, "total": 7}))
    ])));
    assert_eq!(tokens(&out.events), [12, 0, 0, 0, 0]);
    let places: Vec<&str> = out.rejected.iter().map(|rejection| rejection.place.as_str()).collect();
    assert_eq!(places, ["session-a.json: message 2"]);
}

#[test]
fn sub_agents_lie_in_a_folder_of_their_parent_s_session() {
    let owns = |path: &str| Chats.owns(Path::new(path));
    assert!(owns("/g/tmp/app/chats/0b1c/77aa.jsonl"));
    assert!(owns("/g/tmp/app/chats/session-1.jsonl"));
    for other in ["/g/tmp/app/chats/other.jsonl", "/g/tmp/app/chats/0b1c/77aa.txt", "/g/tmp/app/logs.jsonl"] {
        assert!(!owns(other), "{other}");
    }
}

#[test]
fn bad_messages_are_rejected_with_their_place_and_the_rest_counts() {
    let mut timeless = answer("b", json!({"input": 1, "total": 1}));
    timeless["timestamp"] = json!("secret");
    let out = whole(&chat(json!([answer("a", json!({"input": 5, "total": 5})), timeless])));
    assert_eq!(tokens(&out.events), [5, 0, 0, 0, 0]);
    assert_eq!(out.rejected[0].place, "session-a.json: message 2");
    assert!(!out.rejected[0].reason.contains("secret"));
    assert_eq!(lines(&[json!(7)]).rejected[0].place, "session-a.jsonl:1");
}

#[test]
fn the_project_is_the_folder_that_is_named_or_its_hash() {
    let dir = tempfile::tempdir().unwrap();
    let hash = "0123456789abcdef".repeat(4);
    let write = |folder: &str| {
        let chats = dir.path().join("tmp").join(folder).join("chats");
        std::fs::create_dir_all(&chats).unwrap();
        std::fs::write(chats.join("session-1.json"), chat(json!([])).to_string()).unwrap();
        chats.join("session-1.json")
    };
    let rig = |path: &Path| {
        let shared = Shared { projects: std::sync::Arc::default(), no_paths: false };
        let reading = Reading { path, from: None, last_line: LastLine::Wait, shared: &shared };
        let mut rigs = Vec::new();
        Chats
            .read(&reading, &mut |piece| {
                rigs.extend(piece.found.events.iter().map(|event| event.rig.as_ref().map(RigName::to_string)));
                true
            })
            .unwrap();
        rigs.remove(0)
    };
    assert_eq!(rig(&write(&hash)).as_deref(), Some("01234567"));
    let named = write("my-app");
    assert_eq!(rig(&named).as_deref(), Some("my-app"));
    std::fs::write(dir.path().join("tmp/my-app/.project_root"), "/w/the_app\n").unwrap();
    assert_eq!(rig(&named).as_deref(), Some("the_app"));
    std::fs::write(dir.path().join("tmp/my-app/logs.json"), "[]").unwrap();
    assert_eq!(Chats.files(dir.path()).unwrap().files.len(), 2);
}

/// The chat of ../shared/fixtures, where it is at hand: it has no tokens, so nothing counts but that it began.
#[test]
fn the_sample_is_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/gemini/standard_session.json");
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return;
    };
    let mut out = Yield::default();
    reader(None, "json").whole(&text, &mut out);
    assert_eq!((out.events.len(), out.lines, out.rejected.len()), (1, 4, 0));
}

proptest! {
    #[test]
    fn any_pieces_yield_the_same_as_the_whole(cuts in proptest::collection::vec(0..5_usize, 0..4)) {
        let of = |output: u64| json!({"input": 10, "output": output, "total": 10 + output});
        let records = [json!({"sessionId": "s", "startTime": "2026-05-13T09:00:00Z"}), answer("a", of(1)), answer("b", of(2)), answer("a", of(3))];
        let text: Vec<String> = records.iter().map(|record| format!("{record}\n")).collect();
        let whole = lines_on(None, text.concat().as_bytes(), 0).0.events;
        let mut cuts = cuts;
        cuts.push(text.len());
        cuts.sort_unstable();
        let (mut events, mut memory, mut from) = (Vec::new(), None::<String>, 0);
        for cut in cuts {
            let cut = cut.min(text.len());
            let (piece, next) = lines_on(memory.as_deref(), text[from..cut].concat().as_bytes(), u64::try_from(from).unwrap());
            events.extend(piece.events);
            (memory, from) = (next, cut);
        }
        prop_assert_eq!(events, whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut out = Yield::default();
        reader(None, "json").whole(&text, &mut out);
        let _ = lines_on(None, &text, 0);
    }
}
