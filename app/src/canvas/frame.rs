//! One animation frame for every canvas of the page: only those that asked are painted, and a hidden page gets none.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ResizeObserver};

use super::surface::Surface;

/// Whether a painter wants the next frame too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Something still moves.
    Again,
    /// At rest until asked.
    Done,
}

type Tick = Closure<dyn FnMut(f64)>;
type Paint = Rc<RefCell<dyn FnMut(&mut Surface, f64) -> Frame>>;

struct Painter {
    id: u32,
    dirty: Cell<bool>,
    surface: RefCell<Surface>,
    paint: Paint,
    observer: Option<ResizeObserver>,
    _resized: Closure<dyn FnMut()>,
}

#[derive(Default)]
struct Loop {
    painters: RefCell<Vec<Rc<Painter>>>,
    next_id: Cell<u32>,
    scheduled: Cell<bool>,
    callback: RefCell<Option<Tick>>,
}

thread_local! {
    // The page has one animation loop, as it has one `requestAnimationFrame`.
    static LOOP: Loop = Loop::default();
}

/// Paints `node` whenever its size, or anything that `watch` reads, changes. `paint` draws on a wiped canvas at a
/// steady time in milliseconds; it reads signals untracked.
pub(crate) fn paint_on(
    node: NodeRef<Canvas>,
    watch: impl Fn() + 'static,
    paint: impl FnMut(&mut Surface, f64) -> Frame + 'static,
) {
    let watch = Rc::new(watch);
    let paint: Paint = Rc::new(RefCell::new(paint));
    Effect::new(move |_| {
        let Some(canvas) = node.get() else { return };
        let Some(id) = add(canvas, Rc::clone(&paint)) else { return };
        on_cleanup(move || remove(id));
        let watch = Rc::clone(&watch);
        Effect::new(move |_| {
            watch();
            request(id);
        });
    });
}

fn add(canvas: HtmlCanvasElement, paint: Paint) -> Option<u32> {
    let surface = Surface::new(canvas.clone())?;
    LOOP.with(|frames| {
        let id = frames.next_id.get();
        frames.next_id.set(id.wrapping_add(1));
        let resized = Closure::<dyn FnMut()>::new(move || request(id));
        let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
        if let Some(observer) = &observer {
            observer.observe(&canvas);
        }
        let painter =
            Painter { id, dirty: Cell::new(false), surface: RefCell::new(surface), paint, observer, _resized: resized };
        frames.painters.borrow_mut().push(Rc::new(painter));
        Some(id)
    })
}

fn remove(id: u32) {
    LOOP.with(|frames| {
        frames.painters.borrow_mut().retain(|painter| {
            if painter.id == id
                && let Some(observer) = &painter.observer
            {
                observer.disconnect();
            }
            painter.id != id
        });
    });
}

fn request(id: u32) {
    LOOP.with(|frames| {
        if let Some(painter) = frames.painters.borrow().iter().find(|painter| painter.id == id) {
            painter.dirty.set(true);
            schedule(frames);
        }
    });
}

fn schedule(frames: &Loop) {
    if frames.scheduled.replace(true) {
        return;
    }
    let mut callback = frames.callback.borrow_mut();
    let callback = callback.get_or_insert_with(|| Closure::new(run));
    if window().request_animation_frame(callback.as_ref().unchecked_ref()).is_err() {
        frames.scheduled.set(false);
    }
}

fn run(now_ms: f64) {
    LOOP.with(|frames| {
        frames.scheduled.set(false);
        let dirty: Vec<Rc<Painter>> = frames.painters.borrow().iter().filter(|p| p.dirty.get()).cloned().collect();
        let sizes: Vec<_> = dirty.iter().map(|painter| painter.surface.borrow().measure()).collect();
        for (painter, size) in dirty.into_iter().zip(sizes) {
            painter.dirty.set(false);
            let mut surface = painter.surface.borrow_mut();
            if surface.begin(size) && (painter.paint.borrow_mut())(&mut surface, now_ms) == Frame::Again {
                painter.dirty.set(true);
                schedule(frames);
            }
        }
    });
}
