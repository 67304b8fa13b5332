//! Dates from seconds and back, in the proleptic Gregorian calendar (Howard Hinnant's algorithms). No zone, no clock.

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// Year, month (1 to 12) and day (1 to 31) of a day counted from 1970-01-01.
pub(crate) fn date(day: i64) -> (i64, u32, u32) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    (yoe + era * 400 + i64::from(m <= 2), m as u32, d as u32)
}

/// The day counted from 1970-01-01 of a date; months beyond 1 to 12 run on into the years around.
pub(crate) fn day(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// `Jan` to `Dec`.
pub(crate) fn month_name(month: u32) -> &'static str {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES[(month as usize + 11) % 12]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn date_and_day_are_inverse(n in -200_000i64..200_000) {
            let (y, m, d) = date(n);
            prop_assert_eq!(day(y, i64::from(m), i64::from(d)), n);
        }
    }

    #[test]
    fn known_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(19_782), (2024, 2, 29));
        assert_eq!(day(2025, 14, 1), day(2026, 2, 1));
        assert_eq!(month_name(11), "Nov");
    }
}
