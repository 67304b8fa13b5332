//! All towns, each with its small figures; or, with no data at all, how to begin.

use std::time::Duration;

use leptos::prelude::*;
use leptos_meta::Title;
use model::format::{compact, dollars, grouped};
use model::wire::{BeadCounts, Gauges};

use super::first_run::FirstRun;
use crate::api::{read_setup, read_towns};
use crate::reader::TownCard;
use crate::ui::chips::DemoChip;
use crate::ui::header::Header;
use crate::ui::state::{Failed, Pending};

/// How often the small figures are read again.
const REFRESH: Duration = Duration::from_secs(5);

/// Whether anything ever came from this town.
fn has_data(card: &TownCard) -> bool {
    card.demo || card.gauges.flow.is_some() || card.gauges.known > 0 || card.beads != BeadCounts::default()
}

/// The towns page.
#[component]
pub(crate) fn TownsPage() -> impl IntoView {
    let towns = Resource::new(|| (), |()| read_towns());
    let setup = Resource::new(|| (), |()| read_setup());
    Effect::new(move |_| {
        let timer = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    towns.refetch();
                }
            },
            REFRESH,
        );
        if let Ok(timer) = timer {
            on_cleanup(move || timer.clear());
        }
    });
    let page = move || {
        Suspend::new(async move {
            let setup = setup.await;
            match towns.await {
                Ok(towns) if towns.iter().any(has_data) => view! { <Towns towns/> }.into_any(),
                Ok(_) => view! { <FirstRun setup=setup.ok()/> }.into_any(),
                Err(error) => view! { <Failed error retry=move |()| towns.refetch()/> }.into_any(),
            }
        })
    };
    view! {
        <Title text="Towns"/>
        <Header/>
        <main id="main" class="page towns-page">
            <Transition fallback=|| view! { <Pending what="the towns"/> }>{page}</Transition>
        </main>
    }
}

#[component]
fn Towns(towns: Vec<TownCard>) -> impl IntoView {
    let cards = towns.into_iter().map(|card| view! { <Card card/> }).collect_view();
    view! {
        <h1>"Towns"</h1>
        <ul class="town-list">{cards}</ul>
    }
}

/// The figures of a card: label, number, unit.
fn figures(gauges: &Gauges, beads: &BeadCounts) -> [(&'static str, String, &'static str); 5] {
    let rate = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), compact);
    let per_hour = gauges.dollars_per_hour().map_or_else(|| "–".to_owned(), |d| format!("${d:.2}"));
    let tank = gauges.tank.map_or_else(|| "–".to_owned(), |tank| dollars(tank.balance));
    [
        ("Working", format!("{} of {}", gauges.working, gauges.known), ""),
        ("Tokens", rate(gauges.tokens_per_s()), "/s"),
        ("Cost", per_hour, "/h"),
        ("Tank", tank, ""),
        ("Beads open", grouped(beads.open.into()), ""),
    ]
}

#[component]
fn Card(card: TownCard) -> impl IntoView {
    let TownCard { name, demo, gauges, beads } = card;
    let figures = figures(&gauges, &beads)
        .map(|(label, number, unit)| view! { <div><dt>{label}</dt><dd>{number}<span class="unit">{unit}</span></dd></div> })
        .collect_view();
    view! {
        <li>
            <a class="town-card" href=format!("/t/{name}") data-running=(gauges.working > 0).to_string()>
                <span class="town-name">{name.to_string()}{demo.then(|| view! { <DemoChip/> })}</span>
                <span class="town-state">{if gauges.working > 0 { "running" } else { "idle" }}</span>
                <dl>{figures}</dl>
            </a>
        </li>
    }
}
