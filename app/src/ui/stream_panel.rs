//! The event stream: what happens, line by line, newest at the bottom, as long as the reader likes.

use leptos::prelude::*;
use model::TownName;
use model::format::grouped;
use model::live_stats::LiveStats;
use wasm_bindgen::JsValue;

use super::stream_filter::StreamFilter;
use super::stream_list::StreamList;
use super::truth_mark::TruthMark;
use crate::fetch;
use crate::live::Live;
use crate::poll::Poll;
use crate::stream::{EventFilter, Reel};
use crate::truth::Truth;
use crate::zone::use_zone;

/// The list with its filters.
#[component]
pub(crate) fn StreamPanel(reel: Reel, live: Live, poll: Poll<LiveStats>, town: TownName) -> impl IntoView {
    let zone = use_zone();
    let choose = {
        let town = town.clone();
        Callback::new(move |filter: EventFilter| {
            remember(&filter);
            reel.set_filter(&town, filter);
        })
    };
    let left_out = Memo::new(move |_| live.skipped());
    let truth = Memo::new(move |_| Truth::of_town(live));
    let pause = move || if reel.paused.get() { "Go on" } else { "Pause" };
    let held = move || {
        let held = reel.held();
        (held > 0).then(|| view! { <span class="count">{format!("{} new", grouped(i64::try_from(held).unwrap_or(i64::MAX)))}</span> })
    };
    view! {
        <section
            class="panel stream"
            class:stale=move || truth.get().is_old()
            data-truth=move || truth.get().name()
            aria-labelledby="stream-title"
        >
            <header>
                <h2 id="stream-title">"Events"</h2>
                {move || (left_out.get() > 0).then(|| view! {
                    <span class="count">{format!("{} left out for speed", grouped(left_out.get().cast_signed()))}</span>
                })}
                {held}
                <TruthMark truth/>
                <span class="zone">{move || zone.name()}</span>
                <button
                    type="button"
                    class="button small"
                    aria-pressed=move || reel.paused.get().to_string()
                    on:click=move |_| reel.pause(!reel.paused.get_untracked())
                >
                    {pause}
                </button>
            </header>
            <StreamFilter reel live poll choose/>
            <StreamList reel town/>
        </section>
    }
}

/// Puts a choice into the address, so that it can be sent to somebody. No step of the history: it is not a place.
fn remember(filter: &EventFilter) {
    let query = filter.query(fetch::escape);
    let path = window().location().pathname().unwrap_or_default();
    let address = if query.is_empty() { path } else { format!("{path}?{query}") };
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
    }
}
