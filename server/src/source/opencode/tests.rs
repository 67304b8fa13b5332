//! What counts, how often: on constructed databases and files.

use std::path::Path;

use model::event::{Event, ModelCall};
use model::id::RigName;
use model::unit::Nanodollars;
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::OPENCODE;
use super::message::{self, Named};
use crate::db::cursor::Cursor;
use crate::source::Yield;
use crate::source::counting::{calls, stored, tokens};
use crate::source::file_source::{FileSource, Reading, Shared};
use crate::source::tail::LastLine;

const CREATED: i64 = 1_767_312_000_000;

fn shared() -> Shared {
    Shared { projects: std::sync::Arc::default(), no_paths: false }
}

fn answer(tokens: Value) -> Value {
    json!({"role": "assistant", "providerID": "anthropic", "modelID": "claude-sonnet-4.5", "mode": "build",
        "time": {"created": CREATED, "completed": CREATED + 2_500}, "tokens": tokens, "cost": 0,
        "path": {"cwd": "/w/app/src", "root": "/w/app"}})
}

fn used(input: u64, output: u64) -> Value {
    json!({"input": input, "output": output, "reasoning": 0, "cache": {"read": 0, "write": 0}})
}

fn read_one(message: &Value) -> Yield {
    let mut out = Yield::default();
    let named = Named { id: Some("msg_1"), session: Some("ses_12345678"), session_began: None };
    message::read(message.to_string().as_bytes(), named, "opencode", &shared(), &mut out).unwrap();
    out
}

fn only(out: &Yield) -> &ModelCall {
    assert_eq!(out.events.len(), 1);
    let Event::ModelCall(call) = &out.events[0].event else { panic!("a model call") };
    call
}

fn read_file(path: &Path, from: Option<&Cursor>) -> (Yield, Option<Cursor>) {
    let (mut all, mut cursor) = (Yield::default(), None);
    let shared = shared();
    let reading = Reading { path, from, last_line: LastLine::Wait, shared: &shared };
    OPENCODE
        .read(&reading, &mut |piece| {
            all.events.extend(piece.found.events);
            all.rejected.extend(piece.found.rejected);
            all.lines += piece.found.lines;
            cursor = Some(piece.cursor);
            true
        })
        .unwrap();
    (all, cursor)
}

#[test]
fn counts_are_disjoint_and_output_is_with_reasoning() {
    let check = |tokens_of: Value, want: [u64; 5]| {
        assert_eq!(only(&read_one(&answer(tokens_of.clone()))).tokens.kinds(), want, "{tokens_of}");
    };
    let cache = json!({"read": 20, "write": 10});
    check(json!({"input": 100, "output": 50, "reasoning": 0, "cache": cache}), [100, 50, 20, 10, 0]);
    check(json!({"input": 100, "output": 50, "reasoning": 7, "cache": cache}), [100, 57, 20, 10, 0]);
    check(json!({"input": 100, "output": 50, "reasoning": 7, "total": 180, "cache": cache}), [100, 50, 20, 10, 0]);
    check(json!({"input": 100, "output": 50, "reasoning": 7, "total": 187, "cache": cache}), [100, 57, 20, 10, 0]);
    check(json!({"total": 123}), [0, 123, 0, 0, 0]);
}

#[test]
fn a_cost_of_nothing_says_nothing() {
    assert_eq!(only(&read_one(&answer(used(1, 1)))).reported, None);
    let mut paid = answer(used(1, 1));
    paid["cost"] = json!(0.0125);
    assert_eq!(only(&read_one(&paid)).reported, Some(Nanodollars(12_500_000)));
    let names = only(&read_one(&paid)).model.as_str().to_owned();
    assert_eq!(names, "claude-sonnet-4-5");
}

#[test]
fn seconds_and_milliseconds_are_told_apart() {
    let mut seconds = answer(used(1, 1));
    seconds["time"] = json!({"created": CREATED / 1_000, "completed": CREATED / 1_000 + 2});
    let (first, second) = (read_one(&answer(used(1, 1))), read_one(&seconds));
    assert_eq!(first.events[0].at, second.events[0].at);
    assert_eq!((only(&first).duration_us, only(&second).duration_us), (Some(2_500_000), Some(2_000_000)));
    assert_eq!(first.events[0].rig.as_ref().map(RigName::as_str), Some("app"));
}

