//! The layer over the series, on a canvas of its own: crosshair, its marks, and the range being dragged. A hover
//! redraws this and nothing else.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_backend::DrawingBackend;

use crate::layout::Plot;
use crate::pen::{DrawError, Pen};
use crate::theme::{Color, Theme, faded};

/// A dot on the crosshair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Its height in the unit of the y axis: of a stacked series, the upper edge of its layer. NaN draws none.
    pub value: f64,
    /// The colour of its series.
    pub color: Color,
}

/// The bucket under the pointer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crosshair<'a> {
    /// Start of the bucket in Unix seconds.
    pub t_s: f64,
    /// Its length in seconds.
    pub step_s: f64,
    /// One dot per series; may be empty.
    pub marks: &'a [Mark],
}

/// Draws the crosshair at the centre of its bucket, where the series have their points. Nothing outside of the plot.
pub fn draw_crosshair<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    plot: &Plot,
    crosshair: &Crosshair<'_>,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let pen = Pen::new(area);
    let frame = plot.layout.plot;
    let x = plot.x_of(crosshair.t_s + crosshair.step_s / 2.0);
    if !(frame.x0..=frame.x1).contains(&x) {
        return Ok(());
    }
    let bucket = (plot.x_of(crosshair.t_s).max(frame.x0), plot.x_of(crosshair.t_s + crosshair.step_s).min(frame.x1));
    // The bucket itself shows once it is wide enough not to be taken for a thick line.
    if bucket.1 - bucket.0 >= 4.0 {
        pen.rect((bucket.0, frame.y0), (bucket.1, frame.y1), faded(theme.ink, 0.05))?;
    }
    pen.rect((x.floor(), frame.y0), (x.floor() + 1.0, frame.y1), faded(theme.ink, 0.55))?;
    for mark in crosshair.marks.iter().filter(|mark| mark.value.is_finite()) {
        let at = (x.floor() + 0.5, plot.y_of(mark.value));
        pen.disc(at, 4.5, theme.surface)?;
        pen.disc(at, 3.0, mark.color)?;
    }
    Ok(())
}

/// Draws the stretch between two x (CSS px) that a drag covers so far.
pub fn draw_selection<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    plot: &Plot,
    (a_px, b_px): (f64, f64),
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let pen = Pen::new(area);
    let frame = plot.layout.plot;
    let within = |x: f64| x.clamp(frame.x0, frame.x1);
    let (from, to) = (within(a_px.min(b_px)), within(a_px.max(b_px)));
    pen.rect((from, frame.y0), (to, frame.y1), faded(theme.accent, 0.16))?;
    for edge in [from, to] {
        pen.rect((edge.floor(), frame.y0), (edge.floor() + 1.0, frame.y1), theme.accent)?;
    }
    Ok(())
}
