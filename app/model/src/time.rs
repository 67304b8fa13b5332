//! Time: instants in microseconds, ranges, windows, and the tiers that rollups keep.
//!
//! Every question "which tier serves this range" and "where does this bucket begin" is answered here and nowhere else.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds in one second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Why a time could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339, or without an offset.
    #[error("\"{0}\" is not an RFC 3339 time with an offset, such as 2026-02-26T18:21:35.108Z")]
    NotRfc3339(String),
    /// Before 2000 or after 2100: a broken clock, not history.
    #[error("{0} is outside 2000 to 2100; check the sender's clock")]
    OutOfRange(Timestamp),
    /// `to` is not after `from`.
    #[error("the range ends at {to}, which is not after its beginning {from}")]
    EmptyRange {
        /// Beginning.
        from: Timestamp,
        /// End.
        to: Timestamp,
    },
    /// A window that does not exist.
    #[error("\"{0}\" is not a window; use 1h, 6h, 24h or 7d")]
    UnknownWindow(String),
}

impl Timestamp {
    /// 2000-01-01T00:00:00Z, the earliest time that is believed.
    pub const MIN_BELIEVED: Self = Self(946_684_800 * MICROS_PER_SECOND);
    /// 2100-01-01T00:00:00Z, the latest.
    pub const MAX_BELIEVED: Self = Self(4_102_444_800 * MICROS_PER_SECOND);

    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }
    /// Reads RFC 3339 with any offset; digits beyond the microsecond are cut.
    ///
    /// # Errors
    /// Not RFC 3339, without an offset, or outside 2000 to 2100.
    pub fn parse_rfc3339(raw: &str) -> Result<Self, TimeError> {
        let instant: jiff::Timestamp = raw.trim().parse().map_err(|_| TimeError::NotRfc3339(raw.to_owned()))?;
        Self(instant.as_microsecond()).believed()
    }
    /// Rejects what only a broken clock can produce.
    ///
    /// # Errors
    /// Outside 2000 to 2100.
    pub fn believed(self) -> Result<Self, TimeError> {
        if (Self::MIN_BELIEVED..Self::MAX_BELIEVED).contains(&self) {
            Ok(self)
        } else {
            Err(TimeError::OutOfRange(self))
        }
    }
    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }
    /// This instant moved by `seconds`.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }
    /// Microseconds from `earlier` to this instant; negative when this one is earlier.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
    /// The beginning of the bucket of `step_s` seconds that holds this instant. Buckets are aligned to 1970 in UTC.
    #[must_use]
    pub const fn floor_to(self, step_s: i64) -> Self {
        let step = step_s * MICROS_PER_SECOND;
        Self(self.0.div_euclid(step) * step)
    }
    /// The first bucket beginning at or after this instant.
    #[must_use]
    pub const fn ceil_to(self, step_s: i64) -> Self {
        let floor = self.floor_to(step_s);
        if floor.0 == self.0 { floor } else { floor.plus_seconds(step_s) }
    }
}

/// RFC 3339 in UTC, with as many decimals as needed: `2026-02-26T23:21:35.108Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{} µs since 1970", self.0),
        }
    }
}

/// A half-open range of time: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeRange {
    from: Timestamp,
    to: Timestamp,
}

