//! What a rollout shows to be under way: a tool's call without its output.
//!
//! As of Claude Code's transcripts it is told as it stands at the end of a piece ([`crate::source::LineReader::report`]).
//! What the model is asked is not told: a rollout is written when it has answered.

use model::id::ToolName;
use model::request::{Implied, RequestId, RequestOf};
use model::time::Timestamp;

use super::memory::OpenTool;
use super::reader::RolloutReader;
use super::tool::identifying;
use crate::source::project::Speaker;
use crate::source::{Yield, identity};

impl RolloutReader<'_> {
    /// A tool has returned.
    pub(super) fn returned(open: &OpenTool, who: &Speaker, at: Timestamp, out: &mut Yield) {
        if open.told {
            out.requests.push(Implied { at, over: true, ..tool_request(open, who) });
        }
    }

    /// The turn is over, and whatever was under way in it: of tools that were interrupted no output may come.
    pub(super) fn turn_over(&mut self, who: &Speaker, at: Timestamp, out: &mut Yield) {
        for open in &mut self.memory.open {
            Self::returned(open, who, at, out);
            // Ended once; an output that comes all the same makes it a call.
            open.told = false;
            open.over = true;
        }
    }

    /// Tells what is under way and was not told yet.
    pub(super) fn underway(&mut self, out: &mut Yield) {
        let Ok(who) = self.speaker() else { return };
        for open in self.memory.open.iter_mut().filter(|open| !open.told && !open.over) {
            out.requests.push(tool_request(open, &who));
            open.told = true;
        }
    }
}

fn tool_request(open: &OpenTool, who: &Speaker) -> Implied {
    let parts = identifying(&open.id, who);
    // By the same id as OpenTelemetry's records of the call, where it is unique.
    let id = match parts.as_slice() {
        [_] => identity::tool_request(&open.id),
        _ => RequestId::of(identity::hash("tool request", &parts)).number(),
    };
    let Speaker { source, rig, role, agent, session } = who.clone();
    let tool = ToolName::new(&open.tool).ok();
    let of = RequestOf { source, rig, role, agent, session: Some(session), bead: None, model: None, tool };
    Implied { id, of, at: Timestamp(open.at), over: false, claim: Some(identity::hash("tool", &parts)) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::source::file_source::Shared;
    use crate::source::{LineReader, Spot};

    const CALL: &str = "call_0123456789abcdef";

    fn line(second: u32, kind: &str, payload: Value) -> Value {
        json!({"timestamp": format!("2026-05-13T09:00:{second:02}Z"), "type": kind, "payload": payload})
    }

    /// Reads pieces one after the other, each by a reader of its own, and says what each told: what, and whether it is over.
    fn told(pieces: &[Vec<Value>]) -> Vec<Vec<(u128, bool)>> {
        let shared = Shared { projects: std::sync::Arc::default(), no_paths: false };
        let mut memory: Option<String> = None;
        let mut read = |piece: &Vec<Value>| {
            let mut out = Yield::default();
            let mut reader = RolloutReader::new("rollout-a", memory.as_deref(), None, &shared);
            for raw in piece {
                reader.line(raw.to_string().as_bytes(), Spot { line: 1, offset: 0 }, &mut out);
            }
            reader.report(&mut out);
            memory = reader.memory();
            assert!(out.rejected.is_empty(), "{:?}", out.rejected);
            out.requests.iter().map(|request| (request.id, request.over)).collect()
        };
        pieces.iter().map(&mut read).collect()
    }

    fn meta() -> Value {
        line(0, "session_meta", json!({"id": "0199aaaa-0000-7000-8000-0123456789ab", "cwd": "/w/app"}))
    }

    fn call(id: &str) -> Value {
        line(2, "response_item", json!({"type": "function_call", "name": "shell", "arguments": "{}", "call_id": id}))
    }

    fn output(id: &str) -> Value {
        line(9, "response_item", json!({"type": "function_call_output", "call_id": id, "output": "Exit code: 0"}))
    }

    #[test]
    fn a_call_without_an_output_is_under_way_until_it_comes() {
        let id = identity::tool_request(CALL);
        let told = told(&[vec![meta(), call(CALL)], vec![], vec![output(CALL)]]);
        assert_eq!(told, [vec![(id, false)], vec![], vec![(id, true)]]);
    }

    #[test]
    fn what_began_and_ended_within_a_piece_never_was() {
        assert_eq!(told(&[vec![meta(), call(CALL), output(CALL)]]), [vec![]]);
    }

    #[test]
    fn an_interrupted_turn_ends_what_was_under_way_in_it_once() {
        let aborted = line(5, "event_msg", json!({"type": "turn_aborted", "reason": "interrupted"}));
        let told = told(&[vec![meta(), call(CALL)], vec![aborted], vec![output(CALL)]]);
        assert_eq!(told[1..], [vec![(identity::tool_request(CALL), true)], vec![]]);
    }

    #[test]
    fn calls_that_are_only_numbered_are_told_apart_by_their_session() {
        let told = told(&[vec![meta(), call("call_1")]]);
        assert_eq!(told[0].len(), 1);
        assert_ne!(told[0][0].0, identity::tool_request("call_1"));
    }
}
