//! The stat cards: beads by state, and what waits for a person.

use leptos::prelude::*;
use model::format::grouped;
use model::wire::BeadCounts;

use super::truth_cells::{LINK, first};
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
    // Only zeros are no count: most towns without an issue tracker never hear of a bead.
    let none = Memo::new(move |_| live.beads() == BeadCounts::default());
    let cards = CARDS.map(|(key, label, read)| {
        let count = Memo::new(move |_| read(&live.beads()));
        view! {
            <div class="stat" data-stat=key class:raised=move || key == "escalations" && { count.get() > 0 }>
                <dt>{label}</dt>
                <dd>{move || if none.get() { "–".to_owned() } else { grouped(count.get().into()) }}</dd>
            </div>
        }
    });
    view! {
        <dl
            class="stats"
            data-tell=LINK
            data-truth=first(LINK, live).0
            title="Beads by state; a dash: none was ever heard of"
            aria-label="Beads"
        >
            {cards.collect_view()}
        </dl>
    }
}
