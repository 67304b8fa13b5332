//! A chart's legend: a button per series that switches it, with its value under the cursor, or else its newest.

use leptos::prelude::*;

use super::chart_card::ChartContext;
use crate::observe::{palette, words};

/// The buttons.
#[component]
pub(crate) fn Legend(chart: ChartContext) -> impl IntoView {
    let buttons = chart.metric.series_names().into_iter().enumerate().map(|(series, name)| {
        let value = Memo::new(move |_| {
            let cursor = chart.cursor_bucket();
            let read = |data: &crate::observe::data::ChartData| {
                let bucket = cursor.or_else(|| data.newest())?;
                data.value(series, bucket)
            };
            words::short_value(chart.metric, chart.board.slot(chart.metric).with(read).flatten())
        });
        view! {
            <button
                r#type="button"
                aria-pressed=move || chart.shows(series).to_string()
                on:click=move |_| chart.hidden.update(|hidden| *hidden ^= 1 << series)
            >
                <span class=palette::swatch(chart.metric, name)></span>
                <span class="series-name">{words::series_label(name)}</span>
                <span class="series-value" aria-hidden="true">{value}</span>
            </button>
        }
    });
    let label = format!("Series of {}", chart.metric.title().to_ascii_lowercase());
    view! { <div class="legend" role="group" aria-label=label>{buttons.collect_view()}</div> }
}
