//! How a town's sources stand, as the Sources page shows it and as the server fills it in.

use model::Nanodollars;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::reader::WatchedRoot;

/// All sources of a town, at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourcesPage {
    /// The server's clock when this was read.
    pub at: Timestamp,
    /// Every source that ever sent something, and every other that this version knows.
    pub sources: Vec<SourceCard>,
    /// Machines that ship their events here, by name.
    pub machines: Vec<Machine>,
    /// How many there are altogether.
    pub machines_known: usize,
    /// Models that calls were made with and that no price is known of.
    pub unpriced: Vec<UnpricedModel>,
}

/// Whether a source works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Something came within the last minutes.
    Live,
    /// It is connected, and nothing came for a while.
    Silent,
    /// It is heard, and what came last was refused or could not be read.
    Refused,
    /// It cannot be heard.
    Error,
    /// Nothing ever came.
    NeverStarted,
}

impl Standing {
    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Error => "error",
            Self::NeverStarted => "never_started",
        }
    }

    /// As on the page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Silent => "Silent",
            Self::Refused => "Refused",
            Self::Error => "Error",
            Self::NeverStarted => "Never started",
        }
    }
}

/// How events come from a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Files that grow are read.
    FileTail,
    /// OpenTelemetry is received.
    Otlp,
    /// JSON is posted.
    Http,
    /// A program on the server's machine is asked.
    Asked,
    /// Made up.
    Demo,
    /// This version does not know it; another one wrote it.
    Unknown,
}

impl SourceKind {
    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FileTail => "file_tail",
            Self::Otlp => "otlp",
            Self::Http => "http",
            Self::Asked => "asked",
            Self::Demo => "demo",
            Self::Unknown => "unknown",
        }
    }

    /// As on the page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::FileTail => "files",
            Self::Otlp => "OpenTelemetry",
            Self::Http => "posted JSON",
            Self::Asked => "asked",
            Self::Demo => "made up",
            Self::Unknown => "unknown to this version",
        }
    }
}

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceCard {
    /// Its name in the store.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// How its events come.
    pub kind: SourceKind,
    /// Whether it works.
    pub standing: Standing,
    /// Why it stands so, in a sentence.
    pub words: String,
    /// Time of its newest event, by its own clock.
    pub last_event: Option<Timestamp>,
    /// When anything came last, by the server's clock.
    pub last_heard: Option<Timestamp>,
    /// Items per second over the last minute; none while that is not known.
    pub per_s: Option<f64>,
    /// How old the newest event of the last batch was when it was stored, in milliseconds.
    pub lag_ms: Option<i64>,
    /// Items that came: `stored + duplicate + rejected`, always.
    pub received: i64,
    /// Of these: in the store.
    pub stored: i64,
    /// Of these: known before, or replaced by a better report.
    pub duplicate: i64,
    /// Of these: refused.
    pub rejected: i64,
    /// The newest refused items.
    pub refused: Vec<RefusedItem>,
    /// Names that nobody understood: the most frequent, with how often each came.
    pub unmapped: Vec<(String, i64)>,
    /// How many such names there are.
    pub unmapped_names: i64,
    /// What agents said that their calls cost, and what the price book says of the same calls.
    pub costs: Option<(Nanodollars, Nanodollars)>,
    /// Which counts include which, and what is done about it.
    pub token_rule: String,
    /// What a tool's latency from here includes; none where no tools come from.
    pub latency_rule: Option<String>,
    /// What is watched on this machine.
    pub roots: Vec<WatchedRoot>,
    /// Which [`Guide`] says how to connect it.
    pub guide: Option<String>,
}

impl SourceCard {
    /// Both costs, if there is anything to compare.
    #[must_use]
    pub fn drift(&self) -> Option<model::drift::Drift> {
        let (reported, computed) = self.costs?;
        model::drift::Drift::of(reported, computed)
    }
}

/// An item that was refused; never its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedItem {
    /// When, by the server's clock.
    pub at: Timestamp,
    /// File and line, or number in the request.
    pub place: String,
    /// Why.
    pub reason: String,
}

/// Whether a machine is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineStanding {
    /// It was heard a moment ago.
    Connected,
    /// Its signs of life are missing.
    Stale,
}

impl MachineStanding {
    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Stale => "stale",
        }
    }

    /// As on the page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connected => "Connected",
            Self::Stale => "Stale",
        }
    }
}

/// A machine that ships its events here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Made with its state folder; names need not differ.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Kind of machine, and its version of Towngauge.
    pub about: String,
    /// Whether it is heard.
    pub standing: MachineStanding,
    /// What there is to say about that; may be empty.
    pub words: String,
    /// When it was heard last, by the server's clock.
    pub last_heard: Timestamp,
    /// Bytes that waited on its disk when it was heard last.
    pub waiting_bytes: u64,
    /// When the oldest of them was read, by its own clock.
    pub oldest: Option<Timestamp>,
    /// Items that came: in the store, known before, refused.
    pub came: [i64; 3],
    /// What this server refused for good and the machine put aside.
    pub parked: u64,
}

impl Machine {
    /// Received, and of these stored, duplicate and rejected.
    #[must_use]
    pub const fn counts(&self) -> [i64; 4] {
        let [stored, duplicate, rejected] = self.came;
        [stored.saturating_add(duplicate).saturating_add(rejected), stored, duplicate, rejected]
    }
}

/// A model without a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpricedModel {
    /// As agents call it.
    pub model: String,
    /// Calls.
    pub calls: i64,
    /// Tokens of all kinds.
    pub tokens: i64,
    /// The command that adds a price.
    pub command: String,
}

/// How to connect one agent or tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    /// What the page's anchors and tests call it.
    pub id: String,
    /// The agent or tool.
    pub title: String,
    /// What happens without doing anything, or what this brings.
    pub about: String,
    /// What to paste, each in at most five lines.
    pub steps: Vec<Step>,
    /// The names of the sources that it connects.
    pub sources: Vec<String>,
}

/// Something to paste.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Where it goes.
    pub label: String,
    /// The text.
    pub text: String,
}
