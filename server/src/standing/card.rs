//! From what was counted to what is said of each source. Pure.

use std::collections::BTreeMap;

use app::reader::WatchedRoot;
use app::sources::{RefusedItem, SourceCard, SourceKind, Standing};
use model::id::TownName;
use model::time::Timestamp;

use super::folder::Watcher;
use super::known::{self, Known};
use crate::db::source::{RefusedRow, SourceRow};

/// A source of which something came within this time is live: a working agent is heard every minute or so.
const LIVE_MS: i64 = 5 * 60 * 1_000;

/// What was counted.
pub(super) struct Heard {
    pub rows: Vec<SourceRow>,
    /// One per row.
    pub per_s: Vec<Option<f64>>,
    pub refused: Vec<RefusedRow>,
    pub unmapped: Vec<(String, String, i64)>,
}

/// What is watched on this machine.
pub(super) struct Here<'a> {
    pub watcher: Watcher,
    pub roots: Vec<WatchedRoot>,
    /// The town that local files are read into.
    pub home: &'a TownName,
    pub is_home: bool,
}

/// One card per source: the known ones in their order, then others by name.
pub(super) fn all(heard: Heard, here: &Here<'_>, now: Timestamp) -> Vec<SourceCard> {
    let mut refused: BTreeMap<String, Vec<RefusedItem>> = BTreeMap::new();
    for RefusedRow { source, place, reason, ago_ms } in heard.refused {
        let at = Timestamp(now.0 - ago_ms * 1_000);
        refused.entry(source).or_default().push(RefusedItem { at, place, reason });
    }
    let mut unmapped: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for (source, name, count) in heard.unmapped {
        unmapped.entry(source).or_default().push((name, count));
    }
    let mut rows: BTreeMap<String, (SourceRow, Option<f64>)> =
        heard.rows.into_iter().zip(heard.per_s).map(|(row, per_s)| (row.source.clone(), (row, per_s))).collect();
    let mut cards = Vec::with_capacity(known::ALL.len());
    for known in &known::ALL {
        match rows.remove(known.name) {
            Some((row, per_s)) => cards.push(counted(Some(known), row, per_s, here, now)),
            // Towns that are not made up have none of the one, and most machines none of the other.
            None if matches!(known.kind, SourceKind::Demo | SourceKind::Asked) => {}
            None => cards.push(unheard(known, here)),
        }
    }
    cards.extend(rows.into_values().map(|(row, per_s)| counted(None, row, per_s, here, now)));
    for card in &mut cards {
        card.refused = refused.remove(&card.name).unwrap_or_default();
        card.unmapped = unmapped.remove(&card.name).unwrap_or_default();
    }
    cards
}

/// A source of which something came.
fn counted(known: Option<&Known>, row: SourceRow, per_s: Option<f64>, here: &Here<'_>, now: Timestamp) -> SourceCard {
    let kind = known.map_or(SourceKind::Unknown, |known| known.kind);
    let is_deaf = kind == SourceKind::FileTail && here.is_home && here.watcher == Watcher::Ended;
    let (standing, words) = if is_deaf {
        (Standing::Error, "The watcher is not running: restart the server.")
    } else if row.refused_last {
        (Standing::Refused, "What came last was refused, or could not be read.")
    } else if row.heard_ms >= LIVE_MS {
        let words = match (kind, here.watcher) {
            (SourceKind::FileTail, Watcher::Off) => "Nothing comes, and this server does not watch files.",
            _ => "Nothing came for a while: its agents are idle, or it stopped.",
        };
        (Standing::Silent, words)
    } else if row.received == 0 {
        (Standing::Live, "It is heard, and nothing of it is understood.")
    } else {
        (Standing::Live, "Events arrive.")
    };
    // Two clocks: what the database measured is carried over to this server's.
    let ahead_ms = row.read_at.micros_since(now) / 1_000;
    SourceCard {
        standing,
        words: words.to_owned(),
        last_event: row.last_event,
        last_heard: Some(Timestamp(now.0 - row.heard_ms * 1_000)),
        per_s,
        lag_ms: row.lag_ms.map(|lag_ms| (lag_ms - ahead_ms).max(0)),
        received: row.received,
        stored: row.stored,
        duplicate: row.duplicate,
        rejected: row.rejected,
        unmapped_names: row.unmapped_names,
        costs: Some((row.reported, row.computed)),
        ..blank(known, row.source, kind, here)
    }
}

/// A source of which nothing ever came.
fn unheard(known: &Known, here: &Here<'_>) -> SourceCard {
    let blank = blank(Some(known), known.name.to_owned(), known.kind, here);
    let (standing, words) = match (known.kind, here.watcher) {
        (SourceKind::FileTail, _) if !here.is_home => (
            Standing::NeverStarted,
            format!("Files on the server's machine go into the town \u{201c}{}\u{201d}.", here.home),
        ),
        (SourceKind::FileTail, Watcher::Off) => {
            (Standing::NeverStarted, "This server does not watch files (--no-watch).".to_owned())
        }
        (SourceKind::FileTail, Watcher::Ended) => {
            (Standing::Error, "The watcher is not running: restart the server.".to_owned())
        }
        (SourceKind::FileTail, Watcher::Running) if blank.roots.is_empty() => (
            Standing::NeverStarted,
            "No files of it are on this machine; they are followed once there are any.".to_owned(),
        ),
        (SourceKind::FileTail, Watcher::Running) => {
            (Standing::Silent, "Its files are followed; nothing was read from them yet.".to_owned())
        }
        (SourceKind::Otlp, _) => (Standing::NeverStarted, "No export of it was ever received.".to_owned()),
        _ => (Standing::NeverStarted, "Nothing was ever sent.".to_owned()),
    };
    SourceCard { standing, words, ..blank }
}

