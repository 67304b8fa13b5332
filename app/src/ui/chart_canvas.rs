//! A chart's canvases: axes and series on one, crosshair and selection on another, and the pointers over them.

use std::cell::RefCell;
use std::rc::Rc;

use chart::{
    AxesSpec, Color, Columns, Crosshair, Gutters, Kind, Layout, Mark, Plot, Prepared, SeriesStyle, Theme, Unit,
    draw_axes, draw_before, draw_crosshair, draw_selection, draw_series, draw_spans, next_axis_max,
};
use leptos::ev::{PointerEvent, WheelEvent};
use leptos::html::Canvas;
use leptos::prelude::*;

use super::chart_card::ChartContext;
use super::chart_keys::keys;
use super::chart_pointers::Pointers;
use super::readout::Readout;
use super::theme_toggle::use_mode;
use crate::canvas::{Frame, paint_on};
use crate::observe::before::Before;
use crate::observe::data::ChartData;
use crate::observe::gesture::Gesture;
use crate::observe::{palette, words};
use crate::zone::use_zone;

/// What a chart keeps between frames.
#[derive(Default)]
pub(crate) struct ChartState {
    prepared: Prepared,
    /// Of the period before.
    before: Prepared,
    /// Its sums over a stack.
    tops: Vec<f64>,
    y_max: f64,
    /// Where things lie since the last paint.
    pub plot: Option<Plot>,
    /// What the pointers do.
    pub gesture: Gesture,
    /// Pointers that are down: id and x.
    pub down: Vec<(i32, f64)>,
    /// Ends the turning of a wheel.
    pub wheel: Option<TimeoutHandle>,
}

/// Shared by a chart's painters and handlers.
pub(crate) type Shared = Rc<RefCell<ChartState>>;

impl ChartState {
    /// A new one.
    pub(crate) fn shared() -> Shared {
        Rc::default()
    }

    /// Lays out and prepares what the view shows. The axis fits the period before too.
    fn prepare(&mut self, chart: ChartContext, data: &ChartData, (width, height): (f64, f64)) -> Plot {
        let layout = Layout::new(width, height, &Gutters::default());
        let view = chart.board.view.get_untracked();
        let columns: Vec<&[f64]> = shown(chart).map(|series| data.values[series].as_slice()).collect();
        let columns = Columns { t: &data.t, step_s: step(data), series: &columns };
        let largest = self.prepared.update(palette::kind(chart.metric), &columns, view, &layout);
        let slot = chart.board.slot(chart.metric);
        let before = slot.look_before(|before| self.prepare_before(chart, before, view, &layout));
        let largest = largest.max(before.unwrap_or(0.0));
        self.y_max = next_axis_max(self.y_max, largest, layout.y_intervals(), Unit::Number);
        let plot = Plot::new(layout, view, self.y_max);
        self.plot = Some(plot);
        plot
    }

    /// Of a stack its upper edge, else every series that is switched on.
    fn prepare_before(&mut self, chart: ChartContext, before: &Before, view: chart::TimeRange, layout: &Layout) -> f64 {
        let data = &before.data;
        let mut columns: Vec<&[f64]> = shown(chart).map(|series| data.values[series].as_slice()).collect();
        let kind = palette::kind(chart.metric);
        if kind == Kind::Stacked {
            let parts = Columns { t: &before.t, step_s: step(data), series: &columns };
            self.tops.clear();
            self.tops.extend((0..before.t.len()).map(|bucket| chart::total(&parts, bucket)));
            columns = vec![&self.tops];
        }
        let columns = Columns { t: &before.t, step_s: step(data), series: &columns };
        self.before.update(if kind == Kind::Stacked { Kind::Lines } else { kind }, &columns, view, layout)
    }
}

