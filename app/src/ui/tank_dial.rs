//! The dial of one tank: a canvas, its figures stand in the document.

use std::cell::RefCell;
use std::rc::Rc;

use chart::{Needle, TankSpec, Theme};
use leptos::html::Canvas;
use leptos::prelude::*;

use super::state::reduced_motion;
use super::theme_toggle::use_mode;
use crate::canvas::{Frame, paint_on};

/// A fuel gauge whose needle eases to `level`; without one it has no needle.
#[component]
pub(crate) fn TankDial(level: Memo<Option<f64>>, stale: Memo<bool>) -> impl IntoView {
    let mode = use_mode();
    let node = NodeRef::<Canvas>::new();
    let needle = Rc::new(RefCell::new(None::<Needle>));
    let watch = move || {
        mode.track();
        level.track();
        stale.track();
    };
    paint_on(node, watch, move |surface, now_ms| {
        let mut needle = needle.borrow_mut();
        match (level.get_untracked(), needle.as_mut()) {
            (None, _) => *needle = None,
            (Some(level), Some(needle)) => needle.set(level, now_ms, reduced_motion()),
            (Some(level), None) => *needle = Some(Needle::at(level)),
        }
        let position = needle.as_mut().map(|needle| needle.advance(now_ms));
        let again = needle.is_some_and(|needle| needle.moving());
        if let Some(area) = surface.area() {
            let spec = TankSpec { level: position, stale: stale.get_untracked() };
            // A canvas that refuses to draw shows in the next frame; the figures stand in the document.
            let _ = chart::draw_tank(area, &spec, &Theme::new(mode.get_untracked()));
        }
        if again { Frame::Again } else { Frame::Done }
    });
    view! { <div class="dial" aria-hidden="true"><canvas node_ref=node></canvas></div> }
}
