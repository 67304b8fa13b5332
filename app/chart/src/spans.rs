//! Spans of which something has to be said, such as those whose costs were priced again: a thin band along the upper
//! edge of the plot, with an end at either side. What there is to say stands in the document.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_backend::DrawingBackend;

use crate::layout::Plot;
use crate::pen::{DrawError, Pen};
use crate::theme::{Theme, faded};

/// Height of the band and of its ends, in CSS pixels.
const BAND_PX: f64 = 3.0;
const END_PX: f64 = 7.0;

/// Draws spans (begin and end in Unix seconds); what lies outside of the plot is left out, and a span too short to be
/// seen is two pixels wide.
pub fn draw_spans<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    plot: &Plot,
    spans: &[(f64, f64)],
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let pen = Pen::new(area);
    let frame = plot.layout.plot;
    for (from_s, to_s) in spans {
        let (from, to) = (plot.x_of(*from_s).floor(), plot.x_of(*to_s).ceil());
        // Written so that NaN is left out too.
        if !(to >= frame.x0 && from <= frame.x1) {
            continue;
        }
        let (x0, x1) = (from.max(frame.x0), to.max(from + 2.0).min(frame.x1));
        pen.rect((x0, frame.y0), (x1, frame.y0 + BAND_PX), faded(theme.ink, 0.35))?;
        for end in [from, to - 1.0] {
            if (frame.x0..frame.x1).contains(&end) {
                pen.rect((end, frame.y0), (end + 1.0, frame.y0 + END_PX), faded(theme.ink, 0.7))?;
            }
        }
    }
    Ok(())
}
