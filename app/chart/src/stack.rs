//! Stacking: order, running sums, totals. The layers of a bucket always sum to its total.

use crate::decimate::Columns;

/// What a layer adds to its bucket: nothing where it has no value, and nothing below zero.
fn part(v: f64) -> f64 {
    if v.is_finite() { v.max(0.0) } else { 0.0 }
}

/// The height of a bucket's stack; NaN (a gap) where no series has a value.
pub fn total(columns: &Columns<'_>, bucket: usize) -> f64 {
    let mut sum = 0.0;
    let mut any = false;
    for series in 0..columns.series.len() {
        let v = columns.value(series, bucket);
        any |= v.is_finite();
        sum += part(v);
    }
    if any { sum } else { f64::NAN }
}

/// Appends the upper edges of a bucket's layers, lowest first; the last one is [`total`].
pub(crate) fn push_tops(columns: &Columns<'_>, bucket: usize, out: &mut Vec<f64>) {
    let mut sum = 0.0;
    out.extend((0..columns.series.len()).map(|series| {
        sum += part(columns.value(series, bucket));
        sum
    }));
}

/// The series from largest to smallest sum: the largest belongs at the bottom, where its shape is seen best. Equal
/// ones keep their order.
pub fn order(series: &[&[f64]]) -> Vec<usize> {
    let sums: Vec<f64> = series.iter().map(|v| v.iter().copied().map(part).sum()).collect();
    let mut order: Vec<usize> = (0..series.len()).collect();
    order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn layers_sum_to_the_total(rows in prop::collection::vec(prop::collection::vec(0f64..1e9, 4), 1..20)) {
            let columns: Vec<Vec<f64>> = (0..4).map(|s| rows.iter().map(|r| r[s]).collect()).collect();
            let series: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let t: Vec<f64> = (0..rows.len()).map(|i| i as f64).collect();
            let columns = Columns { t: &t, step_s: 1.0, series: &series };
            for (i, row) in rows.iter().enumerate() {
                let mut tops = Vec::new();
                push_tops(&columns, i, &mut tops);
                prop_assert_eq!(tops.last().copied(), Some(total(&columns, i)));
                prop_assert!((total(&columns, i) - row.iter().sum::<f64>()).abs() < 1e-3);
                prop_assert!(tops.windows(2).all(|w| w[0] <= w[1]));
            }
        }
    }

    #[test]
    fn a_bucket_without_any_value_is_a_gap_and_with_one_is_not() {
        let series: [&[f64]; 2] = [&[1.0, f64::NAN, f64::NAN], &[2.0, 5.0, f64::NAN]];
        let columns = Columns { t: &[0.0, 1.0, 2.0], step_s: 1.0, series: &series };
        assert_eq!((total(&columns, 0), total(&columns, 1)), (3.0, 5.0));
        assert!(total(&columns, 2).is_nan());
    }

    #[test]
    fn the_largest_lies_at_the_bottom() {
        assert_eq!(order(&[&[1.0, 1.0], &[5.0, f64::NAN], &[2.0, 0.0]]), [1, 0, 2]);
    }
}
