//! Drawing for Towngauge: gauges, the gas tank, sparklines and timeseries, over any plotters backend.
//!
//! Pure: no clock, no IO, no page. Inputs are slices and small structs; lengths are CSS pixels (f64), instants are Unix
//! seconds (f64), `now_ms` is any steady clock in milliseconds.
//!
//! # A canvas
//! Set the context's transform to `devicePixelRatio / FINE` and its `lineJoin` to `bevel`, and keep one area per canvas
//! until its size changes: `FineBackend::new(backend, width_px, height_px).into_area()`. Every `draw_…` function takes
//! such an area, draws in its own order from back to front, and never clears it.
//!
//! # Instruments (any size; 4:3 is filled best)
//! - [`draw_gauge`] with a [`GaugeSpec`], or [`draw_gauge_face`] and [`draw_gauge_hand`] on two canvases;
//!   [`next_max`] picks the dial's maximum, [`share`] the needle's place, [`Needle`] eases it.
//! - [`draw_tank`] with a [`TankSpec`]; [`tank_state`] names its zone.
//! - [`draw_sparkline`] with a [`SparkSpec`].
//!
//! # A chart, in three layers
//! Axes, series, and on a canvas of its own the crosshair, so that a hover redraws nothing else:
//! ```
//! use chart::*;
//! # use plotters::backend::SVGBackend;
//! # let (mut svg, mut over) = (String::new(), String::new());
//! # let size = (400 * FINE, 160 * FINE);
//! # let area = FineBackend::new(SVGBackend::with_string(&mut svg, size), 400.0, 160.0).into_area();
//! # let overlay = FineBackend::new(SVGBackend::with_string(&mut over, size), 400.0, 160.0).into_area();
//! let theme = Theme::new(Mode::Dark);
//! let styles = [SeriesStyle::new(theme.token(0)), SeriesStyle::new(theme.token(1))];
//! let columns = Columns { t: &[0.0, 60.0, 120.0], step_s: 60.0, series: &[&[1.0, 4.0, 2.0], &[3.0, 1.0, f64::NAN]] };
//! let range = TimeRange::new(0.0, 180.0);
//! let layout = Layout::new(400.0, 160.0, &Gutters::default());
//!
//! // When data, range or size changed:
//! let mut prepared = Prepared::new();
//! let largest = prepared.update(Kind::Stacked, &columns, range, &layout);
//! let y_max = next_axis_max(0.0, largest, layout.y_intervals(), Unit::Number);
//! let plot = Plot::new(layout, range, y_max);
//! let axes = AxesSpec { unit: Unit::Number, suffix: "/s", offset_s_at: &|_| 3_600 };
//! draw_axes(&area, &plot, &axes, &theme)?;
//! draw_series(&area, &plot, &mut prepared, &styles, &theme)?;
//!
//! // When the pointer moved:
//! if let Some(bucket) = bucket_at(&plot, columns.t, columns.step_s, 200.0) {
//!     let marks = [Mark { value: total(&columns, bucket), color: theme.ink }];
//!     let crosshair = Crosshair { t_s: columns.t[bucket], step_s: columns.step_s, marks: &marks };
//!     draw_crosshair(&overlay, &plot, &crosshair, &theme)?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! Pointers and keys: [`bucket_at`], [`step_bucket`], [`drag_range`], [`Plot::time_at`]. Ranges: [`TimeRange`],
//! [`Limits`], [`ZoomHistory`].

mod axes;
mod before;
mod civil;
mod crosshair;
mod dash;
mod decimate;
mod dial;
mod fine;
mod gauge;
mod hatch;
mod hit;
mod layout;
mod maximum;
mod needle;
mod pen;
mod prepared;
mod scale;
mod series;
mod spans;
mod sparkline;
mod stack;
mod tank;
mod theme;
mod ticks;
mod time_ticks;
mod viewport;
mod zoom;

pub use axes::{AxesSpec, draw_axes};
pub use before::draw_before;
pub use crosshair::{Crosshair, Mark, draw_crosshair, draw_selection};
pub use decimate::Columns;
pub use fine::{FINE, FineBackend};
pub use gauge::{GaugeSpec, Zone, draw_gauge, draw_gauge_face, draw_gauge_hand};
pub use hit::{Step, bucket_at, drag_range, step_bucket, visible};
pub use layout::{Gutters, Layout, Plot, Rect};
pub use maximum::{axis_max, dial_max, next_axis_max, next_max};
pub use needle::{EASE_MS, Needle, share};
pub use pen::DrawError;
pub use prepared::{Kind, Prepared};
pub use scale::Scale;
pub use series::{Pattern, SeriesStyle, draw_series};
pub use spans::draw_spans;
pub use sparkline::{SparkSpec, draw_sparkline};
pub use stack::{order, total};
pub use tank::{RED_BELOW, TankSpec, YELLOW_BELOW, draw_tank, tank_state};
pub use theme::{Color, Mode, ROLES, State, TOKEN_KINDS, Theme, contrast, css};
pub use ticks::{Unit, label, number_ticks, round_up, step, write_label};
pub use time_ticks::{OffsetAt, TimeTick, time_label, time_ticks};
pub use viewport::{Limits, TimeRange};
pub use zoom::ZoomHistory;
