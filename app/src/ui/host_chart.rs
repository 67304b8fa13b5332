//! A host's instrument over time: the same axes, lines and crosshair as on the Observability page.

use std::cell::RefCell;
use std::rc::Rc;

use chart::{
    AxesSpec, Columns, Crosshair, Gutters, Kind, Layout, Mark, Plot, Prepared, SeriesStyle, Step, Theme, Unit,
    bucket_at, draw_axes, draw_crosshair, draw_series, next_axis_max, step_bucket,
};
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use model::host::{HostColumns, HostHistory, Instrument};
use wasm_bindgen::JsCast;
use web_sys::MouseEvent;

use super::theme_toggle::use_mode;
use crate::canvas::{Frame, paint_on};
use crate::machine::{MachineBoard, total_gib};
use crate::observe::words;
use crate::zone::use_zone;

/// Distance of the readout from the crosshair, in CSS pixels.
const APART_PX: f64 = 14.0;

/// What a chart keeps between frames.
#[derive(Default)]
struct Kept {
    prepared: Prepared,
    plot: Option<Plot>,
    t: Vec<f64>,
    values: Vec<f64>,
    y_max: f64,
}

const fn is_share(instrument: Instrument) -> bool {
    matches!(instrument, Instrument::Cpu | Instrument::Gpu)
}

const fn unit(instrument: Instrument) -> &'static str {
    if is_share(instrument) { "%" } else { "GiB" }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
fn columns(history: &HostHistory, columns: &HostColumns, instrument: Instrument) -> (Vec<f64>, Vec<f64>) {
    let t = history.times().map(|at_s| at_s as f64).collect();
    let values = (0..history.steps()).map(|step| columns.value(instrument, step).unwrap_or(f64::NAN)).collect();
    (t, values)
}

/// The newest step that anything is known of.
fn newest(history: &HostHistory, columns: &HostColumns, instrument: Instrument) -> Option<usize> {
    (0..history.steps()).rev().find(|step| columns.value(instrument, *step).is_some())
}

/// The chart in a sentence, for those who cannot see it.
fn summary(history: &HostHistory, columns: &HostColumns, instrument: Instrument) -> String {
    let known = || (0..history.steps()).filter_map(|step| columns.value(instrument, step).map(|value| (step, value)));
    let by_value = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    let exact = |found: Option<(usize, f64)>| found.and_then(|(step, _)| columns.exact(instrument, step));
    let (low, high, last) = (exact(known().min_by(by_value)), exact(known().max_by(by_value)), exact(known().last()));
    match (low, high, last) {
        (Some(low), Some(high), Some(last)) => {
            format!("Lowest {low}, highest {high}, latest {last}, in steps of {}.", words::step(history.step_s))
        }
        _ => "Nothing recorded.".to_owned(),
    }
}

