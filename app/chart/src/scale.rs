//! A linear map between a domain (seconds, values) and CSS pixels, and its exact inverse.

/// A linear scale. `px` may run either way: a y axis has its zero at the larger pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    d0: f64,
    p0: f64,
    px_per_unit: f64,
}

impl Scale {
    /// Maps `domain.0` to `px.0` and `domain.1` to `px.1`. An empty or non-finite domain becomes one unit wide,
    /// so that a scale always has an inverse.
    pub fn new(domain: (f64, f64), px: (f64, f64)) -> Self {
        let finite = domain.0.is_finite() && domain.1.is_finite() && px.0.is_finite() && px.1.is_finite();
        let (domain, px) = if finite { (domain, px) } else { ((0.0, 1.0), (0.0, 1.0)) };
        let span = domain.1 - domain.0;
        let span = if span.is_finite() && span.abs() >= f64::MIN_POSITIVE { span } else { 1.0 };
        let pixels = if px.1 == px.0 { 1.0 } else { px.1 - px.0 };
        let px_per_unit = pixels / span;
        // A span so large or so small that the quotient leaves the range of f64 cannot be drawn to scale.
        let px_per_unit = if px_per_unit.is_normal() { px_per_unit } else { 1.0 };
        Self { d0: domain.0, p0: px.0, px_per_unit }
    }

    /// The pixel of a domain value.
    pub fn px(&self, value: f64) -> f64 {
        self.p0 + (value - self.d0) * self.px_per_unit
    }

    /// The domain value under a pixel: the inverse of [`Scale::px`].
    pub fn value(&self, px: f64) -> f64 {
        self.d0 + (px - self.p0) / self.px_per_unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn px_then_value_is_identity(d0 in -1e9f64..1e9, span in 1e-3f64..1e9, p0 in 0f64..4000.0, w in 1f64..4000.0, f in -1f64..2.0) {
            let scale = Scale::new((d0, d0 + span), (p0, p0 + w));
            let value = d0 + span * f;
            prop_assert!((scale.value(scale.px(value)) - value).abs() <= 1e-9 * (d0.abs() + span) + 1e-9);
        }

        #[test]
        fn value_then_px_is_identity(d0 in -1e6f64..1e6, span in 1f64..1e9, p0 in 0f64..4000.0, w in 1f64..4000.0, f in 0f64..1.0) {
            // Upside down, as a y axis is.
            let scale = Scale::new((d0, d0 + span), (p0 + w, p0));
            let px = p0 + w * f;
            prop_assert!((scale.px(scale.value(px)) - px).abs() < 1e-3);
        }

        #[test]
        fn any_input_gives_a_usable_scale(a in any::<f64>(), b in any::<f64>(), p in any::<f64>(), q in any::<f64>()) {
            let scale = Scale::new((a, b), (p, q));
            prop_assert!(scale.px_per_unit.is_normal());
        }
    }

    #[test]
    fn ends_meet_ends() {
        let scale = Scale::new((0.0, 10.0), (100.0, 0.0));
        assert_eq!((scale.px(0.0), scale.px(10.0), scale.px(5.0)), (100.0, 0.0, 50.0));
        assert_eq!(scale.value(25.0), 7.5);
    }
}
