//! Shapes in CSS pixels (f64), handed to plotters in fine units. The only caller of `DrawingArea::draw`.

use std::convert::Infallible;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Drawable, PointCollection};
use plotters::style::Color as _;
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontFamily,
};

use crate::fine::{FINE, text_size};
use crate::theme::Color;

/// What can go wrong while drawing: only what the backend itself reports.
pub type DrawError<DB> = DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>;

/// A point in CSS pixels.
pub(crate) type Point = (f64, f64);

/// A fine-grid point. NaN becomes 0, and nothing leaves what a canvas can hold.
pub(crate) fn fine((x, y): Point) -> BackendCoord {
    let k = f64::from(FINE);
    let to = |v: f64| (v * k).round().clamp(-1e6, 1e6) as i32;
    (to(x), to(y))
}

#[derive(Clone, Copy)]
struct Stroke {
    color: BackendColor,
    width: u32,
}

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

enum Form {
    Path,
    Polygon,
    Rect,
    Disc(u32),
}

struct Shape<'a> {
    points: &'a [BackendCoord],
    form: Form,
    stroke: Stroke,
}

impl<'a> PointCollection<'a, BackendCoord> for &'a Shape<'_> {
    type Point = &'a BackendCoord;
    type IntoIter = &'a [BackendCoord];

    fn point_iter(self) -> Self::IntoIter {
        self.points
    }
}

impl<DB: DrawingBackend> Drawable<DB> for Shape<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut pos: I,
        backend: &mut DB,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<DB::ErrorType>> {
        match self.form {
            Form::Path => backend.draw_path(pos, &self.stroke),
            Form::Polygon => backend.fill_polygon(pos, &self.stroke.color),
            Form::Rect => match (pos.next(), pos.next()) {
                (Some(a), Some(b)) => backend.draw_rect(a, b, &self.stroke.color, true),
                _ => Ok(()),
            },
            Form::Disc(r) => pos.next().map_or(Ok(()), |at| backend.draw_circle(at, r, &self.stroke.color, true)),
        }
    }
}

struct Label<'a> {
    text: &'a str,
    at: [BackendCoord; 1],
    style: LabelStyle,
}

#[derive(Clone, Copy)]
struct LabelStyle {
    color: BackendColor,
    size: f64,
    family: &'static str,
    anchor: Pos,
}

impl<'a> PointCollection<'a, BackendCoord> for &'a Label<'_> {
    type Point = &'a BackendCoord;
    type IntoIter = &'a [BackendCoord];

    fn point_iter(self) -> Self::IntoIter {
        &self.at
    }
}

impl<DB: DrawingBackend> Drawable<DB> for Label<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut pos: I,
        backend: &mut DB,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<DB::ErrorType>> {
        pos.next().map_or(Ok(()), |at| backend.draw_text(self.text, &self.style, at))
    }
}

/// Not plotters' `TextStyle`: that one owns two strings, and measures through the page on wasm.
impl BackendTextStyle for LabelStyle {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        self.color
    }

    fn size(&self) -> f64 {
        self.size
    }

    fn anchor(&self) -> Pos {
        self.anchor
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(self.family)
    }

    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        let (width, height) = text_size(text, self.size);
        Ok(((0, 0), (width.ceil() as i32, height.ceil() as i32)))
    }

    /// Only bitmap backends ask a style to draw itself; those have no text here.
    fn draw<E, F: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        _: &str,
        _: BackendCoord,
        _: F,
    ) -> Result<Result<(), E>, Infallible> {
        Ok(Ok(()))
    }
}

/// Where a text stands to its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    RightMiddle,
    Middle,
    TopMiddle,
}

impl Anchor {
    fn pos(self) -> Pos {
        match self {
            Self::RightMiddle => Pos::new(HPos::Right, VPos::Center),
            Self::Middle => Pos::new(HPos::Center, VPos::Center),
            Self::TopMiddle => Pos::new(HPos::Center, VPos::Top),
        }
    }
}

