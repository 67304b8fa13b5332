//! A sketch of durations: how many fell into each bin, and no bin is wider than 2 % of what it holds.
//!
//! Bins are DDSketch's with a mapping in integers: fifty of equal width per octave of microseconds. So every machine and
//! every language sorts a duration into the same bin, sketches merge by adding counts, and what was added can be taken
//! out again exactly. None of the published crates subtracts, and all of them sort by floating-point logarithms. The bins
//! are stored: they never change.

/// Bins per octave: the relative error is at most 1 / (2 × 50 + 1).
const PER_OCTAVE: u64 = 50;
/// Longer durations count as this long: nine years.
const LONGEST_US: u64 = (1 << 48) - 1;
/// One for zero, and fifty for each octave below [`LONGEST_US`].
pub(super) const BINS: u16 = 1 + 48 * 50;

/// Counts of durations per bin. Counts may be negative in between, as when an event is taken back; those of everything
/// together never are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Sketch {
    /// Bin and count, by bin, without zeros.
    bins: Vec<(u16, i64)>,
}

/// Why bytes are no sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SketchError {
    /// They end within a number.
    #[error("a sketch ends in the middle")]
    Truncated,
    /// A number that no sketch has.
    #[error("a sketch holds a number that is out of range")]
    OutOfRange,
}

impl Sketch {
    /// The sketch of durations in microseconds, each counted `n` times.
    #[must_use]
    pub fn of(durations_us: impl IntoIterator<Item = (u64, i64)>) -> Self {
        Self::of_bins(durations_us.into_iter().map(|(us, n)| (bin_of(us), n)).collect())
    }

    /// Adds up what falls into the same bin.
    fn of_bins(mut bins: Vec<(u16, i64)>) -> Self {
        bins.sort_unstable_by_key(|(bin, _)| *bin);
        bins.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = earlier.1.saturating_add(later.1);
            }
            same
        });
        bins.retain(|(_, n)| *n != 0);
        Self { bins }
    }

    /// Both together. In any order and any grouping it is the same.
    pub fn merge(&mut self, other: &Self) {
        if self.bins.is_empty() {
            self.bins.clone_from(&other.bins);
        } else if !other.bins.is_empty() {
            let mut bins = std::mem::take(&mut self.bins);
            bins.extend_from_slice(&other.bins);
            *self = Self::of_bins(bins);
        }
    }

    /// What merging this takes back.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { bins: self.bins.iter().map(|(bin, n)| (*bin, n.saturating_neg())).collect() }
    }

    /// How many durations it holds.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.bins.iter().map(|(_, n)| *n).fold(0, i64::saturating_add)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    /// A percentile by nearest rank, in microseconds, less than 1 % off; none when nothing is in it.
    #[must_use]
    pub fn percentile_us(&self, percentile: super::Percentile) -> Option<f64> {
        let n = u64::try_from(self.count()).ok()?;
        let rank = i64::try_from(percentile.rank(n)).ok().filter(|rank| *rank > 0)?;
        let mut passed = 0_i64;
        let found = self.bins.iter().find(|(_, n)| {
            passed = passed.saturating_add(*n);
            passed >= rank
        });
        found.map(|(bin, _)| middle_us(*bin))
    }

    /// As bytes: per bin its distance from the one before and its count, both in as few bytes as they need.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bins.len() * 3);
        let mut last = 0;
        for (bin, n) in &self.bins {
            put(&mut bytes, u64::from(bin - last));
            put(&mut bytes, n.unsigned_abs() << 1 | u64::from(*n < 0));
            last = *bin;
        }
        bytes
    }

    /// Reads [`Sketch::to_bytes`].
    ///
    /// # Errors
    /// Something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchError> {
        let mut bins: Vec<(u16, i64)> = Vec::with_capacity(bytes.len() / 2);
        read(bytes, |bin, n| bins.push((bin, n)))?;
        Ok(Self { bins })
    }
}

/// Gives every bin and its count, by bin.
pub(super) fn read(mut bytes: &[u8], mut each: impl FnMut(u16, i64)) -> Result<(), SketchError> {
    let mut last = None;
    while !bytes.is_empty() {
        let distance = u16::try_from(take(&mut bytes)?).map_err(|_| SketchError::OutOfRange)?;
        let raw = take(&mut bytes)?;
        let size = i64::try_from(raw >> 1).map_err(|_| SketchError::OutOfRange)?;
        let bin = last.unwrap_or(0_u16).checked_add(distance).filter(|bin| *bin < BINS && Some(*bin) != last);
        let bin = bin.ok_or(SketchError::OutOfRange)?;
        if size == 0 {
            return Err(SketchError::OutOfRange);
        }
        last = Some(bin);
        each(bin, if raw & 1 == 0 { size } else { -size });
    }
    Ok(())
}

/// The bin of a duration in microseconds.
fn bin_of(us: u64) -> u16 {
    let us = us.min(LONGEST_US);
    let Some(octave) = us.checked_ilog2() else { return 0 };
    let within = ((us - (1 << octave)) * PER_OCTAVE) >> octave;
    u16::try_from(1 + u64::from(octave) * PER_OCTAVE + within).unwrap_or(BINS - 1)
}

