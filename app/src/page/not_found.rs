//! The page for addresses that do not exist.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::ui::header::Header;

/// Says so, and where to go.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    crate::api::set_status(404);
    view! {
        <Title text="Not found"/>
        <Header/>
        <main id="main" class="page">
            <section class="notice">
                <h1>"There is no such page"</h1>
                <p>"A town has an Overview at /t/NAME and charts at /t/NAME/observability."</p>
                <p><a class="button" href="/">"All towns"</a></p>
            </section>
        </main>
    }
}
