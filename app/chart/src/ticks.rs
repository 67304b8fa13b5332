//! Round numbers: axis maxima, tick steps, and the labels that go with them.

use std::fmt::Write as _;

/// What a number on an axis or a dial is, and therefore how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// A plain count or rate: `0`, `1.5`, `1.2k`, `3.4M`.
    #[default]
    Number,
    /// Whole things, such as agents: written as a number, with no tick between two of them.
    Count,
    /// Nanodollars, written as dollars: `$0.50`, `$12`, `$1.2k`, and `20µ$` where dollars say nothing.
    Nanodollars,
    /// A share of one: `0.25` is written `25%`.
    Share,
    /// Microseconds, written as the time unit that fits: `250ms`, `1.5s`, `2m`.
    Microseconds,
}

/// The smallest of 1, 2, 2.5, 5 or 10 x 10^n that is not below `value`; 1 for zero, negatives and what is not finite.
pub fn round_up(value: f64) -> f64 {
    round_up_among(value, &[1.0, 2.0, 2.5, 5.0, 10.0])
}

pub(crate) fn round_up_among(value: f64, mantissas: &[f64]) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    // Outside of this nothing can be labelled, and powers of ten stop being exact enough.
    let value = value.clamp(1e-12, 1e18);
    let exponent = value.log10().floor() as i32;
    let candidates = mantissas.iter().map(|m| power_of_ten(*m, exponent));
    candidates.into_iter().find(|c| *c >= value * (1.0 - 1e-9)).unwrap_or(power_of_ten(10.0, exponent))
}

/// Division keeps `0.2` the nearest float to 0.2, where a product with 10^-1 would not.
fn power_of_ten(mantissa: f64, exponent: i32) -> f64 {
    if exponent < 0 { mantissa / 10f64.powi(-exponent) } else { mantissa * 10f64.powi(exponent) }
}

/// The round distance that cuts `max` into at most `intervals` pieces: round in the unit that is shown, since two
/// minutes are round and 2 x 10^8 microseconds are not.
pub fn step(max: f64, intervals: usize, unit: Unit) -> f64 {
    let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
    let scale = match unit {
        Unit::Microseconds if max >= 3_600e6 => 3_600e6,
        Unit::Microseconds if max >= 60e6 => 60e6,
        _ => 1.0,
    };
    let least = max / scale / intervals.max(1) as f64;
    match unit {
        Unit::Count => round_up_among(least.max(1.0), &[1.0, 2.0, 5.0, 10.0]),
        _ => round_up(least) * scale,
    }
}

/// Multiples of `step` from 0 up to `max`, both included when it is one. At most 1,000.
pub fn number_ticks(max: f64, step: f64) -> impl Iterator<Item = f64> + Clone {
    let count = (max / step * (1.0 + 1e-9)).floor();
    let count = if count.is_finite() { count.clamp(0.0, 1_000.0) as usize } else { 0 };
    (0..=count).map(move |i| i as f64 * step)
}