#[test]
fn a_failed_answer_counts_as_failed_and_a_question_not_at_all() {
    let mut failed = answer(used(0, 0));
    failed["error"] = json!({"name": "APIError", "data": {"message": "secret"}});
    assert!(!only(&read_one(&failed)).ok);
    let mut question = answer(used(9, 9));
    question["role"] = json!("user");
    let out = read_one(&question);
    assert_eq!((out.events.len(), out.ignored), (0, 1));
}

fn database(path: &Path, with_times: bool) -> Connection {
    let database = Connection::open(path).unwrap();
    database.pragma_update(None, "journal_mode", "wal").unwrap();
    let times = if with_times { "time_created integer, time_updated integer," } else { "" };
    database
        .execute_batch(&format!(
            "create table message (id text primary key, session_id text, {times} data text);
             create table part (id text primary key, message_id text, session_id text, {times} data text);"
        ))
        .unwrap();
    database
}

fn put(database: &Connection, id: &str, updated: i64, data: &Value) {
    database
        .execute(
            "insert into message (id, session_id, time_created, time_updated, data) values (?1, 'ses_1', ?2, ?2, ?3)
             on conflict (id) do update set time_updated = ?2, data = ?3",
            (id, updated, data.to_string()),
        )
        .unwrap();
}

fn put_part(database: &Connection, id: &str, updated: i64, data: &Value) {
    database
        .execute(
            "insert into part (id, message_id, session_id, time_created, time_updated, data)
             values (?1, 'msg_1', 'ses_1', ?2, ?2, ?3) on conflict (id) do update set data = ?3",
            (id, updated, data.to_string()),
        )
        .unwrap();
}

#[test]
fn a_database_in_use_is_read_on_from_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("opencode.db");
    let open = database(&path, true);
    put(&open, "msg_1", CREATED, &answer(used(10, 1)));
    let mut streaming = answer(used(5, 0));
    streaming["time"] = json!({"created": CREATED + 1});
    put(&open, "msg_2", CREATED + 1, &streaming);
    // The writer is still there, and what it wrote is in the log only.
    let before = OPENCODE.look(&path);
    let (first, cursor) = read_file(&path, None);
    assert_eq!(tokens(&first.events), [15, 1, 0, 0, 0]);

    put(&open, "msg_3", CREATED + 2, &answer(used(100, 10)));
    assert_ne!(OPENCODE.look(&path), before, "the log is part of the look");
    // Completed, without telling when.
    open.execute("update message set data = ?1 where id = 'msg_2'", [answer(used(5, 2)).to_string()]).unwrap();
    let (more, cursor) = read_file(&path, cursor.as_ref());
    assert_eq!(more.lines, 2, "the pending one, and the new one");
    let all = [first.events, more.events].concat();
    assert_eq!(tokens(&all), [115, 13, 0, 0, 0]);
    let (rest, _) = read_file(&path, cursor.as_ref());
    assert_eq!(rest.lines, 1);
    assert_eq!(tokens(&[all, rest.events].concat()), [115, 13, 0, 0, 0]);
}

#[test]
fn a_database_without_times_is_read_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("opencode-beta.db");
    let open = database(&path, false);
    let insert = "insert into message (id, session_id, data) values (?1, 'ses_1', ?2)";
    open.execute(insert, ("msg_1", answer(used(10, 1)).to_string())).unwrap();
    open.execute(insert, ("msg_2", "nonsense")).unwrap();
    let (first, cursor) = read_file(&path, None);
    assert_eq!(
        (tokens(&first.events), first.rejected[0].place.as_str()),
        ([10, 1, 0, 0, 0], "opencode-beta.db: msg_2")
    );
    let (again, _) = read_file(&path, cursor.as_ref());
    assert_eq!(tokens(&[first.events, again.events].concat()), [10, 1, 0, 0, 0]);
}

fn with_sessions(database: &Connection, began: &[(&str, i64)]) {
    database.execute_batch("create table session (id text primary key, time_created integer)").unwrap();
    for session in began {
        database.execute("insert into session values (?1, ?2)", *session).unwrap();
    }
}

