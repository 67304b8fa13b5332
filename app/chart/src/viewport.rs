//! The time range a chart shows, and how zooming, panning and the live edge change it: pure functions.

/// A half-open range of Unix time in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeRange {
    /// First second shown.
    pub from_s: f64,
    /// End, not included.
    pub to_s: f64,
}

/// What a range may become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The present, in Unix seconds: no chart reaches beyond it.
    pub now_s: f64,
    /// The shortest span, in seconds.
    pub min_span_s: f64,
    /// The longest span, in seconds.
    pub max_span_s: f64,
}

impl Limits {
    /// From one minute to 400 days, ending at `now_s` at the latest.
    pub fn at(now_s: f64) -> Self {
        Self { now_s, min_span_s: 60.0, max_span_s: 400.0 * 86_400.0 }
    }
}

impl TimeRange {
    /// A range between two instants, in either order.
    pub fn new(a_s: f64, b_s: f64) -> Self {
        Self { from_s: a_s.min(b_s), to_s: a_s.max(b_s) }
    }

    /// The last `span_s` seconds before `now_s`.
    pub fn last(span_s: f64, now_s: f64) -> Self {
        Self::new(now_s - span_s, now_s)
    }

    /// Its length in seconds.
    pub fn span_s(&self) -> f64 {
        self.to_s - self.from_s
    }

    /// The nearest range within the limits: too short grows about its middle, too long keeps its end, and what
    /// reaches beyond now slides back with its length. What is not finite becomes the last hour.
    pub fn clamp(self, limits: &Limits) -> Self {
        if !self.from_s.is_finite() || !self.to_s.is_finite() {
            return Self::last(3_600.0, limits.now_s).clamp(limits);
        }
        let wanted = Self::new(self.from_s, self.to_s);
        let span = wanted.span_s().clamp(limits.min_span_s, limits.max_span_s);
        let to = if wanted.span_s() < span { (wanted.from_s + wanted.to_s + span) / 2.0 } else { wanted.to_s };
        // Nothing is older than 1970, and an f64 stays exact there.
        let to = to.max(span).min(limits.now_s);
        Self { from_s: to - span, to_s: to }
    }

    /// Zooms about `at_s`, which stays under the pointer: a factor under 1 zooms in, over 1 out.
    pub fn zoom_about(self, at_s: f64, factor: f64, limits: &Limits) -> Self {
        if !factor.is_finite() || factor <= 0.0 || !at_s.is_finite() {
            return self.clamp(limits);
        }
        let span = (self.span_s() * factor).clamp(limits.min_span_s, limits.max_span_s);
        let share = if self.span_s() > 0.0 { ((at_s - self.from_s) / self.span_s()).clamp(0.0, 1.0) } else { 0.5 };
        let from = at_s.clamp(self.from_s, self.to_s) - span * share;
        Self { from_s: from, to_s: from + span }.clamp(limits)
    }

    /// Moves by `delta_s` (negative: into the past), keeping the span.
    pub fn pan(self, delta_s: f64, limits: &Limits) -> Self {
        let delta = if delta_s.is_finite() { delta_s } else { 0.0 };
        Self { from_s: self.from_s + delta, to_s: self.to_s + delta }.clamp(limits)
    }

    /// Whether the range touches now, and so should move with it: its end is within 1 % of its span of now, or
    /// within `step_s` (one bucket).
    pub fn follows_live(&self, now_s: f64, step_s: f64) -> bool {
        self.to_s >= now_s - (self.span_s() * 0.01).max(step_s)
    }

    /// The same span, ending now.
    pub fn follow(self, limits: &Limits) -> Self {
        Self::last(self.span_s(), limits.now_s).clamp(limits)
    }

    /// The span just before this one, for comparison.
    pub fn before(self) -> Self {
        Self { from_s: self.from_s - self.span_s(), to_s: self.from_s }
    }

    /// Whether an instant lies within.
    pub fn contains(&self, t_s: f64) -> bool {
        t_s >= self.from_s && t_s < self.to_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: f64 = 1_700_000_000.0;

    proptest! {
        #[test]
        fn whatever_is_done_the_range_stays_within_limits(a in any::<f64>(), b in any::<f64>(), at in any::<f64>(), factor in any::<f64>(), delta in any::<f64>()) {
            let limits = Limits::at(NOW);
            let start = TimeRange::new(a, b).clamp(&limits);
            for range in [start, start.zoom_about(at, factor, &limits), start.pan(delta, &limits), start.follow(&limits)] {
                prop_assert!(range.to_s <= NOW);
                prop_assert!(range.span_s() >= 59.999 && range.span_s() <= limits.max_span_s + 0.01, "{:?}", range);
            }
        }

        #[test]
        fn zoom_keeps_the_instant_under_the_pointer(span in 1_000f64..1e6, share in 0f64..1.0, factor in 0.5f64..2.0) {
            let limits = Limits::at(NOW);
            let range = TimeRange::new(NOW - 1e7 - span, NOW - 1e7);
            let at = range.from_s + span * share;
            let zoomed = range.zoom_about(at, factor, &limits);
            prop_assert!(((at - zoomed.from_s) / zoomed.span_s() - share).abs() < 1e-6);
        }
    }

    #[test]
    fn a_short_drag_grows_about_its_middle() {
        let range = TimeRange::new(NOW - 1_000.0, NOW - 990.0).clamp(&Limits::at(NOW));
        assert_eq!((range.from_s, range.to_s), (NOW - 1_025.0, NOW - 965.0));
    }

    #[test]
    fn the_live_edge_is_followed_only_when_touched() {
        let hour = TimeRange::last(3_600.0, NOW);
        assert!(hour.follows_live(NOW, 10.0));
        assert!(hour.follows_live(NOW + 30.0, 10.0));
        assert!(!hour.follows_live(NOW + 60.0, 10.0));
        assert_eq!(hour.follow(&Limits::at(NOW + 60.0)).to_s, NOW + 60.0);
        assert_eq!(hour.before().to_s, hour.from_s);
    }
}
