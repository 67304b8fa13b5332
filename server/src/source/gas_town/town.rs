//! A town's own records as a source of files: `.events.jsonl`, heartbeats, and which accounts are limited.

use std::io;
use std::path::{Path, PathBuf};

use model::time::Timestamp;

use super::SOURCE;
use super::event::{self, Said};
use super::heartbeat;
use super::member::Rigs;
use super::quota;
use crate::ingest::Rejection;
use crate::source::beads::town_root;
use crate::source::file_source::{FileSource, Reading, changed_at};
use crate::source::found::{self, Found};
use crate::source::tail::{self, Piece};
use crate::source::{LineReader, Spot, Yield, whole};

/// Its events.
const EVENTS: &str = ".events.jsonl";
/// Below the town: a file per tmux session.
const HEARTBEATS: &str = ".runtime/heartbeats";
/// Its accounts.
const QUOTA: &str = "mayor/quota.json";

/// A Gas Town: its events (append-only, now and then pruned by rewriting: then read anew), its heartbeats, and
/// its accounts.
#[derive(Debug, Clone, Copy)]
pub struct Town;

impl FileSource for Town {
    fn name(&self) -> &'static str {
        SOURCE
    }
    fn word(&self) -> &'static str {
        "gas-town"
    }
    fn about(&self) -> &'static str {
        "a Gas Town's folder: its .events.jsonl, heartbeats and limited accounts"
    }
    fn roots(&self) -> Vec<PathBuf> {
        town_root().map(|town| parts(&town)).unwrap_or_default()
    }
    fn owns(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| name == EVENTS) || is_heartbeat(path) || path.ends_with(QUOTA)
    }
    /// A whole town is large: only its own records are looked at.
    fn files(&self, path: &Path) -> io::Result<Found> {
        let parts = if path.is_dir() && !path.ends_with(HEARTBEATS) { parts(path) } else { vec![path.to_owned()] };
        let mut all = Found::default();
        for part in parts {
            let found = found::under(&part, &|file| self.owns(file))?;
            all.files.extend(found.files);
            all.unreadable.extend(found.unreadable);
        }
        Ok(all)
    }
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let name = reading.file_name();
        if is_heartbeat(reading.path) {
            let rigs = reading.path.ancestors().nth(3).map(Rigs::of).unwrap_or_default();
            return whole::read(reading, emit, &|bytes, out| beat(bytes, &name, &rigs, out));
        }
        if reading.path.ends_with(QUOTA) {
            let at = changed_at(reading.path);
            return whole::read(reading, emit, &|bytes, out| accounts(bytes, at, &name, out));
        }
        let mut open = |_: Option<&str>| -> Box<dyn LineReader> {
            let rigs = reading.path.parent().map(Rigs::of).unwrap_or_default();
            Box::new(EventReader { name: name.clone(), rigs })
        };
        tail::read(reading.path, reading.from, reading.last_line, &mut open, emit)
    }
}

/// What there is of a town's records.
fn parts(town: &Path) -> Vec<PathBuf> {
    [town.join(EVENTS), town.join(HEARTBEATS), town.join(QUOTA)].into_iter().filter(|part| part.exists()).collect()
}

fn is_heartbeat(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
        && path.parent().is_some_and(|folder| folder.ends_with(HEARTBEATS))
}

fn beat(bytes: &[u8], name: &str, rigs: &Rigs, out: &mut Yield) {
    out.lines += 1;
    let session = name.strip_suffix(".json").unwrap_or(name);
    let Some(member) = rigs.member(session) else {
        out.ignored += 1;
        return;
    };
    match heartbeat::parse(bytes, session, member) {
        Ok(Some(event)) => out.events.push(event),
        Ok(None) => out.unknown += 1,
        Err(reason) => out.rejected.push(Rejection { place: name.to_owned(), reason: reason.into_owned() }),
    }
}

fn accounts(bytes: &[u8], at: Option<Timestamp>, name: &str, out: &mut Yield) {
    out.lines += 1;
    match at.map(|at| quota::parse(bytes, at)) {
        Some(Ok(Some(told))) => out.reading(told),
        Some(Ok(None)) | None => out.ignored += 1,
        Some(Err(reason)) => out.rejected.push(Rejection { place: name.to_owned(), reason: reason.into_owned() }),
    }
}

struct EventReader {
    name: String,
    rigs: Rigs,
}

impl LineReader for EventReader {
    fn line(&mut self, raw: &[u8], spot: Spot, out: &mut Yield) {
        let raw = raw.trim_ascii();
        if raw.is_empty() {
            return;
        }
        match event::parse(raw, &self.rigs) {
            Ok(Said::Event(event)) => out.events.push(*event),
            Ok(Said::Nothing) => out.ignored += 1,
            Ok(Said::Unknown) => out.unknown += 1,
            Err(reason) => {
                let place = format!("{}:{}", self.name, spot.line);
                out.rejected.push(Rejection { place, reason: reason.into_owned() });
            }
        }
    }
    fn memory(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_town_s_own_records_are_its_files() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            ".events.jsonl",
            ".feed.jsonl",
            ".runtime/heartbeats/gt-toast.json",
            ".runtime/x.json",
            "mayor/quota.json",
            "mayor/accounts.json",
            "gastown/.events.jsonl",
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let names = |path: &Path| -> Vec<String> {
            let files = Town.files(path).unwrap().files;
            files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().display().to_string()).collect()
        };
        assert_eq!(names(folder.path()), [".events.jsonl", ".runtime/heartbeats/gt-toast.json", "mayor/quota.json"]);
        assert_eq!(names(&folder.path().join(HEARTBEATS)), [".runtime/heartbeats/gt-toast.json"]);
    }

    /// The constructed samples of ../shared/fixtures, where they are at hand.
    #[test]
    fn every_sample_is_understood() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/gastown/events.constructed.jsonl");
        let Ok(text) = std::fs::read(&path) else {
            eprintln!("skipped: {} is not there", path.display());
            return;
        };
        let mut out = Yield::default();
        let mut reader = EventReader { name: "e".to_owned(), rigs: Rigs::default() };
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            reader.line(line, Spot { line: number, offset: 0 }, &mut out);
        }
        assert_eq!((out.events.len(), out.ignored, out.unknown, out.rejected.len()), (12, 13, 0, 0));
    }
}
