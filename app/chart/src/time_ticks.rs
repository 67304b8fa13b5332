//! Ticks of a time axis in the viewer's zone: on local minutes, hours, midnights and months, through every change of
//! the clocks.

use crate::civil::{DAY, date, day, month_name};
use crate::viewport::TimeRange;

/// The zone: seconds to add to a Unix time to get local time, at that instant.
pub type OffsetAt<'a> = &'a dyn Fn(i64) -> i32;

/// One mark on the time axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeTick {
    /// Unix seconds.
    pub at_s: i64,
    /// `14:30`, `14:30:10`, `Nov 21`, `Nov` or `2026`.
    pub label: String,
    /// The start of a local day (of a year, where ticks are months): drawn stronger.
    pub major: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Seconds(i64),
    Days(i64),
    Months(i64),
}

const STEPS: [Step; 27] = {
    const MIN: i64 = 60;
    const HOUR: i64 = 3_600;
    use Step::{Days, Months, Seconds};
    [
        Seconds(1),
        Seconds(2),
        Seconds(5),
        Seconds(10),
        Seconds(15),
        Seconds(30),
        Seconds(MIN),
        Seconds(2 * MIN),
        Seconds(5 * MIN),
        Seconds(10 * MIN),
        Seconds(15 * MIN),
        Seconds(30 * MIN),
        Seconds(HOUR),
        Seconds(2 * HOUR),
        Seconds(3 * HOUR),
        Seconds(4 * HOUR),
        Seconds(6 * HOUR),
        Seconds(12 * HOUR),
        Days(1),
        Days(2),
        Days(5),
        Days(10),
        Months(1),
        Months(2),
        Months(3),
        Months(6),
        Months(12),
    ]
};

impl Step {
    fn approximate_s(self) -> i64 {
        match self {
            Self::Seconds(n) => n,
            Self::Days(n) => n * DAY,
            Self::Months(n) => n * 30 * DAY,
        }
    }
}

/// At most about `most` ticks within `range`. Never more than 200, and none in an empty range.
pub fn time_ticks(range: TimeRange, most: usize, offset_s_at: OffsetAt<'_>) -> Vec<TimeTick> {
    let span = range.span_s();
    // Far beyond any real date nothing can be aligned.
    if !span.is_finite() || span <= 0.0 || range.from_s.abs() > 1e11 || range.to_s.abs() > 1e11 {
        return Vec::new();
    }
    let least = span / most.max(1) as f64;
    let step = STEPS.into_iter().find(|s| s.approximate_s() as f64 >= least).unwrap_or(Step::Months(12));
    let (from, to) = (range.from_s.ceil() as i64, range.to_s.floor() as i64);
    let instants = match step {
        Step::Seconds(n) if n <= 3_600 => short_steps(from, to, n, offset_s_at),
        Step::Seconds(n) => local_multiples(from, to, n, offset_s_at),
        Step::Days(n) => local_days(from, to, n, offset_s_at),
        Step::Months(n) => local_months(from, to, n, offset_s_at),
    };
    instants.into_iter().map(|at_s| tick(at_s, step, offset_s_at)).collect()
}

/// `Nov 21 14:30:05`: an instant in full, for readouts beside the crosshair.
pub fn time_label(at_s: f64, offset_s_at: OffsetAt<'_>) -> String {
    if !at_s.is_finite() || at_s.abs() > 1e11 {
        return "–".to_owned();
    }
    let local = at_s.floor() as i64 + i64::from(offset_s_at(at_s.floor() as i64));
    let (_, month, day) = date(local.div_euclid(DAY));
    format!("{} {day} {}", month_name(month), clock(local, true))
}

fn tick(at_s: i64, step: Step, offset_s_at: OffsetAt<'_>) -> TimeTick {
    let local = at_s + i64::from(offset_s_at(at_s));
    let (year, month, day) = date(local.div_euclid(DAY));
    let midnight = local.rem_euclid(DAY) == 0;
    let (label, major) = match step {
        Step::Months(_) if month == 1 => (year.to_string(), true),
        Step::Months(_) => (month_name(month).to_owned(), false),
        Step::Days(_) => (format!("{} {day}", month_name(month)), day == 1),
        Step::Seconds(_) if midnight => (format!("{} {day}", month_name(month)), true),
        Step::Seconds(n) => (clock(local, n < 60), false),
    };
    TimeTick { at_s, label, major }
}

fn clock(local: i64, seconds: bool) -> String {
    let s = local.rem_euclid(DAY);
    let (h, m, s) = (s / 3_600, s / 60 % 60, s % 60);
    if seconds { format!("{h:02}:{m:02}:{s:02}") } else { format!("{h:02}:{m:02}") }
}

/// Walks real time, so that an hour that happens twice gets its ticks twice.
fn short_steps(from: i64, to: i64, step: i64, offset_s_at: OffsetAt<'_>) -> Vec<i64> {
    let mut out = Vec::new();
    let mut at = from;
    while at <= to && out.len() < 200 {
        let local = at + i64::from(offset_s_at(at));
        let ahead = (step - local.rem_euclid(step)) % step;
        if ahead == 0 {
            out.push(at);
            at += step;
        } else {
            at += ahead;
        }
    }
    out
}

/// Walks local time, so that ticks stay on even hours after the clocks change.
fn local_multiples(from: i64, to: i64, step: i64, offset_s_at: OffsetAt<'_>) -> Vec<i64> {
    let first = (from + i64::from(offset_s_at(from)) - DAY).div_euclid(step);
    let last = (to + i64::from(offset_s_at(to)) + DAY).div_euclid(step);
    within(from, to, (first..=last).map(|n| n * step), offset_s_at)
}

