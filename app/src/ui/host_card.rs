//! One host: its instruments, their past, and the same as a table.

use leptos::ev::Event;
use leptos::prelude::*;
use model::host::Instrument;
use wasm_bindgen::JsCast;

use super::host_chart::HostChart;
use super::host_dial::HostDial;
use super::truth_mark::TruthMark;
use crate::machine::{MachineBoard, state};
use crate::observe::words;
use crate::truth::Truth;
use crate::zone::use_zone;

/// A host as it is and as it was.
#[component]
pub(crate) fn HostCard(board: MachineBoard, host: String) -> impl IntoView {
    let name = StoredValue::new(host.clone());
    let told = Memo::new(move |_| {
        let heard = board.live.link.get().is_heard();
        name.with_value(|name| board.host(name, |metrics| state(metrics, board.live.now.get(), heard)))
            .unwrap_or_default()
    });
    let word = Memo::new(move |_| told.with(|told| told.0));
    // Readings of hosts do not go through the database.
    let truth = Memo::new(move |_| match (Truth::of_link(board.live), word.get()) {
        (Truth::Down(age_s), _) => Truth::Down(age_s),
        (Truth::Stale(age_s), _) => Truth::Stale(age_s),
        (_, "Stale" | "Silent") => Truth::Stale(None),
        _ => Truth::Fresh,
    });
    let past = Memo::new(move |_| board.truth());
    let fresh = Memo::new(move |_| board.live.link.get().is_heard() && matches!(word.get(), "Live" | "Idle"));
    let demo = move || name.with_value(|name| board.host(name, |metrics| metrics.demo)).unwrap_or_default();
    let dial = move |instrument| view! { <HostDial board host=name.get_value() instrument fresh/> };
    // What never was there needs no chart.
    let known = Memo::new(move |_| {
        let known = |instrument: &Instrument| {
            let past = name.with_value(|name| {
                board.past(name, |history, of| (0..history.steps()).any(|step| of.value(*instrument, step).is_some()))
            });
            matches!(instrument, Instrument::Cpu | Instrument::Memory) || past.unwrap_or_default()
        };
        Instrument::ALL.into_iter().filter(known).collect::<Vec<_>>()
    });
    let (shown, twin) = (host.clone(), host.clone());
    let title = format!("host-{}", host.replace(' ', "-"));
    view! {
        <section class="panel host" class:stale=move || !fresh.get() data-truth=move || truth.get().name() data-host=host data-machine=word aria-labelledby=title>
            <header>
                <h2 id=title.clone()>{shown}</h2>
                <b class="machine-state" role="status">{word}</b>
                {move || demo().then(|| view! { <span class="demo">"Made up"</span> })}
                <span class="unit host-note">{move || told.with(|told| told.1.clone())}</span>
            </header>
            <div class="host-dials">{Instrument::ALL.map(dial)}</div>
            <div class="host-charts" class:stale=move || past.get().is_old() data-truth=move || past.get().name()>
                <For each=move || known.get() key=|instrument| *instrument let:instrument>
                    <HostChart board host=name.get_value() instrument/>
                </For>
            </div>
            <footer><TruthMark truth=past/><HostTwin board host=twin/></footer>
        </section>
    }
}

/// A table of the past, newest first, folded until opened.
#[component]
fn HostTwin(board: MachineBoard, host: String) -> impl IntoView {
    let open = RwSignal::new(false);
    let toggled = move |event: Event| {
        let details = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        open.set(details.is_some_and(|details| details.has_attribute("open")));
    };
    let name = StoredValue::new(host.clone());
    view! {
        <details class="twin" on:toggle=toggled>
            <summary>"Table"<span class="visually-hidden">{format!(" of {host}")}</span></summary>
            {move || open.get().then(|| view! { <HostTable board host=name.get_value()/> })}
        </details>
    }
}

#[component]
fn HostTable(board: MachineBoard, host: String) -> impl IntoView {
    let zone = use_zone();
    let label = format!("Table of {host}");
    let caption = move || format!("Means of {}, times in {}", words::step(board.step_s()), zone.name());
    let rows = move || {
        board.past(&host, |history, of| {
            let line = |(step, from_s): (usize, i64)| {
                let cell =
                    |instrument| view! { <td>{of.exact(instrument, step).unwrap_or_else(|| "–".to_owned())}</td> };
                view! { <tr><th scope="row">{zone.day_clock(from_s)}</th>{Instrument::ALL.map(cell)}</tr> }
            };
            let all: Vec<(usize, i64)> = history.times().enumerate().collect();
            all.into_iter().rev().map(line).collect_view()
        })
    };
    let heads = Instrument::ALL.map(|instrument| view! { <th scope="col">{instrument.label()}</th> });
    view! {
        <div class="twin-scroll" tabindex="0" role="region" aria-label=label>
            <table>
                <caption>{caption}</caption>
                <thead><tr><th scope="col">"From"</th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
