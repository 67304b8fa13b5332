//! A share in tenths of a percent: exact in the store, and a number with one decimal in JSON.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 0 to 100 %, in tenths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u16);

/// Tenths of a percent in the whole.
const WHOLE: u16 = 1_000;

impl Percent {
    /// From tenths of a percent; what is over the whole is the whole.
    #[must_use]
    pub const fn from_tenths(tenths: u16) -> Self {
        Self(if tenths > WHOLE { WHOLE } else { tenths })
    }
    /// From a reading, rounded; none when it is no number.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000 by then")]
    pub fn from_reading(percent: f64) -> Option<Self> {
        percent.is_finite().then(|| Self((percent * 10.0).round().clamp(0.0, f64::from(WHOLE)) as u16))
    }
    /// `part` of `whole`; none of nothing.
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        let tenths = (u128::from(part) * u128::from(WHOLE) + u128::from(whole) / 2).checked_div(u128::from(whole))?;
        Some(Self(u16::try_from(tenths).unwrap_or(WHOLE).min(WHOLE)))
    }
    /// Tenths of a percent, 0 to 1000.
    #[must_use]
    pub const fn tenths(self) -> u16 {
        self.0
    }
    /// For axes and dials.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

/// One decimal: `23.4 %`.
impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} %", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(serde::de::Error::custom("a percentage is between 0 and 100"));
        }
        Self::from_reading(percent).ok_or_else(|| serde::de::Error::custom("a percentage is a number"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn readings_are_rounded_and_kept_within_the_whole() {
        let check =
            |reading, tenths| assert_eq!(Percent::from_reading(reading).map(Percent::tenths), tenths, "{reading}");
        check(23.44, Some(234));
        check(23.45, Some(235));
        check(-3.0, Some(0));
        check(250.0, Some(1_000));
        check(f64::NAN, None);
        check(f64::INFINITY, None);
    }

    #[test]
    fn a_part_of_nothing_is_no_share() {
        assert_eq!(Percent::of(1, 0), None);
        assert_eq!(Percent::of(u64::MAX, u64::MAX).map(Percent::tenths), Some(1_000));
        assert_eq!(Percent::of(1, 3).map(|share| share.to_string()).as_deref(), Some("33.3 %"));
        assert_eq!(Percent::of(3, 1).map(Percent::tenths), Some(1_000), "more is in use than there is");
    }

    #[test]
    fn json_outside_the_whole_is_refused() {
        for bad in ["-0.1", "100.1", "1e9", "null", "\"1\""] {
            assert!(serde_json::from_str::<Percent>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn json_reads_back_the_same_share(tenths in 0_u16..=1_000) {
            let share = Percent::from_tenths(tenths);
            let text = serde_json::to_string(&share).unwrap();
            prop_assert_eq!(serde_json::from_str::<Percent>(&text).unwrap(), share);
        }
    }
}