/// Every n-th day of the month, so that ticks do not wander when the range moves; the 31st gives way to the 1st.
fn local_days(from: i64, to: i64, n: i64, offset_s_at: OffsetAt<'_>) -> Vec<i64> {
    let first = (from + i64::from(offset_s_at(from))).div_euclid(DAY) - 1;
    let last = (to + i64::from(offset_s_at(to))).div_euclid(DAY) + 1;
    let chosen = (first..=last).filter(|d| {
        let day_of_month = i64::from(date(*d).2);
        (day_of_month - 1) % n == 0 && (n == 1 || day_of_month + n / 2 <= 31)
    });
    within(from, to, chosen.map(|d| d * DAY), offset_s_at)
}

fn local_months(from: i64, to: i64, n: i64, offset_s_at: OffsetAt<'_>) -> Vec<i64> {
    let month_of = |unix: i64| {
        let (year, month, _) = date((unix + i64::from(offset_s_at(unix))).div_euclid(DAY));
        year * 12 + i64::from(month) - 1
    };
    let chosen = (month_of(from)..=month_of(to)).filter(|m| m.rem_euclid(n) == 0);
    within(from, to, chosen.map(|m| day(m.div_euclid(12), m.rem_euclid(12) + 1, 1) * DAY), offset_s_at)
}

/// The instants of local times, in order; a local time that the clocks skip has its tick where they arrive.
fn within(from: i64, to: i64, locals: impl Iterator<Item = i64>, offset_s_at: OffsetAt<'_>) -> Vec<i64> {
    let mut out = Vec::new();
    for local in locals {
        let guess = local - i64::from(offset_s_at(local));
        let at = local - i64::from(offset_s_at(guess));
        if at + i64::from(offset_s_at(at)) == local && (from..=to).contains(&at) && out.last() < Some(&at) {
            out.push(at);
        }
        if out.len() == 200 {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Berlin around the changes of 2025: 30 March and 26 October, 01:00 UTC.
    fn berlin(unix: i64) -> i32 {
        if (1_743_296_400..1_761_440_400).contains(&unix) { 7_200 } else { 3_600 }
    }

    fn check(from: i64, span: i64, most: usize, zone: OffsetAt<'_>, expected: &str) {
        let ticks = time_ticks(TimeRange::new(from as f64, (from + span) as f64), most, zone);
        let labels: Vec<_> = ticks.into_iter().map(|t| t.label).collect();
        assert_eq!(labels.join(" "), expected);
    }

    #[test]
    fn steps_fit_the_span() {
        let utc = |_| 0;
        let noon = 1_763_726_400; // 2025-11-21 12:00 UTC
        check(noon, 60, 6, &utc, "12:00:00 12:00:10 12:00:20 12:00:30 12:00:40 12:00:50 12:01:00");
        check(noon, 3_600, 7, &utc, "12:00 12:10 12:20 12:30 12:40 12:50 13:00");
        check(noon, 21_600, 6, &utc, "12:00 13:00 14:00 15:00 16:00 17:00 18:00");
        check(noon, 86_400, 8, &utc, "12:00 15:00 18:00 21:00 Nov 22 03:00 06:00 09:00 12:00");
        check(noon, 7 * 86_400, 7, &utc, "Nov 22 Nov 23 Nov 24 Nov 25 Nov 26 Nov 27 Nov 28");
        check(noon, 100 * 86_400, 6, &utc, "Dec 2026 Feb Mar");
        check(noon, 30 * 86_400, 6, &utc, "Nov 26 Dec 1 Dec 6 Dec 11 Dec 16 Dec 21");
        check(noon, 7 * 86_400, 3, &utc, "Nov 26");
    }

    #[test]
    fn half_hour_zones_stand_on_their_own_hours() {
        check(1_763_726_400, 10_800, 4, &|_| 19_800, "18:00 19:00 20:00");
    }

    #[test]
    fn ticks_survive_the_change_of_clocks() {
        let spring = 1_743_289_200; // 30 March 2025, 00:00 in Berlin
        check(spring, 6 * 3_600, 6, &berlin, "Mar 30 01:00 03:00 04:00 05:00 06:00 07:00");
        check(spring, 23 * 3_600, 8, &berlin, "Mar 30 03:00 06:00 09:00 12:00 15:00 18:00 21:00 Mar 31");
        let autumn = 1_761_429_600; // 26 October 2025, 00:00 in Berlin
        check(autumn, 5 * 3_600, 6, &berlin, "Oct 26 01:00 02:00 02:00 03:00 04:00");
        check(autumn, 25 * 3_600, 9, &berlin, "Oct 26 03:00 06:00 09:00 12:00 15:00 18:00 21:00 Oct 27");
    }

    #[test]
    fn a_readout_names_the_day() {
        assert_eq!(time_label(1_763_726_405.7, &|_| 3_600), "Nov 21 13:00:05");
        assert_eq!(time_label(f64::NAN, &|_| 0), "–");
    }

    proptest! {
        #[test]
        fn ticks_ascend_within_the_range_and_are_few(from in 1_600_000_000i64..1_900_000_000, span in 60i64..34_560_000, most in 1usize..20) {
            let ticks = time_ticks(TimeRange::new(from as f64, (from + span) as f64), most, &berlin);
            prop_assert!(ticks.len() <= most * 2 + 2, "{}", ticks.len());
            prop_assert!(ticks.windows(2).all(|w| w[0].at_s < w[1].at_s));
            prop_assert!(ticks.iter().all(|t| t.at_s >= from && t.at_s <= from + span));
        }

        #[test]
        fn any_range_is_survived(a in any::<f64>(), b in any::<f64>(), most in 0usize..50) {
            prop_assert!(time_ticks(TimeRange::new(a, b), most, &|_| 0).len() <= 200);
        }
    }
}
