//! A chart's text twin: the same buckets as a table, made when it is asked for.

use leptos::ev::Event;
use leptos::prelude::*;
use model::series::Metric;
use wasm_bindgen::JsCast;

use super::chart_card::ChartContext;
use crate::observe::before::Before;
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
    let head = |text: String| view! { <th scope="col">{text}</th> };
    let labels = move || metric.series_names().into_iter().map(words::series_label);
    let heads = labels().map(head).collect_view();
    let calls = metric.is_percentile();
    let calls_head = calls.then(|| head("calls".to_owned()));
    let heads_before = move || {
        board.compare.get().then(|| {
            let names = labels().map(|label| head(format!("{label} before"))).collect_view();
            view! { {head("Before".to_owned())}{names} }
        })
    };
    // With whole pages only: a table that moves while it is read helps nobody.
    let rows = move || {
        let view = board.view.get();
        let (slot, compare) = (board.slot(metric), board.compare.get());
        slot.with_loaded(|data| {
            let seen = chart::visible(&data.t, 0.0, view);
            let cell = |text: Option<String>| view! { <td>{text.unwrap_or_else(|| "–".to_owned())}</td> };
            let sum = |sum: Option<i64>| cell(sum.map(|sum| words::exact_sum(metric, sum)));
            let line = |(bucket, from_s): (usize, i64)| {
                let cells = (0..data.page.series.len()).map(|series| sum(data.sum(series, bucket))).collect_view();
                let calls = calls.then(|| cell(data.calls(bucket).map(model::format::grouped)));
                let before = compare.then(|| {
                    let then = |read: &dyn Fn(&Before, usize) -> Option<i64>| {
                        slot.look_before(|before| read(before, before.bucket_at(from_s)?)).flatten()
                    };
                    let sums = (0..data.page.series.len())
                        .map(|series| sum(then(&|before, bucket| before.data.sum(series, bucket))))
                        .collect_view();
                    view! { {cell(then(&Before::begins_s).map(|at_s| zone.day_clock(at_s)))}{sums} }
                });
                view! { <tr><th scope="row">{zone.day_clock(from_s)}</th>{cells}{calls}{before}</tr> }
            };
            let lines: Vec<(usize, i64)> =
                data.page.times().enumerate().filter(|(bucket, _)| seen.contains(bucket)).collect();
            lines.into_iter().rev().map(line).collect_view()
        })
    };
    let caption = move || {
        let step = board.slot(metric).with_loaded(|data| words::step(data.page.step_s)).unwrap_or_default();
        let what = match metric {
            Metric::Latency => "percentiles of the calls",
            Metric::Requests => "the mean, and the most at once,",
            _ => "exact sums",
        };
        let before = if board.compare.get() { ", and of the period before, in elapsed time" } else { "" };
        format!("{}: {what} per {step}{before}, times in {}", metric.title(), zone.name())
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
                <thead><tr><th scope="col">"From"</th>{heads}{calls_head}{heads_before}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
