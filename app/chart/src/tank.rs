//! The gas tank: a fuel gauge from E to F with its zones on the scale.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters_backend::DrawingBackend;

use crate::dial::Dial;
use crate::gauge::{Proportions, draw_needle};
use crate::pen::{Anchor, DrawError, Font, Pen};
use crate::theme::{State, Theme};

/// Below this share the tank is red.
pub const RED_BELOW: f64 = 0.2;
/// Below this share the tank is yellow, above it green.
pub const YELLOW_BELOW: f64 = 0.5;

const SWEEP_DEG: f64 = 120.0;
const ZONES: [(f64, f64, State); 3] =
    [(0.0, RED_BELOW, State::Bad), (RED_BELOW, YELLOW_BELOW, State::Warn), (YELLOW_BELOW, 1.0, State::Ok)];

/// What the tank shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TankSpec {
    /// Balance / full, 0 (E) to 1 (F), eased by a `Needle`. None: no data, so no needle.
    pub level: Option<f64>,
    /// The reading is old: drawn without colour.
    pub stale: bool,
}

/// The zone of a level, for words and colours beside the dial.
pub fn tank_state(level: f64) -> State {
    match level {
        l if l >= YELLOW_BELOW => State::Ok,
        l if l >= RED_BELOW => State::Warn,
        _ => State::Bad,
    }
}

/// Draws the tank, into the same box as a gauge.
pub fn draw_tank<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    spec: &TankSpec,
    theme: &Theme,
) -> Result<(), DrawError<DB>> {
    let mut pen = Pen::new(area);
    let (width, height) = pen.size();
    let size = Proportions::of(width, height);
    let dial = Dial::fit(width, height, SWEEP_DEG, 4.0, size.hub * 1.9);
    let outer = dial.radius;
    let level = spec.level.filter(|l| l.is_finite()).map(|l| l.clamp(0.0, 1.0));
    let current = level.map(tank_state);

    let band = size.track * 1.9;
    for (from, to, state) in ZONES {
        // The zone the needle stands in is lit, the others glow: the scale keeps its colours, and still points.
        let alpha = if level.is_none() {
            0.3
        } else if current == Some(state) {
            1.0
        } else {
            0.38
        };
        let color = theme.state(state);
        let color = if spec.stale || level.is_none() { theme.desaturated(color) } else { color };
        let gap = 0.006;
        let (from, to) = (if from > 0.0 { from + gap } else { from }, if to < 1.0 { to - gap } else { to });
        pen.polygon(dial.ring((from, to), (outer - band, outer)), crate::theme::faded(color, alpha))?;
    }

    let tick_outer = outer - band - 3.0;
    for eighth in 0..=8 {
        let at = f64::from(eighth) / 8.0;
        let (length, px, color) = match eighth {
            0 | 4 | 8 => (size.tick * 1.35, 2.0, theme.tick),
            2 | 6 => (size.tick, 1.5, theme.tick),
            _ => (size.tick * 0.5, 1.0, theme.tick_minor),
        };
        pen.path([dial.at(at, tick_outer), dial.at(at, tick_outer - length)], px, color)?;
    }
    let font = Font { family: theme.font, px: size.font * 1.25 };
    let reach = tick_outer - size.tick * 1.35 - 3.0;
    let low = current == Some(State::Bad) && !spec.stale;
    let letter = (font.px * 0.7, font.px * 0.8);
    let red_or_ink = if low { theme.state(State::Bad) } else { theme.ink };
    pen.text("E", dial.label(0.0, reach, letter), Anchor::Middle, font, red_or_ink)?;
    pen.text("F", dial.label(1.0, reach, letter), Anchor::Middle, font, theme.ink)?;
    if !size.compact {
        let small = Font { px: size.font, ..font };
        // Half its width, half the needle's, and a little air.
        let clear = (letter.0 / 2.0 + size.hub * 0.36 + 2.0) / (reach - letter.1).max(1.0) / SWEEP_DEG.to_radians();
        let at = beside_needle(0.5, level, clear);
        pen.text("½", dial.label(at, reach, letter), Anchor::Middle, small, theme.muted)?;
    }
    match level {
        Some(level) => draw_needle(&mut pen, &dial, level, outer - band - 1.5, &size, spec.stale, theme),
        None => pen.disc(dial.center, size.hub * 0.55, theme.track),
    }
}

/// Where a label of `at` stands so that the needle does not strike it out: a needle that is nearer than `clear` pushes it
/// aside.
fn beside_needle(at: f64, needle: Option<f64>, clear: f64) -> f64 {
    match needle {
        Some(needle) if needle >= at && needle - at < clear => needle - clear,
        Some(needle) if needle < at && at - needle < clear => needle + clear,
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needle_never_hides_the_mark_of_half() {
        let clear = 0.06;
        for level in (0..=1_000).map(|n| f64::from(n) / 1_000.0) {
            let at = beside_needle(0.5, Some(level), clear);
            assert!((at - level).abs() >= clear - 1e-9, "{level}: {at}");
            assert!((at - 0.5).abs() <= clear + 1e-9, "{level}: {at}");
        }
        assert_eq!(beside_needle(0.5, None, clear), 0.5);
        assert_eq!(beside_needle(0.5, Some(0.9), clear), 0.5);
    }

    #[test]
    fn zones_meet_at_20_and_50_percent() {
        for (level, expected) in [
            (0.0, State::Bad),
            (0.199, State::Bad),
            (0.2, State::Warn),
            (0.499, State::Warn),
            (0.5, State::Ok),
            (1.0, State::Ok),
        ] {
            assert_eq!(tank_state(level), expected, "{level}");
        }
    }
}
