//! Observability: zoomable timeseries on one time axis.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::live::Live;

/// Five charts.
#[component]
pub(crate) fn Observability() -> impl IntoView {
    let live = use_context::<Live>().unwrap_or_else(Live::new);
    let title = move || live.town.get().map(|town| format!("Observability · {town}")).unwrap_or_default();
    view! {
        <Title text=title/>
        <main id="main" class="page observability">
            <h1 class="visually-hidden">"Observability"</h1>
        </main>
    }
}
