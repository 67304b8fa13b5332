//! Overview: the machine is running.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::live::Live;
use crate::ui::events::Events;
use crate::ui::gauge::Gauge;
use crate::ui::instrument::Instrument;
use crate::ui::roster::Roster;
use crate::ui::stat_cards::StatCards;
use crate::ui::tank_banner::TankBanner;

/// The strip of gauges above everything, then beads, agents and events.
#[component]
pub(crate) fn Overview() -> impl IntoView {
    let live = use_context::<Live>().unwrap_or_else(Live::new);
    let title = move || live.town.get().map(|town| town.to_string()).unwrap_or_default();
    view! {
        <Title text=title/>
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
