//! Observability: zoomable timeseries on one time axis.

use leptos::prelude::*;
use leptos_meta::Title;
use model::series::Metric;

use crate::live::Live;
use crate::observe::board::Board;
use crate::reader::ReadError;
use crate::ui::chart_card::ChartCard;
use crate::ui::state::Pending;
use crate::ui::toolbar::Toolbar;

/// Five charts that share their range and their crosshair.
#[component]
pub(crate) fn Observability() -> impl IntoView {
    let live = use_context::<Live>().unwrap_or_else(Live::new);
    let board = Board::new(live);
    let title = move || live.town.get().map(|town| format!("Observability · {town}")).unwrap_or_default();
    // The first read is rendered by the server; later ones change the data under charts that stay.
    let first = Resource::new(|| (), move |()| board.ask());
    board.follow();
    let charts = move || {
        Suspend::new(async move {
            board.load(first.await);
            view! {
                <Toolbar board/>
                <Unread board/>
                <div class="charts">{Metric::ALL.map(|metric| view! { <ChartCard board metric/> }).collect_view()}</div>
            }
        })
    };
    let skeleton = || {
        view! {
            <div class="charts">{Metric::ALL.map(|_| view! { <Pending what="the charts"/> }).collect_view()}</div>
        }
    };
    view! {
        <Title text=title/>
        <main id="main" class="page observability">
            <h1 class="visually-hidden">"Observability"</h1>
            <Suspense fallback=skeleton>{charts}</Suspense>
        </main>
    }
}

/// Says that a range could not be read; what was read before stays.
#[component]
fn Unread(board: Board) -> impl IntoView {
    let text = move || {
        board.failed.get().map(|error| match error {
            ReadError::UnknownTown(_) => "The server no longer knows this town.",
            ReadError::Unavailable => {
                "This range could not be read: the store does not answer. What was read before stays."
            }
        })
    };
    view! {
        {move || text().map(|text| view! {
            <p class="banner" data-kind="link" role="alert">
                {text}" "
                <button r#type="button" class="button" on:click=move |_| board.refresh()>"Try again"</button>
            </p>
        })}
    }
}
