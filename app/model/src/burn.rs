//! What is being spent: per minute, per hour, today, this month, and by its end.

use serde::{Deserialize, Serialize};

use crate::tank::Pace;
use crate::time::{MICROS_PER_SECOND, TimeRange, Timestamp};
use crate::unit::Nanodollars;

/// Nothing is said of the month's end before this much of it has passed: the first call would be multiplied by thousands.
pub const PROJECTION_AFTER_S: i64 = 3_600;

/// The burn ticker. Every sum is exact; rates are sums over a span that is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burn {
    /// The server's clock.
    pub at: Timestamp,
    /// Cost of the last 60 seconds.
    pub last_minute: Nanodollars,
    /// Cost of a minute on the mean of the last five, or since the first event when that is later.
    pub per_minute: Nanodollars,
    /// Cost of an hour at that mean.
    pub per_hour: Nanodollars,
    /// The spending behind both, and over how many seconds.
    pub pace: Pace,
    /// Days and months begin in this zone (IANA).
    pub zone: String,
    /// Cost of today.
    pub today: Nanodollars,
    /// When today began.
    pub today_from: Timestamp,
    /// Cost of this month up to now.
    pub month: Nanodollars,
    /// When this month began.
    pub month_from: Timestamp,
    /// When it ends.
    pub month_to: Timestamp,
    /// Cost of the whole month, if it goes on as it has since it began, or since the first event when that is later; none
    /// in the first hour of either.
    pub projected: Option<Nanodollars>,
}

/// What a sum over `pace` makes of `span_s` seconds.
#[must_use]
pub fn over(pace: Pace, span_s: i64) -> Nanodollars {
    if pace.over_s <= 0 {
        return Nanodollars::ZERO;
    }
    scaled(pace.spent, span_s, pace.over_s)
}

/// What the whole month costs if it goes on as it did: by the time that has passed, not by days. `first` is the first
/// event ever; none: nothing was ever spent.
#[must_use]
pub fn projection(
    spent: Nanodollars,
    month: TimeRange,
    first: Option<Timestamp>,
    now: Timestamp,
) -> Option<Nanodollars> {
    let since = month.from().max(first?);
    let passed_us = now.min(month.to()).micros_since(since);
    if passed_us < PROJECTION_AFTER_S * MICROS_PER_SECOND {
        return None;
    }
    Some(scaled(spent, month.to().micros_since(since), passed_us))
}

/// `amount` × `times` / `by`, rounded to the nearest.
fn scaled(amount: Nanodollars, times: i64, by: i64) -> Nanodollars {
    let by = i128::from(by.max(1));
    let product = i128::from(amount.0) * i128::from(times);
    let rounded = (product + product.signum() * (by / 2)) / by;
    Nanodollars(i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::calendar;
    use crate::unit::NANOS_PER_DOLLAR;

    fn at(raw: &str) -> Timestamp {
        Timestamp::parse_rfc3339(raw).unwrap()
    }

    /// What a month costs in which a dollar an hour is spent from `first` on, seen at `now`.
    fn dollar_an_hour(zone: &str, first: &str, now: &str) -> Option<i64> {
        let month = calendar::month(at(now), &TimeZone::posix(zone).unwrap()).unwrap();
        let since = month.from().max(at(first));
        let spent = i128::from(at(now).micros_since(since)) * i128::from(NANOS_PER_DOLLAR) / 3_600_000_000;
        let spent = Nanodollars(i64::try_from(spent).unwrap());
        projection(spent, month, Some(at(first)), at(now)).map(|amount| (amount.0 + 500_000_000) / NANOS_PER_DOLLAR)
    }

    #[test]
    fn rates_are_sums_over_their_span() {
        let pace = |spent, over_s| Pace { spent: Nanodollars(spent), over_s };
        assert_eq!(over(pace(300, 300), 60), Nanodollars(60));
        assert_eq!(over(pace(300, 300), 3_600), Nanodollars(3_600));
        assert_eq!(over(pace(7, 2), 60), Nanodollars(210), "a young town's mean is over what there is");
        assert_eq!(over(pace(0, 0), 60), Nanodollars(0));
        assert_eq!(over(pace(i64::MAX, 1), 3_600), Nanodollars(i64::MAX));
    }

    #[test]
    fn the_month_is_projected_by_the_time_that_has_passed() {
        let long_ago = "2020-01-01T00:00:00Z";
        // November has 720 hours, whenever one looks.
        assert_eq!(dollar_an_hour("UTC0", long_ago, "2026-11-01T07:30:00Z"), Some(720));
        assert_eq!(dollar_an_hour("UTC0", long_ago, "2026-11-30T23:59:59Z"), Some(720));
        assert_eq!(dollar_an_hour("UTC0", long_ago, "2028-02-10T11:00:00Z"), Some(29 * 24));
        // In New York March is an hour shorter and November an hour longer.
        let new_york = "EST5EDT,M3.2.0,M11.1.0";
        assert_eq!(dollar_an_hour(new_york, long_ago, "2026-03-07T12:00:00Z"), Some(31 * 24 - 1));
        assert_eq!(dollar_an_hour(new_york, long_ago, "2026-03-20T12:00:00Z"), Some(31 * 24 - 1));
        assert_eq!(dollar_an_hour(new_york, long_ago, "2026-11-20T12:00:00Z"), Some(30 * 24 + 1));
    }

    #[test]
    fn a_town_that_began_within_the_month_is_projected_from_its_beginning() {
        assert_eq!(dollar_an_hour("UTC0", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"), Some(240));
    }

    #[test]
    fn nothing_is_projected_from_less_than_an_hour_or_from_nothing() {
        assert_eq!(dollar_an_hour("UTC0", "2020-01-01T00:00:00Z", "2026-11-01T00:59:59Z"), None);
        assert_eq!(dollar_an_hour("UTC0", "2026-11-21T00:00:00Z", "2026-11-21T00:30:00Z"), None);
        let month = calendar::month(at("2026-11-05T00:00:00Z"), &TimeZone::UTC).unwrap();
        assert_eq!(projection(Nanodollars::ZERO, month, None, at("2026-11-05T00:00:00Z")), None);
    }
}
