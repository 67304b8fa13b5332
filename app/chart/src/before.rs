//! The period before, behind a chart's own series: thin, dimmed and dashed lines, whatever the chart itself is made of.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_backend::{BackendCoord, DrawingBackend};

use crate::dash::dashes;
use crate::layout::Plot;
use crate::pen::{DrawError, Pen, fine};
use crate::prepared::{Kind, Prepared};
use crate::series::dot;
use crate::theme::{Color, Theme, faded};

/// Dash and gap, CSS px: shorter than those of a dashed series.
const DASH: (f64, f64) = (3.0, 3.0);

/// Draws every series of the last `Prepared::update` as a line, in the colour of the same index. Bars are joined at the
/// middle of their tops, so that they are read from the same slots as the bars before them.
pub fn draw_before<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    plot: &Plot,
    prepared: &mut Prepared,
    colors: &[Color],
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    prepared.place(plot);
    let pen = Pen::new(area);
    for (series, color) in colors.iter().take(prepared.layers.len()).enumerate() {
        let color = faded(*color, theme.before_alpha);
        let draw = |run: &[BackendCoord]| match run {
            [] => Ok(()),
            [point] => dot(&pen, *point, theme.grid_px * 1.2, color),
            points => dashes(points, DASH, |dash| pen.fine_path(dash, theme.grid_px, color)),
        };
        if prepared.kind == Kind::Bars {
            let half_s = prepared.slot_s / 2.0;
            let mut run = Vec::new();
            let mut due = f64::NAN;
            for (start, v) in prepared.bars(series) {
                if start != due {
                    draw(&run)?;
                    run.clear();
                }
                run.push(fine(plot.point(start + half_s, v)));
                due = start + prepared.slot_s;
            }
            draw(&run)?;
        } else {
            let layer = &prepared.layers[series];
            layer.runs().try_for_each(|run| draw(&layer.points[run]))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use plotters::backend::SVGBackend;

    use super::*;
    use crate::fine::FineBackend;
    use crate::{Columns, Gutters, Layout, Mode, TimeRange};

    /// Lines and dots of an SVG.
    fn drawn(kind: Kind, t: &[f64], v: &[f64]) -> (usize, usize) {
        let mut svg = String::new();
        {
            let area = FineBackend::new(SVGBackend::with_string(&mut svg, (1_600, 800)), 200.0, 100.0).into_area();
            let (layout, range) = (Layout::new(200.0, 100.0, &Gutters::default()), TimeRange::new(0.0, 200.0));
            let mut prepared = Prepared::new();
            let max = prepared.update(kind, &Columns { t, step_s: 20.0, series: &[v] }, range, &layout);
            let theme = Theme::new(Mode::Dark);
            draw_before(&area, &Plot::new(layout, range, max), &mut prepared, &[theme.accent], &theme).unwrap();
            area.present().unwrap();
        }
        (svg.matches("<polyline").count(), svg.matches("<circle").count() + svg.matches("<polygon").count())
    }

    #[test]
    fn gaps_stay_gaps_and_a_lone_value_is_a_dot() {
        let t: Vec<f64> = (0..10).map(|i| f64::from(i) * 20.0).collect();
        let mut v = [1.0, 2.0, 3.0, f64::NAN, 4.0, f64::NAN, 1.0, 1.0, 2.0, 1.0];
        // Three values in a row are longer than a dash, and so are the four.
        for kind in [Kind::Lines, Kind::Bars] {
            let (dashes, dots) = drawn(kind, &t, &v);
            assert!(dashes >= 4 && dots == 1, "{kind:?} {dashes} {dots}");
        }
        v[1] = f64::NAN;
        v[6..9].fill(f64::NAN);
        assert_eq!(drawn(Kind::Lines, &t, &v), (0, 4), "nothing joins values over a gap");
        v.fill(f64::NAN);
        assert_eq!(drawn(Kind::Lines, &t, &v), (0, 0));
        assert_eq!(drawn(Kind::Bars, &t, &v), (0, 0));
    }
}
