//! What a page comes with: read once by the server, rendered there, and handed to the browser in the same document, so
//! that both sides start from the same data. Each page has a type of its own: a page's client carries readers for no
//! other.

use leptos::prelude::*;
use model::event_line::EventPage;
use model::live_stats::LiveStats;
use model::wire::Snapshot;
use model::{TownName, Window};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::reader::{ChartsAsked, ChartsPage, MachinePage, ReadError, Setup, TankPage, TownCard};
use crate::sources::{Guide, SourcesPage, Step};
use crate::stream::EventFilter;

/// Element of the document that carries the seed.
pub(crate) const SEED_ID: &str = "seed";

/// Of the towns page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TownsSeed {
    /// Every town, by name.
    pub towns: Vec<TownCard>,
    /// For a server without data: how it is set up.
    pub setup: Option<Setup>,
}

/// Of every page of one town.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TownSeed {
    /// Its live state, the same that the first frame of `/live` carries.
    pub snapshot: Snapshot,
    /// All towns, for the switcher.
    pub towns: Vec<TownName>,
    /// What its first host uses: the message `perf_metrics` as the socket brings it. Empty without hosts.
    pub perf: String,
}

/// Of a town's Live page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSeed {
    /// The town.
    pub town: TownSeed,
    /// Everything besides the stream.
    pub stats: Result<LiveStats, ReadError>,
    /// The filter of the address.
    pub filter: EventFilter,
    /// The newest events that it lets through.
    pub events: Result<EventPage, ReadError>,
}

/// Of a town's charts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartsSeed {
    /// The town.
    pub town: TownSeed,
    /// What the address asks for.
    pub asked: ChartsAsked,
    /// Every chart of that.
    pub charts: Result<ChartsPage, ReadError>,
}

/// Of a town's sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourcesSeed {
    /// The town.
    pub town: TownSeed,
    /// How its sources stand.
    pub sources: Result<SourcesPage, ReadError>,
    /// How to connect each agent and tool.
    pub guides: Vec<Guide>,
    /// How to make the key that senders need; none where they need none.
    pub key: Option<Step>,
}

/// Of a town's machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineSeed {
    /// The town.
    pub town: TownSeed,
    /// The window of the address.
    pub window: Window,
    /// What they use, and used.
    pub page: Result<MachinePage, ReadError>,
    /// The command that has another machine read, for this town.
    pub connect: Step,
}

/// Of a town's tanks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TankSeed {
    /// The town.
    pub town: TownSeed,
    /// The band and the ledger.
    pub page: Result<TankPage, ReadError>,
}

/// As JSON that can stand in a document: nothing in it ends the element.
#[cfg(feature = "ssr")]
pub(crate) fn spell(seed: &impl Serialize) -> String {
    // Numbers, text and lists only: this cannot fail.
    serde_json::to_string(seed).unwrap_or_default().replace('<', "\\u003c")
}

/// The seed of the document that the browser shows. None when there is none: then the page stays as it was rendered.
#[must_use]
pub fn take<T: DeserializeOwned>() -> Option<T> {
    let element = document().get_element_by_id(SEED_ID)?;
    serde_json::from_str(&element.text_content()?).ok()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_seed_cannot_end_its_element() {
        let setup = Setup {
            town: TownName::new("home").unwrap(),
            watching: true,
            roots: Vec::new(),
            demo: None,
            guides: Vec::new(),
            key: Some(Step { label: String::new(), text: "</script><script>alert(1)</script><!--".into() }),
        };
        let seed = TownsSeed { towns: Vec::new(), setup: Some(setup) };
        let raw = spell(&seed);
        assert!(!raw.contains('<'), "{raw}");
        assert_eq!(serde_json::from_str::<TownsSeed>(&raw).unwrap(), seed);
    }
}
