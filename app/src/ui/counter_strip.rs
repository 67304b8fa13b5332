//! The server and the town in figures.

use leptos::prelude::*;
use model::format::grouped;
use model::live_stats::{Counters, LiveStats};

use super::reading::Reading;
use crate::live::Live;
use crate::poll::Poll;

/// `3d 4h 5m 6s`.
fn uptime(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!("{days}d {}h {}m {}s", rest / 3_600, rest / 60 % 60, rest % 60)
}

fn count(n: usize) -> String {
    grouped(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Core counters.
#[component]
pub(crate) fn CounterStrip(poll: Poll<LiveStats>, live: Live) -> impl IntoView {
    let of = move |read: fn(&Counters) -> String| {
        Signal::derive(move || poll.with(|stats| read(&stats.counters)).unwrap_or_else(|| "–".to_owned()))
    };
    let is = move |read: fn(&Counters) -> bool| {
        Signal::derive(move || poll.with(|stats| read(&stats.counters)).unwrap_or(false))
    };
    let truth = poll.truth(live);
    // Ticks on between two answers, as long as they come.
    let up = Signal::derive(move || {
        let since = poll.age_s(live).filter(|_| !truth.get().is_old()).unwrap_or(0);
        poll.with(|stats| uptime(stats.counters.uptime_s + since)).unwrap_or_else(|| "–".to_owned())
    });
    view! {
        <section
            class="panel counters"
            class:stale=move || truth.get().is_old()
            data-truth=move || truth.get().name()
            aria-label="Core counters"
        >
            <dl class="readings">
                <Reading
                    label="Messages"
                    value=of(|counters| grouped(counters.messages))
                    about="Events of this town in the store."
                />
                <Reading
                    label="Requests"
                    value=of(|counters| count(counters.active_requests))
                    about="Active requests: begun, and neither ended nor lost. The panel below names them."
                />
                <Reading
                    label="Sessions"
                    value=of(|counters| count(counters.active_sessions))
                    about="Conversations heard in the last five minutes that did not say that they ended."
                />
                <Reading
                    label="Queue"
                    value=of(|counters| count(counters.queue_events))
                    bad=is(|counters| counters.queue_events * 2 > counters.queue_capacity)
                    about="Events of all towns that wait for the store. Red above half of what may wait; above all of it, senders are told to come back."
                />
                <Reading
                    label="Errors"
                    value=of(|counters| grouped(counters.errors))
                    bad=is(|counters| counters.errors > 0)
                    about="Model and tool calls that failed in the last five minutes."
                />
                <Reading label="Uptime" value=up about="Since this server was started."/>
            </dl>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_names_every_part() {
        assert_eq!(uptime(0), "0d 0h 0m 0s");
        assert_eq!(uptime(3 * 86_400 + 4 * 3_600 + 5 * 60 + 6), "3d 4h 5m 6s");
    }
}