impl TimeRange {
    /// A range that holds at least one microsecond.
    ///
    /// # Errors
    /// When `to` is not after `from`.
    pub const fn new(from: Timestamp, to: Timestamp) -> Result<Self, TimeError> {
        if from.0 < to.0 { Ok(Self { from, to }) } else { Err(TimeError::EmptyRange { from, to }) }
    }
    /// The last `window` that ends with the bucket in which `now` lies.
    #[must_use]
    pub const fn ending_now(window: Window, now: Timestamp) -> Self {
        let step = window.resolution().step_s();
        let to = now.floor_to(step).plus_seconds(step);
        Self { from: to.plus_seconds(-window.seconds()), to }
    }
    /// First instant of the range.
    #[must_use]
    pub const fn from(self) -> Timestamp {
        self.from
    }
    /// First instant after the range.
    #[must_use]
    pub const fn to(self) -> Timestamp {
        self.to
    }
    /// Length in whole seconds, rounded up.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.to.0.saturating_sub(self.from.0).saturating_add(MICROS_PER_SECOND - 1) / MICROS_PER_SECOND
    }
    /// Whether `at` lies in the range.
    #[must_use]
    pub const fn contains(self, at: Timestamp) -> bool {
        self.from.0 <= at.0 && at.0 < self.to.0
    }
    /// The range widened to whole buckets of `resolution`.
    #[must_use]
    pub const fn widened_to(self, resolution: Resolution) -> Self {
        let step = resolution.step_s();
        Self { from: self.from.floor_to(step), to: self.to.ceil_to(step) }
    }
    /// How much earlier the period before is: as much as this range is long, in whole buckets of `resolution`, so that
    /// each bucket has one to be compared with. In elapsed time: a day before is 86,400 seconds before, also where the
    /// clocks changed in between.
    #[must_use]
    pub const fn before_s(self, resolution: Resolution) -> i64 {
        let step = resolution.step_s();
        (self.seconds() + step - 1) / step * step
    }
    /// This range, earlier by `seconds`.
    #[must_use]
    pub const fn earlier(self, seconds: i64) -> Self {
        Self { from: self.from.plus_seconds(-seconds), to: self.to.plus_seconds(-seconds) }
    }
    /// The finest tier that shows this range in at most [`MAX_POINTS`] points.
    #[must_use]
    pub fn resolution(self) -> Resolution {
        let fits = |tier: &Resolution| self.seconds() <= tier.step_s() * MAX_POINTS;
        Resolution::ALL.into_iter().find(fits).unwrap_or(Resolution::H6)
    }
}

/// Points of a chart at most, for every range up to 100 days.
pub const MAX_POINTS: i64 = 400;

/// The windows one can pick with one click.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Window {
    /// The last hour in steps of 10 s.
    #[default]
    #[serde(rename = "1h")]
    Hour,
    /// The last six hours in steps of 1 min.
    #[serde(rename = "6h")]
    SixHours,
    /// The last day in steps of 5 min.
    #[serde(rename = "24h")]
    Day,
    /// The last week in steps of 30 min.
    #[serde(rename = "7d")]
    Week,
}

impl Window {
    /// Every window, shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::SixHours, Self::Day, Self::Week];

    /// Reads `1h`, `6h`, `24h` or `7d`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(raw: &str) -> Result<Self, TimeError> {
        Self::ALL.into_iter().find(|w| w.name() == raw).ok_or_else(|| TimeError::UnknownWindow(raw.to_owned()))
    }
    /// As in addresses and on buttons.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }
    /// Length in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::SixHours => 6 * 3_600,
            Self::Day => 24 * 3_600,
            Self::Week => 7 * 24 * 3_600,
        }
    }
    /// The tier that fits the window.
    #[must_use]
    pub const fn resolution(self) -> Resolution {
        match self {
            Self::Hour => Resolution::S10,
            Self::SixHours => Resolution::M1,
            Self::Day => Resolution::M5,
            Self::Week => Resolution::M30,
        }
    }
}

/// The tiers that rollups keep. Each divides the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Resolution {
    /// 10 seconds: written together with the events.
    S10,
    /// 1 minute.
    M1,
    /// 5 minutes.
    M5,
    /// 30 minutes.
    M30,
    /// 6 hours.
    H6,
}

impl Resolution {
    /// Every tier, finest first.
    pub const ALL: [Self; 5] = [Self::S10, Self::M1, Self::M5, Self::M30, Self::H6];

