//! The radial gauge: track, value arc, zones, ticks with round numbers, and a tapered needle on a hub.
//!
//! The number itself, its unit and its name stand in the document, not on the canvas.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_backend::DrawingBackend;

use crate::dial::Dial;
use crate::needle::share;
use crate::pen::{Anchor, DrawError, Font, Pen};
use crate::theme::{Color, State, Theme};
use crate::ticks::{Unit, number_ticks, step, write_label};

/// A stretch of the scale, in the unit of the gauge's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zone {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Its colour.
    pub state: State,
}

/// What a gauge shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaugeSpec<'a> {
    /// Where the needle stands, as a share of `max` (0 to 1): `Needle::advance`, or `share(value, max)` at rest.
    /// None: no data, so no needle.
    pub position: Option<f64>,
    /// The value at the right end, in `unit`: from `next_max`.
    pub max: f64,
    /// How the numbers of the scale are written.
    pub unit: Unit,
    /// Coloured stretches along the scale; may be empty.
    pub zones: &'a [Zone],
    /// Colour of the value arc; None is the accent, or the colour of the zone the needle stands in.
    pub color: Option<Color>,
    /// The reading is old: drawn without colour.
    pub stale: bool,
    /// The angle of the whole scale in degrees.
    pub sweep_deg: f64,
}

impl Default for GaugeSpec<'_> {
    fn default() -> Self {
        Self { position: None, max: 1.0, unit: Unit::Number, zones: &[], color: None, stale: false, sweep_deg: 240.0 }
    }
}

/// Radii and strokes of an instrument of one size, in CSS pixels.
pub(crate) struct Proportions {
    pub(crate) track: f64,
    pub(crate) tick: f64,
    pub(crate) font: f64,
    pub(crate) hub: f64,
    pub(crate) compact: bool,
}

impl Proportions {
    pub(crate) fn of(width: f64, height: f64) -> Self {
        let size = (width / 200.0).min(height / 150.0).clamp(0.3, 1.8);
        Self {
            track: (4.0 * size).clamp(2.5, 6.0),
            tick: (9.0 * size).clamp(4.0, 13.0),
            font: (11.0 * size.sqrt()).clamp(8.5, 13.0),
            hub: (6.5 * size).clamp(3.5, 10.0),
            compact: size < 0.8,
        }
    }
}

/// Draws the whole gauge. A size around 4:3 is filled best; 120 to 320 px wide is what it is made for.
pub fn draw_gauge<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    spec: &GaugeSpec<'_>,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    draw_gauge_face(area, spec, theme)?;
    draw_gauge_hand(area, spec, theme)
}

/// The part that moves with neither needle nor value: track, zones, ticks and numbers.
pub fn draw_gauge_face<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    spec: &GaugeSpec<'_>,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let mut pen = Pen::new(area);
    let (dial, size) = place(&pen, spec);
    let tone = |color| if spec.stale { theme.desaturated(color) } else { color };
    let outer = dial.radius;

    pen.polygon(dial.ring((0.0, 1.0), (outer - size.track, outer)), theme.track)?;
    for zone in spec.zones {
        let (from, to) = (share(zone.from, spec.max), share(zone.to, spec.max));
        if to > from {
            let band = (outer - size.track - 3.5, outer - size.track - 1.5);
            pen.polygon(dial.ring((from, to), band), tone(theme.state(zone.state)))?;
        }
    }

    let inset = if spec.zones.is_empty() { 3.0 } else { 5.5 };
    let tick_outer = outer - size.track - inset;
    let distance = step(spec.max, 5, spec.unit);
    let minor_per_major = if size.compact { 2 } else { minor_ticks(distance) };
    let spec_max = if spec.max.is_finite() && spec.max > 0.0 { spec.max } else { 1.0 };
    let minor = distance / f64::from(minor_per_major);
    let count = (spec_max / minor * (1.0 + 1e-9)).floor().min(200.0) as u32;
    for i in (0..=count).filter(|i| i % minor_per_major != 0) {
        let at = share(f64::from(i) * minor, spec_max);
        pen.path([dial.at(at, tick_outer), dial.at(at, tick_outer - size.tick * 0.5)], 1.0, theme.tick_minor)?;
    }
    let font = Font { family: theme.font, px: size.font };
    let mut label = String::new();
    for value in number_ticks(spec.max, distance) {
        let at = share(value, spec_max);
        pen.path([dial.at(at, tick_outer), dial.at(at, tick_outer - size.tick)], 1.5, theme.tick)?;
        // A small dial has room for its two ends and the top only.
        if size.compact && at > 0.02 && at < 0.98 && (dial.radius < 40.0 || (at - 0.5).abs() > 0.02) {
            continue;
        }
        write_label(&mut label, value, distance, spec.unit);
        let (width, height) = crate::fine::text_size(&label, size.font);
        let place = dial.label(at, tick_outer - size.tick - 3.0, (width, height * 0.8));
        pen.text(&label, place, Anchor::Middle, font, theme.muted)?;
    }
    Ok(())
}

/// The part that moves: the value arc, the needle and its hub. Drawn over the face, or on a canvas of its own.
pub fn draw_gauge_hand<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    spec: &GaugeSpec<'_>,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let mut pen = Pen::new(area);
    let (dial, size) = place(&pen, spec);
    let Some(position) = spec.position.filter(|p| p.is_finite()).map(|p| p.clamp(0.0, 1.0)) else {
        return pen.disc(dial.center, size.hub * 0.55, theme.track);
    };
    let value = position * spec.max;
    let zone = spec.zones.iter().rfind(|z| value >= z.from).map(|z| theme.state(z.state));
    let color = spec.color.or(zone).unwrap_or(theme.accent);
    let color = if spec.stale { theme.desaturated(color) } else { color };
    if position > 0.001 {
        pen.polygon(dial.ring((0.0, position), (dial.radius - size.track, dial.radius)), color)?;
    }
    draw_needle(&mut pen, &dial, position, dial.radius - size.track - 1.5, &size, spec.stale, theme)
}

pub(crate) fn draw_needle<DB: DrawingBackend>(
    pen: &mut Pen<'_, DB>,
    dial: &Dial,
    position: f64,
    tip: f64,
    size: &Proportions,
    stale: bool,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let ink = if stale { theme.muted } else { theme.ink };
    let (tail, base) = (size.hub * 1.9, size.hub * 0.72);
    pen.polygon(dial.needle(position, tip, tail, base, 1.2), ink)?;
    pen.disc(dial.center, size.hub, theme.hub)?;
    pen.disc(dial.center, size.hub * 0.36, ink)
}

fn place<DB: DrawingBackend>(pen: &Pen<'_, DB>, spec: &GaugeSpec<'_>) -> (Dial, Proportions) {
    let (width, height) = pen.size();
    let size = Proportions::of(width, height);
    // Half a line below the arc's ends for the labels that step aside there.
    let room = height - size.font * 0.4;
    (Dial::fit(width, room, spec.sweep_deg, 2.0, size.hub), size)
}

/// Minor ticks land on round numbers too: quarters of a 2, fifths of the rest.
fn minor_ticks(step: f64) -> u32 {
    let mantissa = step / 10f64.powf(step.log10().floor());
    if (mantissa - 2.0).abs() < 0.01 { 4 } else { 5 }
}
