//! What an instrument says of itself besides its values, beside its name: that it is old, and why.

use leptos::prelude::*;

use crate::truth::Truth;

/// A sign and a few words; nothing while the instrument shows the present.
#[component]
pub(crate) fn TruthMark(truth: Memo<Truth>) -> impl IntoView {
    move || {
        let truth = truth.get();
        truth
            .text()
            .map(|text| view! { <span class="truth"><span aria-hidden="true">{truth.sign()}</span>{text}</span> })
    }
}
