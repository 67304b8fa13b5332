//! Conversations that go on, and for how long: the durations tick in the browser.

use leptos::prelude::*;
use model::format::ago;
use model::live_stats::{LiveStats, SessionRow};

use super::blank::Blank;
use super::chips::RoleChip;
use super::truth_mark::TruthMark;
use crate::live::Live;
use crate::poll::Poll;

/// `42 s`, `5:07`, `1:02:03`.
pub(super) fn ticking(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60),
    }
}

/// Sessions in flight.
#[component]
pub(crate) fn SessionsPanel(poll: Poll<LiveStats>, live: Live) -> impl IntoView {
    let names = Memo::new(move |_| {
        poll.with(|stats| stats.sessions.iter().map(|row| row.session.clone()).collect::<Vec<_>>()).unwrap_or_default()
    });
    let row = move |name| {
        let row = Memo::new(move |_| {
            poll.with(|stats| stats.sessions.iter().find(|row| row.session == name).cloned()).flatten()
        });
        view! { <SessionLine row live/> }
    };
    let more = move || {
        let shown = names.with(Vec::len);
        let all = poll.with(|stats| stats.counters.active_sessions).unwrap_or(shown);
        (all > shown).then(|| view! { <p class="left-out">{format!("{} more, heard longer ago", all - shown)}</p> })
    };
    let truth = poll.truth(live);
    view! {
        <section
            class="panel sessions"
            class:stale=move || truth.get().is_old()
            data-truth=move || truth.get().name()
            aria-labelledby="sessions-title"
        >
            <header>
                <h2 id="sessions-title">"In flight"</h2>
                <span class="count">{move || names.with(Vec::len)}</span>
                <TruthMark truth/>
            </header>
            {move || if names.with(Vec::is_empty) {
                view! { <Blank poll title="No session in flight" hint="A conversation stays here until it ends, or for five minutes after it was last heard."/> }.into_any()
            } else {
                view! {
                    <div class="scroll" tabindex="0" role="region" aria-label="Sessions in flight">
                        <ul class="flights"><For each=move || names.get() key=Clone::clone let:name>{row(name)}</For></ul>
                        {more}
                    </div>
                }
                .into_any()
            }}
        </section>
    }
}

#[component]
fn SessionLine(row: Memo<Option<SessionRow>>, live: Live) -> impl IntoView {
    let of = move |read: fn(&SessionRow) -> String| move || row.with(|row| row.as_ref().map(read)).unwrap_or_default();
    let since = move |read: fn(&SessionRow) -> model::time::Timestamp| {
        row.with(|row| row.as_ref().map(read)).map_or(0, |at| live.now.get().micros_since(at) / 1_000_000)
    };
    let working = move || row.with(|row| row.as_ref().is_some_and(|row| row.working));
    view! {
        <li class:working=working>
            <span class="who">
                {move || row.with(|row| row.as_ref().map(|row| view! { <RoleChip role=row.role/> }))}
                <span class="name" title=of(|row| row.session.to_string())>
                    {of(|row| row.agent.as_ref().map_or_else(|| row.session.to_string(), ToString::to_string))}
                </span>
            </span>
            <span class="where">{of(|row| {
                let bead = row.bead.as_ref().map(ToString::to_string);
                [Some(row.channel.clone()), bead].into_iter().flatten().collect::<Vec<_>>().join(" · ")
            })}</span>
            <span class="state">{move || if working() { "working".to_owned() } else { format!("heard {}", ago(since(|row| row.heard))) }}</span>
            <span class="num">{move || ticking(since(|row| row.started))}</span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_ticks_by_the_second() {
        assert_eq!([0, 59, 60, 307, 3_723].map(ticking), ["0 s", "59 s", "1:00", "5:07", "1:02:03"]);
        // The clocks of two machines.
        assert_eq!(ticking(-3), "0 s");
    }
}
