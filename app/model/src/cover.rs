//! Which buckets of which tiers make up a range of time exactly, as few as can be.

use crate::time::{Resolution, TimeRange};

/// Pieces that together are `range`, in the order of time: the coarsest of `tiers` where it fits, finer ones at both
/// ends. `range` has to consist of whole buckets of the finest tier; the rest of it is left out. At most two pieces per
/// tier.
#[must_use]
pub fn cover(range: TimeRange, tiers: &[Resolution]) -> Vec<(Resolution, TimeRange)> {
    let mut sorted = tiers.to_vec();
    sorted.sort_unstable();
    let mut pieces = Vec::new();
    fill(range, &sorted, &mut pieces);
    pieces
}

fn fill(range: TimeRange, tiers: &[Resolution], pieces: &mut Vec<(Resolution, TimeRange)>) {
    let Some((coarsest, finer)) = tiers.split_last() else { return };
    let step_s = coarsest.step_s();
    let Ok(whole) = TimeRange::new(range.from().ceil_to(step_s), range.to().floor_to(step_s)) else {
        return fill(range, finer, pieces);
    };
    if let Ok(before) = TimeRange::new(range.from(), whole.from()) {
        fill(before, finer, pieces);
    }
    pieces.push((*coarsest, whole));
    if let Ok(after) = TimeRange::new(whole.to(), range.to()) {
        fill(after, finer, pieces);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Timestamp;

    const TIERS: [Resolution; 4] = [Resolution::S10, Resolution::M5, Resolution::M30, Resolution::H6];

    fn range(from_s: i64, to_s: i64) -> TimeRange {
        TimeRange::new(Timestamp::from_seconds(from_s), Timestamp::from_seconds(to_s)).unwrap()
    }

    #[test]
    fn the_middle_is_coarse_and_the_ends_are_fine() {
        let pieces = cover(range(290, 4_010), &TIERS);
        let want = [
            (Resolution::S10, range(290, 300)),
            (Resolution::M5, range(300, 1_800)),
            (Resolution::M30, range(1_800, 3_600)),
            (Resolution::M5, range(3_600, 3_900)),
            (Resolution::S10, range(3_900, 4_010)),
        ];
        assert_eq!(pieces, want);
        assert_eq!(cover(range(10, 20), &TIERS), [(Resolution::S10, range(10, 20))]);
    }

    proptest! {
        #[test]
        fn pieces_join_into_the_range_and_are_few(from in 0_i64..500_000, length in 1_i64..200_000) {
            let range = range(from * 10, (from + length) * 10);
            let pieces = cover(range, &TIERS);
            prop_assert!(pieces.windows(2).all(|pair| pair[0].1.to() == pair[1].1.from()));
            prop_assert_eq!(pieces.first().map(|piece| piece.1.from()), Some(range.from()));
            prop_assert_eq!(pieces.last().map(|piece| piece.1.to()), Some(range.to()));
            let buckets: i64 = pieces.iter().map(|(tier, piece)| piece.seconds() / tier.step_s()).sum();
            let most = 2 * (29 + 5 + 11) + range.seconds() / Resolution::H6.step_s();
            prop_assert!(buckets <= most, "{} buckets", buckets);
            for (tier, piece) in &pieces {
                prop_assert_eq!(piece.widened_to(*tier), *piece);
            }
        }
    }
}
