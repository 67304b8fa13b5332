//! The needle's motion: eased over 300 ms, never past its target, and a jump under reduced motion. It reads no clock.

/// How long the needle takes to a new value.
pub const EASE_MS: f64 = 300.0;

/// Where a needle is between two readings, as a share of the dial (0 at the left stop, 1 at the right one). Easing the
/// share rather than the value keeps the needle calm when the dial's maximum changes under it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Needle {
    from: f64,
    to: f64,
    started_ms: f64,
    moving: bool,
}

impl Needle {
    /// A needle at rest.
    pub fn at(share: f64) -> Self {
        let share = clamp(share);
        Self { from: share, to: share, started_ms: 0.0, moving: false }
    }

    /// Sends the needle to `share` from wherever it is at `now_ms`; with `reduced_motion` it is there at once.
    pub fn set(&mut self, share: f64, now_ms: f64, reduced_motion: bool) {
        let share = clamp(share);
        if share == self.to && !reduced_motion {
            return;
        }
        let here = self.advance(now_ms);
        *self = Self { from: here, to: share, started_ms: now_ms, moving: !reduced_motion && here != share };
        if reduced_motion {
            self.from = share;
        }
    }

    /// The share at `now_ms`: a cubic ease-out, so fast at first and slow into the target.
    pub fn advance(&mut self, now_ms: f64) -> f64 {
        if !self.moving {
            return self.to;
        }
        let progress = (now_ms - self.started_ms) / EASE_MS;
        // A clock that went back or is not a number must not stop the needle half way for ever.
        if !(0.0..1.0).contains(&progress) {
            self.moving = progress < 0.0 && progress > -1.0;
            return if self.moving { self.from } else { self.to };
        }
        let eased = 1.0 - (1.0 - progress).powi(3);
        self.from + (self.to - self.from) * eased
    }

    /// Whether another frame is needed.
    pub fn moving(&self) -> bool {
        self.moving
    }
}

/// The share of the dial that `value` takes of `max`, within the stops.
pub fn share(value: f64, max: f64) -> f64 {
    if max > 0.0 { clamp(value / max) } else { 0.0 }
}

fn clamp(share: f64) -> f64 {
    if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_overshoots_and_always_arrives(a in 0f64..1.0, b in 0f64..1.0, start in 0f64..1e12, steps in 1usize..60) {
            let mut needle = Needle::at(a);
            needle.set(b, start, false);
            let mut before = a;
            for i in 0..=steps {
                let here = needle.advance(start + EASE_MS * i as f64 / steps as f64);
                prop_assert!(here >= a.min(b) - 1e-12 && here <= a.max(b) + 1e-12);
                prop_assert!((here - b).abs() <= (before - b).abs() + 1e-12);
                before = here;
            }
            prop_assert_eq!(before, b);
            prop_assert!(!needle.moving());
        }

        #[test]
        fn any_input_stays_between_the_stops(a in any::<f64>(), b in any::<f64>(), t in any::<f64>(), u in any::<f64>()) {
            let mut needle = Needle::at(a);
            needle.set(b, t, false);
            prop_assert!((0.0..=1.0).contains(&needle.advance(u)));
        }
    }

    #[test]
    fn reduced_motion_jumps() {
        let mut needle = Needle::at(0.2);
        needle.set(0.9, 1_000.0, true);
        assert_eq!(needle.advance(1_000.0), 0.9);
        assert!(!needle.moving());
    }

    #[test]
    fn a_new_target_on_the_way_starts_from_where_the_needle_is() {
        let mut needle = Needle::at(0.0);
        needle.set(1.0, 0.0, false);
        let here = needle.advance(100.0);
        needle.set(0.0, 100.0, false);
        assert_eq!(needle.advance(100.0), here);
        assert_eq!(needle.advance(400.0), 0.0);
    }

    #[test]
    fn share_of_a_broken_dial_is_zero() {
        assert_eq!((share(5.0, 0.0), share(f64::NAN, 1.0), share(5.0, 10.0), share(50.0, 10.0)), (0.0, 0.0, 0.5, 1.0));
    }
}
