//! The layer of a chart's series: lines, stacked areas or bars.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_backend::{BackendCoord, DrawingBackend};

use crate::dash::dashes;
use crate::hatch::hatch;
use crate::layout::Plot;
use crate::pen::{DrawError, Pen, fine};
use crate::prepared::{Kind, Layer, Prepared};
use crate::theme::{Color, Theme, faded};

/// Points of a path, at most.
const PIECE: usize = 128;

/// What tells a series from its neighbours besides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pattern {
    /// A plain line or area.
    #[default]
    Solid,
    /// A dashed line: the period before, a limit.
    Dashed,
    /// A dotted line.
    Dotted,
    /// A hatched area: what could not be priced or attributed. As a line it is dashed.
    Hatched,
}

/// How one series is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesStyle {
    /// Its colour.
    pub color: Color,
    /// Its second mark.
    pub pattern: Pattern,
    /// Of a line: whether the area under it is filled faintly.
    pub fill: bool,
}

impl SeriesStyle {
    /// A solid line without an area; as a layer of a stack, a plain area.
    pub fn new(color: Color) -> Self {
        Self { color, pattern: Pattern::Solid, fill: false }
    }

    /// The same with a faint area under the line.
    pub fn filled(self) -> Self {
        Self { fill: true, ..self }
    }

    /// The same with a pattern.
    pub fn with(self, pattern: Pattern) -> Self {
        Self { pattern, ..self }
    }
}

/// Draws every series of the last `Prepared::update`, with the style of the same index; series beyond the styles are
/// not drawn.
pub fn draw_series<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    plot: &Plot,
    prepared: &mut Prepared,
    styles: &[SeriesStyle],
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    prepared.place(plot);
    let mut pen = Pen::new(area);
    match prepared.kind {
        Kind::Lines => {
            // Areas first, so that none lies over another's line.
            for (layer, style) in prepared.layers.iter().zip(styles).filter(|(_, style)| style.fill) {
                fill_to_zero(&pen, plot, layer, faded(style.color, theme.fill_alpha))?;
            }
            prepared.layers.iter().zip(styles).try_for_each(|(layer, style)| stroke(&mut pen, layer, style, theme))
        }
        Kind::Stacked => stacked(&pen, plot, &prepared.layers, styles, theme),
        Kind::Bars => bars(&pen, plot, prepared, styles, theme),
    }
}

fn stroke<DB: DrawingBackend>(
    pen: &mut Pen<'_, DB>,
    layer: &Layer,
    style: &SeriesStyle,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    for run in layer.runs() {
        let points = &layer.points[run];
        match (points, style.pattern) {
            // A lone value between gaps has no line to be seen by.
            ([point], _) => dot(pen, *point, theme.line_px * 1.2, style.color)?,
            (_, Pattern::Solid) => line(pen, points, theme.line_px, style.color)?,
            (_, Pattern::Dotted) => dashes(points, (2.0, 3.0), |dash| pen.fine_path(dash, theme.line_px, style.color))?,
            (_, Pattern::Dashed | Pattern::Hatched) => {
                dashes(points, (6.0, 4.0), |dash| pen.fine_path(dash, theme.line_px, style.color))?;
            }
        }
    }
    Ok(())
}

/// A line in pieces. A browser without a GPU looks at every edge of a path in every row of pixels that it may touch, so a
/// long line costs a quarter as much in short paths.
fn line<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    points: &[BackendCoord],
    px: f64,
    color: Color,
) -> Result<(), DrawError<DB>> {
    let mut rest = points;
    // Seen through, the overlap would show.
    while color.3 >= 1.0 && rest.len() > PIECE {
        pen.fine_path(&rest[..PIECE], px, color)?;
        // The next begins with the last segment of this one, so that the corner between them is joined.
        rest = &rest[PIECE - 2..];
    }
    pen.fine_path(rest, px, color)
}

pub(crate) fn dot<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    point: BackendCoord,
    radius: f64,
    color: Color,
) -> Result<(), DrawError<DB>> {
    let px = |v: i32| f64::from(v) / f64::from(crate::fine::FINE);
    pen.disc((px(point.0), px(point.1)), radius, color)
}

