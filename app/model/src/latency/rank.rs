//! Which of n sorted values a percentile is: the nearest rank, so that every percentile is a value that occurred.

use serde::{Deserialize, Serialize};

/// The percentiles that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Percentile {
    /// Half take at most as long.
    P50,
    /// 95 of 100 take at most as long.
    P95,
    /// 99 of 100 take at most as long.
    P99,
}

impl Percentile {
    /// Every one, smallest first.
    pub const ALL: [Self; 3] = [Self::P50, Self::P95, Self::P99];

    /// Its number of hundredths.
    #[must_use]
    pub const fn percent(self) -> u64 {
        match self {
            Self::P50 => 50,
            Self::P95 => 95,
            Self::P99 => 99,
        }
    }

    /// The rank of this percentile among `n` values, from 1: the smallest rank that has at least its share of them at or
    /// below it. 0 when there are none.
    #[must_use]
    pub const fn rank(self, n: u64) -> u64 {
        // Whole hundreds first, so that no count is too large for the product.
        n / 100 * self.percent() + (n % 100 * self.percent()).div_ceil(100)
    }
}

/// The percentile of sorted values, exactly; none of none.
#[must_use]
pub fn nearest_rank<T: Copy>(sorted: &[T], percentile: Percentile) -> Option<T> {
    let rank = percentile.rank(u64::try_from(sorted.len()).ok()?);
    sorted.get(usize::try_from(rank.checked_sub(1)?).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_1_to_100_they_are_50_95_and_99() {
        let values: Vec<u32> = (1..=100).collect();
        assert_eq!(Percentile::ALL.map(|p| nearest_rank(&values, p)), [Some(50), Some(95), Some(99)]);
    }

    #[test]
    fn of_few_they_are_values_that_occurred() {
        let check = |values: &[u32], want: [Option<u32>; 3]| {
            assert_eq!(Percentile::ALL.map(|p| nearest_rank(values, p)), want, "{values:?}");
        };
        check(&[], [None; 3]);
        check(&[7], [Some(7); 3]);
        check(&[1, 2], [Some(1), Some(2), Some(2)]);
        check(&[1, 2, 3], [Some(2), Some(3), Some(3)]);
    }

    #[test]
    fn ranks_of_very_many_do_not_overflow() {
        assert_eq!(Percentile::P99.rank(u64::MAX - u64::MAX % 100), u64::MAX / 100 * 99);
    }
}
