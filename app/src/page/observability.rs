//! Observability: zoomable timeseries on one time axis.

use leptos::prelude::*;
use model::series::Metric;

use super::frame::town_frame;
use crate::observe::board::Board;
use crate::reader::ReadError;
use crate::seed::ChartsSeed;
use crate::ui::chart_card::ChartCard;
use crate::ui::header::Tab;
use crate::ui::toolbar::Toolbar;

/// Charts that share their range and their crosshair.
#[component]
pub fn ObservabilityPage(seed: ChartsSeed) -> impl IntoView {
    let (live, top) = town_frame(seed.town, Tab::Observability);
    let board = Board::new(live, seed.asked.clone());
    board.load(seed.asked, seed.charts);
    board.follow();
    view! {
        {top}
        <main id="main" class="page observability">
            <h1 class="visually-hidden">"Observability"</h1>
            <Toolbar board/>
            <Unread board/>
            <div class="charts">{Metric::ALL.map(|metric| view! { <ChartCard board metric/> }).collect_view()}</div>
        </main>
    }
}

/// Says that a range could not be read; what was read before stays.
#[component]
fn Unread(board: Board) -> impl IntoView {
    // Without a link its own banner says why, and both would lie in the same place.
    let text = Memo::new(move |_| {
        board.failed.get().filter(|_| board.live.link.get().is_fresh()).map(|error| match error {
            ReadError::UnknownTown(_) => "The server no longer knows this town.",
            ReadError::Unavailable => {
                "The charts could not be read: the store does not answer. What was read before stays; it is tried again by itself."
            }
        })
    });
    view! {
        {move || text.get().map(|text| view! {
            <p class="banner" data-kind="link" role="alert">
                {text}" "
                <button r#type="button" class="button" on:click=move |_| board.refresh()>"Try again now"</button>
            </p>
        })}
    }
}