/// Draws one layer. Keeps one buffer for the points of its shapes.
pub(crate) struct Pen<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    buffer: Vec<BackendCoord>,
}

impl<'a, DB: DrawingBackend> Pen<'a, DB> {
    pub(crate) fn new(area: &'a DrawingArea<DB, Shift>) -> Self {
        Self { area, buffer: Vec::new() }
    }

    /// Width and height in CSS pixels.
    pub(crate) fn size(&self) -> (f64, f64) {
        let (width, height) = self.area.dim_in_pixel();
        (f64::from(width) / f64::from(FINE), f64::from(height) / f64::from(FINE))
    }

    pub(crate) fn path(
        &mut self,
        points: impl IntoIterator<Item = Point>,
        px: f64,
        color: Color,
    ) -> Result<(), DrawError<DB>> {
        self.fill_buffer(points);
        self.shape(&self.buffer, Form::Path, px, color)
    }

    /// A path that is on the fine grid already: the way of every series.
    pub(crate) fn fine_path(&self, points: &[BackendCoord], px: f64, color: Color) -> Result<(), DrawError<DB>> {
        self.shape(points, Form::Path, px, color)
    }

    pub(crate) fn polygon(
        &mut self,
        points: impl IntoIterator<Item = Point>,
        color: Color,
    ) -> Result<(), DrawError<DB>> {
        self.fill_buffer(points);
        self.shape(&self.buffer, Form::Polygon, 0.0, color)
    }

    pub(crate) fn fine_polygon(&self, points: &[BackendCoord], color: Color) -> Result<(), DrawError<DB>> {
        self.shape(points, Form::Polygon, 0.0, color)
    }

    /// A filled rectangle between two corners; less than a fine unit wide or high is nothing.
    pub(crate) fn rect(&self, a: Point, b: Point, color: Color) -> Result<(), DrawError<DB>> {
        let corners = [fine((a.0.min(b.0), a.1.min(b.1))), fine((a.0.max(b.0), a.1.max(b.1)))];
        if corners[0].0 == corners[1].0 || corners[0].1 == corners[1].1 {
            return Ok(());
        }
        self.shape(&corners, Form::Rect, 0.0, color)
    }

    pub(crate) fn disc(&self, center: Point, radius: f64, color: Color) -> Result<(), DrawError<DB>> {
        self.shape(&[fine(center)], Form::Disc(fine((radius, 0.0)).0.max(0) as u32), 0.0, color)
    }

    pub(crate) fn text(
        &self,
        text: &str,
        at: Point,
        anchor: Anchor,
        font: Font,
        color: Color,
    ) -> Result<(), DrawError<DB>> {
        if text.is_empty() {
            return Ok(());
        }
        let style = LabelStyle {
            color: color.to_backend_color(),
            size: font.px * f64::from(FINE),
            family: font.family,
            anchor: anchor.pos(),
        };
        self.area.draw(&Label { text, at: [fine(at)], style })
    }

    fn fill_buffer(&mut self, points: impl IntoIterator<Item = Point>) {
        self.buffer.clear();
        self.buffer.extend(points.into_iter().map(fine));
    }

    fn shape(&self, points: &[BackendCoord], form: Form, px: f64, color: Color) -> Result<(), DrawError<DB>> {
        let least = match form {
            Form::Path | Form::Rect => 2,
            Form::Polygon => 3,
            Form::Disc(0) => usize::MAX,
            Form::Disc(_) => 1,
        };
        if points.len() < least || color.3 <= 0.0 {
            return Ok(());
        }
        let stroke = Stroke { color: color.to_backend_color(), width: ((px * f64::from(FINE)).round() as u32).max(1) };
        self.area.draw(&Shape { points, form, stroke })
    }
}

/// A family and a size in CSS pixels.
#[derive(Clone, Copy)]
pub(crate) struct Font {
    pub(crate) family: &'static str,
    pub(crate) px: f64,
}
