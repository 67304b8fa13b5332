//! A filter's local days as instants, with the periods that they are compared with.

use jiff::tz::TimeZone;
use model::cost::{CostFilter, LocalDay, local_day, local_range};
use model::time::{TimeRange, Timestamp};

/// Why a filter's days are no instants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Nobody knows the zone.
    #[error("tz: \"{0}\" is no time zone; use an IANA name such as Europe/Berlin")]
    Zone(String),
    /// A zone that crossed the date line skipped them.
    #[error("from: these days do not exist in {0}")]
    NoSuchDays(String),
}

/// A filter's days in its zone.
#[derive(Debug, Clone)]
pub struct Period {
    /// The zone.
    pub zone: TimeZone,
    /// The day it is.
    pub today: LocalDay,
    /// First and last day.
    pub first: LocalDay,
    /// The last one, included.
    pub last: LocalDay,
    /// From the beginning of the first to the end of the last.
    pub range: TimeRange,
    /// As many days before.
    pub before: TimeRange,
}

impl Period {
    /// The days of a filter at `now`.
    ///
    /// # Errors
    /// The zone is not known, or skipped the days.
    pub fn of(filter: &CostFilter, now: Timestamp) -> Result<Self, PeriodError> {
        let zone = TimeZone::get(&filter.tz).map_err(|_| PeriodError::Zone(filter.tz.to_string()))?;
        let none = || PeriodError::NoSuchDays(filter.tz.to_string());
        let today = local_day(now, &zone).ok_or_else(none)?;
        let (first, last) = filter.range.days(today);
        let length = last.days_since(first) + 1;
        let range = local_range(first, last, &zone).ok_or_else(none)?;
        let before = local_range(first.plus(-length), first.plus(-1), &zone).unwrap_or(range.earlier(range.seconds()));
        Ok(Self { zone, today, first, last, range, before })
    }

    /// The instants of some days in the zone; none that it skipped.
    #[must_use]
    pub fn instants(&self, first: LocalDay, last: LocalDay) -> Option<TimeRange> {
        local_range(first, last, &self.zone)
    }

    /// Each day of the period.
    #[must_use]
    pub fn days(&self) -> Vec<(LocalDay, TimeRange)> {
        self.days_between(self.first, self.last)
    }

    /// Each day from one to another, both included.
    #[must_use]
    pub fn days_between(&self, first: LocalDay, last: LocalDay) -> Vec<(LocalDay, TimeRange)> {
        let days = (0..=last.days_since(first)).map(|n| first.plus(n));
        days.filter_map(|day| Some((day, self.instants(day, day)?))).collect()
    }
}
