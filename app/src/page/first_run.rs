//! The first page of a fresh start: connect a source, or open the demo.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::fetch::open_demo;
use crate::reader::{Setup, WatchedRoot};
use crate::ui::command::Command;

/// What to do with no data at all.
#[component]
pub(crate) fn FirstRun(
    /// How the server is set up; none when it could not be asked.
    setup: Option<Setup>,
) -> impl IntoView {
    let demo = setup.as_ref().and_then(|s| s.demo.as_ref()).map(ToString::to_string);
    let address = setup.as_ref().map_or_else(|| "http://127.0.0.1:4680".to_owned(), |s| s.address.clone());
    let town = setup.as_ref().map_or_else(|| "town".to_owned(), |s| s.town.to_string());
    let key = if setup.as_ref().is_some_and(|s| s.keys_required) {
        " \\\n  -H \"Authorization: Bearer $TOWNGAUGE_KEY\""
    } else {
        ""
    };
    // The shell fills in the present, so that the gauges move.
    let event = r#"{\"type\":\"model_call\",\"ts\":\"$(date -u +%FT%TZ)\",\"agent\":\"me\",\"model\":\"claude-sonnet-4-5\",\"input_tokens\":1200,\"output_tokens\":340}"#;
    let curl = format!(
        "curl '{address}/api/ingest?town={town}'{key} \\\n  -H 'Content-Type: application/json' \\\n  -d \"{event}\""
    );
    view! {
        <section class="first-run">
            <h1>"No agent has been heard yet"</h1>
            <p class="lead">"Connect a source, and the gauges begin to move with its first event. Or look at a made-up town first."</p>
            <div class="ways">
                <article class="panel way">
                    <h2>"Claude Code on this machine"</h2>
                    <Watching setup/>
                    <p>"What was there before can be read once; reading it again changes nothing:"</p>
                    <Command label="Read past sessions" text=format!("towngauge backfill claude-code ~/.claude/projects --town {town}")/>
                </article>
                <article class="panel way">
                    <h2>"Agents on other machines"</h2>
                    <p>"Anything that can send JSON. One event, an array, or one per line:"</p>
                    <Command label="Send one event" text=curl/>
                </article>
                <article class="panel way">
                    <h2>"Beads"</h2>
                    <p>"Issues of a Gas Town, for velocity and the bead cards:"</p>
                    <Command label="Read beads" text=format!("towngauge backfill beads .beads/issues.jsonl --town {town}")/>
                </article>
                <article class="panel way demo-way">
                    <h2>"The demo town"</h2>
                    <p>"A generated town with years of rhythm: working days, bursts, idle nights. It is marked as a demo everywhere, and mixes with nothing."</p>
                    <DemoButton demo/>
                </article>
            </div>
        </section>
    }
}

#[component]
fn Watching(setup: Option<Setup>) -> impl IntoView {
    let Some(setup) = setup else {
        return view! { <p>"Start the server on the machine where the agents run: it watches their sessions by itself."</p> }.into_any();
    };
    if !setup.watching {
        return view! {
            <p>"This server does not watch local files. Start the watcher beside it:"</p>
            <Command label="Watch local sessions" text=format!("towngauge watch --town {}", setup.town)/>
        }
        .into_any();
    }
    if setup.roots.is_empty() {
        return view! { <p>"Local files are watched, but no folder with sessions was found. They appear under ~/.claude/projects with the first session."</p> }.into_any();
    }
    let root = |WatchedRoot { source, path, files }: WatchedRoot| {
        view! { <li><code>{path}</code><span class="source">{source.replace('_', " ")}</span><span class="files">{format!("{files} files")}</span></li> }
    };
    view! {
        <p>{format!("Watched already, into the town \u{201c}{}\u{201d}. Start a session, and it shows:", setup.town)}</p>
        <ul class="roots">{setup.roots.into_iter().map(root).collect_view()}</ul>
    }
    .into_any()
}

#[component]
fn DemoButton(demo: Option<String>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let failed = RwSignal::new(None::<String>);
    if let Some(town) = demo {
        return view! { <a class="button primary" href=format!("/t/{town}")>"Open the demo town"</a> }.into_any();
    }
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failed.set(None);
        // Not scoped: as soon as the town exists, this part turns into the list of towns, and the way to the town must
        // not end with it.
        spawn_local(async move {
            match open_demo().await {
                Ok(town) => _ = window().location().assign(&format!("/t/{town}")),
                Err(why) => _ = failed.try_set(Some(why)),
            }
            _ = busy.try_set(false);
        });
    };
    view! {
        <form method="post" action="/api/demo" on:submit=submit>
            <button class="button primary" r#type="submit" aria-disabled=move || busy.get().to_string()>
                {move || if busy.get() { "Making the town…" } else { "Open the demo town" }}
            </button>
            <p class="failed" role="alert">{move || failed.get()}</p>
        </form>
    }
    .into_any()
}
