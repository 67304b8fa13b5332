//! What alerts are about, as it is stored, and where a person looks for it.

use model::alert::{AlertState, AlertView};
use model::id::TownName;

use crate::db::alert::Episode;

/// The town's meter.
pub const METER: &str = "tank";
/// The town's calls.
pub const ERRORS: &str = "errors";
/// The town's beads that wait.
pub const REVIEW: &str = "review";
/// Beginnings of the others: a tank's name, a source's, an agent's with its rig.
pub const TANK: &str = "tank/";
/// A source.
pub const SOURCE: &str = "source/";
/// An agent's hooked work.
pub const AGENT: &str = "agent/";
/// An agent's starts.
pub const LOOP: &str = "loop/";

/// An episode as pages and the API say it; none for a state of a later version.
#[must_use]
pub fn view(town: &TownName, episode: &Episode) -> Option<AlertView> {
    if episode.state == AlertState::Fine {
        return None;
    }
    // One from before there were words; the next look has some.
    let words = if episode.words.is_empty() { &episode.subject } else { &episode.words };
    Some(AlertView {
        id: episode.id.to_string(),
        kind: episode.state.kind(),
        severity: episode.state.severity(),
        subject: episode.subject.clone(),
        words: words.clone(),
        since: episode.since,
        href: format!("/t/{town}{}", place(&episode.subject)),
        snoozed_until: episode.snoozed_until,
    })
}

/// Where to look, below the town's address.
fn place(subject: &str) -> String {
    let agent = |rest: &str, more: &str| {
        let name = rest.split_once('/').map_or(rest, |(_, name)| name);
        format!("/live?{more}agent={}", escaped(name))
    };
    if subject == METER || subject.starts_with(TANK) {
        "/tank".to_owned()
    } else if subject.starts_with(SOURCE) {
        "/sources".to_owned()
    } else if let Some(rest) = subject.strip_prefix(AGENT) {
        agent(rest, "")
    } else if let Some(rest) = subject.strip_prefix(LOOP) {
        agent(rest, "kind=session&")
    } else if subject == ERRORS {
        "/live?level=error".to_owned()
    } else {
        String::new()
    }
}

/// Text as a part of an address.
fn escaped(raw: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let spell = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    raw.bytes().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_leads_to_where_it_is_seen() {
        let check = |subject: &str, want: &str| assert_eq!(place(subject), want, "{subject}");
        check("tank", "/tank");
        check("tank/Claude Code 5 h", "/tank");
        check("source/codex", "/sources");
        check("agent/gas/toast", "/live?agent=toast");
        check("agent//mayor & \"co\"/x", "/live?agent=mayor%20%26%20%22co%22%2Fx");
        check("loop/gas/toast", "/live?kind=session&agent=toast");
        check("errors", "/live?level=error");
        check("review", "");
    }
}
