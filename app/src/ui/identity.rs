//! Cells that the rows of sources and of machines share. Each says its name too, for who does not see the columns.

use leptos::prelude::*;
use model::format::grouped;

/// The columns of [`identity`].
#[component]
pub(super) fn IdentityColumns() -> impl IntoView {
    view! {
        <span class="identity">
            <span>"Received"</span>
            <span>"= Stored"</span>
            <span>"+ Duplicate"</span>
            <span>"+ Rejected"</span>
        </span>
    }
}

/// Received, stored, duplicate, rejected: the first is the sum of the others.
pub(super) fn identity(counts: Signal<[i64; 4]>) -> AnyView {
    let labels = [("Received", ""), ("Stored", "="), ("Duplicate", "+"), ("Rejected", "+")];
    let count = |(at, (label, sign)): (usize, (&'static str, &'static str))| {
        let n = move || counts.with(|counts| counts[at]);
        view! {
            <span class="count" data-count=label class:some=move || n() != 0>
                <span class="k">{label}</span>
                <span class="sign" aria-hidden="true">{sign}</span>
                <span class="n">{move || grouped(n())}</span>
            </span>
        }
    };
    let counts = labels.into_iter().enumerate().map(count).collect_view();
    view! { <span class="identity">{counts}</span> }.into_any()
}

/// A figure.
pub(super) fn cell(name: &'static str, label: &'static str, text: Signal<String>) -> AnyView {
    view! { <span class="cell number" data-cell=name><span class="k">{label}</span>{text}</span> }.into_any()
}
