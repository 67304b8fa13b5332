//! Drawing for Towngauge: gauges, the gas tank, sparklines and timeseries, over any plotters backend.
//!
//! Pure: no clock, no IO, no page. Inputs are slices and small structs; lengths are CSS pixels (f64), instants are Unix
//! seconds (f64), `now_ms` is any steady clock in milliseconds.
//!
//! # A canvas
//! Set the context's transform to `devicePixelRatio / FINE` and `lineJoin` to `round`, clear it, and keep one area per
//! canvas until its size changes. Every `draw_…` function takes such an area and never clears it:
//! ```ignore
//! let area = FineBackend::new(canvas_backend, width_px, height_px).into_area();
//! ```
//!
//! # Instruments (any size, 4:3 is filled best)
//! - [`draw_gauge`] with a [`GaugeSpec`], or [`draw_gauge_face`] and [`draw_gauge_hand`] on two canvases;
//!   [`next_max`] picks the dial's maximum, [`share`] the needle's place, [`Needle`] eases it.
//! - [`draw_tank`] with a [`TankSpec`]; [`tank_state`] names its zone.
//! - [`draw_sparkline`] with a [`SparkSpec`].
//!
//! # A chart, in three layers
//! ```ignore
//! let layout = Layout::new(width_px, height_px, &Gutters::default());
//! let largest = prepared.update(Kind::Stacked, &columns, range, &layout); // data, range or size changed
//! let y_max = next_axis_max(y_max, largest, layout.y_intervals(), unit);
//! let plot = Plot::new(layout, range, y_max);
//! draw_axes(&area, &plot, &AxesSpec { unit, suffix: "/s", offset_s_at: &offset }, &theme)?;
//! draw_series(&area, &plot, &mut prepared, &styles, &theme)?;
//! draw_crosshair(&overlay_area, &plot, &crosshair, &theme)?; // a canvas of its own
//! ```
//! Pointers: [`bucket_at`], [`step_bucket`], [`drag_range`], [`Plot::time_at`]. Ranges: [`TimeRange`], [`Limits`],
//! [`ZoomHistory`].

mod axes;
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
mod sparkline;
mod stack;
mod tank;
mod theme;
mod ticks;
mod time_ticks;
mod viewport;
mod zoom;

pub use axes::{AxesSpec, draw_axes};
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
pub use sparkline::{SparkSpec, draw_sparkline};
pub use stack::{order, total};
pub use tank::{RED_BELOW, TankSpec, YELLOW_BELOW, draw_tank, tank_state};
pub use theme::{Color, Mode, ROLES, State, TOKEN_KINDS, Theme, contrast, css};
pub use ticks::{Unit, label, number_ticks, round_up, step, write_label};
pub use time_ticks::{OffsetAt, TimeTick, time_label, time_ticks};
pub use viewport::{Limits, TimeRange};
pub use zoom::ZoomHistory;
