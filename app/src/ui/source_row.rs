//! One source: its standing and figures in a line, and what is behind them when it is opened.

use leptos::prelude::*;
use model::format::{ago, grouped};

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
            <span class="identity">
                <span>"Received"</span>
                <span>"= Stored"</span>
                <span>"+ Duplicate"</span>
                <span>"+ Rejected"</span>
            </span>
            <span class="number">"Lag"</span>
            <span class="number">"Drift"</span>
        </div>
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
    let last_event = move || {
        let at = part(card, |card| card.last_event);
        at.map_or_else(|| "–".to_owned(), |at| ago(live.now.get().micros_since(at) / 1_000_000))
    };
    let lag = move || part(card, |card| card.lag_ms).map_or_else(|| "–".to_owned(), words::lag);
    let drift = move || card.with(|card| card.as_ref().and_then(SourceCard::drift));
    let count = move |label: &'static str, sign: &'static str, read: fn(&SourceCard) -> i64| {
        view! {
            <span class="count" data-count=label class:some=move || part(card, read) != 0>
                <span class="k">{label}</span>
                <span class="sign" aria-hidden="true">{sign}</span>
                <span class="n">{move || grouped(part(card, read))}</span>
            </span>
        }
        .into_any()
    };
    view! {
        <li class="source" data-source=key data-standing=move || standing().name()>
            <details>
                <summary class="source-grid">
                    <span class="source-name">
                        <strong>{move || part(card, |card| card.title.clone())}</strong>
                        <span class="unit">{move || part(card, words::subtitle)}</span>
                    </span>
                    <span class="standing" data-standing=move || standing().name()>{move || standing().label()}</span>
                    <span class="cell number" data-cell="last-event"><span class="k">"Last event"</span>{last_event}</span>
                    <span class="cell number" data-cell="rate">
                        <span class="k">"Events/s"</span>
                        {move || words::per_s(part(card, |card| card.per_s))}
                    </span>
                    <span class="identity">
                        {count("Received", "", |card| card.received)}
                        {count("Stored", "=", |card| card.stored)}
                        {count("Duplicate", "+", |card| card.duplicate)}
                        {count("Rejected", "+", |card| card.rejected)}
                    </span>
                    <span class="cell number" data-cell="lag"><span class="k">"Lag"</span>{lag}</span>
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
