//! What `frontend` hydrates: the pages, from the seed of the document that the browser shows.

use leptos::prelude::*;

pub use crate::page::live::LivePage;
pub use crate::page::machine::MachineView;
pub use crate::page::notice::NoticePage;
pub use crate::page::observability::ObservabilityPage;
pub use crate::page::overview::OverviewPage;
pub use crate::page::sources::SourcesView;
pub use crate::page::tank::TankPage;
pub use crate::page::towns::TownsPage;
pub use crate::seed::take;

/// Which client the document asks for: the name of a `Client`.
#[must_use]
pub fn client() -> String {
    document().body().and_then(|body| body.get_attribute("data-client")).unwrap_or_default()
}
