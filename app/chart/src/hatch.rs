//! Diagonal hatching of a band between two edges: the mark of what is unknown.

use plotters_backend::BackendCoord;

use crate::fine::FINE;

/// Distance of the lines along x, in CSS pixels.
const SPACING_PX: i32 = 7;

/// Calls `draw` with both ends of each hatching line inside the band. `top` and `bottom` share their x, which ascends.
pub(crate) fn hatch<E>(
    top: &[BackendCoord],
    bottom: &[BackendCoord],
    mut draw: impl FnMut(BackendCoord, BackendCoord) -> Result<(), E>,
) -> Result<(), E> {
    let (Some(first), Some(last)) = (top.first(), top.last()) else { return Ok(()) };
    let spacing = SPACING_PX * FINE as i32;
    let highest = top.iter().map(|p| p.1).min().unwrap_or(0);
    let lowest = bottom.iter().map(|p| p.1).max().unwrap_or(0);
    // A line is where x + y = c. Multiples of the spacing: the pattern stands still while the data move under it.
    let mut c = (first.0 + highest).div_euclid(spacing) * spacing;
    while c <= last.0 + lowest {
        let near = top.partition_point(|p| p.0 < c - lowest).saturating_sub(1);
        let mut open: Option<(f64, f64)> = None;
        for i in near..top.len().saturating_sub(1) {
            if top[i].0 > c - highest {
                break;
            }
            match (inside(c, [top[i], top[i + 1]], [bottom[i], bottom[i + 1]]), open) {
                (Some((a, b)), Some((from, to))) if a - to < 1.0 => open = Some((from, b)),
                (Some(next), before) => {
                    emit(c, before, &mut draw)?;
                    open = Some(next);
                }
                (None, _) => {}
            }
        }
        emit(c, open, &mut draw)?;
        c += spacing;
    }
    Ok(())
}

/// The stretch of x in one trapezoid where the line lies between the edges.
fn inside(c: i32, top: [BackendCoord; 2], bottom: [BackendCoord; 2]) -> Option<(f64, f64)> {
    let (x0, x1) = (f64::from(top[0].0), f64::from(top[1].0));
    let (mut from, mut to) = (x0, x1);
    // Each edge is one linear inequality: the line's height above (or below) it at both ends of the trapezoid.
    let above = |edge: [BackendCoord; 2], i: usize| f64::from(c - edge[i].0 - edge[i].1);
    for (at0, at1) in [(above(top, 0), above(top, 1)), (-above(bottom, 0), -above(bottom, 1))] {
        if at0 < 0.0 && at1 < 0.0 {
            return None;
        }
        let zero = x0 + (x1 - x0) * (at0 / (at0 - at1));
        if at0 < 0.0 {
            from = from.max(zero);
        } else if at1 < 0.0 {
            to = to.min(zero);
        }
    }
    (from < to).then_some((from, to))
}

fn emit<E>(
    c: i32,
    stretch: Option<(f64, f64)>,
    draw: &mut impl FnMut(BackendCoord, BackendCoord) -> Result<(), E>,
) -> Result<(), E> {
    let Some((from, to)) = stretch.map(|(a, b)| (a.round() as i32, b.round() as i32)) else { return Ok(()) };
    if to > from { draw((from, c - from), (to, c - to)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_stay_within_the_band(heights in prop::collection::vec((0i32..400, 0i32..400), 2..40)) {
            let x = |i: usize| i as i32 * 37;
            let bottom: Vec<_> = heights.iter().enumerate().map(|(i, (low, _))| (x(i), 1_000 - low)).collect();
            let top: Vec<_> = heights.iter().enumerate().map(|(i, (low, high))| (x(i), 1_000 - low - high)).collect();
            let at = |edge: &[BackendCoord], px: i32| {
                let i = ((px / 37) as usize).min(edge.len() - 2);
                f64::from(edge[i].1) + f64::from(edge[i + 1].1 - edge[i].1) * f64::from(px - edge[i].0) / 37.0
            };
            let _ = hatch(&top, &bottom, |a, b| {
                for (px, y) in [a, b] {
                    // Within the rounding of an end along a steep edge.
                    assert!(f64::from(y) >= at(&top, px) - 14.0 && f64::from(y) <= at(&bottom, px) + 14.0);
                }
                Ok::<_, ()>(())
            });
        }
    }

    #[test]
    fn a_square_is_hatched_from_corner_to_corner() {
        let mut lines = Vec::new();
        let (top, bottom) = ([(0, 0), (112, 0)], [(0, 112), (112, 112)]);
        let _ = hatch(&top, &bottom, |a, b| {
            lines.push((a, b));
            Ok::<_, ()>(())
        });
        assert_eq!(lines, [((0, 56), (56, 0)), ((0, 112), (112, 0)), ((56, 112), (112, 56))]);
    }
}
