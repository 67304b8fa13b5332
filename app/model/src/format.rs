//! How figures read, the same on the server and in the browser: no locale, so that both render the same text.

use crate::unit::Nanodollars;

/// A rate or count for a dial: three significant digits, `0`, `0.42`, `7.3`, `128`, `12.4k`, `3.1M`.
#[must_use]
pub fn compact(value: f64) -> String {
    let magnitude = value.abs();
    if !magnitude.is_finite() {
        return "–".to_owned();
    }
    let (scaled, suffix) = match magnitude {
        m if m < 999.5 => (value, ""),
        m if m < 999_500.0 => (value / 1e3, "k"),
        m if m < 999_500_000.0 => (value / 1e6, "M"),
        _ => (value / 1e9, "G"),
    };
    let digits = match scaled.abs() {
        0.0 => 0,
        m if m < 9.995 => 2,
        m if m < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{suffix}")
}

/// A count in full with thin groups of three: `1,234,567`.
#[must_use]
pub fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if count < 0 {
        text.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An exact value with up to `decimals` decimals, groups of three, and no trailing zeros: `1,234.5`.
#[must_use]
pub fn exact(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = grouped(whole.parse().unwrap_or(i64::MAX));
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0.0 && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Dollars and cents for cards: `$1,234.57`; below ten cents with more decimals, so that small costs stay visible:
/// `$0.0042`. Never `$0.00` for something that costs.
#[must_use]
pub fn dollars(amount: Nanodollars) -> String {
    let sign = if amount.0 < 0 { "-" } else { "" };
    let nanos = amount.0.unsigned_abs();
    let decimals: u32 = match nanos {
        0 => 2,
        n if n >= 100_000_000 => 2,
        n if n >= 100_000 => 4,
        n if n >= 1_000 => 6,
        _ => 9,
    };
    let unit = 10_u64.pow(9 - decimals);
    let rounded = nanos.saturating_add(unit / 2) / unit;
    let scale = 10_u64.pow(decimals);
    let whole = grouped(i64::try_from(rounded / scale).unwrap_or(i64::MAX));
    let width = usize::try_from(decimals).unwrap_or(2);
    format!("{sign}${whole}.{:0width$}", rounded % scale)
}

/// A duration in microseconds: `850 µs`, `12 ms`, `1.4 s`, `3 min 20 s`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "display only")]
pub fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", us / 1_000),
        1_000_000..60_000_000 => format!("{:.1} s", us as f64 / 1e6),
        _ => format!("{} min {} s", us / 60_000_000, us / 1_000_000 % 60),
    }
}

/// How long ago, in whole seconds: `now`, `42 s ago`, `5 min ago`, `3 h ago`, `2 d ago`.
#[must_use]
pub fn ago(seconds: i64) -> String {
    match seconds {
        i64::MIN..2 => "now".to_owned(),
        2..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_keeps_three_significant_digits() {
        let check = |value: f64, text: &str| assert_eq!(compact(value), text, "{value}");
        check(0.0, "0");
        check(0.421, "0.42");
        check(7.3, "7.3");
        check(12.0, "12");
        check(99.96, "100");
        check(128.4, "128");
        check(999.6, "1k");
        check(12_400.0, "12.4k");
        check(3_100_000.0, "3.1M");
        check(-1_500.0, "-1.5k");
        check(f64::NAN, "–");
    }

    #[test]
    fn grouped_and_exact() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(-999), "-999");
        assert_eq!(exact(1_234.50, 3), "1,234.5");
        assert_eq!(exact(-0.000_01, 3), "0");
    }

    #[test]
    fn small_costs_stay_visible() {
        let check = |nanos: i64, text: &str| assert_eq!(dollars(Nanodollars(nanos)), text, "{nanos}");
        check(0, "$0.00");
        check(47_230_000_000, "$47.23");
        check(1_234_567_890_000, "$1,234.57");
        check(4_200_000, "$0.0042");
        check(1_500, "$0.000002");
        check(3, "$0.000000003");
        check(-5_000_000_000, "-$5.00");
        check(99_999_999_999, "$100.00");
    }

    #[test]
    fn durations_and_ages() {
        assert_eq!(duration(850), "850 µs");
        assert_eq!(duration(1_400_000), "1.4 s");
        assert_eq!(duration(200_000_000), "3 min 20 s");
        assert_eq!((ago(0).as_str(), ago(42).as_str(), ago(300).as_str()), ("now", "42 s ago", "5 min ago"));
    }
}
