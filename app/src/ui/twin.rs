//! A chart's text twin: the same buckets as a table, made when it is asked for.

use leptos::ev::Event;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::chart_card::ChartContext;
use crate::observe::words;
use crate::zone::use_zone;

/// A table of what is shown, newest first, folded until opened.
#[component]
pub(crate) fn Twin(chart: ChartContext) -> impl IntoView {
    let open = RwSignal::new(false);
    let toggled = move |event: Event| {
        let details = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        open.set(details.is_some_and(|details| details.has_attribute("open")));
    };
    view! {
        <details class="twin" on:toggle=toggled>
            <summary>"Table"<span class="visually-hidden">{format!(" of {}", chart.metric.title().to_ascii_lowercase())}</span></summary>
            {move || open.get().then(|| view! { <Table chart/> })}
        </details>
    }
}

#[component]
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
fn Table(chart: ChartContext) -> impl IntoView {
    let zone = use_zone();
    let ChartContext { board, metric, .. } = chart;
    let heads = metric
        .series_names()
        .into_iter()
        .map(|name| view! { <th scope="col">{words::series_label(name)}</th> })
        .collect_view();
    // With whole pages only: a table that moves while it is read helps nobody.
    let rows = move || {
        let view = board.view.get();
        board.slot(metric).with_loaded(|data| {
            let seen = chart::visible(&data.t, 0.0, view);
            let line = |(bucket, from_s): (usize, i64)| {
                let cells = (0..data.page.series.len())
                    .map(|series| {
                        let sum = data.sum(series, bucket);
                        view! { <td>{sum.map_or_else(|| "–".to_owned(), |sum| words::exact_sum(metric, sum))}</td> }
                    })
                    .collect_view();
                view! { <tr><th scope="row">{zone.day_clock(from_s)}</th>{cells}</tr> }
            };
            let lines: Vec<(usize, i64)> =
                data.page.times().enumerate().filter(|(bucket, _)| seen.contains(bucket)).collect();
            lines.into_iter().rev().map(line).collect_view()
        })
    };
    let caption = move || {
        let step = board.slot(metric).with_loaded(|data| words::step(data.page.step_s)).unwrap_or_default();
        format!("{}: exact sums per {step}, times in {}", metric.title(), zone.name())
    };
    let note = move || {
        let view = board.view.get();
        let (from_s, to_s) = (view.from_s as i64, view.to_s as i64);
        board.slot(metric).with_loaded(|data| words::marked(data, from_s, to_s, |at_s| zone.day_clock(at_s))).flatten()
    };
    view! {
        <div class="twin-scroll" tabindex="0" role="region" aria-label=format!("Table of {}", metric.title().to_ascii_lowercase())>
            <table>
                <caption>{caption}" "{note}</caption>
                <thead><tr><th scope="col">"From"</th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
