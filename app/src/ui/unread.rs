//! A strip that says that something could not be read, from when what is shown is, and tries again.

use leptos::prelude::*;
use model::format::ago;
use model::time::Timestamp;

use crate::live::Live;
use crate::reader::ReadError;

/// Nothing while `failed` is none. `what` begins the sentence: `The ledger`.
#[component]
pub(crate) fn Unread(
    what: &'static str,
    failed: RwSignal<Option<ReadError>>,
    read_at: RwSignal<Option<Timestamp>>,
    live: Live,
    again: Callback<()>,
) -> impl IntoView {
    let text = Memo::new(move |_| {
        failed.get().map(|error| match error {
            ReadError::UnknownTown(_) => "The server no longer knows this town.".to_owned(),
            ReadError::Unavailable => format!("{what} could not be read: the store does not answer."),
            ReadError::Unreachable => format!("{what} could not be read: the server cannot be reached."),
        })
    });
    // Apart from the words, so that screen readers do not hear every second.
    let age = move || {
        let age_s = live.now.get().micros_since(read_at.get()?) / 1_000_000;
        Some(format!(" What is shown is from {}. ", ago(age_s.max(0))))
    };
    view! {
        {move || text.get().map(|text| view! {
            <p class="banner" data-kind="link">
                <span role="alert">{text}</span>
                <span class="as-of">{age}</span>
                " "
                <button r#type="button" class="button" on:click=move |_| again.run(())>"Try again"</button>
            </p>
        })}
    }
}
