//! Limits of subscriptions as agents write them: shares in percent, lengths in minutes, resets in several ways.

use model::fuel::WINDOW_FULL;
use model::time::MICROS_PER_SECOND;
use model::{Nanodollars, Timestamp};
use serde_json::Value;

/// Numbers beyond this are milliseconds: seconds of the year 5138.
const MILLIS_FROM: i64 = 100_000_000_000;

/// What is left of a window, in millionths, where so many percent are used: a number, or a number in a text. More than
/// all is all; none when it is no number.
#[must_use]
pub fn left_of_percent(used: &Value) -> Option<i64> {
    // Decimals are read exactly, as amounts are: a percent is ten thousand millionths.
    let used = number(used)? / 100_000;
    Some((WINDOW_FULL - used).clamp(0, WINDOW_FULL))
}

/// When a window begins anew: seconds or milliseconds since 1970, or RFC 3339.
#[must_use]
pub fn reset_time(at: &Value) -> Option<Timestamp> {
    if let Some(text) = at.as_str()
        && let Ok(at) = Timestamp::parse_rfc3339(text)
    {
        return at.believed().ok();
    }
    let whole = number(at)? / 1_000_000_000;
    let seconds = if whole >= MILLIS_FROM { whole / 1_000 } else { whole };
    Timestamp(seconds.checked_mul(MICROS_PER_SECOND)?).believed().ok()
}

/// Whole units of a number.
#[must_use]
pub fn whole(value: &Value) -> Option<i64> {
    Some(number(value)? / 1_000_000_000)
}

/// A window's length as its name: `5 h`, `7 d`, `90 min`.
#[must_use]
pub fn window_name(minutes: i64) -> String {
    match minutes {
        m if m >= 1_440 && m % 1_440 == 0 => format!("{} d", m / 1_440),
        m if m >= 60 && m % 60 == 0 => format!("{} h", m / 60),
        m => format!("{m} min"),
    }
}

/// In billionths.
fn number(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    // The range of amounts ends at nine billion: milliseconds are read without their last three digits.
    match Nanodollars::parse_dollars(&text) {
        Ok(amount) => Some(amount.0),
        Err(_) => {
            text.parse::<i64>().ok().filter(|n| *n >= MILLIS_FROM).map(|n| (n / 1_000).saturating_mul(1_000_000_000))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_is_exact() {
        let check = |used: Value, left| assert_eq!(left_of_percent(&used), left, "{used}");
        check(json!(37), Some(630_000));
        check(json!(37.5), Some(625_000));
        check(json!("99.99"), Some(100));
        check(json!(0.0), Some(1_000_000));
        check(json!(140), Some(0));
        check(json!(-3), Some(1_000_000));
        check(json!(null), None);
        check(json!("most"), None);
    }

    #[test]
    fn resets_are_read_in_every_way_they_are_written() {
        let check = |at: Value, seconds: Option<i64>| {
            assert_eq!(reset_time(&at), seconds.map(Timestamp::from_seconds), "{at}");
        };
        check(json!(1_780_000_000), Some(1_780_000_000));
        check(json!(1_780_000_000_000_i64), Some(1_780_000_000));
        check(json!("1780000000"), Some(1_780_000_000));
        check(json!("2026-02-26T18:00:00Z"), Some(1_772_128_800));
        check(json!(5), None);
        check(json!("soon"), None);
        check(json!({}), None);
    }

    #[test]
    fn windows_are_called_by_their_length() {
        assert_eq!([300, 10_080, 1_440, 90].map(window_name), ["5 h", "7 d", "1 d", "90 min"]);
    }
}