#[test]
fn a_fork_repeats_nothing_of_what_it_was_forked_from() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("opencode.db");
    let open = database(&path, true);
    with_sessions(&open, &[("ses_1", CREATED), ("ses_2", CREATED + 60_000)]);
    put(&open, "msg_1", CREATED, &answer(used(10, 1)));
    put_part(&open, "prt_1", CREATED, &tool("completed", Value::Null));
    // The copies.
    put(&open, "msg_2", CREATED + 60_000, &answer(used(10, 1)));
    put_part(&open, "prt_2", CREATED + 60_000, &tool("completed", Value::Null));
    let mut own = answer(used(7, 1));
    own["time"] = json!({"created": CREATED + 60_001, "completed": CREATED + 60_002});
    put(&open, "msg_3", CREATED + 60_001, &own);
    open.execute_batch(
        "update message set session_id = 'ses_2' where id <> 'msg_1';
         update part set session_id = 'ses_2' where id <> 'prt_1'",
    )
    .unwrap();
    let (found, _) = read_file(&path, None);
    assert_eq!(tokens(&found.events), [17, 2, 0, 0, 0]);
    let tools = stored(&found.events).into_iter().filter(|event| matches!(event.event, Event::ToolCall(_)));
    assert_eq!(tools.count(), 1);
}

#[test]
fn a_fork_in_older_files_repeats_nothing_either() {
    let dir = tempfile::tempdir().unwrap();
    let mut copy = answer(used(10, 1));
    (copy["id"], copy["sessionID"]) = (json!("msg_2"), json!("ses_2"));
    for (path, content) in [
        ("storage/message/ses_2/msg_2.json", &copy),
        ("storage/session/app/ses_2.json", &json!({"id": "ses_2", "time": {"created": CREATED + 60_000}})),
    ] {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.to_string()).unwrap();
    }
    let (found, _) = read_file(&dir.path().join("storage/message/ses_2/msg_2.json"), None);
    assert_eq!((found.events.len(), found.rejected.len()), (0, 0));
}

#[test]
fn messages_count_even_if_parts_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("opencode.db");
    let open = database(&path, true);
    put(&open, "msg_1", CREATED, &answer(used(10, 1)));
    open.execute(
        "insert into message (id, session_id, time_updated, data) values (?1, 'ses_1', ?2, x'ff')",
        ("b\nd".repeat(90), CREATED),
    )
    .unwrap();
    open.execute_batch("drop table part; create table part (id text)").unwrap();
    let shared = shared();
    let reading = Reading { path: &path, from: None, last_line: LastLine::Wait, shared: &shared };
    let mut found = Yield::default();
    let error = OPENCODE
        .read(&reading, &mut |piece| {
            found.events.extend(piece.found.events);
            found.rejected.extend(piece.found.rejected);
            true
        })
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Other);
    assert_eq!(tokens(&found.events), [10, 1, 0, 0, 0]);
    let place = &found.rejected[0].place;
    assert!(place.len() < 100 && !place.contains('\n'), "{place}");
}

#[test]
fn a_row_from_the_future_does_not_hide_what_comes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("opencode.db");
    let open = database(&path, true);
    put(&open, "msg_1", 4_000_000_000_000, &answer(used(10, 1)));
    let (_, cursor) = read_file(&path, None);
    let soon = crate::source::file_source::changed_at(&path).unwrap().0 / 1_000 + 60_000;
    put(&open, "msg_2", soon, &answer(used(5, 1)));
    let (found, _) = read_file(&path, cursor.as_ref());
    assert_eq!(tokens(&found.events), [15, 2, 0, 0, 0]);
}

#[test]
fn a_cost_that_is_none_is_not_repeated() {
    let mut bad = answer(used(1, 1));
    bad["cost"] = json!("secret");
    let named = Named { id: Some("m"), session: Some("s"), session_began: None };
    let refusal = message::read(bad.to_string().as_bytes(), named, "opencode", &shared(), &mut Yield::default());
    assert!(!refusal.unwrap_err().contains("secret"));
}

fn tool(status: &str, extra: Value) -> Value {
    let mut state = json!({"status": status, "input": {"filePath": "/w/app/src/a.rs", "content": "secret\nsecret\n"},
        "time": {"start": CREATED, "end": CREATED + 1_500}});
    state["metadata"] = extra;
    json!({"type": "tool", "callID": "call_0", "tool": "edit", "state": state})
}

