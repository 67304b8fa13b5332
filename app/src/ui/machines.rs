//! Machines that ship their events here: a line for each, or how to ship from one.

use leptos::prelude::*;
use model::format::{ago, grouped};

use super::guide::StepBox;
use super::identity::{IdentityColumns, cell, identity};
use super::source_words as words;
use super::truth_mark::TruthMark;
use crate::live::Live;
use crate::roll::Roll;
use crate::sources::{Guide, Machine, MachineStanding};

/// The panel; nothing while it is not known which machines there are.
#[component]
pub(crate) fn Machines(
    /// What the page knows.
    roll: Roll,
    /// The town's live state, for its clock.
    live: Live,
    /// How to ship from another machine.
    guide: Option<Guide>,
) -> impl IntoView {
    let ids = Memo::new(move |_| {
        roll.with(|page| page.machines.iter().map(|machine| machine.id.clone()).collect::<Vec<_>>())
    });
    let truth = roll.truth(live);
    let is_stale = move || truth.get().is_old();
    // Whether there are any, and not which: rows stay while others come.
    let any = Memo::new(move |_| ids.with(|ids| ids.as_ref().map(|ids| !ids.is_empty())));
    let list = move || {
        view! {
            <MachineColumns/>
            <ul class="source-list" class:stale=is_stale>
                <For each=move || ids.get().unwrap_or_default() key=String::clone let:id>
                    <MachineRow roll live id/>
                </For>
            </ul>
        }
        .into_any()
    };
    let how = move || {
        let Guide { about, steps, .. } = guide.clone()?;
        let steps = steps.into_iter().map(|step| view! { <StepBox step/> }).collect_view();
        Some(
            view! {
                <div class="guide ship-guide">
                    <p><strong>"No other machine ships here."</strong>" "{about}</p>
                    {steps}
                </div>
            }
            .into_any(),
        )
    };
    let body = move || any.get().and_then(|any| if any { Some(list()) } else { how() });
    view! {
        <section class="panel machines" data-truth=move || truth.get().name() aria-labelledby="machines-title">
            <header>
                <h2 id="machines-title">"Machines"</h2>
                <span class="count">{move || roll.with(words::machines)}</span>
                <TruthMark truth/>
            </header>
            {body}
        </section>
    }
    .into_any()
}

#[component]
fn MachineColumns() -> impl IntoView {
    view! {
        <div class="source-columns source-grid" aria-hidden="true">
            <span>"Machine"</span>
            <span>"State"</span>
            <span class="number">"Last heard"</span>
            <span class="number">"Waiting"</span>
            <IdentityColumns/>
            <span class="number">"Lag"</span>
            <span class="number">"Put aside"</span>
        </div>
    }
}

#[component]
fn MachineRow(roll: Roll, live: Live, id: String) -> impl IntoView {
    let machine =
        Memo::new(move |_| roll.with(|page| page.machines.iter().find(|machine| machine.id == id).cloned()).flatten());
    let part = move |read: fn(&Machine, i64) -> String| {
        Signal::derive(move || {
            let now_us = live.now.get().0;
            machine.with(|machine| machine.as_ref().map(|machine| read(machine, now_us))).unwrap_or_default()
        })
    };
    let text = move |read: fn(&Machine) -> String| {
        move || machine.with(|machine| machine.as_ref().map(read)).unwrap_or_default()
    };
    let standing =
        move || machine.with(|machine| machine.as_ref().map_or(MachineStanding::Stale, |machine| machine.standing));
    let counts = Signal::derive(move || machine.with(|machine| machine.as_ref().map_or([0; 4], Machine::counts)));
    let note = move || {
        let words = text(|machine| machine.words.clone())();
        (!words.is_empty()).then(|| view! { <p class="shipper-note">{words}</p> })
    };
    view! {
        <li class="source shipper" data-machine=text(|machine| machine.name.clone()) data-standing=move || standing().name()>
            <div class="source-grid">
                <span class="source-name">
                    <strong>{text(|machine| machine.name.clone())}</strong>
                    <span class="unit">{text(|machine| machine.about.clone())}</span>
                </span>
                <span class="standing" data-standing=move || standing().name()>{move || standing().label()}</span>
                {cell("last-heard", "Last heard", part(|machine, now_us| ago((now_us - machine.last_heard.0) / 1_000_000)))}
                {cell("waiting", "Waiting", part(|machine, _| words::bytes(machine.waiting_bytes)))}
                {identity(counts)}
                {cell("lag", "Lag", part(words::behind))}
                {cell("aside", "Put aside", part(|machine, _| grouped(i64::try_from(machine.parked).unwrap_or(i64::MAX))))}
            </div>
            {note}
        </li>
    }
    .into_any()
}
