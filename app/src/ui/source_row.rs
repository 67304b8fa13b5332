//! One source: its standing and figures in a line, and what is behind them when it is opened.

use leptos::prelude::*;
use model::format::ago;
use wasm_bindgen::JsCast;

use super::identity::{IdentityColumns, cell, identity};
use super::source_details::SourceDetails;
use super::source_words as words;
use crate::live::Live;
use crate::roll::Roll;
use crate::sources::{SourceCard, Standing};

/// The source as of the last reading; none when it is gone.
pub(super) type Card = Memo<Option<SourceCard>>;

/// Reads a part of the card. Tracked.
pub(super) fn part<T: Default>(card: Card, read: impl Fn(&SourceCard) -> T) -> T {
    card.with(|card| card.as_ref().map(read).unwrap_or_default())
}

/// What stands over the columns; each cell says it again for who does not see them.
#[component]
pub(crate) fn SourceColumns() -> impl IntoView {
    view! {
        <div class="source-columns source-grid" aria-hidden="true">
            <span>"Source"</span>
            <span>"State"</span>
            <span class="number">"Last event"</span>
            <span class="number">"Events/s"</span>
            <IdentityColumns/>
            <span class="number">"Lag"</span>
            <span class="number">"Drift"</span>
        </div>
    }
}

/// Closes what is open, and leaves the focus on the line.
fn close_on_escape(event: leptos::ev::KeyboardEvent) {
    if event.key() != "Escape" {
        return;
    }
    let details = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(details) = details.filter(|details| details.has_attribute("open")) else { return };
    // Fails only where there is no such attribute.
    let _ = details.remove_attribute("open");
    let summary = details.query_selector("summary").ok().flatten();
    if let Some(summary) = summary.and_then(|summary| summary.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = summary.focus();
    }
}

/// A line that opens.
#[component]
pub(crate) fn SourceRow(
    /// What the page knows.
    roll: Roll,
    /// The town's live state, for its clock.
    live: Live,
    /// The source's name.
    name: String,
) -> impl IntoView {
    let key = name.clone();
    let card: Card = Memo::new(move |_| roll.card(&name));
    let standing = move || card.with(|card| card.as_ref().map_or(Standing::NeverStarted, |card| card.standing));
    let last_event = Signal::derive(move || {
        let at = part(card, |card| card.last_event);
        at.map_or_else(|| "–".to_owned(), |at| ago(live.now.get().micros_since(at) / 1_000_000))
    });
    let lag = Signal::derive(move || part(card, |card| card.lag_ms).map_or_else(|| "–".to_owned(), words::lag));
    let rate = Signal::derive(move || words::per_s(part(card, |card| card.per_s)));
    let counts = Signal::derive(move || part(card, |card| [card.received, card.stored, card.duplicate, card.rejected]));
    let drift = move || card.with(|card| card.as_ref().and_then(SourceCard::drift));
    view! {
        <li class="source" data-source=key data-standing=move || standing().name()>
            <details on:keydown=close_on_escape>
                <summary class="source-grid">
                    <span class="source-name">
                        <strong>{move || part(card, |card| card.title.clone())}</strong>
                        <span class="unit">{move || part(card, words::subtitle)}</span>
                    </span>
                    <span class="standing" data-standing=move || standing().name()>{move || standing().label()}</span>
                    {cell("last-event", "Last event", last_event)}
                    {cell("rate", "Events/s", rate)}
                    {identity(counts)}
                    {cell("lag", "Lag", lag)}
                    <span class="cell number drift" data-cell="drift" data-warn=move || drift().is_some_and(|drift| drift.warns()).to_string()>
                        <span class="k">"Drift"</span>
                        {move || drift().map_or_else(|| "–".to_owned(), words::percent)}
                        {move || drift().filter(|drift| drift.warns()).map(|_| view! { <span class="visually-hidden">" warning: reported and computed cost differ"</span> })}
                    </span>
                </summary>
                <SourceDetails card live/>
            </details>
        </li>
    }
    .into_any()
}
