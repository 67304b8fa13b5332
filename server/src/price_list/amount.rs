//! Amounts as texts, read and written exactly: no float in between.

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number.
    #[error("\"{0}\" is not an amount, such as 3.75 or 3e-06")]
    NotADecimal(String),
    /// More digits than are kept.
    #[error("\"{0}\" is finer than prices are kept: 0.000001 dollars per million tokens")]
    TooFine(String),
    /// More than anybody asks.
    #[error("\"{0}\" is more than anybody asks")]
    TooLarge(String),
}

/// Longest text of an amount.
const MAX_BYTES: usize = 60;
/// Digits of the largest result: 10¹² picodollars per token are a dollar per token.
const MAX_DIGITS: usize = 12;

/// The decimal number `raw`, which may have an exponent (`3e-06`), times 10^`places`, exactly. Dollars per million
/// tokens times 10⁶ and dollars per token times 10¹² are picodollars per token.
///
/// # Errors
/// Not a decimal number, not a whole number after multiplying, or above 10¹².
pub fn scaled(raw: &str, places: i32) -> Result<i64, AmountError> {
    let shown = || raw.chars().take(MAX_BYTES).collect::<String>();
    let bad = || AmountError::NotADecimal(shown());
    let (mantissa, exponent) = match raw.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().map_err(|_| bad())?),
        None => (raw, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if raw.len() > MAX_BYTES || whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(bad());
    }
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    let dropped = i32::try_from(all.len() - all.trim_end_matches('0').len()).map_err(|_| bad())?;
    let fraction = i32::try_from(fraction.len()).map_err(|_| bad())?;
    let shift = places + i32::from(exponent) - fraction + dropped;
    let zeros = usize::try_from(shift).map_err(|_| AmountError::TooFine(shown()))?;
    if significant.len() + zeros > MAX_DIGITS {
        return Err(AmountError::TooLarge(shown()));
    }
    format!("{significant}{}", "0".repeat(zeros)).parse().map_err(|_| bad())
}

/// Picodollars per token as dollars per million tokens, such as `3.75`.
#[must_use]
pub fn per_million(picodollars: i64) -> String {
    let (dollars, rest) = (picodollars / 1_000_000, picodollars % 1_000_000);
    let text = format!("{dollars}.{rest:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        let check = |raw: &str, places: i32, want: i64| assert_eq!(scaled(raw, places), Ok(want), "{raw}");
        check("3.75", 6, 3_750_000);
        check("0.005", 6, 5_000);
        check("15", 6, 15_000_000);
        check("3e-06", 12, 3_000_000);
        check("1.875E-06", 12, 1_875_000);
        check("0.000003", 12, 3_000_000);
        check("2.5e-09", 12, 2_500);
        check("1e+1", 6, 10_000_000);
        check("0.0", 12, 0);
        check("0e99", 12, 0);
        check("100", 0, 100);
        check("1.250000000000", 6, 1_250_000);
    }

    #[test]
    fn what_is_no_amount_is_refused_with_the_reason() {
        for bad in ["", "-1", "+1", ".5", "1.2.3", "1e", "1e1.5", "NaN", "1,5", "$3", "1e99999999"] {
            assert!(matches!(scaled(bad, 6), Err(AmountError::NotADecimal(_))), "{bad}");
        }
        assert_eq!(scaled("0.0000001", 6), Err(AmountError::TooFine("0.0000001".to_owned())));
        assert_eq!(
            scaled("3.0000000000000001e-06", 12),
            Err(AmountError::TooFine("3.0000000000000001e-06".to_owned()))
        );
        assert_eq!(scaled("10000000", 6), Err(AmountError::TooLarge("10000000".to_owned())));
        assert_eq!(scaled("1e3000", 6), Err(AmountError::TooLarge("1e3000".to_owned())));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(picodollars in 0_i64..1_000_000_000_000) {
            prop_assert_eq!(scaled(&per_million(picodollars), 6), Ok(picodollars));
            prop_assert_eq!(scaled(&format!("{picodollars}e-12"), 12), Ok(picodollars));
        }
    }
}
