//! The trend of the last five minutes: a line 24 px high with no axis.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_backend::DrawingBackend;

use crate::pen::{DrawError, Pen, Point};
use crate::scale::Scale;
use crate::theme::{Color, Theme, faded};

/// What a sparkline shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SparkSpec<'a> {
    /// One value per equal step of time, oldest first; NaN is a gap.
    pub values: &'a [f64],
    /// The value at the top; None is the largest one. Zero is always the bottom.
    pub max: Option<f64>,
    /// None is the accent.
    pub color: Option<Color>,
    /// The reading is old: drawn without colour.
    pub stale: bool,
}

/// Draws the line, a faint area under it, and a dot on the newest value.
pub fn draw_sparkline<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    spec: &SparkSpec<'_>,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    const DOT_PX: f64 = 2.0;
    let mut pen = Pen::new(area);
    let (width, height) = pen.size();
    let color = spec.color.unwrap_or(theme.accent);
    let color = if spec.stale { theme.desaturated(color) } else { color };
    let bottom = height - DOT_PX;
    pen.rect((0.0, bottom), (width, bottom + 1.0), theme.grid)?;

    let largest = spec.values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
    let max = spec.max.filter(|m| m.is_finite()).unwrap_or(0.0).max(largest);
    let x = Scale::new((0.0, spec.values.len().saturating_sub(1).max(1) as f64), (DOT_PX, width - DOT_PX));
    let y = Scale::new((0.0, if max > 0.0 { max } else { 1.0 }), (bottom, DOT_PX));
    let point = |i: usize| -> Point { (x.px(i as f64), y.px(spec.values[i].max(0.0))) };

    let mut start = 0;
    for run in spec.values.chunk_by(|a, b| a.is_finite() == b.is_finite()) {
        let (from, to) = (start, start + run.len());
        start = to;
        if !run[0].is_finite() {
            continue;
        }
        if run.len() == 1 {
            pen.disc(point(from), theme.line_px, color)?;
            continue;
        }
        let ends = [(x.px((to - 1) as f64), bottom), (x.px(from as f64), bottom)];
        pen.polygon((from..to).map(point).chain(ends), faded(color, theme.fill_alpha))?;
        pen.path((from..to).map(point), theme.line_px, color)?;
    }
    match spec.values.iter().rposition(|v| v.is_finite()) {
        Some(newest) if newest + 1 == spec.values.len() => pen.disc(point(newest), DOT_PX, color),
        _ => Ok(()),
    }
}
