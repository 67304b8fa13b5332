//! States of pages and parts: loading, empty, failed; and what the viewer asked of motion.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::reader::ReadError;

/// Whether the viewer asked for less motion. Runs in the browser.
pub(crate) fn reduced_motion() -> bool {
    window().match_media("(prefers-reduced-motion: reduce)").ok().flatten().is_some_and(|query| query.matches())
}

/// A place whose data are truly pending.
#[component]
pub(crate) fn Pending(
    /// What is being waited for.
    what: &'static str,
) -> impl IntoView {
    view! { <div class="pending" role="status"><span class="visually-hidden">{format!("Loading {what}")}</span></div> }
}

/// Nothing to show, and what would fill it.
#[component]
pub(crate) fn Empty(
    /// What is missing, in a few words.
    title: &'static str,
    /// What would fill it.
    hint: &'static str,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">{title}</p>
            <p class="empty-hint">{hint}</p>
        </div>
    }
}

/// A page that could not be read, with what to do.
#[component]
pub(crate) fn Failed(
    /// Why.
    error: ReadError,
    /// Tries again.
    #[prop(into)]
    retry: Callback<()>,
) -> impl IntoView {
    crate::api::set_status(match error {
        ReadError::UnknownTown(_) => 404,
        ReadError::Unavailable => 503,
    });
    match error {
        ReadError::UnknownTown(name) => view! {
            <Title text="No such town"/>
            <section class="notice">
                <h1>{format!("There is no town \u{201c}{name}\u{201d}")}</h1>
                <p>"A town appears with its first event. Check the spelling, or look at the towns there are."</p>
                <p><a class="button" href="/">"All towns"</a></p>
            </section>
        }
        .into_any(),
        ReadError::Unavailable => view! {
            <Title text="Store unavailable"/>
            <section class="notice" role="alert">
                <h1>"The store does not answer"</h1>
                <p>"The server keeps trying; its log says why. Nothing that was acknowledged is lost."</p>
                <p><button class="button" on:click=move |_| retry.run(())>"Try again"</button></p>
            </section>
        }
        .into_any(),
    }
}
