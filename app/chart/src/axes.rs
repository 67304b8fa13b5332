//! The layer under the series: gridlines, the zero line, and the labels of both axes.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_backend::DrawingBackend;

use crate::layout::Plot;
use crate::pen::{Anchor, DrawError, Font, Pen};
use crate::theme::Theme;
use crate::ticks::{Unit, number_ticks, step, write_label};
use crate::time_ticks::{OffsetAt, time_ticks};

/// What the axes say.
#[derive(Clone, Copy)]
pub struct AxesSpec<'a> {
    /// How the numbers of the y axis are written.
    pub unit: Unit,
    /// Added to every y label, such as `/s`; may be empty.
    pub suffix: &'a str,
    /// The viewer's zone.
    pub offset_s_at: OffsetAt<'a>,
}

/// Draws gridlines and labels.
pub fn draw_axes<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    plot: &Plot,
    spec: &AxesSpec<'_>,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let pen = Pen::new(area);
    let frame = plot.layout.plot;
    let font = Font { family: theme.font, px: theme.label_px };
    // Filled rectangles on whole pixels: a stroke would straddle two rows and blur.
    let across = |y: f64, color| pen.rect((frame.x0, y.floor()), (frame.x1, y.floor() + theme.grid_px), color);

    let distance = step(plot.y_max, plot.layout.y_intervals(), spec.unit);
    let mut label = String::new();
    // On a chart too low for two lines of text only the top is labelled.
    let crowded = (plot.y_of(0.0) - plot.y_of(distance)) < theme.label_px * 1.2;
    for value in number_ticks(plot.y_max, distance) {
        let y = plot.y_of(value);
        across(y, if value == 0.0 { theme.axis } else { theme.grid })?;
        write_label(&mut label, value, distance, spec.unit);
        if value != 0.0 {
            label.push_str(spec.suffix);
        }
        if frame.x0 >= 20.0 && (!crowded || value + distance > plot.y_max) {
            pen.text(&label, (frame.x0 - 8.0, y), Anchor::RightMiddle, font, theme.muted)?;
        }
    }

    let labelled = plot.layout.height - frame.y1 >= theme.label_px + 2.0;
    for tick in time_ticks(plot.range, plot.layout.x_labels(), spec.offset_s_at) {
        let x = plot.x_of(tick.at_s as f64).floor();
        let color = if tick.major { theme.axis } else { theme.grid };
        pen.rect((x, frame.y0), (x + theme.grid_px, frame.y1), color)?;
        if !labelled {
            continue;
        }
        let half = crate::fine::text_size(&tick.label, font.px).0 / 2.0;
        // A label that would leave the canvas is left out; its line remains.
        if x - half >= 0.0 && x + half <= plot.layout.width {
            let ink = if tick.major { theme.ink } else { theme.muted };
            pen.text(&tick.label, (x, frame.y1 + 6.0), Anchor::TopMiddle, font, ink)?;
        }
    }
    Ok(())
}
