//! The stat cards: beads by state, and what waits for a person.

use leptos::prelude::*;
use model::format::grouped;
use model::wire::BeadCounts;

use crate::live::Live;

/// Key, label, and where the figure is.
type Card = (&'static str, &'static str, fn(&BeadCounts) -> u32);

const CARDS: [Card; 5] = [
    ("open", "Beads open", |b| b.open),
    ("in-progress", "In progress", |b| b.in_progress),
    ("in-review", "In review", |b| b.in_review),
    ("closed", "Closed", |b| b.closed),
    ("escalations", "Escalations", |b| b.escalations),
];

/// Five figures in a row.
#[component]
pub(crate) fn StatCards(live: Live) -> impl IntoView {
    let cards = CARDS.map(|(key, label, read)| {
        let count = Memo::new(move |_| read(&live.beads()));
        view! {
            <div class="stat" data-stat=key class:raised=move || key == "escalations" && { count.get() > 0 }>
                <dt>{label}</dt>
                <dd>{move || grouped(count.get().into())}</dd>
            </div>
        }
    });
    view! { <dl class="stats" aria-label="Beads">{cards.collect_view()}</dl> }
}
