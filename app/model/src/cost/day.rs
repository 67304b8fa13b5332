//! A date on the reader's calendar, without a calendar library: the client stays small.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A local date, counted in days from 1970-01-01. Which instants it spans is the zone's business, and the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalDay(i32);

/// Why a date could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a date from 1970 to 2199, such as 2026-11-28")]
pub struct DayError(pub String);

/// The day after the last that is known: 2200-01-01.
const END: i32 = 84_006;

/// Days in a week.
pub const WEEK_DAYS: i32 = 7;

impl LocalDay {
    /// The day that lies `days` after 1970-01-01, held within 1970 to 2199.
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(if days < 0 {
            0
        } else if days >= END {
            END - 1
        } else {
            days
        })
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// Anything else, a date that does not exist, and what is not between 1970 and 2199.
    pub fn parse(raw: &str) -> Result<Self, DayError> {
        let bad = || DayError(raw.chars().take(40).collect());
        let part = |range: std::ops::Range<usize>| {
            let digits = raw.get(range).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
            digits.parse::<i32>().ok()
        };
        if raw.len() != 10 || raw.get(4..5) != Some("-") || raw.get(7..8) != Some("-") {
            return Err(bad());
        }
        let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else { return Err(bad()) };
        let days = days_of(year, month, day);
        // A date that does not exist is another one on the calendar.
        if (0..END).contains(&days) && (year, month, day) == date_of(days) { Ok(Self(days)) } else { Err(bad()) }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Year, month (1 to 12) and day of the month (1 to 31).
    #[must_use]
    pub const fn date(self) -> (i32, i32, i32) {
        date_of(self.0)
    }

    /// 0 for Monday to 6 for Sunday.
    #[must_use]
    pub const fn weekday(self) -> i32 {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(WEEK_DAYS)
    }

    /// `Mon` to `Sun`.
    #[must_use]
    pub fn weekday_name(self) -> &'static str {
        const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        usize::try_from(self.weekday()).ok().and_then(|at| NAMES.get(at)).copied().unwrap_or_default()
    }

    /// `Jan` to `Dec`.
    #[must_use]
    pub fn month_name(self) -> &'static str {
        const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        usize::try_from(self.date().1 - 1).ok().and_then(|at| NAMES.get(at)).copied().unwrap_or_default()
    }

    /// The Monday of its week.
    #[must_use]
    pub const fn monday(self) -> Self {
        self.plus(-self.weekday())
    }

    /// The day `days` later, held within 1970 to 2199.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self::from_days(self.0.saturating_add(days))
    }

    /// Days from `earlier` to this one.
    #[must_use]
    pub const fn days_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }
}

impl fmt::Display for LocalDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl TryFrom<String> for LocalDay {
    type Error = DayError;
    fn try_from(raw: String) -> Result<Self, DayError> {
        Self::parse(&raw)
    }
}

impl From<LocalDay> for String {
    fn from(day: LocalDay) -> Self {
        day.to_string()
    }
}

/// After Howard Hinnant's `civil_from_days`.
const fn date_of(days: i32) -> (i32, i32, i32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// The inverse of [`date_of`].
const fn days_of(year: i32, month: i32, day: i32) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_reads_back_and_follows_the_one_before() {
        let mut date = jiff::civil::date(1970, 1, 1);
        for days in 0..END {
            let day = LocalDay::from_days(days);
            assert_eq!(day.to_string(), date.to_string());
            assert_eq!(LocalDay::parse(&day.to_string()), Ok(day));
            assert_eq!(day.weekday(), i32::from(date.weekday().to_monday_zero_offset()), "{day}");
            date = date.tomorrow().unwrap();
        }
        assert_eq!(LocalDay::from_days(END), LocalDay::parse("2199-12-31").unwrap());
    }

    #[test]
    fn what_is_no_date_is_refused_with_its_words() {
        let long = "2026-11-28".repeat(20);
        for bad in [
            "",
            "2026-11-31",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "26-11-28",
            "2026-1-28",
            "1969-12-31",
            "2200-01-01",
            "2026-11-28Z",
            "+026-11-28",
            "2026-11-2é",
            &long,
        ] {
            let error = LocalDay::parse(bad).unwrap_err();
            assert!(error.to_string().contains("is not a date") && error.0.len() <= 80, "{bad}");
        }
        assert!(LocalDay::parse("2028-02-29").is_ok());
    }

    #[test]
    fn weeks_begin_on_monday() {
        let day = LocalDay::parse("2026-11-28").unwrap();
        assert_eq!((day.weekday_name(), day.month_name()), ("Sat", "Nov"));
        assert_eq!(day.monday().to_string(), "2026-11-23");
        assert_eq!(day.monday().monday(), day.monday());
        assert_eq!(day.days_since(day.monday()), 5);
    }
}