/// One chart.
#[component]
pub(crate) fn HostChart(board: MachineBoard, host: String, instrument: Instrument) -> impl IntoView {
    let host = StoredValue::new(host);
    let name = move || host.get_value();
    let kept: Rc<RefCell<Kept>> = Rc::default();
    let (base, overlay) = (NodeRef::<Canvas>::new(), NodeRef::<Canvas>::new());
    let (mode, zone) = (use_mode(), use_zone());
    let painted = RwSignal::new(0_u32);
    let total = Memo::new(move |_| board.host(&name(), |metrics| total_gib(metrics, instrument)).flatten());

    let state = Rc::clone(&kept);
    let watch = move || {
        board.view();
        mode.track();
        total.track();
        zone.offset_s(0);
    };
    paint_on(base, watch, move |surface, _| {
        let theme = Theme::new(mode.get_untracked());
        let (width, height) = (surface.width, surface.height);
        let Some(area) = surface.area() else { return Frame::Done };
        let view = untrack(|| board.view());
        #[expect(clippy::cast_precision_loss, reason = "seconds of a step")]
        let step_s = untrack(|| board.step_s()) as f64;
        let mut kept = state.borrow_mut();
        let kept = &mut *kept;
        (kept.t, kept.values) = board.look(&name(), |history, of| columns(history, of, instrument)).unwrap_or_default();
        let layout = Layout::new(width, height, &Gutters::default());
        let series: [&[f64]; 1] = [&kept.values];
        let drawn = Columns { t: &kept.t, step_s, series: &series };
        let largest = kept.prepared.update(Kind::Lines, &drawn, view, &layout);
        // Of room the axis shows all there is.
        let most = if is_share(instrument) { 100.0 } else { total.get_untracked().unwrap_or(largest).max(largest) };
        kept.y_max = if is_share(instrument) {
            most
        } else {
            next_axis_max(kept.y_max, most, layout.y_intervals(), Unit::Number)
        };
        let plot = Plot::new(layout, view, kept.y_max);
        kept.plot = Some(plot);
        let offset = |at_s: i64| untrack(|| zone.offset_s(at_s));
        let axes = AxesSpec { unit: Unit::Number, suffix: "", offset_s_at: &offset };
        let styles = [SeriesStyle::new(theme.accent).filled()];
        // A canvas that refuses to draw is tried again with the next change; the figures stand in the document.
        let _ = draw_axes(area, &plot, &axes, &theme)
            .and_then(|()| draw_series(area, &plot, &mut kept.prepared, &styles, &theme));
        painted.update(|n| *n = n.wrapping_add(1));
        Frame::Done
    });

    let state = Rc::clone(&kept);
    let watch = move || {
        painted.track();
        board.cursor.track();
    };
    paint_on(overlay, watch, move |surface, _| {
        let theme = Theme::new(mode.get_untracked());
        let kept = state.borrow();
        let (Some(area), Some(plot)) = (surface.area(), kept.plot.as_ref()) else { return Frame::Done };
        if let Some(step) = untrack(|| board.cursor_step())
            && let Some(t_s) = kept.t.get(step).copied()
        {
            let value = kept.values.get(step).copied().filter(|value| value.is_finite());
            let marks: Vec<Mark> = value.map(|value| Mark { value, color: theme.accent }).into_iter().collect();
            #[expect(clippy::cast_precision_loss, reason = "seconds of a step")]
            let step_s = untrack(|| board.step_s()) as f64;
            let _ = draw_crosshair(area, plot, &Crosshair { t_s, step_s, marks: &marks }, &theme);
        }
        Frame::Done
    });

    let held = move || Some((host.get_value(), instrument));
    let state = Rc::clone(&kept);
    let moved = move |event: PointerEvent| {
        let kept = state.borrow();
        let Some(plot) = kept.plot.as_ref() else { return };
        #[expect(clippy::cast_precision_loss, reason = "seconds of a step")]
        let step_s = untrack(|| board.step_s()) as f64;
        let x = f64::from(event.unchecked_ref::<MouseEvent>().offset_x());
        board.held.set(held());
        board.cursor.set(bucket_at(plot, &kept.t, step_s, x).map(|step| kept.t[step]));
    };
    let let_go = move || {
        board.cursor.set(None);
        board.held.set(None);
    };
    // A finger that is lifted leaves its reading behind.
    let left = move |event: PointerEvent| {
        if event.pointer_type() != "touch" {
            let_go();
        }
    };
    let state = Rc::clone(&kept);
    let key = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowLeft" => Step::Left,
            "ArrowRight" => Step::Right,
            "Home" => Step::Home,
            "End" => Step::End,
            "Escape" => return let_go(),
            _ => return,
        };
        event.prevent_default();
        let kept = state.borrow();
        let (view, at) = untrack(|| (board.view(), board.cursor_step()));
        #[expect(clippy::cast_precision_loss, reason = "seconds of a step")]
        let step_s = untrack(|| board.step_s()) as f64;
        board.held.set(held());
        board.cursor.set(step_bucket(&kept.t, step_s, view, at, step).map(|step| kept.t[step]));
    };

    let current = move || {
        let cursor = board.cursor_step();
        let read = |history: &HostHistory, of: &HostColumns| {
            let step = cursor.or_else(|| newest(history, of, instrument))?;
            of.exact(instrument, step)
        };
        board.past(&name(), read).flatten().unwrap_or_else(|| "–".to_owned())
    };
    let is_empty = move || board.past(&name(), |history, of| newest(history, of, instrument)).flatten().is_none();
    let told = move || board.past(&name(), |history, of| summary(history, of, instrument));
    let label = format!("{} of {} over time. Arrow keys read values", instrument.label(), host.get_value());
    let described = format!("told-{}-{}", host.get_value().replace(' ', "-"), instrument.name());
    view! {
        <div class="host-chart" data-instrument=instrument.name()>
            <header>
                <h3>{instrument.label()}</h3>
                <span class="unit">{unit(instrument)}</span>
                <strong class="current">{current}</strong>
            </header>
            <div class="plot-box">
                <div
                    class="plot"
                    tabindex="0"
                    role="group"
                    aria-roledescription="chart"
                    aria-label=label
                    aria-describedby=described.clone()
                    on:keydown=key
                    on:blur=move |_| let_go()
                >
                    <canvas node_ref=base aria-hidden="true"></canvas>
                    <canvas class="over" node_ref=overlay aria-hidden="true" on:pointermove=moved.clone() on:pointerdown=moved on:pointerleave=left></canvas>
                    <HostReadout board host instrument kept/>
                </div>
                {move || is_empty().then(|| view! { <p class="plot-empty">"Nothing recorded in this window"</p> })}
            </div>
            <p class="visually-hidden" id=described>{told}</p>
        </div>
    }
}

