//! Where a chart's plot lies on its canvas, and the two scales of it: what both drawing and pointers go by.

use crate::pen::Point;
use crate::scale::Scale;
use crate::viewport::TimeRange;

/// A rectangle in CSS pixels from the canvas' top left.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x0: f64,
    /// Top edge.
    pub y0: f64,
    /// Right edge.
    pub x1: f64,
    /// Bottom edge.
    pub y1: f64,
}

impl Rect {
    /// Its width.
    pub fn width(&self) -> f64 {
        self.x1 - self.x0
    }

    /// Its height.
    pub fn height(&self) -> f64 {
        self.y1 - self.y0
    }

    /// Whether a point lies in it, edges included.
    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        x >= self.x0 && x <= self.x1 && y >= self.y0 && y <= self.y1
    }
}

/// Space around the plot in CSS pixels. Reserved, never measured: charts on one page line up, and nothing shifts when
/// a label grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gutters {
    /// For the labels of the y axis.
    pub left: f64,
    /// For the newest dot and half a time label.
    pub right: f64,
    /// For half a y label.
    pub top: f64,
    /// For the time labels; 0 leaves them out, for all but the lowest of several charts on one axis.
    pub bottom: f64,
}

impl Default for Gutters {
    fn default() -> Self {
        Self { left: 52.0, right: 10.0, top: 8.0, bottom: 22.0 }
    }
}

/// The size of a chart and its plot within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// Width of the canvas in CSS pixels.
    pub width: f64,
    /// Height of the canvas in CSS pixels.
    pub height: f64,
    /// Where the series are.
    pub plot: Rect,
}

impl Layout {
    /// A plot within a canvas of this size. Where the gutters leave nothing, the plot is one pixel.
    pub fn new(width_px: f64, height_px: f64, gutters: &Gutters) -> Self {
        let usable = |v: f64| if v.is_finite() { v.clamp(1.0, 100_000.0) } else { 1.0 };
        let (width, height) = (usable(width_px), usable(height_px));
        let x0 = gutters.left.min(width - 1.0).max(0.0);
        let y0 = gutters.top.min(height - 1.0).max(0.0);
        let (x1, y1) = ((width - gutters.right).max(x0 + 1.0), (height - gutters.bottom).max(y0 + 1.0));
        Self { width, height, plot: Rect { x0, y0, x1, y1 } }
    }

    /// How many steps a y axis of this height has room for.
    pub fn y_intervals(&self) -> usize {
        (self.plot.height() / 36.0).floor().clamp(1.0, 6.0) as usize
    }

    /// How many labels a time axis of this width has room for.
    pub fn x_labels(&self) -> usize {
        (self.plot.width() / 76.0).floor().clamp(1.0, 16.0) as usize
    }
}

/// A layout with a time range and a y maximum: pixels for instants and values, and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plot {
    /// The layout it lies in.
    pub layout: Layout,
    /// What the time axis shows.
    pub range: TimeRange,
    /// The value at the top; the bottom is zero.
    pub y_max: f64,
    x: Scale,
    y: Scale,
}

impl Plot {
    /// Lays `range` over the plot's width and 0 to `y_max` over its height.
    pub fn new(layout: Layout, range: TimeRange, y_max: f64) -> Self {
        let y_max = if y_max.is_finite() && y_max > 0.0 { y_max } else { 1.0 };
        let Rect { x0, y0, x1, y1 } = layout.plot;
        let x = Scale::new((range.from_s, range.to_s), (x0, x1));
        Self { layout, range, y_max, x, y: Scale::new((0.0, y_max), (y1, y0)) }
    }

    /// The x of an instant; may lie outside of the plot.
    pub fn x_of(&self, t_s: f64) -> f64 {
        self.x.px(t_s)
    }

    /// The instant under an x.
    pub fn time_at(&self, x_px: f64) -> f64 {
        self.x.value(x_px)
    }

    /// The y of a value, held within the plot.
    pub fn y_of(&self, value: f64) -> f64 {
        self.y.px(value).clamp(self.layout.plot.y0, self.layout.plot.y1)
    }

    /// The value at a y.
    pub fn value_at(&self, y_px: f64) -> f64 {
        self.y.value(y_px)
    }

    /// The point of an instant and a value, held within the plot.
    pub(crate) fn point(&self, t_s: f64, value: f64) -> Point {
        (self.x_of(t_s).clamp(self.layout.plot.x0, self.layout.plot.x1), self.y_of(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_plot_is_never_inside_out(width in any::<f64>(), height in any::<f64>(), left in 0f64..200.0, bottom in 0f64..200.0) {
            let layout = Layout::new(width, height, &Gutters { left, bottom, ..Gutters::default() });
            prop_assert!(layout.plot.width() > 0.0 && layout.plot.height() > 0.0);
        }

        #[test]
        fn pixel_and_instant_are_inverse(span in 60f64..1e7, x in 60f64..700.0) {
            let layout = Layout::new(800.0, 200.0, &Gutters::default());
            let plot = Plot::new(layout, TimeRange::last(span, 1.7e9), 10.0);
            prop_assert!((plot.x_of(plot.time_at(x)) - x).abs() < 1e-3);
        }
    }
}
