//! Observability: zoomable timeseries on one time axis.

use leptos::prelude::*;
use model::series::Metric;

use super::frame::town_frame;
use crate::observe::board::Board;
use crate::seed::ChartsSeed;
use crate::ui::chart_card::ChartCard;
use crate::ui::header::Tab;
use crate::ui::toolbar::Toolbar;
use crate::ui::unread::Unread;

/// Charts that share their range and their crosshair.
#[component]
pub fn ObservabilityPage(seed: ChartsSeed) -> impl IntoView {
    let (live, top) = town_frame(seed.town, Tab::Observability);
    let board = Board::new(live, seed.asked.clone());
    board.load(seed.asked, seed.charts);
    board.follow();
    let linked = Memo::new(move |_| live.link.get().is_fresh());
    view! {
        {top}
        <main id="main" class="page observability">
            <h1 class="visually-hidden">"Observability"</h1>
            <Toolbar board/>
            // Without a link its own banner says why, and both would lie in the same place.
            {move || linked.get().then(|| view! {
                <Unread
                    what="The charts"
                    failed=board.failed
                    read_at=board.read_at
                    live
                    again=Callback::new(move |()| board.refresh())
                />
            })}
            <div class="charts">{Metric::ALL.map(|metric| view! { <ChartCard board metric/> }).collect_view()}</div>
        </main>
    }
}