#[test]
fn tools_have_latency_and_lines_once_they_are_done() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("opencode.db");
    let open = database(&path, true);
    put(&open, "msg_1", CREATED, &answer(used(1, 1)));
    put_part(&open, "prt_0", CREATED, &json!({"type": "text", "text": "secret \"tool\""}));
    put_part(&open, "prt_1", CREATED, &tool("running", Value::Null));
    put_part(&open, "prt_2", CREATED + 9, &tool("error", Value::Null));
    let (first, cursor) = read_file(&path, None);
    put_part(&open, "prt_1", CREATED, &tool("completed", json!({"filediff": {"additions": 3, "deletions": 1}})));
    put_part(&open, "prt_3", CREATED + 9, &tool("completed", json!({"diff": "--- a\n+++ b\n+x\n"})));
    put_part(&open, "prt_4", CREATED + 9, &tool("completed", json!({"exists": false})));
    let (second, _) = read_file(&path, cursor.as_ref());
    let all = [first.events, second.events].concat();
    let mut shown: Vec<String> = stored(&all)
        .iter()
        .filter_map(|event| match &event.event {
            Event::ToolCall(call) => Some(format!("{} {} {:?}", call.tool, call.ok, call.duration_us)),
            Event::LinesChanged(lines) => {
                Some(format!("+{} -{} {:?}", lines.added, lines.removed, lines.file.as_deref()))
            }
            _ => None,
        })
        .collect();
    shown.sort();
    let file = "Some(\"src/a.rs\")";
    let done = "edit true Some(1500000)".to_owned();
    let mut want = vec![
        format!("+1 -0 {file}"),
        format!("+2 -0 {file}"),
        format!("+3 -1 {file}"),
        "edit false Some(1500000)".to_owned(),
    ];
    want.extend([done.clone(), done.clone(), done]);
    assert_eq!(shown, want);
}

#[test]
fn older_files_and_the_database_tell_of_a_message_once() {
    let dir = tempfile::tempdir().unwrap();
    let open = database(&dir.path().join("opencode.db"), true);
    put(&open, "msg_1", CREATED, &answer(used(10, 1)));
    let mut message = answer(used(10, 1));
    message["id"] = json!("msg_1");
    message["sessionID"] = json!("ses_1");
    let mut part = tool("completed", Value::Null);
    (part["id"], part["messageID"], part["sessionID"]) = (json!("prt_1"), json!("msg_1"), json!("ses_1"));
    for (path, content) in [
        ("storage/message/ses_1/msg_1.json", &message),
        ("storage/part/msg_1/prt_1.json", &part),
        ("storage/session/ses_1.json", &message),
        ("snapshot/x/msg_9.json", &message),
    ] {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.to_string()).unwrap();
    }
    let files = OPENCODE.files(dir.path()).unwrap().files;
    assert_eq!(files.len(), 3);
    let events: Vec<_> = files.iter().flat_map(|file| read_file(file, None).0.events).collect();
    assert_eq!((tokens(&events), calls(&events).len()), ([10, 1, 0, 0, 0], 1));
    let of_tool = events.iter().find(|event| matches!(event.event, Event::ToolCall(_))).unwrap();
    assert_eq!(of_tool.rig.as_ref().map(RigName::as_str), Some("app"));
}

#[test]
fn a_change_of_the_log_is_a_change_of_the_database() {
    let of = |path: &str| OPENCODE.file_of(Path::new(path)).map(|path| path.display().to_string());
    assert_eq!(of("/d/opencode.db-wal").as_deref(), Some("/d/opencode.db"));
    assert_eq!(of("/d/opencode-dev.db").as_deref(), Some("/d/opencode-dev.db"));
    for other in ["/d/opencode.db-shm", "/d/kilo.db", "/d/storage/session/x.json", "/d/log/opencode.log"] {
        assert_eq!(of(other), None, "{other}");
    }
}

/// The message of ../shared/fixtures, where it is at hand: by hand, 1000 · 3 + 500 · 15 + 100 · 3.75 + 200 · 0.3 µ$.
#[test]
fn the_sample_gives_the_known_tokens_and_cost() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/opencode/msg_test001.json");
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return;
    };
    let mut out = Yield::default();
    message::read(&text, Named::default(), "opencode", &shared(), &mut out).unwrap();
    assert_eq!(only(&out).tokens.kinds(), [1_000, 500, 200, 100, 0]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut out = Yield::default();
        let _ = message::read(&raw, Named::default(), "opencode", &shared(), &mut out);
        let project = crate::source::project::Project::default();
        let _ = super::part::read(&raw, Named::default(), "opencode", &project, &mut out);
    }

    #[test]
    fn any_number_is_a_time_or_none(number in any::<f64>()) {
        let mut message = answer(used(1, 1));
        message["time"] = json!({"created": number, "completed": number});
        let mut out = Yield::default();
        let named = Named { id: Some("m"), session: Some("s"), session_began: None };
        let _ = message::read(message.to_string().as_bytes(), named, "opencode", &shared(), &mut out);
    }
}
