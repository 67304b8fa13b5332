//! Requests in flight, and for how long: the durations tick in the browser.

use leptos::prelude::*;
use model::live_stats::LiveStats;
use model::request::RequestRow;

use super::blank::Blank;
use super::chips::RoleChip;
use super::sessions_panel::ticking;
use super::truth_mark::TruthMark;
use crate::live::Live;
use crate::poll::Poll;
use crate::zone::use_zone;

/// After how long an end is lost, in words: `10 min`, `90 s`.
fn span_words(seconds: i64) -> String {
    match seconds {
        s if s >= 3_600 && s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s >= 60 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// How it is with a request that began so many seconds ago. The list is read every few seconds; its ages are known better.
fn state_of(age_s: i64, lost_after_s: i64) -> &'static str {
    match age_s {
        age if age >= lost_after_s => "lost",
        age if age >= lost_after_s / 5 * 4 => "late",
        _ => "active",
    }
}

/// Active requests.
#[component]
pub(crate) fn RequestsPanel(poll: Poll<LiveStats>, live: Live) -> impl IntoView {
    let ids = Memo::new(move |_| {
        poll.with(|stats| stats.requests.iter().map(|row| row.id.clone()).collect::<Vec<_>>()).unwrap_or_default()
    });
    let lost_after = Memo::new(move |_| poll.with(|stats| stats.lost_after_s).unwrap_or(model::request::LOST_AFTER_S));
    let row = move |id| {
        let row = untrack(|| poll.with(|stats| stats.requests.iter().find(|row| row.id == id).cloned()).flatten());
        row.map(|row| view! { <RequestLine row lost_after live/> })
    };
    let more = move || {
        let shown = ids.with(Vec::len);
        let all = poll.with(|stats| stats.counters.active_requests).unwrap_or(shown);
        (all > shown).then(|| view! { <p class="left-out">{format!("{} more, begun later", all - shown)}</p> })
    };
    let truth = poll.truth(live);
    view! {
        <section
            class="panel requests"
            class:stale=move || truth.get().is_old()
            data-truth=move || truth.get().name()
            aria-labelledby="requests-title"
        >
            <header>
                <h2 id="requests-title">"Active requests"</h2>
                <span class="count">{move || poll.with(|stats| stats.counters.active_requests).unwrap_or_default()}</span>
                <TruthMark truth/>
                <span class="zone">{move || format!("lost after {}", span_words(lost_after.get()))}</span>
            </header>
            {move || if ids.with(Vec::is_empty) {
                view! { <Blank poll title="No active requests" hint="A tool or a model that was asked and has not answered stands here until it does."/> }.into_any()
            } else {
                view! {
                    <div class="scroll" tabindex="0" role="region" aria-label="Requests in flight">
                        <ul class="flights"><For each=move || ids.get() key=Clone::clone let:id>{row(id)}</For></ul>
                        {more}
                    </div>
                }
                .into_any()
            }}
        </section>
    }
}

#[component]
fn RequestLine(row: RequestRow, lost_after: Memo<i64>, live: Live) -> impl IntoView {
    let zone = use_zone();
    let (started, started_s) = (row.started, row.started.seconds());
    let age = move || live.now.get().micros_since(started) / 1_000_000;
    let state = move || state_of(age(), lost_after.get());
    let session = row.session.as_ref().map(ToString::to_string);
    let who = row.agent.as_ref().map(ToString::to_string).or_else(|| session.clone()).unwrap_or_else(|| "–".to_owned());
    let channel = row.channel.as_str().replace('_', " ");
    let place = [row.what.as_ref().map_or_else(|| "request".to_owned(), ToString::to_string), channel].join(" · ");
    view! {
        <li data-state=state>
            <span class="who">
                <RoleChip role=row.role/>
                <span class="name" title=session.unwrap_or_else(|| who.clone())>{who.clone()}</span>
            </span>
            <span class="where" title=place.clone()>{place.clone()}</span>
            <span class="state">{move || match state() {
                "lost" => "lost".to_owned(),
                _ => format!("since {}", zone.clock(started_s)),
            }}</span>
            <span class="num">{move || ticking(age())}</span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_reads_as_people_say_it() {
        assert_eq!([600, 90, 3_600, 45].map(span_words), ["10 min", "90 s", "1 h", "45 s"]);
    }

    #[test]
    fn a_request_is_late_before_it_is_lost() {
        assert_eq!([0, 479, 480, 599, 600].map(|age| state_of(age, 600)), ["active", "active", "late", "late", "lost"]);
    }
}
