//! Dashes along a path, because plotters' backends draw solid lines only.

use plotters_backend::BackendCoord;

use crate::fine::FINE;

/// Calls `draw` with each dash of a path: `on` and `off` in CSS pixels along it. At most 4,000 dashes.
pub(crate) fn dashes<E>(
    points: &[BackendCoord],
    (on, off): (f64, f64),
    mut draw: impl FnMut(&[BackendCoord]) -> Result<(), E>,
) -> Result<(), E> {
    let (on, off) = (on * f64::from(FINE), off * f64::from(FINE));
    let mut dash: Vec<BackendCoord> = points.first().copied().into_iter().collect();
    let (mut drawing, mut left, mut drawn) = (true, on, 0);
    for pair in points.windows(2) {
        let (from, to) = ((f64::from(pair[0].0), f64::from(pair[0].1)), (f64::from(pair[1].0), f64::from(pair[1].1)));
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut at = 0.0;
        while length - at > left && drawn < 4_000 {
            at += left;
            let share = at / length;
            let turn = ((from.0 + (to.0 - from.0) * share) as i32, (from.1 + (to.1 - from.1) * share) as i32);
            dash.push(turn);
            if drawing {
                draw(&dash)?;
                drawn += 1;
            }
            dash.clear();
            dash.push(turn);
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - at;
        if drawing {
            dash.push(pair[1]);
        }
    }
    if drawing { draw(&dash) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_and_gaps_alternate_around_corners() {
        let mut all = Vec::new();
        let path = [(0, 0), (80, 0), (80, 80)];
        let _ = dashes(&path, (6.0, 4.0), |dash| {
            all.push(dash.to_vec());
            Ok::<_, ()>(())
        });
        assert_eq!(all, [vec![(0, 0), (48, 0)], vec![(80, 0), (80, 48)]]);
    }
}
