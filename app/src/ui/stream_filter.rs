//! What the event stream shows.

use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use model::event_line::Level;
use model::live_stats::LiveStats;
use model::{EventKind, Role};

use crate::live::Live;
use crate::poll::Poll;
use crate::stream::{EventFilter, Reel};

/// Nobody reads what was found for half a word.
const TYPING: Duration = Duration::from_millis(250);

fn kind_words(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ModelCall => "model calls",
        EventKind::ToolCall => "tool calls",
        EventKind::LinesChanged => "lines changed",
        EventKind::AgentState => "agent states",
        EventKind::Session => "sessions",
        EventKind::Bead => "beads",
        EventKind::CostSnapshot => "cost snapshots",
        EventKind::LinesLanded => "commits",
        EventKind::Request => "requests",
        EventKind::Log => "log lines",
    }
}

fn level_words(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warn => "warnings",
        Level::Error => "errors",
    }
}

/// A row of choices.
#[component]
pub(crate) fn StreamFilter(
    reel: Reel,
    live: Live,
    poll: Poll<LiveStats>,
    choose: Callback<EventFilter>,
) -> impl IntoView {
    let change = move |edit: Box<dyn FnOnce(&mut EventFilter)>| {
        let mut filter = reel.filter.get_untracked();
        edit(&mut filter);
        choose.run(filter);
    };
    let kinds = EventKind::ALL.map(|kind| (kind.name().to_owned(), kind_words(kind).to_owned())).to_vec();
    let levels = Level::ALL.map(|level| (level.name().to_owned(), level_words(level).to_owned())).to_vec();
    let roles = Role::ALL.map(|role| (role.name().to_owned(), role.name().to_owned())).to_vec();
    let named = move |mut names: Vec<String>, chosen: Option<String>| {
        names.extend(chosen);
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| (name.clone(), name)).collect::<Vec<_>>()
    };
    let rigs = Memo::new(move |_| {
        let rigs = live
            .with_roster(|roster| roster.iter().filter_map(|agent| Some(agent.rig.as_ref()?.to_string())).collect());
        named(rigs.unwrap_or_default(), reel.filter.with(|filter| filter.rig.clone()))
    });
    let agents = Memo::new(move |_| {
        let agents = live.with_roster(|roster| roster.iter().map(|agent| agent.name.to_string()).collect());
        named(agents.unwrap_or_default(), reel.filter.with(|filter| filter.agent.clone()))
    });
    // Those that were ever heard, and the one that the address asks for.
    let sources = Memo::new(move |_| {
        let heard = poll.with(|stats| {
            let heard = stats.sources.iter().filter(|source| source.last_heard.is_some());
            heard.map(|source| source.name.clone()).collect()
        });
        let mut names = named(heard.unwrap_or_default(), reel.filter.with(|filter| filter.source.clone()));
        names.iter_mut().for_each(|(name, words)| *words = name.replace('_', " "));
        names
    });
    let is_all = move || reel.filter.with(|filter| *filter == EventFilter::default());
    let typing = StoredValue::new_local(None::<TimeoutHandle>);
    let typed = move |event| {
        let text = event_target_value(&event).trim().to_owned();
        if let Some(timer) = typing.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        let then = move || change(Box::new(move |filter| filter.text = (!text.is_empty()).then_some(text)));
        typing.set_value(set_timeout_with_handle(then, TYPING).ok());
    };
    let chosen = move |read: fn(&EventFilter) -> Option<String>| Signal::derive(move || reel.filter.with(read));
    let set_kind =
        move |raw: Option<String>| change(Box::new(move |f| f.kind = raw.as_deref().and_then(EventKind::parse)));
    let set_level =
        move |raw: Option<String>| change(Box::new(move |f| f.level = raw.as_deref().and_then(Level::parse)));
    let set_role = move |raw: Option<String>| {
        change(Box::new(move |f| f.role = Role::ALL.into_iter().find(|role| Some(role.name()) == raw.as_deref())));
    };
    let set_rig = move |raw| change(Box::new(move |f| f.rig = raw));
    let set_agent = move |raw| change(Box::new(move |f| f.agent = raw));
    let set_source = move |raw| change(Box::new(move |f| f.source = raw));
    let kind = chosen(|f| f.kind.map(|kind| kind.name().to_owned()));
    let level = chosen(|f| f.level.map(|level| level.name().to_owned()));
    let role = chosen(|f| f.role.map(|role| role.name().to_owned()));
    let (rig, agent, source) = (chosen(|f| f.rig.clone()), chosen(|f| f.agent.clone()), chosen(|f| f.source.clone()));
    view! {
        <form class="filters" role="search" aria-label="Events shown" on:submit=|event| event.prevent_default()>
            <Choice label="Kind" all="all kinds" options=Signal::stored(kinds) chosen=kind choose=set_kind/>
            <Choice label="Level" all="all levels" options=Signal::stored(levels) chosen=level choose=set_level/>
            <Choice label="Role" all="all roles" options=Signal::stored(roles) chosen=role choose=set_role/>
            <Choice label="Rig" all="all rigs" options=rigs chosen=rig choose=set_rig/>
            <Choice label="Agent" all="all agents" options=agents chosen=agent choose=set_agent/>
            <Choice label="Source" all="all sources" options=sources chosen=source choose=set_source/>
            <input type="search" aria-label="Text" placeholder="text" autocomplete="off" maxlength="100"
                prop:value=move || reel.filter.with(|f| f.text.clone().unwrap_or_default()) on:input=typed/>
            <button type="button" class="button small" disabled=is_all on:click=move |_| choose.run(EventFilter::default())>"Clear"</button>
        </form>
    }
}

/// One of many, or all of them.
#[component]
pub(super) fn Choice(
    label: &'static str,
    all: &'static str,
    /// Value and words of each.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// The value chosen; none: all.
    chosen: Signal<Option<String>>,
    choose: impl Fn(Option<String>) + 'static,
) -> impl IntoView {
    let changed = move |event| {
        let value = event_target_value(&event);
        choose((!value.is_empty()).then_some(value));
    };
    let each = move || {
        let chosen = chosen.get();
        let option = |(value, words): (String, String)| {
            let selected = chosen.as_ref() == Some(&value);
            view! { <option value=value selected=selected>{words}</option> }
        };
        options.get().into_iter().map(option).collect_view()
    };
    view! {
        <select aria-label=label data-chosen=move || chosen.with(Option::is_some).to_string() on:change=changed>
            <option value="" selected=move || chosen.with(Option::is_none)>{all}</option>
            {each}
        </select>
    }
}
