//! The banner of an empty tank.

use leptos::prelude::*;
use model::tank::Zone;

use crate::live::Live;

/// Shown at empty, with what to do.
#[component]
pub(crate) fn TankBanner(live: Live) -> impl IntoView {
    let empty = Memo::new(move |_| live.gauges().and_then(|g| g.tank).is_some_and(|tank| tank.zone() == Zone::Empty));
    let command = move || {
        let town = live.town.get().map(|town| town.to_string()).unwrap_or_default();
        format!("towngauge topup --town {town} --usd 50")
    };
    view! {
        {move || empty.get().then(|| view! {
            <p class="banner" data-kind="empty" role="alert">
                <strong>"The tank is empty."</strong>
                " Agents keep spending until they are told to stop. Fill it: "
                <code>{command()}</code>
            </p>
        })}
    }
}
