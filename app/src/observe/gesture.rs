//! What pointers on a chart mean: hover, a drag that zooms, a pan, a pinch. Pure: positions in, meaning out.

use chart::{Limits, Plot, TimeRange, drag_range};

/// What a pointer does right now.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Gesture {
    /// Nothing is held.
    #[default]
    Idle,
    /// A stretch is being marked.
    Select {
        /// Where it began, in CSS pixels.
        from_x: f64,
        /// Where it is now.
        to_x: f64,
    },
    /// One finger looks at values.
    Scrub,
    /// The view is being moved.
    Pan {
        /// Where it began.
        from_x: f64,
        /// The view then.
        view: TimeRange,
    },
    /// Two fingers move and stretch the view.
    Pinch {
        /// The instants under the fingers when they came down, in their order.
        at_s: (f64, f64),
        /// The view then.
        view: TimeRange,
    },
}

/// A button or finger that came down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Press {
    /// Where.
    pub x: f64,
    /// Whether shift is held.
    pub shift: bool,
    /// Whether it is a finger.
    pub touch: bool,
    /// Another finger that is down already.
    pub other_x: Option<f64>,
}

/// What a press begins.
pub(crate) fn press(press: Press, plot: &Plot) -> Gesture {
    match press {
        Press { x, other_x: Some(other), .. } => {
            Gesture::Pinch { at_s: (plot.time_at(other), plot.time_at(x)), view: plot.range }
        }
        Press { touch: true, .. } => Gesture::Scrub,
        Press { x, shift: true, .. } => Gesture::Pan { from_x: x, view: plot.range },
        Press { x, .. } => Gesture::Select { from_x: x, to_x: x },
    }
}

/// The view while panning.
pub(crate) fn panned(plot: &Plot, view: TimeRange, by_px: f64, limits: &Limits) -> TimeRange {
    let seconds_per_px = view.span_s() / plot.layout.plot.width();
    view.pan(-by_px * seconds_per_px, limits)
}

/// The view while two fingers are down: the instants they took hold of stay under them.
pub(crate) fn pinched(plot: &Plot, at_s: (f64, f64), x: (f64, f64), limits: &Limits) -> TimeRange {
    let apart_px = x.1 - x.0;
    let apart_s = at_s.1 - at_s.0;
    // Fingers that meet or cross say nothing about the scale.
    if apart_px.abs() < 24.0 || apart_s * apart_px <= 0.0 {
        return plot.range;
    }
    let seconds_per_px = apart_s / apart_px;
    let from = at_s.0 - (x.0 - plot.layout.plot.x0) * seconds_per_px;
    TimeRange::new(from, from + plot.layout.plot.width() * seconds_per_px).clamp(limits)
}

/// The range that a released selection zooms into; none for a click.
pub(crate) fn released(gesture: Gesture, plot: &Plot, limits: &Limits) -> Option<TimeRange> {
    match gesture {
        Gesture::Select { from_x, to_x } => drag_range(plot, from_x, to_x).map(|range| range.clamp(limits)),
        Gesture::Idle | Gesture::Scrub | Gesture::Pan { .. } | Gesture::Pinch { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use chart::{Gutters, Layout};

    use super::*;

    const NOW: f64 = 1_700_000_000.0;

    /// 600 seconds on 600 pixels, from 52 to 652.
    fn plot() -> Plot {
        let layout = Layout::new(662.0, 200.0, &Gutters::default());
        Plot::new(layout, TimeRange::new(NOW - 10_600.0, NOW - 10_000.0), 1.0)
    }

    #[test]
    fn a_press_means_what_the_keys_and_fingers_say() {
        let mouse = Press { x: 100.0, shift: false, touch: false, other_x: None };
        assert!(matches!(press(mouse, &plot()), Gesture::Select { .. }));
        assert!(matches!(press(Press { shift: true, ..mouse }, &plot()), Gesture::Pan { .. }));
        assert_eq!(press(Press { touch: true, ..mouse }, &plot()), Gesture::Scrub);
        assert!(matches!(press(Press { touch: true, other_x: Some(300.0), ..mouse }, &plot()), Gesture::Pinch { .. }));
    }

    #[test]
    fn a_pan_moves_by_what_the_pointer_moved() {
        let moved = panned(&plot(), plot().range, 60.0, &Limits::at(NOW));
        assert_eq!((moved.from_s, moved.to_s), (NOW - 10_660.0, NOW - 10_060.0));
    }

    #[test]
    fn a_pinch_keeps_the_instants_under_the_fingers() {
        let (plot, limits) = (plot(), Limits::at(NOW));
        let at_s = (plot.time_at(152.0), plot.time_at(252.0));
        let view = pinched(&plot, at_s, (102.0, 302.0), &limits);
        let after = Plot::new(plot.layout, view, 1.0);
        assert!((after.x_of(at_s.0) - 102.0).abs() < 1e-6 && (after.x_of(at_s.1) - 302.0).abs() < 1e-6);
        assert_eq!(pinched(&plot, at_s, (152.0, 160.0), &limits), plot.range);
    }

    #[test]
    fn a_click_is_no_zoom() {
        let limits = Limits::at(NOW);
        assert_eq!(released(Gesture::Select { from_x: 100.0, to_x: 102.0 }, &plot(), &limits), None);
        let zoom = released(Gesture::Select { from_x: 252.0, to_x: 152.0 }, &plot(), &limits);
        assert_eq!(zoom.map(|r| r.span_s()), Some(100.0));
    }
}