/// The exact value at the crosshair, on the chart that is held.
#[component]
fn HostReadout(
    board: MachineBoard,
    host: StoredValue<String>,
    instrument: Instrument,
    kept: Rc<RefCell<Kept>>,
) -> impl IntoView {
    let zone = use_zone();
    let node = NodeRef::<Div>::new();
    let is_held = move || {
        board.held.with(|held| {
            held.as_ref().is_some_and(|(name, of)| *of == instrument && host.with_value(|host| host == name))
        })
    };
    let step = Memo::new(move |_| is_held().then(|| board.cursor_step()).flatten());
    Effect::new(move |_| {
        let (Some(div), Some(at)) = (node.get(), step.get()) else { return };
        let kept = kept.borrow();
        let (Some(plot), Some(t_s)) = (kept.plot.as_ref(), kept.t.get(at)) else { return };
        let x = plot.x_of(*t_s);
        // On the side that has more room; the width of the other side is never needed.
        let (width, style) = (plot.layout.width, web_sys::HtmlElement::style(&div));
        let (side, other, px) = if x > width / 2.0 { ("right", "left", width - x) } else { ("left", "right", x) };
        let _ = style.set_property(side, &format!("{}px", (px + APART_PX).round()));
        let _ = style.set_property(other, "auto");
    });
    let text = move || {
        let at = step.get()?;
        board.past(&host.get_value(), |history, of| {
            let from_s = history.times().nth(at)?;
            let value = of.exact(instrument, at).unwrap_or_else(|| "no data".to_owned());
            let time = format!("{} · mean of {}", zone.day_clock(from_s), words::step(history.step_s));
            Some(view! {
                <p class="readout-time">{time}</p>
                <table><tbody><tr>
                    <th scope="row"><span class="swatch series-working"></span>{instrument.label()}</th>
                    <td>{value}</td>
                </tr></tbody></table>
            })
        })?
    };
    view! { <div class="readout" node_ref=node class:shown=move || step.get().is_some() role="status">{text}</div> }
}
