//! The first page of a fresh start: connect a source, or open the demo.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::fetch::open_demo;
use crate::reader::{Setup, WatchedRoot};
use crate::ui::command::Command;
use crate::ui::guide::{GuideCard, StepBox};

/// What to do with no data at all.
#[component]
pub(crate) fn FirstRun(
    /// How the server is set up; none when it could not be asked.
    setup: Option<Setup>,
) -> impl IntoView {
    let demo = setup.as_ref().and_then(|s| s.demo.as_ref()).map(ToString::to_string);
    let guides = setup.as_ref().map(|s| s.guides.clone()).unwrap_or_default();
    let key = setup.as_ref().and_then(|s| s.key.clone());
    let guides = guides.into_iter().map(|guide| view! { <GuideCard guide/> }).collect_view();
    view! {
        <section class="first-run">
            <h1>"No agent has been heard yet"</h1>
            <p class="lead">"Connect a source, and the gauges begin to move with its first event. Or look at a made-up town first."</p>
            <div class="ways">
                <article class="panel way">
                    <h2>"Agents on this machine"</h2>
                    <Watching setup/>
                </article>
                <article class="panel way demo-way">
                    <h2>"The demo town"</h2>
                    <p>"A generated town with years of rhythm: working days, bursts, idle nights. It is marked as a demo everywhere, and mixes with nothing."</p>
                    <DemoButton demo/>
                </article>
            </div>
            <section class="guides" aria-labelledby="guides-title">
                <h2 id="guides-title">"Connect a source"</h2>
                {key.map(|step| view! { <div class="panel guide"><StepBox step/></div> })}
                <div class="guide-grid">{guides}</div>
            </section>
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
        return view! { <p>"Local files are watched, but no folder with sessions was found. Whatever agent starts first is found by itself."</p> }.into_any();
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
