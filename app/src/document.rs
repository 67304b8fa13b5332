//! The documents that the server can answer with: one per page, with its title and its seed.

use leptos::prelude::*;
use model::TownName;

use crate::page::live::LivePage;
use crate::page::machine::MachineView;
use crate::page::notice::{Notice, NoticePage};
use crate::page::observability::ObservabilityPage;
use crate::page::overview::OverviewPage;
use crate::page::sources::SourcesView;
use crate::page::tank::TankPage;
use crate::page::towns::TownsPage;
use crate::seed::{ChartsSeed, LiveSeed, MachineSeed, SourcesSeed, TankSeed, TownSeed, TownsSeed, spell};

/// One page with its data.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// `/`
    Towns(TownsSeed),
    /// `/t/{town}`
    Overview(TownSeed),
    /// `/t/{town}/live`
    Live(Box<LiveSeed>),
    /// `/t/{town}/observability`
    Observability(ChartsSeed),
    /// `/t/{town}/machine`
    Machine(MachineSeed),
    /// `/t/{town}/sources`
    Sources(SourcesSeed),
    /// `/t/{town}/tank`
    Tank(Box<TankSeed>),
    /// Instead of a page.
    Notice(Notice),
}

impl Document {
    /// Which client takes it over.
    #[must_use]
    pub const fn client(&self) -> Client {
        match self {
            Self::Towns(_) | Self::Notice(_) => Client::Towns,
            Self::Overview(_) => Client::Overview,
            Self::Live(_) => Client::Live,
            Self::Observability(_) => Client::Observability,
            Self::Machine(_) => Client::Machine,
            Self::Sources(_) => Client::Sources,
            Self::Tank(_) => Client::Tank,
        }
    }

    /// What the browser's tab says.
    #[must_use]
    pub fn title(&self) -> String {
        let page = match self {
            Self::Towns(_) => "Towns",
            Self::Overview(_) => "",
            Self::Live(_) => "Live",
            Self::Observability(_) => "Observability",
            Self::Machine(_) => "Machine",
            Self::Sources(_) => "Sources",
            Self::Tank(_) => "Tanks",
            Self::Notice(notice) => notice.title(),
        };
        let parts = [Some(page).filter(|page| !page.is_empty()), self.town().map(TownName::as_str), Some("Towngauge")];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// The town that the page is about; none where it is about none, or about one that could not be shown.
    pub(crate) fn town(&self) -> Option<&TownName> {
        match self {
            Self::Towns(_) | Self::Notice(_) => None,
            Self::Overview(seed) => Some(&seed.snapshot.town),
            Self::Live(seed) => Some(&seed.town.snapshot.town),
            Self::Observability(seed) => Some(&seed.town.snapshot.town),
            Self::Machine(seed) => Some(&seed.town.snapshot.town),
            Self::Sources(seed) => Some(&seed.town.snapshot.town),
            Self::Tank(seed) => Some(&seed.town.snapshot.town),
        }
    }

    /// Seconds after which the browser asks again by itself.
    pub(crate) const fn retry_s(&self) -> Option<u32> {
        match self {
            Self::Notice(notice) => notice.retry_s(),
            Self::Towns(_)
            | Self::Overview(_)
            | Self::Live(_)
            | Self::Observability(_)
            | Self::Machine(_)
            | Self::Sources(_)
            | Self::Tank(_) => None,
        }
    }

    pub(crate) fn seed(&self) -> String {
        match self {
            Self::Towns(seed) => spell(seed),
            Self::Overview(seed) => spell(seed),
            Self::Live(seed) => spell(&**seed),
            Self::Observability(seed) => spell(seed),
            Self::Machine(seed) => spell(seed),
            Self::Sources(seed) => spell(seed),
            Self::Tank(seed) => spell(&**seed),
            Self::Notice(notice) => spell(notice),
        }
    }

    pub(crate) fn view(self) -> AnyView {
        match self {
            Self::Towns(seed) => view! { <TownsPage seed/> }.into_any(),
            Self::Overview(seed) => view! { <OverviewPage seed/> }.into_any(),
            Self::Live(seed) => view! { <LivePage seed=*seed/> }.into_any(),
            Self::Observability(seed) => view! { <ObservabilityPage seed/> }.into_any(),
            Self::Machine(seed) => view! { <MachineView seed/> }.into_any(),
            Self::Sources(seed) => view! { <SourcesView seed/> }.into_any(),
            Self::Tank(seed) => view! { <TankPage seed=*seed/> }.into_any(),
            Self::Notice(notice) => view! { <NoticePage notice/> }.into_any(),
        }
    }
}

/// The clients: one WASM module per page, so that nobody loads what another page needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    /// Takes over the towns page and notices.
    Towns,
    /// Takes over a town's overview.
    Overview,
    /// Takes over a town's Live page.
    Live,
    /// Takes over a town's charts.
    Observability,
    /// Takes over a town's machines.
    Machine,
    /// Takes over a town's sources.
    Sources,
    /// Takes over a town's tanks.
    Tank,
}

impl Client {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Towns, Self::Overview, Self::Live, Self::Observability, Self::Machine, Self::Sources, Self::Tank];

    /// Name of its module, of `frontend`'s feature, and of the document's `data-client`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Towns => "towns",
            Self::Overview => "overview",
            Self::Live => "live",
            Self::Observability => "observability",
            Self::Machine => "machine",
            Self::Sources => "sources",
            Self::Tank => "tank",
        }
    }
}
