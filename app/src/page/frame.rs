//! The frame of a town's pages: its live state, its socket, its header.

use leptos::prelude::*;

use crate::live::{Live, keep_open};
use crate::seed::TownSeed;
use crate::ui::alert_strip::AlertStrip;
use crate::ui::header::{Tab, TownHeader};
use crate::ui::link_status::LinkBanner;
use crate::ui::theme_toggle::provide_mode;
use crate::zone::provide_zone;

/// Provides what every page knows of its viewer: theme and time zone.
pub(crate) fn provide_viewer() {
    provide_zone();
    provide_mode();
}

/// Takes over a town's state and follows it. Gives the state, and what stands above the page.
pub(crate) fn town_frame(seed: TownSeed, tab: Tab) -> (Live, impl IntoView) {
    provide_viewer();
    let live = Live::new();
    let TownSeed { snapshot, towns, perf } = seed;
    let town = snapshot.town.clone();
    live.seed(snapshot);
    live.perf.set(perf);
    keep_open(live);
    let top = view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <TownHeader live town towns tab/>
        <AlertStrip live/>
        <LinkBanner live/>
    };
    (live, top)
}
