//! Days and months as a person's clock has them: with summer time, and months of their own length.

use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use crate::time::{TimeRange, Timestamp};

/// The day that holds `now` in a zone: 23 or 25 hours long when the clocks are changed. None beyond the years that the
/// calendar knows.
#[must_use]
pub fn day(now: Timestamp, zone: &TimeZone) -> Option<TimeRange> {
    let begin = zoned(now, zone)?.start_of_day().ok()?;
    // The next date's beginning, whatever hour that is: some zones skip midnight.
    let end = begin.tomorrow().ok()?.start_of_day().ok()?;
    range(&begin, &end)
}

/// The month that holds `now` in a zone.
#[must_use]
pub fn month(now: Timestamp, zone: &TimeZone) -> Option<TimeRange> {
    let begin = zoned(now, zone)?.first_of_month().ok()?.start_of_day().ok()?;
    let end = begin.checked_add(1.month()).ok()?.first_of_month().ok()?.start_of_day().ok()?;
    range(&begin, &end)
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    Some(jiff::Timestamp::from_microsecond(at.0).ok()?.to_zoned(zone.clone()))
}

fn range(begin: &Zoned, end: &Zoned) -> Option<TimeRange> {
    let at = |zoned: &Zoned| Timestamp(zoned.timestamp().as_microsecond());
    TimeRange::new(at(begin), at(end)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str) -> Timestamp {
        Timestamp::parse_rfc3339(raw).unwrap()
    }

    fn check(zone: &str, now: &str, day_is: [&str; 2], month_is: [&str; 2]) {
        let zone = TimeZone::posix(zone).unwrap();
        let spell = |range: TimeRange| [range.from().to_string(), range.to().to_string()];
        assert_eq!(day(at(now), &zone).map(spell), Some(day_is.map(str::to_owned)), "{now}");
        assert_eq!(month(at(now), &zone).map(spell), Some(month_is.map(str::to_owned)), "{now}");
    }

    #[test]
    fn days_and_months_begin_in_the_readers_zone() {
        check(
            "UTC0",
            "2026-11-27T19:00:00Z",
            ["2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"],
            ["2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"],
        );
        // In Kathmandu (+05:45) it is tomorrow already, and another month.
        check(
            "<+0545>-5:45",
            "2026-11-30T19:00:00Z",
            ["2026-11-30T18:15:00Z", "2026-12-01T18:15:00Z"],
            ["2026-11-30T18:15:00Z", "2026-12-31T18:15:00Z"],
        );
    }

    #[test]
    fn a_day_has_23_or_25_hours_when_the_clocks_are_changed_and_its_month_one_less_or_more() {
        let new_york = "EST5EDT,M3.2.0,M11.1.0";
        check(
            new_york,
            "2026-03-08T12:00:00Z",
            ["2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"],
            ["2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"],
        );
        check(
            new_york,
            "2026-11-02T04:59:59Z",
            ["2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"],
            ["2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"],
        );
    }

    #[test]
    fn a_day_without_a_midnight_begins_when_the_clocks_have_been_changed() {
        // Beirut sets its clocks from 00:00 to 01:00 on the last Sunday of March.
        check(
            "EET-2EEST,M3.5.0/0,M10.5.0/0",
            "2026-03-29T10:00:00Z",
            ["2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"],
            ["2026-02-28T22:00:00Z", "2026-03-31T21:00:00Z"],
        );
    }

    #[test]
    fn february_and_december_end_where_they_end() {
        let months = |now: &str| month(at(now), &TimeZone::UTC).map(|range| range.seconds() / 86_400);
        assert_eq!(months("2026-02-28T23:59:59Z"), Some(28));
        assert_eq!(months("2028-02-01T00:00:00Z"), Some(29));
        assert_eq!(months("2026-12-31T23:59:59Z"), Some(31));
    }
}
