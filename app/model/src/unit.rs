//! Money: integer nanodollars, checked, never a float.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// Nanodollars in one dollar.
pub const NANOS_PER_DOLLAR: i64 = 1_000_000_000;
/// Nanodollars in one microdollar.
pub const NANOS_PER_MICRODOLLAR: i64 = 1_000;

/// An amount of US dollars in units of 10⁻⁹ $. Signed: ledgers and corrections go both ways.
///
/// The range is ± 9.2 billion dollars. Arithmetic saturates there: a panel that shows the limit is wrong in a way
/// one can see, one that wraps around is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanodollars(pub i64);

/// Why an amount could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not `[-]digits[.digits]`, with an optional exponent.
    #[error("\"{0}\" is not an amount of dollars, such as 12.50")]
    NotANumber(String),
    /// Beyond nine billion dollars.
    #[error("\"{0}\" is more than this program can count (±9.2 billion dollars)")]
    TooLarge(String),
}

impl Nanodollars {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads a decimal amount of dollars exactly, without a float in between. JSON's exponents (`1e-05`) are
    /// understood. Digits beyond the ninth decimal are rounded half up, away from zero.
    ///
    /// # Errors
    /// Anything that is not a decimal number, or out of range.
    pub fn parse_dollars(raw: &str) -> Result<Self, AmountError> {
        let bad = || AmountError::NotANumber(raw.to_owned());
        let text = raw.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let text = text.strip_prefix('$').unwrap_or(text);
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.parse::<i32>().map_err(|_| bad())?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.len() + fraction.len() == 0 || exponent.abs() > 30 || mantissa.len() > 60 {
            return Err(bad());
        }
        // value = digits × 10^(exponent − fraction.len()); wanted in units of 10^-9.
        let fraction_digits = i32::try_from(fraction.len()).map_err(|_| bad())?;
        let shift = exponent - fraction_digits + 9;
        let too_large = || AmountError::TooLarge(raw.to_owned());
        let mut nanos: i128 = 0;
        let digits = whole.bytes().chain(fraction.bytes());
        let kept = i32::try_from(whole.len() + fraction.len()).map_err(|_| bad())? + shift.min(0);
        let mut next_digit = 0;
        for (i, byte) in digits.enumerate() {
            if !byte.is_ascii_digit() {
                return Err(bad());
            }
            let place = i32::try_from(i).map_err(|_| bad())?;
            if place < kept {
                nanos =
                    nanos.checked_mul(10).and_then(|n| n.checked_add((byte - b'0').into())).ok_or_else(too_large)?;
            } else if place == kept {
                next_digit = byte - b'0';
            }
        }
        for _ in 0..shift.max(0) {
            nanos = nanos.checked_mul(10).ok_or_else(too_large)?;
        }
        nanos += i128::from(next_digit >= 5);
        let nanos = i64::try_from(nanos).map_err(|_| too_large())?;
        Ok(Self(if negative { -nanos } else { nanos }))
    }

    /// Whole microdollars, rounded half away from zero: how exact money is shown.
    #[must_use]
    pub const fn microdollars(self) -> i64 {
        let half = if self.0 < 0 { -500 } else { 500 };
        self.0.saturating_add(half) / NANOS_PER_MICRODOLLAR
    }
    /// For axes and dials only; sums and comparisons stay in integers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "display only: 53 bits hold $9 million to the nanodollar")]
    pub const fn to_f64_dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// `true` for exactly nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Exact dollars with nine decimals, trailing zeros dropped down to two: `$0.2456637`, `$12.00`.
impl fmt::Display for Nanodollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let abs = self.0.unsigned_abs();
        let (dollars, nanos) = (abs / 1_000_000_000, abs % 1_000_000_000);
        let decimals = format!("{nanos:09}");
        let trimmed = decimals.trim_end_matches('0');
        write!(f, "{sign}${dollars}.{trimmed:0<2}")
    }
}

impl Add for Nanodollars {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
impl Sub for Nanodollars {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
impl Neg for Nanodollars {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}
impl AddAssign for Nanodollars {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl SubAssign for Nanodollars {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
impl Sum for Nanodollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dollars_are_read_exactly() {
        let check =
            |raw: &str, nanos: i64| assert_eq!(Nanodollars::parse_dollars(raw), Ok(Nanodollars(nanos)), "{raw}");
        check("50", 50_000_000_000);
        check("$6.49", 6_490_000_000);
        check("-0.000000001", -1);
        check("0.0000000005", 1);
        check("0.00000000049", 0);
        check("1e-05", 10_000);
        check("1.5E3", 1_500_000_000_000);
        check("0.407918", 407_918_000);
        check(".5", 500_000_000);
        for bad in ["", "-", "abc", "1.2.3", "1e", "0x10", "NaN", "."] {
            assert!(matches!(Nanodollars::parse_dollars(bad), Err(AmountError::NotANumber(_))), "{bad}");
        }
        assert!(matches!(Nanodollars::parse_dollars("1e11"), Err(AmountError::TooLarge(_))));
    }

    #[test]
    fn microdollars_round_half_away_from_zero() {
        assert_eq!(Nanodollars(1_500).microdollars(), 2);
        assert_eq!(Nanodollars(1_499).microdollars(), 1);
        assert_eq!(Nanodollars(-1_500).microdollars(), -2);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_the_same_amount(nanos in -9_000_000_000_000_000_000_i64..9_000_000_000_000_000_000) {
            let amount = Nanodollars(nanos);
            prop_assert_eq!(Nanodollars::parse_dollars(&amount.to_string()), Ok(amount));
        }
    }
}
