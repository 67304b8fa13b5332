//! Dashes along a path, because plotters' backends draw solid lines only.

use plotters_backend::BackendCoord;

use crate::fine::FINE;

/// Dashes of a path, at most.
const MOST: f64 = 1_000.0;

/// Calls `draw` with each dash of a path: `on` and `off` in CSS pixels along it. A path that would have more than
/// [`MOST`] has that many longer ones: what jumps up and down a lot costs no more, and loses no peak.
pub(crate) fn dashes<E>(
    points: &[BackendCoord],
    (on, off): (f64, f64),
    mut draw: impl FnMut(&[BackendCoord]) -> Result<(), E>,
) -> Result<(), E> {
    let long = |pair: &[BackendCoord]| f64::from(pair[1].0 - pair[0].0).hypot(f64::from(pair[1].1 - pair[0].1));
    let whole: f64 = points.windows(2).map(long).sum();
    let unit = f64::from(FINE) * (whole / f64::from(FINE) / (on + off) / MOST).max(1.0);
    let (on, off) = (on * unit, off * unit);
    let mut dash: Vec<BackendCoord> = points.first().copied().into_iter().collect();
    let (mut drawing, mut left) = (true, on);
    for pair in points.windows(2) {
        let (from, to) = ((f64::from(pair[0].0), f64::from(pair[0].1)), (f64::from(pair[1].0), f64::from(pair[1].1)));
        let length = long(pair);
        let mut at = 0.0;
        while length - at > left {
            at += left;
            let share = at / length;
            let turn = ((from.0 + (to.0 - from.0) * share) as i32, (from.1 + (to.1 - from.1) * share) as i32);
            dash.push(turn);
            if drawing {
                draw(&dash)?;
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

    #[test]
    fn a_path_of_any_length_has_a_bounded_number_of_dashes_and_ends_where_it_ends() {
        let path: Vec<_> = (0..20_000).map(|x| (x * 4, if x % 2 == 0 { 0 } else { 1_600 })).collect();
        let (mut count, mut last) = (0, (0, 0));
        let _ = dashes(&path, (2.0, 3.0), |dash| {
            count += 1;
            last = *dash.last().unwrap();
            Ok::<_, ()>(())
        });
        assert!((990..=1_001).contains(&count), "{count}");
        assert!(last.0 > 20_000 * 4 - 400, "{last:?}");
    }
}
