//! Tank: every tank of a town, how long each lasts, the ledger, and filling up.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

use super::frame::town_frame;
use crate::fetch;
use crate::live::Live;
use crate::reader::TankPage as Data;
use crate::seed::TankSeed;
use crate::truth::Truth;
use crate::ui::fill_panel::FillPanel;
use crate::ui::header::Tab;
use crate::ui::ledger_panel::LedgerPanel;
use crate::ui::stop_panel::StopPanel;
use crate::ui::tank_banner::TankBanner;
use crate::ui::tank_card::{TankCard, TankCardData, cards};
use crate::ui::unread::Unread;
use crate::ui::webhooks_panel::WebhooksPanel;

/// How often the band and the ledger are read again without any news.
const REFRESH: Duration = Duration::from_secs(30);

/// What was read longer ago is stale: three answers were missed.
const STALE_AFTER_S: i64 = 90;

/// The tanks, and under them the panels.
#[component]
pub fn TankPage(seed: TankSeed) -> impl IntoView {
    let TankSeed { town, page } = seed;
    let (live, top) = town_frame(town, Tab::Tank);
    let read_at = RwSignal::new(page.is_ok().then(|| live.now.get_untracked()));
    let (page, failed) = match page {
        Ok(page) => (page, None),
        Err(error) => (Data::default(), Some(error)),
    };
    let (page, failed) = (RwSignal::new(page), RwSignal::new(failed));
    let refresh = Callback::new(move |()| {
        let Some(town) = live.town.get_untracked() else { return };
        spawn_local_scoped_with_cancellation(async move {
            match fetch::tank(town).await {
                Ok(read) => {
                    page.set(read);
                    read_at.set(Some(live.now.get_untracked()));
                    failed.set(None);
                }
                Err(error) => failed.set(Some(error)),
            }
        });
    });
    follow(live, refresh);
    let truth = Memo::new(move |_| {
        let age_s = read_at.get().map(|at| (live.now.get().micros_since(at) / 1_000_000).max(0));
        Truth::of_answer(live, failed.with(Option::is_some), age_s, STALE_AFTER_S)
    });
    view! {
        {top}
        <main id="main" class="page tank-page">
            <h1>"Tanks"</h1>
            <TankBanner live here=true/>
            <Unread what="The ledger" failed read_at live again=refresh/>
            <Tanks live page/>
            <div class="tank-panels" class:stale=move || truth.get().is_old() data-truth=move || truth.get().name()>
                <FillPanel live page refresh/>
                <LedgerPanel live page truth/>
                {move || page.with(|page| page.stop.clone()).map(|card| view! { <StopPanel card=*card/> })}
                {move || page.with(|page| page.webhooks.clone()).map(|cards| view! { <WebhooksPanel cards/> })}
            </div>
        </main>
    }
}

/// Reads again when the ledger changed (the server then sends a whole snapshot), and now and then.
fn follow(live: Live, refresh: Callback<()>) {
    Effect::new(move |before: Option<u32>| {
        let snapshots = live.snapshots();
        if before.is_some_and(|before| before != snapshots) {
            refresh.run(());
        }
        snapshots
    });
    Effect::new(move |_| {
        let read = move || {
            if !document().hidden() {
                refresh.run(());
            }
        };
        if let Ok(timer) = set_interval_with_handle(read, REFRESH) {
            on_cleanup(move || timer.clear());
        }
    });
}

/// A card for each tank.
#[component]
fn Tanks(live: Live, page: RwSignal<Data>) -> impl IntoView {
    let all = Memo::new(move |_| {
        page.with(|page| live.with_tanks(|gauges, tanks| cards(gauges, tanks, page))).unwrap_or_default()
    });
    let key = |card: &TankCardData| (card.face.meter, card.face.name.clone());
    let keys = move || all.with(|all| all.iter().map(key).collect::<Vec<_>>());
    let card = move |wanted: (bool, String)| {
        let card = Memo::new(move |_| all.with(|all| all.iter().find(|card| key(card) == wanted).cloned()));
        view! { <TankCard live card/> }
    };
    view! {
        <section class="tank-cards" aria-label="All tanks">
            <For each=keys key=Clone::clone children=card/>
        </section>
    }
}
