//! Times as agents write them: a fast path for `YYYY-MM-DDTHH:MM:SS(.f)?Z`, and the calendar library for the rest.

use model::time::{MICROS_PER_SECOND, TimeError, Timestamp};

/// Reads RFC 3339 with any offset; digits beyond the microsecond are cut.
///
/// # Errors
/// Not RFC 3339, without an offset, or outside 2000 to 2100.
pub fn parse(raw: &str) -> Result<Timestamp, TimeError> {
    match utc(raw.as_bytes()) {
        Some(at) => at.believed(),
        None => Timestamp::parse_rfc3339(raw),
    }
}

/// The common shape only: upper-case `T` and `Z`, UTC, valid calendar day, no leap second.
fn utc(raw: &[u8]) -> Option<Timestamp> {
    let (seconds, rest) = raw.split_at_checked(19)?;
    let rest = rest.strip_suffix(b"Z")?;
    let shape = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if shape.iter().any(|&(at, want)| seconds[at] != want) {
        return None;
    }
    let year = number(&seconds[0..4])?;
    let month = number(&seconds[5..7])?;
    let day = number(&seconds[8..10])?;
    let (hour, minute, second) = (number(&seconds[11..13])?, number(&seconds[14..16])?, number(&seconds[17..19])?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let micros = match rest {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            let mut micros = 0;
            for place in 0..6 {
                let digit = digits.get(place).copied().unwrap_or(b'0');
                micros = micros * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
            }
            digits.iter().all(u8::is_ascii_digit).then_some(micros)?
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Timestamp(seconds * MICROS_PER_SECOND + micros))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |n, digit| digit.is_ascii_digit().then(|| n * 10 + i64::from(digit - b'0')))
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Proleptic Gregorian calendar; the year is counted from March, so that the leap day is its last.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_common_shapes_are_read() {
        let check = |raw: &str, micros: i64| assert_eq!(parse(raw), Ok(Timestamp(micros)), "{raw}");
        check("2025-06-08T10:47:11.325Z", 1_749_379_631_325_000);
        check("2025-06-08T10:47:11Z", 1_749_379_631_000_000);
        check("2025-06-08T10:47:11.123456789Z", 1_749_379_631_123_456);
        check("2024-02-29T23:59:59Z", 1_709_251_199_000_000);
        check("2026-02-26T18:21:35.10899-05:00", 1_772_148_095_108_990);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in
            ["yesterday", "", "2025-06-08", "2025-06-08T10:47:11", "2025-02-30T00:00:00Z", "1970-01-01T00:00:00Z"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_fast_path_agrees_with_the_library(micros in Timestamp::MIN_BELIEVED.0..Timestamp::MAX_BELIEVED.0) {
            let at = Timestamp(micros);
            prop_assert_eq!(utc(at.to_string().as_bytes()), Some(at));
        }

        #[test]
        fn nothing_panics_and_the_fast_path_never_accepts_more(raw in "[0-9TZ:.\\-]{18,28}") {
            if let Some(at) = utc(raw.as_bytes()) {
                prop_assert_eq!(Timestamp::parse_rfc3339(&raw), at.believed());
            }
        }
    }
}