/// Writes `value` as on a tick; `step` is the distance of the ticks and settles the decimals, so that one axis
/// says `$0.50` and `$1.00`, another `$1` and `$2`. Clears `out` first, so that one buffer serves every label.
pub fn write_label(out: &mut String, value: f64, step: f64, unit: Unit) {
    out.clear();
    if !value.is_finite() {
        out.push('–');
        return;
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let (value, step) = (value.abs(), step.abs());
    // Writing into a String cannot fail.
    let _ = match unit {
        Unit::Number | Unit::Count => {
            let (value, step, prefix) = si(value, step);
            write!(out, "{sign}{value:.*}{prefix}", decimals(value, step))
        }
        Unit::Nanodollars => {
            let (value, step, prefix) = si(value / 1e9, step / 1e9);
            let mut places = decimals(value, step);
            // Cents come in pairs, and on every tick of an axis or on none.
            if prefix.is_empty() && value > 0.0 && (places == 1 || decimals(step, step) > 0) {
                places = places.max(2);
            }
            match prefix {
                "µ" | "n" => write!(out, "{sign}{value:.places$}{prefix}$"),
                _ => write!(out, "{sign}${value:.places$}{prefix}"),
            }
        }
        Unit::Share => write!(out, "{sign}{:.*}%", decimals(value * 100.0, step * 100.0), value * 100.0),
        Unit::Microseconds => {
            let (scale, suffix) = match value {
                v if v >= 3_600e6 => (3_600e6, "h"),
                v if v >= 60e6 => (60e6, "m"),
                v if v >= 1e6 => (1e6, "s"),
                v if v >= 1e3 => (1e3, "ms"),
                v if v > 0.0 => (1.0, "µs"),
                _ => (1.0, ""),
            };
            write!(out, "{sign}{:.*}{suffix}", decimals(value / scale, step / scale), value / scale)
        }
    };
}

/// [`write_label`] into a new string.
pub fn label(value: f64, step: f64, unit: Unit) -> String {
    let mut out = String::new();
    write_label(&mut out, value, step, unit);
    out
}

fn si(value: f64, step: f64) -> (f64, f64, &'static str) {
    let (scale, prefix) = match value {
        // Small prefixes go by the step, so that one axis does not mix them with plain decimals.
        v if v > 0.0 && v < 1.0 && step < 0.999e-7 => (1e-9, "n"),
        v if v > 0.0 && v < 1.0 && step < 0.999e-4 => (1e-6, "µ"),
        // What would be rounded up to 1000k is 1M.
        v if v >= 999.95e12 => (1e15, "P"),
        v if v >= 999.95e9 => (1e12, "T"),
        v if v >= 999.95e6 => (1e9, "G"),
        v if v >= 999.95e3 => (1e6, "M"),
        v if v >= 999.95 => (1e3, "k"),
        _ => (1.0, ""),
    };
    (value / scale, step / scale, prefix)
}

/// Decimals that tell ticks a `step` apart, fewer where `value` needs fewer: `1k` stands beside `1.5k`.
fn decimals(value: f64, step: f64) -> usize {
    let fits = |number: f64, places: usize| {
        let scaled = number * 10f64.powi(places as i32);
        (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1e-3)
    };
    if value == 0.0 || !step.is_finite() || step <= 0.0 {
        return 0;
    }
    let most = (0..=12).find(|places| fits(step, *places) && step * 10f64.powi(*places as i32) > 0.5).unwrap_or(3);
    (0..most).find(|places| fits(value, *places)).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(max: f64, intervals: usize, unit: Unit, expected: &str) {
        let step = step(max, intervals, unit);
        let labels: Vec<_> = number_ticks(max, step).map(|v| label(v, step, unit)).collect();
        assert_eq!(labels.join(" "), expected);
    }

    #[test]
    fn labels_read_well() {
        check(2_000.0, 4, Unit::Number, "0 500 1k 1.5k 2k");
        check(1.0, 5, Unit::Number, "0 0.2 0.4 0.6 0.8 1");
        check(5e6, 5, Unit::Number, "0 1M 2M 3M 4M 5M");
        check(1e6, 4, Unit::Number, "0 250k 500k 750k 1M");
        check(0.002, 4, Unit::Number, "0 0.0005 0.001 0.0015 0.002");
        check(2e9, 4, Unit::Nanodollars, "$0 $0.50 $1.00 $1.50 $2.00");
        check(20e9, 4, Unit::Nanodollars, "$0 $5 $10 $15 $20");
        check(10e9, 4, Unit::Nanodollars, "$0 $2.50 $5.00 $7.50 $10.00");
        check(2_000e9, 4, Unit::Nanodollars, "$0 $500 $1k $1.5k $2k");
        check(2e-6, 4, Unit::Number, "0 0.5µ 1µ 1.5µ 2µ");
        check(2e3, 4, Unit::Nanodollars, "$0 0.5µ$ 1µ$ 1.5µ$ 2µ$");
        check(2e6, 4, Unit::Nanodollars, "$0 $0.0005 $0.001 $0.0015 $0.002");
        check(1.0, 4, Unit::Share, "0% 25% 50% 75% 100%");
        check(1e6, 4, Unit::Microseconds, "0 250ms 500ms 750ms 1s");
        check(240e6, 4, Unit::Microseconds, "0 1m 2m 3m 4m");
        check(2.0, 4, Unit::Count, "0 1 2");
        check(10.0, 4, Unit::Count, "0 5 10");
        check(f64::NAN, 4, Unit::Number, "0");
        assert_eq!(label(3.4e6, 1e5, Unit::Number), "3.4M");
        assert_eq!(label(f64::INFINITY, 1.0, Unit::Number), "–");
    }

    #[test]
    fn maxima_are_round() {
        for (value, expected) in [
            (0.0, 1.0),
            (-3.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, 1.0),
            (1.01, 2.0),
            (2.1, 2.5),
            (26.0, 50.0),
            (0.3, 0.5),
            (0.11, 0.2),
        ] {
            assert_eq!(round_up(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_round_maximum_holds_the_value_and_not_much_more(value in 1e-9f64..1e15) {
            let max = round_up(value);
            prop_assert!(max >= value * (1.0 - 1e-9) && max <= value * 2.5);
        }

        #[test]
        fn ticks_are_few_and_within(max in any::<f64>(), intervals in 1usize..12) {
            let ticks: Vec<_> = number_ticks(max, step(max, intervals, Unit::Number)).collect();
            prop_assert!(ticks.len() <= intervals + 1 || !(1e-12..1e18).contains(&max));
            prop_assert!(ticks.iter().all(|t| t.is_finite() && *t >= 0.0));
        }

        #[test]
        fn any_label_is_short(value in any::<f64>(), step in any::<f64>()) {
            for unit in [Unit::Number, Unit::Nanodollars, Unit::Share, Unit::Microseconds] {
                prop_assert!(label(value, step, unit).len() < 400);
            }
        }
    }
}
