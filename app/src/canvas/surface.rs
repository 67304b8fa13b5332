//! A canvas that is sharp at every pixel ratio, with the fine grid that the charts are drawn on.

use chart::{FINE, FineBackend};
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_canvas::CanvasBackend;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// What every `chart::draw_…` function takes.
pub(crate) type Area = DrawingArea<FineBackend<CanvasBackend>, Shift>;

/// One canvas.
pub(crate) struct Surface {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    ratio: f64,
    /// Width in CSS pixels.
    pub width: f64,
    /// Height in CSS pixels.
    pub height: f64,
    area: Option<Area>,
}

impl Surface {
    /// Takes a canvas that is in the page.
    pub(crate) fn new(canvas: HtmlCanvasElement) -> Option<Self> {
        let context = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        Some(Self { canvas, context, ratio: 0.0, width: 0.0, height: 0.0, area: None })
    }

    /// The element's width and height in CSS pixels. To be asked of every canvas before any is drawn on: a canvas that
    /// takes a new size makes the browser lay the page out again at the next question.
    pub(crate) fn measure(&self) -> (f64, f64) {
        (f64::from(self.canvas.client_width()), f64::from(self.canvas.client_height()))
    }

    /// Takes over the element's size and the screen's pixel ratio, and wipes the canvas. False when it has no size.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a screen")]
    pub(crate) fn begin(&mut self, (width, height): (f64, f64)) -> bool {
        if width < 1.0 || height < 1.0 {
            return false;
        }
        let ratio = web_sys::window().map_or(1.0, |w| w.device_pixel_ratio()).clamp(0.5, 8.0);
        if (width, height, ratio) != (self.width, self.height, self.ratio) {
            (self.width, self.height, self.ratio) = (width, height, ratio);
            self.canvas.set_width((width * ratio).round() as u32);
            self.canvas.set_height((height * ratio).round() as u32);
            self.area = None;
        }
        let fine = f64::from(FINE);
        let scale = ratio / fine;
        // Setting a canvas' size resets its context, and a canvas may be reset by the browser at any time.
        let _ = self.context.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0);
        // At a width of one and a half pixels nobody sees the corners, and round ones cost as much as the line.
        self.context.set_line_join("bevel");
        self.context.clear_rect(0.0, 0.0, width * fine, height * fine);
        true
    }

    /// Where to draw; none when the browser gave no context.
    pub(crate) fn area(&mut self) -> Option<&Area> {
        if self.area.is_none() {
            let backend = CanvasBackend::with_canvas_object(self.canvas.clone())?;
            self.area = Some(FineBackend::new(backend, self.width, self.height).into_area());
        }
        self.area.as_ref()
    }
}
