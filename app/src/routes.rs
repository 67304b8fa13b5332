//! The routes. A town's tabs are children of one page, so that its socket lives on from tab to tab.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::page::not_found::NotFound;
use crate::page::observability::Observability;
use crate::page::overview::Overview;
use crate::page::town::TownPage;
use crate::page::towns::TownsPage;
use crate::ui::theme_toggle::provide_mode;
use crate::zone::provide_zone;

/// The app. Rendered whole on the server (no streaming), so that the first paint carries real numbers.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_zone();
    provide_mode();
    view! {
        <Title formatter=|text: String| if text.is_empty() { "Towngauge".to_owned() } else { format!("{text} · Towngauge") }/>
        <a class="skip" href="#main">"Skip to content"</a>
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("") view=TownsPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("t/:town") view=TownPage ssr=SsrMode::Async>
                    <Route path=path!("") view=Overview/>
                    <Route path=path!("observability") view=Observability/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
