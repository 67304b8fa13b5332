//! Dates and clocks out of seconds, without a calendar library: the client stays small, and both sides agree.

const DAY_S: i64 = 86_400;

/// Year, month (1 to 12) and day of a count of days since 1970, after Howard Hinnant's `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// The inverse of [`civil`].
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

fn hms(second_of_day: i64) -> String {
    format!("{:02}:{:02}:{:02}", second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60)
}

/// `HH:MM:SS` in a zone that is `offset_s` ahead of UTC.
pub(crate) fn clock(at_s: i64, offset_s: i32) -> String {
    hms((at_s + i64::from(offset_s)).rem_euclid(DAY_S))
}

/// `2026-02-26T18:21:30Z`.
pub(crate) fn rfc3339(at_s: i64) -> String {
    let (year, month, day) = civil(at_s.div_euclid(DAY_S));
    format!("{year:04}-{month:02}-{day:02}T{}Z", hms(at_s.rem_euclid(DAY_S)))
}

/// Reads what [`rfc3339`] writes, with or without decimals, and `±HH:MM` instead of `Z`; whole seconds, rounded down.
pub(crate) fn parse_rfc3339(raw: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>, max: i64| {
        let text = raw.get(range)?;
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?.filter(|n: &i64| *n <= max)
    };
    let separators = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if separators.iter().any(|(at, sign)| raw.get(*at..at + 1) != Some(sign)) {
        return None;
    }
    let (year, month, day) = (number(0..4, 9_999)?, number(5..7, 12)?, number(8..10, 31)?);
    let (hour, minute, second) = (number(11..13, 23)?, number(14..16, 59)?, number(17..19, 60)?);
    let rest = raw.get(19..)?;
    let rest =
        rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches(|c: char| c.is_ascii_digit()));
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = match rest.get(..1)? {
                "+" | " " => 1,
                "-" => -1,
                _ => return None,
            };
            let (h, m) = rest.get(1..)?.split_once(':')?;
            sign * (h.parse::<i64>().ok()? * 3_600 + m.parse::<i64>().ok()? * 60)
        }
    };
    (month >= 1 && day >= 1).then(|| days(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_model_s_calendar() {
        for at_s in (0..4_000_000_000_i64).step_by(12_345_677) {
            let text = rfc3339(at_s);
            assert_eq!(model::Timestamp::from_seconds(at_s).to_string(), text);
            assert_eq!(parse_rfc3339(&text), Some(at_s), "{text}");
        }
    }

    #[test]
    fn reads_offsets_and_decimals() {
        let check = |raw: &str, want| assert_eq!(parse_rfc3339(raw), want, "{raw}");
        check("2026-02-26T18:21:35.108-05:00", Some(1_772_148_095));
        check("2026-02-26T23:21:35+00:00", Some(1_772_148_095));
        for bad in
            ["", "yesterday", "2026-02-26", "2026-13-01T00:00:00Z", "2026-02-26T18:21:35", "2026-00-26T18:21:35Z"]
        {
            check(bad, None);
        }
    }

    #[test]
    fn clocks_go_by_the_offset() {
        assert_eq!(clock(1_772_148_095, 3_600), "00:21:35");
    }
}
