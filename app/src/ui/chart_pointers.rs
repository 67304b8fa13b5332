//! Pointers and wheels over a chart: they read values, mark a stretch, move the view.

use std::time::Duration;

use chart::bucket_at;
use leptos::ev::{MouseEvent, PointerEvent, WheelEvent};
use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::chart_canvas::Shared;
use super::chart_card::ChartContext;
use crate::observe::gesture::{self, Gesture, Press};

/// A wheel never says that it has ended: it has when nothing came for this long.
const WHEEL_ENDS_AFTER: Duration = Duration::from_millis(250);

/// The handlers of one chart.
#[derive(Clone)]
pub(crate) struct Pointers {
    /// The chart.
    pub chart: ChartContext,
    /// What it keeps between frames.
    pub state: Shared,
    /// The canvas that is pointed at.
    pub overlay: NodeRef<Canvas>,
    /// Raised when the marked stretch changes.
    pub selecting: RwSignal<u32>,
}

impl Pointers {
    /// Puts the shared cursor on the bucket under `x`.
    fn point(&self, x: f64) {
        let board = self.chart.board;
        let state = self.state.borrow();
        let at = state.plot.as_ref().and_then(|plot| {
            let slot = board.slot(self.chart.metric);
            #[expect(clippy::cast_precision_loss, reason = "seconds of a bucket")]
            let bucket = |data: &crate::observe::data::ChartData| {
                bucket_at(plot, &data.t, data.page.step_s as f64, x).map(|bucket| data.t[bucket])
            };
            slot.look(bucket).flatten()
        });
        drop(state);
        board.held.set(Some(self.chart.metric));
        board.cursor.set(at);
    }

    fn reselect(&self) {
        self.selecting.update(|n| *n = n.wrapping_add(1));
    }

    /// A button or a finger came down.
    pub(crate) fn down(&self, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        let x = f64::from(event.offset_x());
        if let Some(canvas) = self.overlay.get_untracked() {
            // Without capture a drag ends at the canvas' edge.
            let _ = canvas.set_pointer_capture(event.pointer_id());
        }
        let mut state = self.state.borrow_mut();
        let other_x = state.down.first().map(|(_, x)| *x);
        state.down.push((event.pointer_id(), x));
        let touch = event.pointer_type() == "touch";
        if let Some(plot) = state.plot {
            state.gesture = gesture::press(Press { x, shift: event.shift_key(), touch, other_x }, &plot);
        }
        drop(state);
        self.point(x);
    }

    /// A pointer moved, held or not.
    pub(crate) fn moved(&self, event: &PointerEvent) {
        let board = self.chart.board;
        let x = f64::from(event.offset_x());
        let mut state = self.state.borrow_mut();
        if let Some(held) = state.down.iter_mut().find(|(id, _)| *id == event.pointer_id()) {
            held.1 = x;
        }
        let fingers = state.down.first().zip(state.down.get(1)).map(|(a, b)| (a.1, b.1));
        if let Gesture::Select { to_x, .. } = &mut state.gesture {
            *to_x = x;
        }
        let (gesture, plot) = (state.gesture, state.plot);
        drop(state);
        match (gesture, plot, fingers) {
            (Gesture::Pan { from_x, view }, Some(plot), _) => {
                board.moving.set(Some(gesture::panned(&plot, view, x - from_x, &board.limits())));
            }
            (Gesture::Pinch { at_s, .. }, Some(plot), Some(fingers)) => {
                board.moving.set(Some(gesture::pinched(&plot, at_s, fingers, &board.limits())));
            }
            (Gesture::Select { .. }, ..) => {
                self.reselect();
                self.point(x);
            }
            _ => self.point(x),
        }
    }

    /// A button or a finger was lifted: a marked stretch or a moved view becomes the range.
    pub(crate) fn up(&self, event: &PointerEvent) {
        let board = self.chart.board;
        let mut state = self.state.borrow_mut();
        state.down.retain(|(id, _)| *id != event.pointer_id());
        let gesture = std::mem::take(&mut state.gesture);
        let plot = state.plot;
        drop(state);
        self.reselect();
        let zoom = plot.and_then(|plot| gesture::released(gesture, &plot, &board.limits()));
        if let Some(view) = zoom.or_else(|| board.moving.get_untracked()) {
            board.goto_view(view);
        }
    }

    /// The browser took the pointer for something else, such as scrolling.
    pub(crate) fn cancel(&self) {
        let mut state = self.state.borrow_mut();
        state.down.clear();
        state.gesture = Gesture::Idle;
        drop(state);
        self.reselect();
        self.chart.board.moving.set(None);
    }

    /// The pointer left. A finger that is lifted leaves its reading behind.
    pub(crate) fn left(&self, event: &PointerEvent) {
        if event.pointer_type() != "touch" && event.buttons() == 0 {
            self.chart.board.cursor.set(None);
            self.chart.board.held.set(None);
        }
    }

    /// A wheel or trackpad: pinching zooms about the pointer, sideways pans, and up and down scrolls the page.
    pub(crate) fn wheel(&self, event: &WheelEvent) {
        let board = self.chart.board;
        let Some(plot) = self.state.borrow().plot else { return };
        let (dx, dy) = (event.delta_x(), event.delta_y());
        let (view, limits) = (board.view.get_untracked(), board.limits());
        let next = if event.ctrl_key() {
            let at_s = plot.time_at(f64::from(event.unchecked_ref::<MouseEvent>().offset_x()));
            view.zoom_about(at_s, (dy * 0.01).clamp(-0.5, 0.5).exp(), &limits)
        } else if event.shift_key() && dx == 0.0 {
            gesture::panned(&plot, view, -dy, &limits)
        } else if dx.abs() > dy.abs() {
            gesture::panned(&plot, view, -dx, &limits)
        } else {
            return;
        };
        event.prevent_default();
        board.moving.set(Some(next));
        let settle = move || {
            if let Some(Some(view)) = board.moving.try_get_untracked() {
                board.goto_view(view);
            }
        };
        let mut state = self.state.borrow_mut();
        if let Some(before) = state.wheel.take() {
            before.clear();
        }
        state.wheel = set_timeout_with_handle(settle, WHEEL_ENDS_AFTER).ok();
    }
}