/// The shortest and the longest duration of a bin, in microseconds.
fn bounds_us(bin: u16) -> (u64, u64) {
    let Some(place) = u64::from(bin).checked_sub(1) else { return (0, 0) };
    let (octave, within) = (place / PER_OCTAVE, place % PER_OCTAVE);
    let edge = |within: u64| (1 << octave) + (within << octave).div_ceil(PER_OCTAVE);
    (edge(within), (edge(within + 1) - 1).max(edge(within)))
}

/// What a bin's durations are taken for: as far, in proportion, from the shortest as from the longest.
#[expect(clippy::cast_precision_loss, reason = "durations of up to nine years, read to 1 %")]
pub(super) fn middle_us(bin: u16) -> f64 {
    let (shortest, longest) = bounds_us(bin);
    if shortest == longest {
        return shortest as f64;
    }
    2.0 * shortest as f64 * longest as f64 / (shortest as f64 + longest as f64)
}

/// Seven bits per byte, lowest first; the eighth says that more follow.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn take(bytes: &mut &[u8]) -> Result<u64, SketchError> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(SketchError::Truncated)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if part << shift >> shift != part {
            return Err(SketchError::OutOfRange);
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(SketchError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Percentile, nearest_rank};
    use super::*;

    fn sketch(durations: &[u64]) -> Sketch {
        Sketch::of(durations.iter().map(|us| (*us, 1)))
    }

    fn merged(parts: &[&Sketch]) -> Sketch {
        let mut all = Sketch::default();
        parts.iter().for_each(|part| all.merge(part));
        all
    }

    /// Durations of every size, from a microsecond to years.
    fn durations() -> impl Strategy<Value = Vec<u64>> {
        proptest::collection::vec((0_u32..47, any::<u64>()).prop_map(|(bits, n)| n % (2 << bits)), 0..300)
    }

    #[test]
    fn bins_are_what_is_stored() {
        let check = |us: u64, bin: u16| assert_eq!(bin_of(us), bin, "{us}");
        check(0, 0);
        check(1, 1);
        check(2, 51);
        check(1_000, 498);
        check(1_000_000, 996);
        check(60_000_000, 1_290);
        check(u64::MAX, BINS - 1);
    }

    #[test]
    fn bytes_are_what_is_stored() {
        assert_eq!(sketch(&[0, 1_000, 1_000, 1_001]).to_bytes(), [0, 2, 0xf2, 3, 6]);
        assert_eq!(Sketch::of([(1, -1)]).to_bytes(), [1, 3]);
        for bad in [&[0x80][..], &[1], &[1, 0], &[0xff, 0xff, 0x7f, 2], &[5, 2, 0, 2], &[0xff; 12]] {
            assert!(Sketch::from_bytes(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn of_1_to_100_ms_the_percentiles_are_those_within_1_percent() {
        let all = sketch(&(1..=100).map(|ms| ms * 1_000).collect::<Vec<_>>());
        for (percentile, ms) in Percentile::ALL.into_iter().zip([50.0, 95.0, 99.0]) {
            let found = all.percentile_us(percentile).unwrap() / 1_000.0;
            assert!((found / ms - 1.0_f64).abs() < 0.01, "{percentile:?}: {found}");
        }
        assert_eq!(Sketch::default().percentile_us(Percentile::P50), None);
    }

    proptest! {
        #[test]
        fn every_percentile_is_within_1_percent_of_the_exact_one(durations in durations()) {
            let sketch = sketch(&durations);
            let mut sorted = durations;
            sorted.sort_unstable();
            for percentile in Percentile::ALL {
                let exact = nearest_rank(&sorted, percentile);
                let found = sketch.percentile_us(percentile);
                prop_assert_eq!(exact.is_some(), found.is_some());
                if let (Some(exact), Some(found)) = (exact, found) {
                    #[expect(clippy::cast_precision_loss, reason = "a comparison to 1 %")]
                    let exact = exact as f64;
                    prop_assert!((found - exact).abs() <= 0.01 * exact, "{} for {}", found, exact);
                }
            }
        }

        #[test]
        fn merging_does_not_depend_on_order_or_grouping(a in durations(), b in durations(), c in durations()) {
            let whole = sketch(&[a.clone(), b.clone(), c.clone()].concat());
            let (a, b, c) = (sketch(&a), sketch(&b), sketch(&c));
            prop_assert_eq!(&merged(&[&a, &b, &c]), &whole);
            prop_assert_eq!(&merged(&[&c, &a, &b]), &whole);
            prop_assert_eq!(&merged(&[&a, &merged(&[&c, &b])]), &whole);
        }

        #[test]
        fn what_is_taken_back_leaves_no_trace(kept in durations(), taken in durations()) {
            let all = sketch(&[kept.clone(), taken.clone()].concat());
            prop_assert_eq!(merged(&[&all, &sketch(&taken).negated()]), sketch(&kept));
        }

        #[test]
        fn bytes_read_back(durations in proptest::collection::vec((any::<u64>(), -5_i64..1_000_000_000_000), 0..100)) {
            let sketch = Sketch::of(durations);
            prop_assert_eq!(Sketch::from_bytes(&sketch.to_bytes()), Ok(sketch));
        }

        #[test]
        fn whatever_bytes_are_read_they_are_a_sketch_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(sketch) = Sketch::from_bytes(&bytes) {
                prop_assert_eq!(Sketch::from_bytes(&sketch.to_bytes()), Ok(sketch));
            }
        }
    }
}
