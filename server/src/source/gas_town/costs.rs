//! Gas Town's `costs.jsonl`: running totals per session, written at every turn. They attribute and compare; they are
//! never summed as cost (FORMATS 1.2).

use std::io;
use std::path::{Path, PathBuf};

use model::event::{CostSnapshot, Envelope, Event};
use model::id::{AgentName, BeadId, EventKey, NameError, RigName, Role, SessionId, SourceName};
use model::time::Timestamp;
use model::unit::Nanodollars;

use crate::ingest::Rejection;
use crate::source::file_source::{FileSource, Reading};
use crate::source::found::{self, Found};
use crate::source::tail::{self, Piece};
use crate::source::{LineReader, Spot, Yield, api, environment, identity};

/// The name of this source.
const SOURCE: &str = "gas_town_costs";

/// Gas Town's `costs.jsonl`: append-only, but rewritten when a day is taken out of it.
#[derive(Debug, Clone, Copy)]
pub struct Costs;

impl FileSource for Costs {
    fn name(&self) -> &'static str {
        SOURCE
    }
    fn word(&self) -> &'static str {
        "gas-town-costs"
    }
    fn about(&self) -> &'static str {
        "Gas Town's costs.jsonl"
    }
    fn roots(&self) -> Vec<PathBuf> {
        let home = environment::path("GT_HOME").or_else(environment::home);
        home.map(|home| home.join(".gt").join("costs.jsonl")).filter(|costs| costs.is_file()).into_iter().collect()
    }
    fn owns(&self, path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "jsonl")
    }
    fn files(&self, path: &Path) -> io::Result<Found> {
        found::one(path)
    }
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let mut open = |_: Option<&str>| -> Box<dyn LineReader> { Box::new(CostsFile::new(reading.file_name())) };
        tail::read(reading.path, reading.from, reading.last_line, &mut open, emit)
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct CostsLine {
    /// When the turn ended.
    pub at: Timestamp,
    /// The tmux session, which is the agent's in Gas Town.
    pub session: SessionId,
    /// Its role.
    pub role: Role,
    /// Its rig.
    pub rig: Option<RigName>,
    /// The agent (`worker`).
    pub agent: Option<AgentName>,
    /// What it worked on.
    pub bead: Option<BeadId>,
    /// What the session cost so far.
    pub total: Nanodollars,
}

impl CostsLine {
    /// The event that the line is.
    ///
    /// # Errors
    /// The source's name is refused, which does not happen.
    pub fn envelope(self) -> Result<Envelope, NameError> {
        let part = |name: Option<&str>| name.unwrap_or_default().as_bytes().to_vec();
        let key = identity::hash(
            "gas town costs",
            &[
                self.session.as_str().as_bytes(),
                &self.total.0.to_le_bytes(),
                &part(self.bead.as_ref().map(BeadId::as_str)),
                &part(self.agent.as_ref().map(AgentName::as_str)),
            ],
        );
        Ok(Envelope {
            at: self.at,
            key: EventKey(key),
            claim: None,
            source: SourceName::new(SOURCE)?,
            rig: self.rig,
            role: self.role,
            agent: self.agent,
            session: Some(self.session),
            bead: self.bead,
            event: Event::CostSnapshot(CostSnapshot { total: self.total }),
        })
    }
}

/// What a session cost in all, from its running totals in the order of time: a drop begins a new conversation, whose
/// total comes on top.
#[must_use]
pub fn reported_total(totals: impl IntoIterator<Item = Nanodollars>) -> Nanodollars {
    let (mut before, mut last) = (Nanodollars::ZERO, Nanodollars::ZERO);
    for total in totals {
        if total < last {
            before += last;
        }
        last = total;
    }
    before + last
}

/// Reads the file line by line; nothing needs to be remembered.
#[derive(Debug)]
pub struct CostsFile {
    name: String,
}

impl CostsFile {
    /// A reader for the file of that name.
    #[must_use]
    pub const fn new(name: String) -> Self {
        Self { name }
    }
}

impl LineReader for CostsFile {
    fn line(&mut self, line: &[u8], spot: Spot, out: &mut Yield) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        match api::parse_item(spot.line, line) {
            Ok(item) if matches!(item.envelope.event, Event::CostSnapshot(_)) => out.events.push(item.envelope),
            Ok(_) => out.rejected.push(Rejection {
                place: format!("{}:{}", self.name, spot.line),
                reason: "not a line of costs.jsonl".to_owned(),
            }),
            Err(rejection) => {
                out.rejected.push(Rejection { place: format!("{}:{}", self.name, spot.line), reason: rejection.reason })
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
    fn a_drop_begins_a_new_conversation() {
        let check = |totals: &[i64], want: i64| {
            assert_eq!(reported_total(totals.iter().copied().map(Nanodollars)), Nanodollars(want), "{totals:?}");
        };
        check(&[], 0);
        check(&[5, 7, 7, 9], 9);
        check(&[5, 9, 2, 3], 12);
        check(&[5, 0, 0, 4], 9);
    }

    #[test]
    fn lines_of_every_shape_are_read() {
        let text = r#"{"session_id":"hq-mayor","role":"mayor","worker":"mayor","cost_usd":6.49,"ended_at":"2026-02-26T18:21:35.10899-05:00"}
{"session_id":"gt-toast","role":"polecat","rig":"gastown","worker":"toast","cost_usd":0.407918,"ended_at":"2026-02-26T18:22:36Z","work_item":"gt-69dai"}
{"session_id":"hq-dog-alpha","role":"unknown","worker":"alpha","cost_usd":0,"ended_at":"2026-02-26T18:36:36.10899-05:00"}
{"session_id":"x","cost_usd":"secret","ended_at":"2026-02-26T18:36:36Z"}
nonsense"#;
        let mut out = Yield::default();
        let mut file = CostsFile::new("costs.jsonl".into());
        for (line, number) in text.lines().zip(1..) {
            file.line(line.as_bytes(), Spot { line: number, offset: 0 }, &mut out);
        }
        let who: Vec<_> = out.events.iter().map(|e| (e.role, e.agent.as_ref().map_or("", |a| a.as_str()))).collect();
        assert_eq!(who, [(Role::Mayor, "mayor"), (Role::Polecat, "toast"), (Role::Other, "alpha")]);
        assert_eq!(out.events[1].bead.as_ref().map(BeadId::as_str), Some("gt-69dai"));
        let places: Vec<_> = out.rejected.iter().map(|r| r.place.as_str()).collect();
        assert_eq!(places, ["costs.jsonl:4", "costs.jsonl:5"]);
    }
}
