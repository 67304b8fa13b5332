//! The geometry of a round instrument: shares of a sweep to points around a pivot, and the box it fits into.

use crate::pen::Point;

/// An arc about a pivot, symmetric about twelve o'clock. Share 0 is its left end, share 1 its right end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dial {
    pub(crate) center: Point,
    pub(crate) radius: f64,
    sweep_deg: f64,
}

impl Dial {
    /// The largest dial within `width` x `height` that leaves `margin` on every side and `hub` around its pivot.
    pub(crate) fn fit(width: f64, height: f64, sweep_deg: f64, margin: f64, hub: f64) -> Self {
        let sweep_deg = if sweep_deg.is_finite() { sweep_deg.clamp(30.0, 330.0) } else { 240.0 };
        let half = (sweep_deg / 2.0).to_radians();
        let reach = if sweep_deg >= 180.0 { 1.0 } else { half.sin() };
        let below = (-half.cos()).max(0.0);
        let (room_x, room_y) = ((width - 2.0 * margin).max(0.0), (height - 2.0 * margin).max(0.0));
        // Below the pivot lies either the lower part of the arc, or only the hub.
        let radius = (room_x / (2.0 * reach)).min(room_y / (1.0 + below)).min((room_y - hub).max(0.0)).max(1.0);
        let used = radius + (below * radius).max(hub);
        Self { center: (width / 2.0, (height - used) / 2.0 + radius), radius, sweep_deg }
    }

    /// Unit vector from the pivot to a share of the sweep.
    pub(crate) fn direction(&self, share: f64) -> Point {
        let degrees = 270.0 - self.sweep_deg / 2.0 + self.sweep_deg * share;
        let (sin, cos) = degrees.to_radians().sin_cos();
        (cos, sin)
    }

    /// The point at a share of the sweep and a distance from the pivot.
    pub(crate) fn at(&self, share: f64, radius: f64) -> Point {
        let (x, y) = self.direction(share);
        (self.center.0 + x * radius, self.center.1 + y * radius)
    }

    /// Where a label of `width` x `height` stands whose ring of labels reaches out to `outer`. Labels at the two ends
    /// step aside into the open part of the dial: a needle at rest on its stop must not strike out its zero.
    pub(crate) fn label(&self, share: f64, outer: f64, (width, height): (f64, f64)) -> Point {
        let (x, y) = self.direction(share);
        let (along, across) = ((x.abs() * width + y.abs() * height) / 2.0, (y.abs() * width + x.abs() * height) / 2.0);
        let radius = (outer - along).max(1.0);
        let aside = match share {
            s if s <= 0.0 => -1.0,
            s if s >= 1.0 => 1.0,
            _ => 0.0,
        };
        let turn = aside * ((across + 5.0) / radius).min(0.5);
        self.at(share + turn / self.sweep_deg.to_radians(), radius)
    }

    /// The outline of the ring between two radii and two shares: along the outside, and back along the inside.
    pub(crate) fn ring(
        &self,
        (from, to): (f64, f64),
        (inner, outer): (f64, f64),
    ) -> impl Iterator<Item = Point> + use<> {
        let dial = *self;
        // Chords of 3 px keep the error of an arc of 60 px radius under a fiftieth of a pixel.
        let length = (to - from).abs() * self.sweep_deg.to_radians() * outer.abs();
        let steps = (length / 3.0).ceil().clamp(1.0, 400.0) as usize;
        let share = move |i: usize| from + (to - from) * i as f64 / steps as f64;
        let outside = (0..=steps).map(move |i| dial.at(share(i), outer));
        outside.chain((0..=steps).rev().map(move |i| dial.at(share(i), inner)))
    }

    /// A tapered needle from `tail` behind the pivot to `tip` before it, `base` wide at the pivot.
    pub(crate) fn needle(&self, share: f64, tip: f64, tail: f64, base: f64, point: f64) -> [Point; 6] {
        let (x, y) = self.direction(share);
        let place =
            |along: f64, aside: f64| (self.center.0 + x * along - y * aside, self.center.1 + y * along + x * aside);
        [
            place(-tail, base * 0.42),
            place(0.0, base * 0.5),
            place(tip, point * 0.5),
            place(tip, -point * 0.5),
            place(0.0, -base * 0.5),
            place(-tail, -base * 0.42),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_dial_stays_in_its_box(width in 40f64..400.0, height in 40f64..400.0, sweep in 60f64..300.0) {
            let dial = Dial::fit(width, height, sweep, 4.0, 6.0);
            for i in 0..=20 {
                let (x, y) = dial.at(f64::from(i) / 20.0, dial.radius);
                prop_assert!(x >= 3.9 && x <= width - 3.9, "x {x} of {width}");
                prop_assert!(y >= 3.9 && y <= height - 3.9, "y {y} of {height}");
            }
        }
    }

    #[test]
    fn a_full_gauge_points_left_down_up_and_right_down() {
        let dial = Dial::fit(200.0, 150.0, 240.0, 0.0, 6.0);
        let (left, top, right) = (dial.direction(0.0), dial.direction(0.5), dial.direction(1.0));
        assert!(left.0 < 0.0 && (left.1 - 0.5).abs() < 1e-9);
        assert!(top.0.abs() < 1e-9 && top.1 == -1.0);
        assert!(right.0 > 0.0 && (right.1 - 0.5).abs() < 1e-9);
    }
}
