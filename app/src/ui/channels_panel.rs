//! Where events come from, and whether they come.

use leptos::prelude::*;
use model::format::{ago, compact};
use model::live_stats::{LiveStats, SourceState};

use super::blank::Blank;
use super::truth_mark::TruthMark;
use crate::live::Live;
use crate::poll::Poll;

/// What the mark beside a source says.
fn word(state: &str) -> &'static str {
    match state {
        "live" => "live",
        "silent" => "silent",
        "refused" => "refused",
        "error" => "error",
        _ => "never started",
    }
}

/// Every source that was ever heard.
#[component]
pub(crate) fn ChannelsPanel(poll: Poll<LiveStats>, live: Live, sources: String) -> impl IntoView {
    let names = Memo::new(move |_| {
        let heard = |source: &&SourceState| source.state != "never_started";
        poll.with(|stats| stats.sources.iter().filter(heard).map(|source| source.name.clone()).collect::<Vec<_>>())
            .unwrap_or_default()
    });
    let line = move |name: String| {
        let source = Memo::new(move |_| {
            poll.with(|stats| stats.sources.iter().find(|source| source.name == name).cloned()).flatten()
        });
        view! { <ChannelLine source live/> }
    };
    let link = sources.clone();
    let truth = poll.truth(live);
    view! {
        <section
            class="panel channels"
            class:stale=move || truth.get().is_old()
            data-truth=move || truth.get().name()
            aria-labelledby="channels-title"
        >
            <header>
                <h2 id="channels-title">"Channels"</h2>
                <TruthMark truth/>
                <a class="zone" href=link>"Sources"</a>
            </header>
            <ul class="channel-list">
                <For each=move || names.get() key=String::clone let:name>{line(name)}</For>
            </ul>
            {move || names.with(Vec::is_empty).then(|| view! {
                <Blank poll title="No source was ever heard" hint="Each appears here with its first event, and says from then on whether it comes."/>
            })}
        </section>
    }
}

#[component]
fn ChannelLine(source: Memo<Option<SourceState>>, live: Live) -> impl IntoView {
    let of = move |read: fn(&SourceState) -> String| {
        move || source.with(|source| source.as_ref().map(read)).unwrap_or_default()
    };
    let heard = move || {
        let at = source.with(|source| source.as_ref().and_then(|source| source.last_heard));
        at.map_or_else(|| "never".to_owned(), |at| ago(live.now.get().micros_since(at) / 1_000_000))
    };
    view! {
        <li data-state=of(|source| source.state.clone())>
            <span class="mark">{of(|source| word(&source.state).to_owned())}</span>
            <span class="name" title=of(|source| source.words.clone())>{of(|source| source.title.clone())}</span>
            <span class="rate">{of(|source| source.events_per_s.map_or_else(String::new, |rate| format!("{}/s", compact(rate))))}</span>
            <span class="heard">{heard}</span>
        </li>
    }
}
