//! Whether the page is live: a shape and a word in the header, a banner when figures are old.

use leptos::prelude::*;

use crate::live::{Link, Live};

/// The state of the link: never by colour alone.
#[component]
pub(crate) fn LinkStatus(live: Live) -> impl IntoView {
    let state = move || match live.link.get() {
        Link::Connecting => "connecting",
        Link::Live => "live",
        Link::Degraded { .. } => "degraded",
        Link::Stale { .. } => "stale",
        Link::Down { .. } => "down",
    };
    // Screen readers hear changes of the word, not every second.
    let word = Memo::new(move |_| live.link.get().word());
    let title = move || {
        live.build()
            .map_or_else(|| "The live link to the server".to_owned(), |b| format!("The live link to Towngauge {b}"))
    };
    view! {
        <span class="link" data-link=state title=title>
            <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
                <circle class="sign-live" cx="6" cy="6" r="4.5"/>
                <circle class="sign-connecting" cx="6" cy="6" r="4"/>
                <path class="sign-stale" d="M6 1 11.2 10.5H.8z"/>
                <path class="sign-down" d="M2 2l8 8M10 2l-8 8"/>
            </svg>
            <span aria-hidden="true">{move || live.link.get().text()}</span>
            <span class="visually-hidden" role="status">{word}</span>
        </span>
    }
}

/// Says that the figures are old. Always in the page, so that it takes no room it did not have.
#[component]
pub(crate) fn LinkBanner(live: Live) -> impl IntoView {
    let text = move || {
        let age = live.link.get().age().map(|age| format!(" The figures are from {age}.")).unwrap_or_default();
        match live.link.get() {
            Link::Connecting | Link::Live => None,
            Link::Degraded { .. } => Some(format!(
                "The server has lost its database: nothing new is stored, and senders are told to come back.{age}"
            )),
            Link::Stale { .. } => Some(format!("Nothing was heard from the server for a while.{age}")),
            Link::Down { retry_s, .. } => {
                let retry =
                    if retry_s > 0 { format!(" Next attempt in {retry_s} s.") } else { " Trying now.".to_owned() };
                Some(format!("The server cannot be reached.{age}{retry}"))
            }
        }
    };
    view! { {move || text().map(|text| view! { <p class="banner" data-kind="link">{text}</p> })} }
}
