//! The header of every page: product, town, tabs, link, theme.

use leptos::prelude::*;
use model::TownName;

use super::chips::DemoChip;
use super::fixed::fixed;
use super::link_status::LinkStatus;
use super::machine_chip::MachineChip;
use super::theme_toggle::ThemeToggle;
use crate::live::Live;

/// The pages of a town.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    /// Gauges, agents, events.
    Overview,
    /// What happens this minute.
    Live,
    /// Charts.
    Observability,
    /// What the town's hosts use.
    Machine,
    /// Where events come from.
    Sources,
    /// Every tank; reached from the gas tank's dial, and so no tab of its own.
    Tank,
}

/// The sign and the name.
const BRAND: &str = r#"<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
<path d="M4.2 15.8a8 8 0 1 1 11.6 0" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>
<path class="brand-needle" d="M10.9 11 14.2 5.6 9.1 9.8z"/><circle cx="10" cy="10.5" r="1.6" fill="currentColor"/>
</svg><span>Towngauge</span>"#;

#[component]
fn Brand() -> impl IntoView {
    let html = fixed(|| BRAND.to_owned());
    view! { <a class="brand" href="/" aria-label="Towngauge: all towns" inner_html=html></a> }
}

/// The header where there is no town.
#[component]
pub(crate) fn Header() -> impl IntoView {
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <header class="top"><Brand/><span class="spring"></span><ThemeToggle/></header>
    }
}

/// The header of a town's pages.
#[component]
pub(crate) fn TownHeader(
    /// The town's live state.
    live: Live,
    /// The town of the address.
    town: TownName,
    /// All towns, for the switcher.
    towns: Vec<TownName>,
    /// The page that is open.
    tab: Tab,
) -> impl IntoView {
    let machine = format!("/t/{town}/machine");
    let tabs = fixed(|| tabs(&town, tab));
    view! {
        <header class="top">
            <Brand/>
            <TownSwitch town towns/>
            {move || live.demo.get().then(|| view! { <DemoChip/> })}
            <nav class="tabs" aria-label="Pages of this town" inner_html=tabs></nav>
            <MachineChip live href=machine/>
            <LinkStatus live/>
            <ThemeToggle/>
        </header>
    }
}

/// The links to a town's pages. Names of towns need no escaping.
fn tabs(town: &TownName, open: Tab) -> String {
    const TABS: [(Tab, &str, &str); 5] = [
        (Tab::Overview, "", "Overview"),
        (Tab::Live, "/live", "Live"),
        (Tab::Observability, "/observability", "Observability"),
        (Tab::Machine, "/machine", "Machine"),
        (Tab::Sources, "/sources", "Sources"),
    ];
    let link = |(tab, path, label): (Tab, &str, &str)| {
        let current = if tab == open { " aria-current=\"page\"" } else { "" };
        format!("<a href=\"/t/{town}{path}\"{current}>{label}</a>")
    };
    TABS.into_iter().map(link).collect()
}

#[component]
fn TownSwitch(town: TownName, mut towns: Vec<TownName>) -> impl IntoView {
    if !towns.contains(&town) {
        towns.insert(0, town.clone());
    }
    let options = towns
        .into_iter()
        .map(|name| {
            let selected = name == town;
            view! { <option value=name.to_string() selected=selected>{name.to_string()}</option> }
        })
        .collect_view();
    let go = move |event| {
        // Fails only while the page is on its way elsewhere.
        let _ = window().location().assign(&format!("/t/{}", event_target_value(&event)));
    };
    view! {
        <label class="town-switch">
            <span class="visually-hidden">"Town"</span>
            <select on:change=go>{options}</select>
        </label>
    }
}
