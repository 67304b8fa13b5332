//! How old figures are that a page reads again, and why when they are older than they should be.

use leptos::prelude::*;
use model::format::ago;

use crate::live::Live;
use crate::poll::{Dated, Poll};
use crate::reader::ReadError;

/// `Read 3 s ago`, or that it could not be read and from when the figures are.
#[component]
pub(crate) fn Freshness<T: Dated>(poll: Poll<T>, live: Live) -> impl IntoView {
    let text = move || match (poll.failed.get(), poll.age_s(live)) {
        (None, Some(age)) => format!("Read {}", ago(age)),
        (Some(_), Some(age)) => format!("Not refreshed; these figures are from {}", ago(age)),
        (_, None) => "Not read yet; trying again".to_owned(),
    };
    // Screen readers hear that it changed, not every second.
    let word = Memo::new(move |_| match poll.failed.get() {
        None => "Figures are fresh",
        Some(ReadError::UnknownTown(_)) => "The server no longer knows this town",
        Some(ReadError::Unavailable) => "Figures could not be refreshed; trying again",
    });
    view! {
        <span class="freshness" data-stale=move || poll.is_stale().to_string()>
            <span aria-hidden="true">{text}</span>
            <span class="visually-hidden" role="status">{word}</span>
        </span>
    }
}
