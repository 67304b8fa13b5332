//! What is understood, and how refusals read.

use model::event::{Event, EventKind};
use model::id::Role;
use model::unit::Nanodollars;
use proptest::prelude::*;

use super::{EXAMPLES, Shape, parse_body, parse_item};

fn refusal(content: &str) -> String {
    let rejection = parse_item(3, content.as_bytes()).unwrap_err();
    format!("{}: {}", rejection.place, rejection.reason)
}

#[test]
fn every_example_is_understood_and_every_kind_has_one() {
    let mut kinds = std::collections::HashSet::new();
    for (what, example) in EXAMPLES {
        let item = parse_item(1, example.as_bytes()).unwrap_or_else(|r| panic!("{what}: {}", r.reason));
        kinds.insert(item.envelope.event.kind());
    }
    assert_eq!(kinds.len(), EventKind::ALL.len());
}

#[test]
fn a_model_call_keeps_everything() {
    let item = parse_item(1, EXAMPLES[0].1.as_bytes()).unwrap().envelope;
    let Event::ModelCall(call) = &item.event else { panic!("a model call") };
    assert_eq!(call.tokens.kinds(), [4, 120, 14_092, 437, 0]);
    assert_eq!((call.duration_us, call.ok, call.fast), (Some(2_310_000), true, false));
    assert_eq!((item.role, item.claim.is_some()), (Role::Polecat, true));
    let item = parse_item(1, EXAMPLES[1].1.as_bytes()).unwrap().envelope;
    let Event::ModelCall(call) = &item.event else { panic!("a model call") };
    assert_eq!(call.reported, Some(Nanodollars(12_300_000)));
}

#[test]
fn refusals_name_line_and_field() {
    let check = |content: &str, want: &str| assert_eq!(refusal(content), want, "{content}");
    check(
        r#"{"type":"session","ts":"yesterday","session":"s","state":"started"}"#,
        r#"line 3: field "ts": "yesterday" is not an RFC 3339 time with an offset, such as 2026-02-26T18:21:35.108Z"#,
    );
    check(r#"{"type":"session","session":"s","state":"started"}"#, r#"line 3: field "ts" is missing"#);
    check(r#"{"ts":"2026-02-26T18:21:35Z"}"#, r#"line 3: field "type" is missing"#);
    let call = |rest: &str| format!(r#"{{"type":"model_call","ts":"2026-02-26T18:21:35Z","model":"m"{rest}}}"#);
    check(&call(r#","inputTokens":5"#), r#"line 3: field "inputTokens" is unknown; did you mean "input_tokens"?"#);
    check(&call(r#","input_token":5"#), r#"line 3: field "input_token" is unknown; did you mean "input_tokens"?"#);
    check(&call(r#","colour":5"#), r#"line 3: field "colour" is unknown"#);
    check(&call(r#","input_tokens":-5"#), r#"line 3: field "input_tokens": -5 is not a whole number of 0 or more"#);
    check(
        &call(r#","input_tokens":"5""#),
        r#"line 3: field "input_tokens": a string is not a whole number of 0 or more"#,
    );
    check(&call(r#","tool":"Bash""#), r#"line 3: field "tool" does not belong to an event of type "model_call""#);
    check(
        &call(r#","role":"polcat""#),
        r#"line 3: field "role": use mayor, polecat, witness, refinery, deacon, crew or other"#,
    );
    check(&call(r#","cost_usd":-1"#), r#"line 3: field "cost_usd" is out of range"#);
    check(&call(r#","model":"n""#), r#"line 3: field "model" stands there twice"#);
    check(&call(r#","agent":"a\u0007b""#), r#"line 3: field "agent": agent contains a control character"#);
    check("[]", "line 3: an event is a JSON object");
    check("{\"type\":", "line 3: the event ends too early: not complete JSON");
}

#[test]
fn bodies_of_every_shape_are_read() {
    let one = EXAMPLES[2].1;
    let check = |body: &str, shape: Shape, good: usize, bad: &[&str]| {
        let items = parse_body(body.as_bytes());
        let places: Vec<String> =
            items.results.iter().filter_map(|r| r.as_ref().err().map(|r| r.place.clone())).collect();
        assert_eq!(
            (items.shape, items.results.len() - places.len(), places.as_slice()),
            (shape, good, &bad.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
            "{body}"
        );
    };
    check(one, Shape::Object, 1, &[]);
    check(&one.replace(',', ",\n"), Shape::Object, 1, &[]);
    check(&format!("[{one},{{}},{one}]"), Shape::Array, 2, &["item 2"]);
    check("[{", Shape::Array, 0, &["line 1"]);
    check(&format!("{one}\n\n{one}\r\nnope\n{one}\n"), Shape::Lines, 3, &["line 4"]);
    check(&format!("{{\"type\":\n{one}"), Shape::Lines, 1, &["line 1"]);
    check("", Shape::Lines, 0, &[]);
}

#[test]
fn the_same_content_has_the_same_key_however_it_is_written() {
    let key = |content: &str| parse_item(1, content.as_bytes()).unwrap().envelope.key;
    let a = key(r#"{"type":"bead","ts":"2026-02-26T18:21:41Z","bead":"b","state":"closed"}"#);
    let b = key(r#"{ "state": "closed", "bead": "b", "ts": "2026-02-26T19:21:41+01:00", "type": "bead" }"#);
    let c = key(r#"{"type":"bead","ts":"2026-02-26T18:21:41Z","bead":"b","state":"created"}"#);
    assert_eq!(a, b);
    assert_ne!(a, c);
    let with_id = |state: &str| {
        key(&format!(r#"{{"type":"bead","ts":"2026-02-26T18:21:41Z","id":"7","bead":"b","state":"{state}"}}"#))
    };
    assert_eq!(with_id("closed"), with_id("created"));
}

#[test]
fn absolute_paths_keep_only_their_name() {
    let file = |path: &str| {
        let content = serde_json::json!({"type": "lines_changed", "ts": "2026-02-26T18:21:41Z", "added": 1, "removed": 0, "file": path});
        match parse_item(1, content.to_string().as_bytes()).unwrap().envelope.event {
            Event::LinesChanged(lines) => lines.file.unwrap().to_string(),
            _ => panic!("lines"),
        }
    };
    assert_eq!(file("src/a.rs"), "src/a.rs");
    assert_eq!(file("/home/secret/a.rs"), "a.rs");
    assert_eq!(file("../secret/a.rs"), "a.rs");
}

proptest! {
    #[test]
    fn arbitrary_bodies_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_body(&bytes);
    }

    #[test]
    fn damaged_examples_never_panic(which in 0..EXAMPLES.len(), at in 0..500_usize, byte in any::<u8>()) {
        let mut bytes = EXAMPLES[which].1.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = parse_body(&bytes);
    }
}
