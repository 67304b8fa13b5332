//! The banner of an empty tank.

use leptos::prelude::*;
use model::tank::Zone;

use super::tank_face::first_face;
use crate::live::Live;

/// Shown at empty, with what to do. Of several tanks, when the one that runs dry first is empty.
#[component]
pub(crate) fn TankBanner(
    live: Live,
    /// On the Tank page itself there is no need to go there.
    #[prop(optional)]
    here: bool,
) -> impl IntoView {
    let empty = Memo::new(move |_| {
        let face = live.with_tanks(first_face).filter(|face| face.zone == Some(Zone::Empty))?;
        Some((!face.meter).then(|| format!("{} {}.", face.name, face.reading.note)))
    });
    let town = move || live.town.get().map(|town| town.to_string()).unwrap_or_default();
    let what = move |window: Option<String>| match window {
        Some(resets) => view! { <strong>"A tank is empty."</strong> " " {resets} " " }.into_any(),
        None => view! {
            <strong>"The tank is empty."</strong>
            " Agents keep spending until they are told to stop. Fill it: "
            <code>{format!("towngauge topup --town {} --usd 50", town())}</code>
            " "
        }
        .into_any(),
    };
    view! {
        {move || empty.get().map(|window| view! {
            <p class="banner" data-kind="empty" role="alert">
                {what(window)}
                {(!here).then(|| view! { <a href=format!("/t/{}/tank", town())>"Open the tank"</a> })}
            </p>
        })}
    }
}