fn fill_to_zero<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    plot: &Plot,
    layer: &Layer,
    color: Color,
) -> Result<(), DrawError<DB>> {
    let zero = fine((0.0, plot.layout.plot.y1)).1;
    let mut outline = Vec::new();
    for run in layer.runs().filter(|run| run.len() > 1) {
        outline.clear();
        outline.extend_from_slice(&layer.points[run]);
        let ends = (outline[0].0, outline[outline.len() - 1].0);
        outline.extend([(ends.1, zero), (ends.0, zero)]);
        pen.fine_polygon(&outline, color)?;
    }
    Ok(())
}

fn stacked<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    plot: &Plot,
    layers: &[Layer],
    styles: &[SeriesStyle],
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let zero = fine((0.0, plot.layout.plot.y1)).1;
    // A bucket alone between gaps is widened to a sliver, or it would have no area.
    let sliver = |points: &[BackendCoord]| if points.len() == 1 { (theme.line_px * 8.0) as i32 } else { 0 };
    let mut outline = Vec::new();
    let mut lower: Vec<BackendCoord> = Vec::new();
    for (index, (layer, style)) in layers.iter().zip(styles).enumerate() {
        for run in layer.runs() {
            let top = &layer.points[run.clone()];
            lower.clear();
            match index.checked_sub(1).and_then(|below| layers.get(below)) {
                Some(below) => lower.extend_from_slice(&below.points[run]),
                None => lower.extend(top.iter().map(|(x, _)| (*x, zero))),
            }
            // A layer with no height here is not drawn: its line would lie on its neighbour's.
            if top.iter().zip(&lower).all(|(a, b)| a.1 == b.1) {
                continue;
            }
            let wide = sliver(top);
            outline.clear();
            outline.extend(top.iter().map(|(x, y)| (x - wide, *y)));
            outline.extend(top.iter().filter(|_| wide > 0).map(|(x, y)| (x + wide, *y)));
            outline.extend(lower.iter().rev().map(|(x, y)| (x + wide, *y)));
            outline.extend(lower.iter().filter(|_| wide > 0).map(|(x, y)| (x - wide, *y)));
            if style.pattern == Pattern::Hatched {
                pen.fine_polygon(&outline, faded(style.color, theme.fill_alpha))?;
                hatch(top, &lower, |a, b| pen.fine_path(&[a, b], 1.0, faded(style.color, 0.8)))?;
            } else {
                pen.fine_polygon(&outline, faded(style.color, theme.stack_alpha))?;
            }
            pen.fine_path(top, theme.grid_px, style.color)?;
        }
    }
    Ok(())
}

fn bars<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    plot: &Plot,
    prepared: &Prepared,
    styles: &[SeriesStyle],
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let count = prepared.layers.len().min(styles.len());
    if count == 0 {
        return Ok(());
    }
    let frame = plot.layout.plot;
    let slot = plot.x_of(plot.range.from_s + prepared.slot_s) - frame.x0;
    // A fifth of the slot parts the groups, and no bar grows into a slab.
    let width = ((slot * 0.8).max(1.0) / count as f64).clamp(1.0, 18.0);
    for (series, style) in styles.iter().take(count).enumerate() {
        for (start, v) in prepared.bars(series) {
            let middle = plot.x_of(start + prepared.slot_s / 2.0);
            let x = middle - width * count as f64 / 2.0 + width * series as f64;
            let gap = if width > 3.0 { 0.5 } else { 0.0 };
            let (left, right) = ((x + gap).max(frame.x0), (x + width - gap).min(frame.x1));
            if v <= 0.0 || left >= right {
                continue;
            }
            // What is not zero is never invisible.
            let top = plot.y_of(v).min(frame.y1 - 1.0).max(frame.y0);
            if style.pattern == Pattern::Solid {
                pen.rect((left, top), (right, frame.y1), style.color)?;
            } else {
                // A pale body under a full cap: told apart without its colour.
                pen.rect((left, top), (right, frame.y1), faded(style.color, theme.stack_alpha))?;
                pen.rect((left, top), (right, (top + 2.0).min(frame.y1)), style.color)?;
            }
        }
    }
    Ok(())
}