    /// Seconds in one bucket.
    #[must_use]
    pub const fn step_s(self) -> i64 {
        match self {
            Self::S10 => 10,
            Self::M1 => 60,
            Self::M5 => 300,
            Self::M30 => 1_800,
            Self::H6 => 21_600,
        }
    }
    /// As in table names: `10s`, `1m`, `5m`, `30m`, `6h`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::S10 => "10s",
            Self::M1 => "1m",
            Self::M5 => "5m",
            Self::M30 => "30m",
            Self::H6 => "6h",
        }
    }
    /// The next finer tier, from which this one is made; none for the finest.
    #[must_use]
    pub const fn finer(self) -> Option<Self> {
        match self {
            Self::S10 => None,
            Self::M1 => Some(Self::S10),
            Self::M5 => Some(Self::M1),
            Self::M30 => Some(Self::M5),
            Self::H6 => Some(Self::M30),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_tier_divides_the_next() {
        for tier in Resolution::ALL {
            if let Some(finer) = tier.finer() {
                assert_eq!(tier.step_s() % finer.step_s(), 0);
            }
        }
    }

    #[test]
    fn windows_have_the_points_of_the_design() {
        let points = |w: Window| w.seconds() / w.resolution().step_s();
        assert_eq!(Window::ALL.map(points), [360, 360, 288, 336]);
        for window in Window::ALL {
            assert_eq!(Window::parse(window.name()), Ok(window));
            assert_eq!(
                TimeRange::ending_now(window, Timestamp::from_seconds(1_700_000_123)).resolution(),
                window.resolution()
            );
        }
        assert!(Window::parse("2h").unwrap_err().to_string().contains("1h, 6h, 24h or 7d"));
    }

    #[test]
    fn rfc3339_is_read_with_offsets_and_nanoseconds() {
        let check = |raw: &str, micros: i64| assert_eq!(Timestamp::parse_rfc3339(raw), Ok(Timestamp(micros)), "{raw}");
        check("2026-02-26T18:21:35.10899-05:00", 1_772_148_095_108_990);
        check("2025-06-10T12:36:23.208Z", 1_749_558_983_208_000);
        check("2025-06-10T12:36:23.123456789Z", 1_749_558_983_123_456);
        for bad in ["2025-06-10", "2025-06-10T12:36:23", "yesterday", "1969-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
            assert!(Timestamp::parse_rfc3339(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_instant(micros in 0_i64..4_000_000_000_000_000, tier in 0_usize..5) {
            let step = Resolution::ALL[tier].step_s();
            let at = Timestamp(micros);
            let bucket = TimeRange::new(at.floor_to(step), at.floor_to(step).plus_seconds(step)).unwrap();
            prop_assert!(bucket.contains(at));
            prop_assert!(at.ceil_to(step) >= at && at.ceil_to(step).micros_since(at) < step * MICROS_PER_SECOND);
        }

        #[test]
        fn a_written_time_reads_back(micros in 946_684_800_000_000_i64..4_102_444_800_000_000) {
            prop_assert_eq!(Timestamp::parse_rfc3339(&Timestamp(micros).to_string()), Ok(Timestamp(micros)));
        }

        #[test]
        fn the_period_before_is_as_long_and_directly_before_to_the_bucket(
            from in 946_684_800_i64..2_000_000_000,
            length in 1_i64..(100 * 86_400),
        ) {
            let range = TimeRange::new(Timestamp::from_seconds(from), Timestamp::from_seconds(from + length)).unwrap();
            for tier in Resolution::ALL.into_iter().filter(|tier| *tier >= range.resolution()) {
                let step_s = tier.step_s();
                let before = range.earlier(range.before_s(tier));
                prop_assert_eq!(before.seconds(), range.seconds());
                let gap_s = range.from().seconds() - before.to().seconds();
                prop_assert!((0..step_s).contains(&gap_s), "it ends {} s before this one begins", gap_s);
                // Each bucket that is shown has exactly one to be compared with, and they lie in the period before.
                let (shown, then) = (range.widened_to(tier), range.widened_to(tier).earlier(range.before_s(tier)));
                prop_assert_eq!(then, before.widened_to(tier));
                prop_assert_eq!(then.seconds(), shown.seconds());
            }
        }

        #[test]
        fn as_time_goes_on_the_period_before_a_window_is_always_one_window_before(now in 946_684_800_i64..2_000_000_000) {
            for window in Window::ALL {
                let range = TimeRange::ending_now(window, Timestamp::from_seconds(now));
                // In every tier that may show it: finer ones may not be kept, or not any more.
                for tier in Resolution::ALL.into_iter().filter(|tier| window.seconds() % tier.step_s() == 0) {
                    prop_assert_eq!(range.before_s(tier), window.seconds());
                }
                prop_assert_eq!(range.earlier(range.before_s(window.resolution())).to(), range.from());
            }
        }

        #[test]
        fn a_range_up_to_100_days_has_at_most_the_allowed_points(seconds in 1_i64..(100 * 86_400)) {
            let from = Timestamp::from_seconds(1_700_000_000);
            let range = TimeRange::new(from, from.plus_seconds(seconds)).unwrap();
            prop_assert!(range.seconds() <= range.resolution().step_s() * MAX_POINTS);
        }
    }
}
