//! Local days as instants: where a date begins in a zone, also where the clocks change.

use jiff::civil;
use jiff::tz::TimeZone;

use super::LocalDay;
use crate::time::{TimeRange, Timestamp};

/// As the calendar knows it.
fn date(day: LocalDay) -> Option<civil::Date> {
    let (year, month, of_month) = day.date();
    let small = |n: i32| i8::try_from(n).ok();
    civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(of_month)?).ok()
}

/// The first instant of a day: not always midnight, and for a date that a zone skipped the first of the next.
#[must_use]
pub fn beginning(day: LocalDay, zone: &TimeZone) -> Option<Timestamp> {
    let begin = date(day)?.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    Some(Timestamp(begin.timestamp().as_microsecond()))
}

/// The date that an instant has in a zone; none beyond the years that are known.
#[must_use]
pub fn local_day(at: Timestamp, zone: &TimeZone) -> Option<LocalDay> {
    let local = jiff::Timestamp::from_microsecond(at.0).ok()?.to_zoned(zone.clone()).date();
    LocalDay::parse(&local.to_string()).ok()
}

/// From the beginning of the first day to the end of the last; none when a zone skipped all of them.
#[must_use]
pub fn local_range(first: LocalDay, last: LocalDay, zone: &TimeZone) -> Option<TimeRange> {
    TimeRange::new(beginning(first, zone)?, beginning(last.plus(1), zone)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, first: &str, last: &str, want: [&str; 2]) {
        let day = |raw: &str| LocalDay::parse(raw).unwrap();
        let zone = TimeZone::posix(zone).unwrap();
        let range = local_range(day(first), day(last), &zone).unwrap();
        assert_eq!([range.from().to_string(), range.to().to_string()], want);
        assert_eq!(local_day(range.from(), &zone), Some(day(first)));
        assert_eq!(local_day(Timestamp(range.to().0 - 1), &zone), Some(day(last)));
    }

    #[test]
    fn the_last_day_is_in_the_range_to_its_end_also_where_clocks_change() {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        check(berlin, "2026-03-29", "2026-03-29", ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"]);
        check(berlin, "2026-10-25", "2026-10-25", ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"]);
        check("UTC0", "2026-01-31", "2026-02-28", ["2026-01-31T00:00:00Z", "2026-03-01T00:00:00Z"]);
        check("<+0545>-5:45", "2026-11-28", "2026-11-28", ["2026-11-27T18:15:00Z", "2026-11-28T18:15:00Z"]);
        // Midnight does not exist on the day on which the clocks go forward at midnight.
        let cairo = "EET-2EEST,M4.5.5/0,M10.5.4/24";
        check(cairo, "2026-04-24", "2026-04-24", ["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"]);
    }
}
