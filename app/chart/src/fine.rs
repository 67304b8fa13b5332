//! A backend on a grid eight times finer than CSS pixels, because plotters knows integer pixels only.
//!
//! Everything in this crate is drawn in *fine units*: eighths of a CSS pixel, coordinates, strokes and fonts alike.
//! The owner of a canvas sets the context's transform to `device pixel ratio / FINE` and draws through
//! [`FineBackend`]; then an arc is smooth at every pixel ratio and a stroke may be 1.5 px wide.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontFamily,
    FontStyle, FontTransform, text_anchor::Pos,
};

/// Fine units per CSS pixel.
pub const FINE: u32 = 8;

/// Widths of text are guessed as this share of the font size per character: near enough for placing labels, and it
/// costs no reflow (plotters would measure a hidden element in the page).
const CHARACTER_WIDTH: f64 = 0.58;

/// Wraps a backend whose own size means device pixels; reports fine units, and measures text without the page.
pub struct FineBackend<DB> {
    inner: DB,
    size: (u32, u32),
    text_scale: f64,
}

impl<DB: DrawingBackend> FineBackend<DB> {
    /// A surface of `width_px` x `height_px` CSS pixels on `inner`.
    pub fn new(inner: DB, width_px: f64, height_px: f64) -> Self {
        let fine = |px: f64| (px.clamp(0.0, 100_000.0) * f64::from(FINE)).round() as u32;
        Self { inner, size: (fine(width_px), fine(height_px)), text_scale: 1.0 }
    }

    /// For a backend that takes a font's size in another measure than its em: plotters' SVG divides by 1.24.
    pub fn with_text_scale(self, text_scale: f64) -> Self {
        Self { text_scale, ..self }
    }

    /// The drawing area that every `draw_…` function takes. It may be kept as long as the size does not change.
    pub fn into_area(self) -> DrawingArea<Self, Shift> {
        self.into_drawing_area()
    }
}

impl<DB: DrawingBackend> DrawingBackend for FineBackend<DB> {
    type ErrorType = DB::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.ensure_prepared()
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.present()
    }

    fn draw_pixel(
        &mut self,
        point: BackendCoord,
        color: BackendColor,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.draw_pixel(point, color)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.draw_line(from, to, style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.draw_path(path, style)
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.draw_circle(center, radius, style, fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.fill_polygon(vert, style)
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        pos: BackendCoord,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.inner.draw_text(text, &Scaled { style, scale: self.text_scale }, pos)
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Self::ErrorType>> {
        let (width, height) = text_size(text, style.size());
        Ok((width.ceil() as u32, height.ceil() as u32))
    }
}

/// The guessed width and height of `text` at a font size, in the unit of the font size.
pub(crate) fn text_size(text: &str, font_size: f64) -> (f64, f64) {
    (text.chars().count() as f64 * font_size * CHARACTER_WIDTH, font_size)
}

struct Scaled<'a, S> {
    style: &'a S,
    scale: f64,
}

impl<S: BackendTextStyle> BackendTextStyle for Scaled<'_, S> {
    type FontError = S::FontError;

    fn color(&self) -> BackendColor {
        self.style.color()
    }

    fn size(&self) -> f64 {
        self.style.size() * self.scale
    }

    fn transform(&self) -> FontTransform {
        self.style.transform()
    }

    fn style(&self) -> FontStyle {
        self.style.style()
    }

    fn anchor(&self) -> Pos {
        self.style.anchor()
    }

    fn family(&self) -> FontFamily<'_> {
        self.style.family()
    }

    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Self::FontError> {
        self.style.layout_box(text)
    }

    fn draw<E, F: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        pos: BackendCoord,
        draw: F,
    ) -> Result<Result<(), E>, Self::FontError> {
        self.style.draw(text, pos, draw)
    }
}
