//! Live: what happens this minute.

use leptos::prelude::*;
use model::live_stats::{LatencyWindow, LiveStats};

use super::frame::town_frame;
use crate::fetch;
use crate::poll::{Dated, Poll};
use crate::seed::LiveSeed;
use crate::stream::Reel;
use crate::ui::burn_strip::BurnStrip;
use crate::ui::calls_panel::CallsPanel;
use crate::ui::channel_banner::ChannelBanner;
use crate::ui::channels_panel::ChannelsPanel;
use crate::ui::counter_strip::CounterStrip;
use crate::ui::header::Tab;
use crate::ui::latency_panel::LatencyPanel;
use crate::ui::requests_panel::RequestsPanel;
use crate::ui::sessions_panel::SessionsPanel;
use crate::ui::stream_panel::StreamPanel;
use crate::zone::use_zone;

impl Dated for LiveStats {
    fn at(&self) -> model::time::Timestamp {
        self.at
    }
}

/// Money and counters above, the stream beside what it says of tools, models and sessions.
#[component]
pub fn LivePage(seed: LiveSeed) -> impl IntoView {
    let LiveSeed { town, stats, filter, events } = seed;
    let name = town.snapshot.town.clone();
    let (live, top) = town_frame(town, Tab::Live);
    let zone = use_zone();
    let poll = Poll::new(stats);
    let asked = StoredValue::new(name.clone());
    poll.follow(live, move || {
        let (town, zone) = (asked.get_value(), zone.name());
        async move { fetch::live_stats(&town, &zone).await }
    });
    let reel = Reel::new(filter, events);
    reel.follow(live, name.clone());
    let window = RwSignal::new(LatencyWindow::FiveMinutes);
    let sources = format!("/t/{name}/sources");
    view! {
        {top}
        <main id="main" class="page live-page">
            <div class="live-head">
                <h1 class="visually-hidden">"Live"</h1>
                <ChannelBanner poll sources=sources.clone()/>
                <BurnStrip poll live/>
                <CounterStrip poll live/>
            </div>
            <div class="live-columns">
                <StreamPanel reel live poll town=name/>
                <div class="live-side">
                    <LatencyPanel poll live window/>
                    <CallsPanel poll live window/>
                    <RequestsPanel poll live/>
                    <SessionsPanel poll live/>
                    <ChannelsPanel poll live sources/>
                </div>
            </div>
        </main>
    }
}
