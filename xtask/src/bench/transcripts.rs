//! Made-up transcripts in the shape and proportion of real ones: for measuring how quickly the past is read.
//!
//! Per turn: a question, an answer in two lines that repeat its usage (text, then a tool's use), and the tool's result.
//! Lengths are those of real sessions: about 0.9 kB, 1.2 kB and 1.9 kB. Ids, times and counts differ in every line.

use anyhow::{Context as _, Result};
use serde_json::json;
use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
};

/// Turns of one session: about 650 kB.
const TURNS: u64 = 160;
const FIRST_DAY: u64 = 1_767_225_600; // 2026-01-01
const WORDS: &str = "the rollup reads one row per point and writes it back where the worker has not been yet; ";

/// Writes sessions into `folder`/projects until they hold `bytes`, and returns how many bytes that are.
pub fn write(folder: &Path, bytes: u64) -> Result<u64> {
    let mut written = 0;
    let mut session = 0;
    while written < bytes {
        let project = folder.join(format!("projects/-work-project-{}", session % 8));
        fs::create_dir_all(&project)?;
        let path = project.join(format!("{}.jsonl", id(session)));
        let file = fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut file = BufWriter::new(file);
        for turn in 0..TURNS {
            for line in lines(session, turn) {
                written += u64::try_from(line.len())? + 1;
                writeln!(file, "{line}")?;
            }
        }
        file.flush()?;
        session += 1;
    }
    Ok(written)
}

/// In the shape of a session's id.
fn id(session: u64) -> String {
    format!("{session:08x}-0000-4000-8000-{session:012x}")
}

fn lines(session: u64, turn: u64) -> [String; 4] {
    let number = session * TURNS + turn;
    // Sessions follow one another, as a person's do.
    let time = |part: u64| rfc3339(FIRST_DAY + number * 20 + part);
    let line = |kind: &str, part: u64, message: serde_json::Value| {
        json!({
            "parentUuid": id(number), "isSidechain": false, "userType": "external", "sessionId": id(session),
            "cwd": format!("/work/project/{}", session % 8), "version": "2.1.0", "gitBranch": "main", "type": kind,
            "message": message, "uuid": format!("{number:032x}{part}"), "timestamp": time(part),
        })
    };
    let answer = |part: u64, content: serde_json::Value| {
        let mut line = line(
            "assistant",
            part,
            json!({
                "id": format!("msg_{number:024x}"), "type": "message", "role": "assistant",
                "model": "claude-sonnet-4-5-20250929", "content": [content], "stop_reason": null,
                "usage": {
                    "input_tokens": number % 97, "cache_creation_input_tokens": number % 4_001,
                    "cache_read_input_tokens": 20_000 + number % 60_000, "output_tokens": 100 + number % 900,
                    "service_tier": "standard",
                },
            }),
        );
        line["requestId"] = json!(format!("req_{number:024x}"));
        line.to_string()
    };
    let tool = format!("toolu_{number:024x}");
    [
        line("user", 0, json!({"role": "user", "content": WORDS})).to_string(),
        answer(1, json!({"type": "text", "text": WORDS.repeat(2)})),
        answer(
            2,
            json!({"type": "tool_use", "id": tool, "name": "Bash", "input": {"command": WORDS.repeat(5), "description": "look"}}),
        ),
        {
            let output = WORDS.repeat(8);
            let mut line = line(
                "user",
                3,
                json!({"role": "user", "content": [{"tool_use_id": tool, "type": "tool_result", "content": output}]}),
            );
            line["toolUseResult"] = json!({"stdout": output, "stderr": "", "interrupted": false, "isImage": false});
            line.to_string()
        },
    ]
}

/// Of the year 2026 only, which is long enough for a benchmark.
fn rfc3339(seconds: u64) -> String {
    const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut day = (seconds - FIRST_DAY) / 86_400 % 365;
    let mut month = 0;
    while day >= MONTHS[month] {
        day -= MONTHS[month];
        month += 1;
    }
    let second = seconds % 86_400;
    format!(
        "2026-{:02}-{:02}T{:02}:{:02}:{:02}.000Z",
        month + 1,
        day + 1,
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_turn_has_the_proportions_of_real_ones() {
        let lengths = lines(3, 5).map(|line| line.len());
        for (length, real) in lengths.into_iter().zip([500, 900, 1_200, 1_900]) {
            assert!(length.abs_diff(real) < real / 4, "{lengths:?}");
        }
    }

    #[test]
    fn an_answer_repeats_its_usage_and_no_other() {
        let parse = |line: &String| -> Value { serde_json::from_str(line).unwrap() };
        let [_, text, tool, _] = lines(1, 2);
        let [text, tool] = [parse(&text), parse(&tool)];
        assert_eq!(text["message"]["usage"], tool["message"]["usage"]);
        assert_eq!(text["requestId"], tool["requestId"]);
        assert_ne!(text["requestId"], parse(&lines(1, 3)[1])["requestId"]);
    }

    #[test]
    fn days_are_counted_as_calendars_do() {
        assert_eq!(rfc3339(FIRST_DAY + 59 * 86_400 + 3_661), "2026-03-01T01:01:01.000Z");
        assert_eq!(rfc3339(FIRST_DAY + 364 * 86_400), "2026-12-31T00:00:00.000Z");
    }
}