/// The colours of the lines of the period before, in the order in which they were prepared.
fn colors_before(chart: ChartContext, theme: &Theme) -> Vec<Color> {
    if palette::kind(chart.metric) == Kind::Stacked {
        return vec![theme.before_stacked()];
    }
    shown(chart).map(|series| palette::style(chart.metric, series, theme).color).collect()
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a bucket")]
fn step(data: &ChartData) -> f64 {
    data.page.step_s as f64
}

/// The spans of which something has to be said; what it is, readout and table say.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
fn spans(data: &ChartData) -> Vec<(f64, f64)> {
    data.page.marks.iter().map(|mark| (mark.from_s as f64, mark.to_s as f64)).collect()
}

/// The series that are switched on, from the bottom of the stack up. Not tracked.
fn shown(chart: ChartContext) -> impl Iterator<Item = usize> {
    let hidden = chart.hidden.get_untracked();
    palette::stack(chart.metric).iter().copied().filter(move |series| hidden & (1 << series) == 0)
}

/// Dots of the crosshair: in a stack, on the upper edge of each layer that has any height.
fn marks(chart: ChartContext, data: &ChartData, bucket: usize, theme: &Theme) -> Vec<Mark> {
    let mut top = 0.0;
    let stacked = palette::kind(chart.metric) == Kind::Stacked;
    if palette::kind(chart.metric) == Kind::Bars {
        return Vec::new();
    }
    let mark = |series: usize| {
        let value = data.value(series, bucket)?;
        if stacked && value <= 0.0 {
            return None;
        }
        top += value;
        let color = palette::style(chart.metric, series, theme).color;
        Some(Mark { value: if stacked { top } else { value }, color })
    };
    shown(chart).filter_map(mark).collect()
}

/// The canvases and the readout over them.
#[component]
pub(crate) fn ChartCanvas(chart: ChartContext, state: Shared) -> impl IntoView {
    let ChartContext { board, metric, hidden } = chart;
    let (base, overlay) = (NodeRef::<Canvas>::new(), NodeRef::<Canvas>::new());
    let mode = use_mode();
    let zone = use_zone();
    let slot = board.slot(metric);
    // The overlay follows the plot: it is painted anew when that has moved.
    let painted = RwSignal::new(0_u32);
    let selecting = RwSignal::new(0_u32);

    let shared = Rc::clone(&state);
    let watch = move || {
        slot.with(|_| ());
        board.view.track();
        hidden.track();
        mode.track();
        zone.offset_s(0);
    };
    paint_on(base, watch, move |surface, _| {
        let theme = Theme::new(mode.get_untracked());
        let size = (surface.width, surface.height);
        let Some(area) = surface.area() else { return Frame::Done };
        let offset = |at_s: i64| untrack(|| zone.offset_s(at_s));
        let mut state = shared.borrow_mut();
        slot.look(|data| {
            let plot = state.prepare(chart, data, size);
            let axes = AxesSpec { unit: Unit::Number, suffix: "", offset_s_at: &offset };
            let styles: Vec<SeriesStyle> = shown(chart).map(|series| palette::style(metric, series, &theme)).collect();
            // A canvas that refuses to draw is tried again with the next change; the figures stand in the document.
            let before = if slot.look_before(|_| ()).is_some() { colors_before(chart, &theme) } else { Vec::new() };
            let stacked = palette::kind(metric) == Kind::Stacked;
            // Behind the series, but not under areas that would cover it.
            let (under, over) = if stacked { (&[][..], &before[..]) } else { (&before[..], &[][..]) };
            let ChartState { prepared, before: then, .. } = &mut *state;
            let _ = draw_axes(area, &plot, &axes, &theme)
                .and_then(|()| draw_before(area, &plot, then, under, &theme))
                .and_then(|()| draw_series(area, &plot, prepared, &styles, &theme))
                .and_then(|()| draw_before(area, &plot, then, over, &theme))
                .and_then(|()| draw_spans(area, &plot, &spans(data), &theme));
        });
        drop(state);
        painted.update(|n| *n = n.wrapping_add(1));
        Frame::Done
    });

    let shared = Rc::clone(&state);
    let watch = move || {
        painted.track();
        selecting.track();
        board.cursor.track();
    };
    paint_on(overlay, watch, move |surface, _| {
        let theme = Theme::new(mode.get_untracked());
        let state = shared.borrow();
        let (Some(area), Some(plot)) = (surface.area(), state.plot.as_ref()) else { return Frame::Done };
        if let Gesture::Select { from_x, to_x } = state.gesture {
            let _ = draw_selection(area, plot, (from_x, to_x), &theme);
        }
        if let Some(bucket) = untrack(|| chart.cursor_bucket()) {
            slot.look(|data| {
                let marks = marks(chart, data, bucket, &theme);
                let crosshair = Crosshair { t_s: data.t[bucket], step_s: step(data), marks: &marks };
                let _ = draw_crosshair(area, plot, &crosshair, &theme);
            });
        }
        Frame::Done
    });

    let on = Pointers { chart, state: Rc::clone(&state), overlay, selecting };
    let (down, moved, up, cancel, left) = (on.clone(), on.clone(), on.clone(), on.clone(), on.clone());
    let down = move |event: PointerEvent| down.down(&event);
    let moved = move |event: PointerEvent| moved.moved(&event);
    let up = move |event: PointerEvent| up.up(&event);
    let cancel = move |_: PointerEvent| cancel.cancel();
    let left = move |event: PointerEvent| left.left(&event);
    let wheel = move |event: WheelEvent| on.wheel(&event);
    let summary = Memo::new(move |_| {
        let range = super::chart_card::range_words(board, zone);
        slot.with_loaded(|data| words::summary(data, &range)).unwrap_or_default()
    });
    let described = format!("told-{}", metric.name());
    view! {
        <div
            class="plot"
            tabindex="0"
            role="group"
            aria-roledescription="chart"
            aria-label=format!("{}. Arrow keys read values, plus and minus zoom, backspace goes back", metric.title())
            aria-describedby=described.clone()
            on:keydown=move |event| keys(chart, &event)
            on:blur=move |_| { board.cursor.set(None); board.held.set(None); }
        >
            <canvas node_ref=base aria-hidden="true"></canvas>
            <canvas
                class="over"
                node_ref=overlay
                aria-hidden="true"
                on:pointerdown=down
                on:pointermove=moved
                on:pointerup=up
                on:pointercancel=cancel
                on:pointerleave=left
                on:wheel=wheel
                on:dblclick=move |_| board.back()
            ></canvas>
            <Readout chart state/>
        </div>
        <p class="visually-hidden" id=described>{summary}</p>
    }
}
