//! The machine in the header of every page: a small button, and behind it a popover. The browser itself opens it, closes
//! it on Escape and on a click elsewhere, and gives the focus back.

use leptos::prelude::*;
use model::format::ago;

use super::machine_face::{Face, LABELS};
use crate::live::Live;

/// One machine: the one that the page came with, and another only when that falls silent.
#[component]
pub(crate) fn MachineChip(live: Live, href: String) -> impl IntoView {
    let face = Memo::new(move |before: Option<&Option<Face>>| {
        let before = before.cloned().flatten();
        let read = live.perf.with(|text| Face::read(text));
        let is_silent = |before: &Face| before.state(live.now.get_untracked().0) == "Stale";
        match (before, read) {
            (Some(before), Some(read)) if before.host != read.host && !is_silent(&before) => Some(before),
            (before, read) => read.or(before),
        }
    });
    let part = move |read: fn(&Face) -> String| face.with(|face| face.as_ref().map(read).unwrap_or_default());
    let state = Memo::new(move |_| face.with(|face| face.as_ref().map_or("None", |face| face.state(live.now.get().0))));
    let note = move || match state.get() {
        "None" => "No machine of this town is read".to_owned(),
        "Stale" => {
            let at_us = face.with(|face| face.as_ref().map_or(0, |face| face.at_us));
            format!("Stale: read {}", ago((live.now.get().0 - at_us) / 1_000_000))
        }
        state => state.to_owned(),
    };
    let row = move |place: usize| {
        view! {
            <dt>{LABELS[place]}</dt>
            <dd>{move || face.with(|face| face.as_ref().map_or_else(|| "–".to_owned(), |face| face.rows[place].clone()))}</dd>
        }
    };
    view! {
        <button r#type="button" class="machine" popovertarget="machine" data-machine=move || state.get()>
            <span class="visually-hidden">"Machine: "</span>
            <b>{move || state.get()}</b>
            <span>"CPU "</span>{move || part(|face| face.cpu.clone())}
            <span>" · Mem "{move || part(|face| face.memory.clone())}</span>
        </button>
        <section id="machine" popover="auto" aria-label="Machine" data-machine=move || state.get()>
            <h2>{move || part(|face| face.host.clone())}" "<span class="machine-note">{note}</span></h2>
            <dl>{[0, 1, 2, 3, 4, 5].map(row)}</dl>
            <a href=href>"All machines"</a>
        </section>
    }
}
