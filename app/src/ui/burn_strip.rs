//! What is being spent: in the last minute, per hour, today, this month, and by its end.

use leptos::prelude::*;
use model::burn::Burn;
use model::format::dollars;
use model::live_stats::LiveStats;

use super::freshness::Freshness;
use super::reading::Reading;
use crate::live::Live;
use crate::poll::Poll;

/// The burn ticker.
#[component]
pub(crate) fn BurnStrip(poll: Poll<LiveStats>, live: Live) -> impl IntoView {
    let truth = poll.truth(live);
    // Of a town that was never heard nobody knows what it spends.
    let of = move |read: fn(&Burn) -> String| {
        Signal::derive(move || {
            poll.with(|stats| stats.watermarks.newest_event.map(|_| read(&stats.burn)))
                .flatten()
                .unwrap_or_else(|| "–".to_owned())
        })
    };
    let zone = move || poll.with(|stats| stats.burn.zone.clone()).unwrap_or_else(|| "UTC".to_owned());
    let unpriced = move || poll.with(|stats| stats.totals.unpriced_tokens > 0).unwrap_or(false);
    view! {
        <section
            class="panel burn"
            class:stale=move || truth.get().is_old()
            data-truth=move || truth.get().name()
            aria-labelledby="burn-title"
        >
            <header>
                <h2 id="burn-title">"Burn"</h2>
                {move || unpriced().then(|| view! {
                    <a class="count warn" href="sources">"some calls have no price"</a>
                })}
                <Freshness poll live/>
                <span class="zone">"Days begin in "{zone}</span>
            </header>
            <dl class="readings">
                <Reading
                    label="A minute"
                    value=of(|burn| dollars(burn.per_minute))
                    about="What one minute costs: the mean of the last five minutes, or since the first event when that is later."
                />
                <Reading
                    label="An hour"
                    value=of(|burn| dollars(burn.per_hour))
                    about="What an hour costs at the mean of the last five minutes."
                />
                <Reading
                    label="Last 60 s"
                    value=of(|burn| dollars(burn.last_minute))
                    about="What the last 60 seconds cost, exactly."
                />
                <Reading
                    label="Today"
                    value=of(|burn| dollars(burn.today))
                    about="Cost since midnight in your time zone, exactly."
                />
                <Reading
                    label="This month"
                    value=of(|burn| dollars(burn.month))
                    about="Cost since the first of the month in your time zone, exactly."
                />
                <Reading
                    label="Month's end"
                    value=of(|burn| burn.projected.map_or_else(|| "too early".to_owned(), dollars))
                    about="The whole month, if it goes on as it has: by the time that has passed since it began, or since the first event. Nothing is said in the first hour."
                />
            </dl>
        </section>
    }
}
