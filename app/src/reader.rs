//! What the pages read. The server fills it in, so this crate never sees a database.

use model::Nanodollars;
use model::host::{HostHistory, OwnCost, PerfMetrics};
use model::id::{ToolName, TownName};
use model::runway::RunwayBand;
use model::series::{BeforePage, SeriesPage};
use model::time::{TimeRange, Timestamp, Window};
use model::wire::{BeadCounts, Gauges};
use serde::{Deserialize, Serialize};

use crate::panel::{HookCard, StopCard};
use crate::sources::{Guide, Step};

/// A town on the towns page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TownCard {
    /// Its name.
    pub name: TownName,
    /// Whether it is the made-up one.
    pub demo: bool,
    /// Its dials.
    pub gauges: Gauges,
    /// Its beads.
    pub beads: BeadCounts,
}

/// Which part of time a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesRange {
    /// The last hour, day, …, live at the right edge.
    Window(Window),
    /// From one instant to another.
    Between(TimeRange),
}

impl Default for SeriesRange {
    fn default() -> Self {
        Self::Window(Window::default())
    }
}

/// What the address of the Observability page asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChartsAsked {
    /// Which part of time.
    pub range: SeriesRange,
    /// Whose latency; none: that of all tools together.
    pub tool: Option<ToolName>,
    /// Whether the period before is shown too.
    pub before: bool,
}

/// Every chart of the Observability page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChartsPage {
    /// The server's clock when this was read.
    pub at: Timestamp,
    /// The charts, in the order of [`Metric::ALL`](model::series::Metric::ALL).
    pub charts: Vec<SeriesPage>,
    /// The same of the period before, where that was asked for.
    pub before: Vec<BeforePage>,
    /// The tools that were used most lately, to choose one from.
    pub tools: Vec<String>,
}

/// How this server is set up, for the page that says how to connect a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Town that local files are read into.
    pub town: TownName,
    /// Whether local files are watched at all.
    pub watching: bool,
    /// Folders that are watched, with the home folder written as `~`.
    pub roots: Vec<WatchedRoot>,
    /// Whether the demo town exists already.
    pub demo: Option<TownName>,
    /// How to connect each agent and tool.
    pub guides: Vec<Guide>,
    /// How to make the key that senders need; none where they need none.
    pub key: Option<Step>,
}

/// A folder that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedRoot {
    /// Which source reads it, such as `claude_code`.
    pub source: String,
    /// The folder.
    pub path: String,
    /// Files found in it.
    pub files: u64,
}

/// What a town's Tank page shows besides the live state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TankPage {
    /// How long the meter lasts by what was burnt in the last day.
    pub band: Option<RunwayBand>,
    /// When the next top-up is usual.
    pub next_topup: Option<Timestamp>,
    /// What the owner says a full tank holds; none: the balance right after the last top-up.
    pub capacity: Option<Nanodollars>,
    /// The newest ledger entries, newest first.
    pub entries: Vec<LedgerLine>,
    /// Entries there are altogether.
    pub total: i64,
    /// What stops agents at an empty tank, and who obeys.
    pub stop: Option<Box<StopCard>>,
    /// Who is told of alerts; none for readers who may not see it.
    pub webhooks: Option<Vec<HookCard>>,
}

/// An entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// When.
    pub at: Timestamp,
    /// A correction, or else a top-up.
    pub correction: bool,
    /// How much; corrections may be negative.
    pub amount: Nanodollars,
    /// Why.
    pub note: String,
}

/// Why a page could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ReadError {
    /// There is no such town.
    #[error("there is no town \"{0}\"")]
    UnknownTown(String),
    /// The store does not answer; the log has the reason.
    #[error("the store does not answer; the server keeps trying")]
    Unavailable,
    /// The server itself cannot be reached: only a browser sees this.
    #[error("the server cannot be reached")]
    Unreachable,
}

/// What a town's Machine page shows besides the live state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachinePage {
    /// The server's clock when this was read.
    pub at: Timestamp,
    /// The window of the charts.
    pub window: Window,
    /// Every host: the server's own first, then the others by name.
    pub hosts: Vec<PerfMetrics>,
    /// Their past.
    pub history: HostHistory,
    /// What the server itself costs.
    pub own: OwnCost,
}
