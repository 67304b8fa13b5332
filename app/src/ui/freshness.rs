//! How old figures are that a page reads again, and why when they are older than they should be.

use leptos::prelude::*;
use model::format::ago;

use crate::live::Live;
use crate::poll::{Dated, Poll};
use crate::reader::ReadError;
use crate::truth::Truth;

/// `Read 3 s ago`, or that it could not be read and from when the figures are.
#[component]
pub(crate) fn Freshness<T: Dated>(poll: Poll<T>, live: Live) -> impl IntoView {
    let truth = poll.truth(live);
    let text = move || match (truth.get(), poll.age_s(live)) {
        (Truth::Down(_), Some(age)) => format!("Link down; these figures are from {}", ago(age)),
        (Truth::Degraded(_), Some(age)) => format!("Database lost; these figures are from {}", ago(age)),
        (Truth::Failed(_), Some(age)) => format!("Not refreshed; these figures are from {}", ago(age)),
        (_, Some(age)) => format!("Read {}", ago(age)),
        (_, None) => "Not read yet; trying again".to_owned(),
    };
    // Screen readers hear that it changed, not every second.
    let word = Memo::new(move |_| match poll.failed.get() {
        None => "Figures are fresh",
        Some(ReadError::UnknownTown(_)) => "The server no longer knows this town",
        Some(ReadError::Unavailable | ReadError::Unreachable) => "Figures could not be refreshed; trying again",
    });
    view! {
        <span class="freshness" data-stale=move || truth.get().is_old().to_string()>
            <span aria-hidden="true">{move || truth.get().sign()}{text}</span>
            <span class="visually-hidden" role="status">{word}</span>
        </span>
    }
}
