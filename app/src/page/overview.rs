//! Overview: the machine is running.

use leptos::prelude::*;

use super::frame::town_frame;
use crate::seed::TownSeed;
use crate::ui::events::Events;
use crate::ui::gauge::Gauge;
use crate::ui::header::Tab;
use crate::ui::instrument::Instrument;
use crate::ui::roster::Roster;
use crate::ui::stat_cards::StatCards;
use crate::ui::tank_banner::TankBanner;
use crate::ui::truth_cells::keep_telling;

/// The strip of gauges above everything, then beads, agents and events.
#[component]
pub fn OverviewPage(seed: TownSeed) -> impl IntoView {
    let (live, top) = town_frame(seed, Tab::Overview);
    keep_telling(live);
    view! {
        {top}
        <main id="main" class="page overview">
            <h1 class="visually-hidden">"Overview"</h1>
            <TankBanner live/>
            <div class="strip">{Instrument::ALL.map(|instrument| view! { <Gauge instrument live/> }).collect_view()}</div>
            <StatCards live/>
            <div class="columns">
                <Roster live/>
                <Events live/>
            </div>
        </main>
    }
}
