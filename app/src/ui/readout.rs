//! The readout at the crosshair: the bucket's time and the exact value of every series.

use leptos::html::Div;
use leptos::prelude::*;
use model::series::Metric;

use super::chart_canvas::Shared;
use super::chart_card::ChartContext;
use crate::observe::{palette, words};
use crate::zone::use_zone;

/// Distance of the readout from the crosshair, in CSS pixels.
const APART_PX: f64 = 14.0;

/// Shown by the chart that the pointer or the focus is on; the others show the same instant in their legends.
#[component]
pub(crate) fn Readout(chart: ChartContext, state: Shared) -> impl IntoView {
    let ChartContext { board, metric, .. } = chart;
    let zone = use_zone();
    let node = NodeRef::<Div>::new();
    let bucket = Memo::new(move |_| (board.held.get() == Some(metric)).then(|| chart.cursor_bucket()).flatten());
    Effect::new(move |_| {
        let (Some(div), Some(at)) = (node.get(), bucket.get()) else { return };
        board.view.track();
        let state = state.borrow();
        let Some(plot) = state.plot.as_ref() else { return };
        let centre =
            board.slot(metric).look(|data| data.t.get(at).copied().map(|t| plot.x_of(t + step(data)))).flatten();
        let Some(x) = centre else { return };
        // On the side that has more room; the width of the other side is never needed.
        let (width, style) = (plot.layout.width, web_sys::HtmlElement::style(&div));
        let (side, other, px) = if x > width / 2.0 { ("right", "left", width - x) } else { ("left", "right", x) };
        let _ = style.set_property(side, &format!("{}px", (px + APART_PX).round()));
        let _ = style.set_property(other, "auto");
    });
    let time = move || {
        let at = bucket.get()?;
        board.slot(metric).with(|data| {
            let from_s = data.page.times().nth(at)?;
            let passed = data.passed(at, board.live.now.get().seconds());
            let so_far = if passed < 1.0 { ", so far" } else { "" };
            Some(format!("{} · {}{so_far}", zone.day_clock(from_s), words::step(data.page.step_s)))
        })?
    };
    // What the percentiles are of, and what is compared with.
    let then = move || {
        let at = bucket.get()?;
        board.slot(metric).with(|data| {
            let of = words::of_calls(data, at);
            let before = board.slot(metric).look_before(|before| {
                let then = before.bucket_at(data.page.times().nth(at)?)?;
                let step_s = before.data.page.step_s;
                let step =
                    if step_s == data.page.step_s { String::new() } else { format!(" · {}", words::step(step_s)) };
                Some(words::before(&before.data, then, &format!("{}{step}", zone.day_clock(before.begins_s(then)?))))
            });
            let said: Vec<String> = of.into_iter().chain(before.flatten()).collect();
            (!said.is_empty()).then(|| said.join(" · "))
        })?
    };
    let note = move || {
        let at = bucket.get()?;
        board.slot(metric).with(|data| {
            let from_s = data.page.times().nth(at)?;
            words::marked(data, from_s, from_s + data.page.step_s, |at_s| zone.day_clock(at_s))
        })?
    };
    let rows = move || {
        let names = metric.series_names();
        // As the stack stands: the top one first.
        palette::stack(metric).iter().rev().filter(|series| chart.shows(**series)).filter_map(|series| {
            let (series, name) = (*series, *names.get(*series)?);
            let cell = move |read: fn(Metric, Option<i64>, Option<f64>) -> String| {
                move || {
                    let at = bucket.get();
                    at.and_then(|at| board.slot(metric).with(|data| read(metric, data.sum(series, at), data.value(series, at))))
                }
            };
            let sum = move || {
                let at = bucket.get()?;
                board.slot(metric).with(|data| words::exact_or_why_not(data, series, Some(at)))
            };
            let rate = cell(|metric, sum, value| match (sum, value) {
                (Some(_), Some(value)) if metric.adds_up() => {
                    format!("{} {}", words::exact_value(value), words::axis_unit(metric))
                }
                _ => String::new(),
            });
            let before = move || {
                board.compare.get().then(|| {
                    let sum = move || bucket.get().map(|at| board.slot(metric).said_before(series, at));
                    view! { <td class="rate before">"before: "{sum}</td> }
                })
            };
            Some(view! {
                <tr>
                    <th scope="row"><span class=palette::swatch(metric, name)></span>{words::series_label(name)}</th>
                    <td>{sum}</td>
                    <td class="rate">{rate}</td>
                    {before}
                </tr>
            })
        }).collect_view()
    };
    let shown = Memo::new(move |_| bucket.get().is_some());
    view! {
        <div class="readout" node_ref=node class:shown=move || shown.get() role="status">
            {move || shown.get().then(|| view! {
                <p class="readout-time">{time}</p>
                <table><tbody>{rows}</tbody></table>
                <p class="readout-note">{then}</p>
                <p class="readout-note">{note}</p>
            })}
        </div>
    }
}

#[expect(clippy::cast_precision_loss, reason = "half a bucket")]
fn step(data: &crate::observe::data::ChartData) -> f64 {
    data.page.step_s as f64 / 2.0
}
