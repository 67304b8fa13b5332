//! States of parts: empty; and what the viewer asked of motion.

use leptos::prelude::*;

/// Whether the viewer asked for less motion. Runs in the browser.
pub(crate) fn reduced_motion() -> bool {
    window().match_media("(prefers-reduced-motion: reduce)").ok().flatten().is_some_and(|query| query.matches())
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
