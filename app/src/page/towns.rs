//! All towns, each with its small figures; or, with no data at all, how to begin.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::format::{ago, compact, dollars, grouped};
use model::wire::{BeadCounts, Gauges};

use super::first_run::FirstRun;
use super::frame::provide_viewer;
use crate::fetch;
use crate::reader::{ReadError, TownCard};
use crate::seed::TownsSeed;
use crate::ui::chips::DemoChip;
use crate::ui::header::Header;

/// How often the small figures are read again.
const REFRESH: Duration = Duration::from_secs(5);

/// Whether anything ever came from this town.
fn has_data(card: &TownCard) -> bool {
    card.demo || card.gauges.flow.is_some() || card.gauges.known > 0 || card.beads != BeadCounts::default()
}

/// The towns page.
#[component]
pub fn TownsPage(seed: TownsSeed) -> impl IntoView {
    provide_viewer();
    let TownsSeed { towns, setup } = seed;
    let towns = RwSignal::new(towns);
    let failed = RwSignal::new(None);
    // Seconds without an answer, counted by the clock of the timer: a page without a link knows no other.
    let missed_s = RwSignal::new(0_u64);
    Effect::new(move |_| {
        let read = move || {
            if !document().hidden() {
                spawn_local_scoped_with_cancellation(async move {
                    let read = fetch::towns().await;
                    match read {
                        Ok(read) => {
                            towns.set(read);
                            missed_s.set(0);
                            failed.set(None);
                        }
                        Err(error) => {
                            missed_s.update(|missed| *missed += REFRESH.as_secs());
                            failed.set(Some(error));
                        }
                    }
                });
            }
        };
        if let Ok(timer) = set_interval_with_handle(read, REFRESH) {
            on_cleanup(move || timer.clear());
        }
    });
    let running = Memo::new(move |_| towns.with(|towns| towns.iter().any(has_data)));
    let page = move || {
        if running.get() {
            view! { <Towns towns failed/> }.into_any()
        } else {
            view! { <FirstRun setup=setup.clone()/> }.into_any()
        }
    };
    let banner = move || {
        failed.get().map(|error| {
            let why = if error == ReadError::Unreachable { "The server cannot be reached." } else { "The towns could not be read: the store does not answer." };
            let age = move || format!(" What is shown is from {}; this page keeps trying.", ago(missed_s.get().cast_signed()));
            view! { <p class="banner" data-kind="link"><span role="alert">{why}</span><span class="as-of">{age}</span></p> }
        })
    };
    view! {
        <Header/>
        {banner}
        <main id="main" class="page towns-page">{page}</main>
    }
}

#[component]
fn Towns(towns: RwSignal<Vec<TownCard>>, failed: RwSignal<Option<ReadError>>) -> impl IntoView {
    let truth = move || match failed.get() {
        None => "fresh",
        Some(ReadError::Unreachable) => "down",
        Some(_) => "failed",
    };
    let cards = move || towns.get().into_iter().map(|card| view! { <Card card/> }).collect_view();
    view! {
        <h1>"Towns"</h1>
        <ul class="town-list" class:stale=move || failed.with(Option::is_some) data-truth=truth>{cards}</ul>
    }
}

/// The figures of a card: label, number, unit.
fn figures(gauges: &Gauges, beads: &BeadCounts) -> [(&'static str, String, &'static str); 5] {
    let rate = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), compact);
    let per_hour = gauges.dollars_per_hour().map_or_else(|| "–".to_owned(), |d| format!("${d:.2}"));
    let tank = gauges.tank.map_or_else(|| "–".to_owned(), |tank| dollars(tank.balance));
    [
        (
            "Working",
            if gauges.known == 0 { "–".to_owned() } else { format!("{} of {}", gauges.working, gauges.known) },
            "",
        ),
        ("Tokens", rate(gauges.tokens_per_s()), "/s"),
        ("Cost", per_hour, "/h"),
        ("Tank", tank, ""),
        ("Beads open", if *beads == BeadCounts::default() { "–".to_owned() } else { grouped(beads.open.into()) }, ""),
    ]
}

#[component]
fn Card(card: TownCard) -> impl IntoView {
    let TownCard { name, demo, gauges, beads } = card;
    let state = match (gauges.working, gauges.flow) {
        (1.., _) => "running",
        (0, Some(_)) => "idle",
        (0, None) => "never heard",
    };
    let figures = figures(&gauges, &beads)
        .map(|(label, number, unit)| view! { <div><dt>{label}</dt><dd>{number}<span class="unit">{unit}</span></dd></div> })
        .collect_view();
    view! {
        <li>
            <a class="town-card" href=format!("/t/{name}") data-running=(gauges.working > 0).to_string() data-state=state>
                <span class="town-name">{name.to_string()}{demo.then(|| view! { <DemoChip/> })}</span>
                <span class="town-state">{state}</span>
                <dl>{figures}</dl>
            </a>
        </li>
    }
}
