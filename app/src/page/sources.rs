//! Sources: where events come from, whether they come, what was wrong with them, and how to connect another.

use leptos::prelude::*;

use super::frame::town_frame;
use crate::fetch;
use crate::live::Live;
use crate::roll::Roll;
use crate::seed::SourcesSeed;
use crate::ui::freshness::Freshness;
use crate::ui::guide::{GuideCard, StepBox};
use crate::ui::header::Tab;
use crate::ui::machines::Machines;
use crate::ui::source_row::{SourceColumns, SourceRow};
use crate::ui::source_words::tally;
use crate::ui::state::Empty;
use crate::ui::unpriced::Unpriced;

/// The guide for machines that ship here.
const SHIP_GUIDE: &str = "machine";

/// The connected sources in a list, then a guide for each agent and tool.
#[component]
pub fn SourcesView(seed: SourcesSeed) -> impl IntoView {
    let SourcesSeed { town, sources, guides, key } = seed;
    let name = town.snapshot.town.clone();
    let (live, top) = town_frame(town, Tab::Sources);
    let roll = Roll::new(sources);
    let name = StoredValue::new(name);
    roll.follow(live, move || fetch::sources(name.get_value()));
    let truth = roll.truth(live);
    let unpriced = Signal::derive(move || roll.with(|page| page.unpriced.clone()).unwrap_or_default());
    // The one place that says how to ship says it twice: here, where there is nothing to show yet, and among the others.
    let ship = guides.iter().find(|guide| guide.id == SHIP_GUIDE).cloned();
    let guides = guides.into_iter().map(|guide| view! { <GuideCard guide roll/> }).collect_view();
    view! {
        {top}
        <main id="main" class="page sources-page">
            <section class="panel" data-truth=move || truth.get().name() aria-labelledby="sources-title">
                <header>
                    <h1 id="sources-title">"Sources"</h1>
                    <span class="count tally">{move || roll.with(tally)}</span>
                    <Freshness poll=roll live/>
                </header>
                <List roll live/>
            </section>
            <Unpriced models=unpriced/>
            <Machines roll live guide=ship/>
            <section class="guides" aria-labelledby="guides-title">
                <h2 id="guides-title">"Connect another"</h2>
                {key.map(|step| view! { <div class="panel guide"><StepBox step/></div> })}
                <div class="guide-grid">{guides}</div>
            </section>
        </main>
    }
}

#[component]
fn List(roll: Roll, live: Live) -> impl IntoView {
    let names = Memo::new(move |_| roll.connected());
    let is_known = Memo::new(move |_| roll.with(|_| ()).is_some());
    let truth = roll.truth(live);
    let is_stale = move || truth.get().is_old();
    let rows = move || {
        view! {
            <SourceColumns/>
            <ul class="source-list" class:stale=is_stale>
                <For each=move || names.get() key=String::clone let:name>
                    <SourceRow roll live name/>
                </For>
            </ul>
        }
    };
    move || {
        match (is_known.get(), names.with(Vec::is_empty)) {
        (false, _) => view! {
            <Empty title="The store does not answer" hint="The server keeps trying, and so does this page; the server's log says why."/>
        }
        .into_any(),
        (true, true) => view! {
            <Empty title="No source has been heard yet" hint="Connect one below: it appears here with its first event."/>
        }
        .into_any(),
        (true, false) => rows().into_any(),
    }
    }
}
