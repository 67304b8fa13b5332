//! What the store cannot hold, or should not believe. Sources check more; this is the last line.

use model::event::{Envelope, Event, PricedEvent};
use model::log_line::MAX_LOG_CHARS;
use model::time::Timestamp;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;

/// A single call beyond a million dollars is a broken source, and sums of such would leave the range of the sums.
const DEAREST: Nanodollars = Nanodollars(1_000_000_000_000_000);
/// Longest path that is stored.
const FILE_BYTES: usize = 1_024;
/// Longest duration that is stored: a year.
const LONGEST_US: u64 = 366 * 86_400 * 1_000_000;
const MOST_LINES: u32 = 100_000_000;

/// Why an event is refused; none when it is fine. `floor`: what is older was dropped, and can no longer be summed.
pub(super) fn refuse(priced: &PricedEvent, floor: Option<Timestamp>) -> Option<String> {
    let Envelope { at, event, .. } = &priced.envelope;
    if let Err(error) = at.believed() {
        return Some(error.to_string());
    }
    if floor.is_some_and(|floor| *at < floor) {
        return Some(format!("{at} is older than what the store keeps"));
    }
    match event {
        Event::ModelCall(call) => {
            if call.tokens.kinds().iter().any(|count| *count > TokenCounts::MAX) {
                return Some(format!("a call of more than {} tokens is not believed", TokenCounts::MAX));
            }
            if !fits(call.reported) || !fits(priced.cost.and_then(|cost| cost.amount)) {
                return Some("a call's cost must lie between $0 and $1,000,000".to_owned());
            }
            long(call.duration_us)
        }
        Event::ToolCall(call) => long(call.duration_us).or_else(|| path(call.file.as_deref())),
        Event::LinesChanged(lines) => {
            if lines.added > MOST_LINES || lines.removed > MOST_LINES {
                return Some(format!("a change of more than {MOST_LINES} lines is not believed"));
            }
            path(lines.file.as_deref())
        }
        Event::LinesLanded(lines) => (lines.added > MOST_LINES || lines.removed > MOST_LINES)
            .then(|| format!("a commit of more than {MOST_LINES} lines is not believed")),
        Event::CostSnapshot(snapshot) if !fits(Some(snapshot.total)) => {
            Some("a session's cost must lie between $0 and $1,000,000".to_owned())
        }
        Event::Request(step) => long(step.duration_us),
        // Longer ones are cut where they are read; this is what the store holds of a sender's that does not.
        Event::Log(line) => {
            let is_held = line.text.len() <= 8 * MAX_LOG_CHARS && !line.text.contains('\0');
            (!is_held).then(|| format!("a log line of more than {MAX_LOG_CHARS} characters, or with a null character"))
        }
        Event::CostSnapshot(_) | Event::AgentState(_) | Event::Session(_) | Event::Bead(_) => None,
    }
}

/// Whether an amount can be what one call costs.
pub(super) fn fits(amount: Option<Nanodollars>) -> bool {
    amount.is_none_or(|amount| (Nanodollars::ZERO..=DEAREST).contains(&amount))
}

fn long(duration_us: Option<u64>) -> Option<String> {
    (duration_us > Some(LONGEST_US)).then(|| "a duration of more than a year is not believed".to_owned())
}

fn path(file: Option<&str>) -> Option<String> {
    let file = file?;
    if file.len() > FILE_BYTES {
        return Some(format!("a path of {} bytes; at most {FILE_BYTES} are stored", file.len()));
    }
    // Postgres's text holds every character but this one.
    file.contains('\0').then(|| "a path contains a null character".to_owned())
}
