//! One reading of a strip: its name, its value, and what it means, a hover or a Tab away.

use leptos::prelude::*;

/// A name and a value in a `<dl class="readings">`.
#[component]
pub(crate) fn Reading(
    /// Its name.
    label: &'static str,
    /// What it says now.
    #[prop(into)]
    value: Signal<String>,
    /// What it means.
    about: &'static str,
    /// Whether it is something wrong.
    #[prop(into, default = Signal::stored(false))]
    bad: Signal<bool>,
) -> impl IntoView {
    view! {
        <div class="reading" class:bad=move || bad.get() tabindex="0">
            <dt>{label}</dt>
            <dd>{value}</dd>
            <dd class="about">{about}</dd>
        </div>
    }
}