/// What is known of a source whatever came of it.
fn blank(known: Option<&Known>, name: String, kind: SourceKind, here: &Here<'_>) -> SourceCard {
    let roots = here.roots.iter().filter(|root| root.source == name).cloned().collect();
    SourceCard {
        title: known.map_or_else(|| name.clone(), |known| known.title.to_owned()),
        name,
        kind,
        standing: Standing::NeverStarted,
        words: String::new(),
        last_event: None,
        last_heard: None,
        per_s: None,
        lag_ms: None,
        received: 0,
        stored: 0,
        duplicate: 0,
        rejected: 0,
        refused: Vec::new(),
        unmapped: Vec::new(),
        unmapped_names: 0,
        costs: None,
        token_rule: known.map_or("Another version reads it.", |known| known.tokens).to_owned(),
        latency_rule: known.and_then(|known| known.latency).map(str::to_owned),
        roots,
        guide: known.and_then(|known| known.guide).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use model::Nanodollars;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_750_000_000);

    fn row(source: &str, heard_ms: i64) -> SourceRow {
        SourceRow {
            source: source.to_owned(),
            received: 3,
            stored: 2,
            duplicate: 1,
            rejected: 0,
            last_event: Some(NOW),
            lag_ms: Some(5_000),
            reported: Nanodollars::ZERO,
            computed: Nanodollars::ZERO,
            heard_ms,
            refused_last: false,
            unmapped_names: 0,
            unmapped_times: 0,
            read_at: NOW,
        }
    }

    fn cards(rows: Vec<SourceRow>, watcher: Watcher, roots: Vec<WatchedRoot>) -> Vec<SourceCard> {
        let home = TownName::new("home").unwrap();
        let heard = Heard { per_s: vec![None; rows.len()], rows, refused: Vec::new(), unmapped: Vec::new() };
        all(heard, &Here { watcher, roots, home: &home, is_home: true }, NOW)
    }

    fn of<'a>(cards: &'a [SourceCard], name: &str) -> &'a SourceCard {
        cards.iter().find(|card| card.name == name).unwrap()
    }

    #[test]
    fn a_source_is_live_for_five_minutes_then_silent_and_refused_as_long_as_the_last_item_was_refused() {
        let refused = SourceRow { refused_last: true, ..row("codex", LIVE_MS * 10) };
        let cards = cards(vec![row("api", LIVE_MS - 1), row("otel", LIVE_MS), refused], Watcher::Off, Vec::new());
        let standing = |name| of(&cards, name).standing;
        assert_eq!(
            (standing("api"), standing("otel"), standing("codex")),
            (Standing::Live, Standing::Silent, Standing::Refused)
        );
    }

    #[test]
    fn every_known_source_is_there_and_unknown_ones_besides() {
        let cards = cards(vec![row("tomorrow", 0)], Watcher::Running, Vec::new());
        let asked = known::ALL.iter().filter(|known| known.kind == SourceKind::Asked).count();
        assert_eq!(cards.len(), known::ALL.len() - asked, "all but the demo and who is only asked, and one more");
        assert_eq!(of(&cards, "tomorrow").kind, SourceKind::Unknown);
        assert!(cards.iter().all(|card| !card.words.is_empty() && !card.token_rule.is_empty()));
        assert!(cards.iter().all(|card| card.name != "demo"));
    }

    #[test]
    fn files_that_are_followed_are_silent_and_a_watcher_that_ended_is_an_error() {
        let root = WatchedRoot { source: "codex".to_owned(), path: "~/.codex".to_owned(), files: 2 };
        let followed = cards(Vec::new(), Watcher::Running, vec![root.clone()]);
        assert_eq!(of(&followed, "codex").standing, Standing::Silent);
        assert_eq!(of(&followed, "codex").roots, [root]);
        assert_eq!(of(&followed, "kilo").standing, Standing::NeverStarted);
        let ended = cards(vec![row("codex", 0)], Watcher::Ended, Vec::new());
        assert_eq!(
            (of(&ended, "codex").standing, of(&ended, "api").standing),
            (Standing::Error, Standing::NeverStarted)
        );
    }

    #[test]
    fn what_the_database_measured_is_told_by_the_servers_clock() {
        let ahead = SourceRow { read_at: NOW.plus_seconds(3), ..row("api", 10_000) };
        let all = cards(vec![ahead], Watcher::Off, Vec::new());
        let card = of(&all, "api");
        assert_eq!((card.lag_ms, card.last_heard), (Some(2_000), Some(NOW.plus_seconds(-10))));
    }
}
