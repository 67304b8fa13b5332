//! Times as our own messages spell them. Read by hand: a calendar library would weigh more in the client than the page
//! that reads them.

use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Days from 1970 to a date, after Howard Hinnant's `days_from_civil`.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + (153 * from_march + 2) / 5 + day - 1 - 719_468
}

/// Reads what [`Timestamp`] displays: RFC 3339 in UTC with at most six decimals. None is anything else.
pub(super) fn read(raw: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize, most: i64| {
        let text = raw.get(from..to)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| digits && *number <= most)
    };
    let signs = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if signs.iter().any(|(at, sign)| raw.get(*at..at + 1) != Some(*sign)) {
        return None;
    }
    let date = days(number(0, 4, 9_999)?, number(5, 7, 12)?, number(8, 10, 31)?);
    let second = number(11, 13, 23)? * 3_600 + number(14, 16, 59)? * 60 + number(17, 19, 59)?;
    let rest = raw.get(19..)?.strip_suffix('Z')?;
    let micros = match rest.strip_prefix('.') {
        None if rest.is_empty() => 0,
        Some(decimals) if (1..=6).contains(&decimals.len()) => {
            let digits = decimals.bytes().all(|byte| byte.is_ascii_digit());
            format!("{decimals:0<6}").parse::<i64>().ok().filter(|_| digits)?
        }
        _ => return None,
    };
    Timestamp((date * 86_400 + second) * MICROS_PER_SECOND + micros).believed().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn anything_else_is_no_time() {
        for bad in [
            "",
            "2026-02-26",
            "2026-02-26T18:21:35",
            "2026-02-26T18:21:35+01:00",
            "2026-02-26T18:21:35.Z",
            "2026-02-26T18:21:35.1234567Z",
            "2026-13-26T18:21:35Z",
            "+026-02-26T18:21:35Z",
            "2026-02-26T18:21:35.+1Z",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(us in Timestamp::MIN_BELIEVED.0..Timestamp::MAX_BELIEVED.0) {
            prop_assert_eq!(read(&Timestamp(us).to_string()), Some(Timestamp(us)));
        }
    }
}
