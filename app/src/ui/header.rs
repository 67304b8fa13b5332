//! The header of every page: product, town, tabs, link, theme.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::A;
use leptos_router::hooks::use_navigate;

use super::chips::DemoChip;
use super::link_status::LinkStatus;
use super::theme_toggle::ThemeToggle;
use crate::live::Live;
use crate::reader::TownCard;

#[component]
fn Brand() -> impl IntoView {
    view! {
        <a class="brand" href="/" aria-label="Towngauge: all towns">
            <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
                <path d="M4.2 15.8a8 8 0 1 1 11.6 0" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>
                <path class="brand-needle" d="M10.9 11 14.2 5.6 9.1 9.8z"/>
                <circle cx="10" cy="10.5" r="1.6" fill="currentColor"/>
            </svg>
            <span>"Towngauge"</span>
        </a>
    }
}

/// The header where there is no town.
#[component]
pub(crate) fn Header() -> impl IntoView {
    view! { <header class="top"><Brand/><span class="spring"></span><ThemeToggle/></header> }
}

/// The header of a town's pages.
#[component]
pub(crate) fn TownHeader(
    /// The town's live state.
    live: Live,
    /// The town of the address.
    town: String,
    /// All towns, for the switcher.
    towns: Vec<TownCard>,
) -> impl IntoView {
    let overview = format!("/t/{town}");
    let observability = format!("/t/{town}/observability");
    view! {
        <header class="top">
            <Brand/>
            <TownSwitch town towns/>
            {move || live.demo.get().then(|| view! { <DemoChip/> })}
            <nav class="tabs" aria-label="Pages of this town">
                <A href=overview exact=true>"Overview"</A>
                <A href=observability>"Observability"</A>
            </nav>
            <span class="spring"></span>
            <LinkStatus live/>
            <ThemeToggle/>
        </header>
    }
}

#[component]
fn TownSwitch(town: String, towns: Vec<TownCard>) -> impl IntoView {
    let navigate = use_navigate();
    let listed = towns.iter().any(|card| card.name.as_str() == town);
    let names: Vec<String> =
        (!listed).then(|| town.clone()).into_iter().chain(towns.iter().map(|c| c.name.to_string())).collect();
    let options = names
        .into_iter()
        .map(|name| {
            let selected = name == town;
            view! { <option value=name.clone() selected=selected>{name.clone()}</option> }
        })
        .collect_view();
    view! {
        <label class="town-switch">
            <span class="visually-hidden">"Town"</span>
            <select on:change=move |event| navigate(&format!("/t/{}", event_target_value(&event)), NavigateOptions::default())>
                {options}
            </select>
        </label>
    }
}
