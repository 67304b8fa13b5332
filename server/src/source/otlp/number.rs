//! Numbers as senders write them: as a number, as a string, and integers as doubles.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A signed integer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Integer(pub i64);

/// An unsigned integer: times, counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nanos(pub u64);

/// A double, `"NaN"` and `"Infinity"` included.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Double(pub f64);

/// The largest double below which every integer is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A double that is a whole number, as one; beyond 2^53 its last digits are the sender's loss.
#[must_use]
pub(super) fn whole(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    (value.fract() == 0.0 && value.abs() < i64::MAX as f64).then_some(value as i64)
}

/// The nearest integer of a count that a sender keeps as a double.
#[must_use]
pub(super) fn rounded(value: f64) -> Option<u64> {
    (value.is_finite() && (0.0..EXACT).contains(&value)).then(|| whole(value.round()))?.and_then(|n| n.try_into().ok())
}

struct Any;

/// What stood there.
enum Seen {
    Integer(i128),
    Double(f64),
    Text(Option<i128>, Option<f64>),
}

impl Visitor<'_> for Any {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }
    fn visit_i64<E>(self, value: i64) -> Result<Seen, E> {
        Ok(Seen::Integer(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Seen, E> {
        Ok(Seen::Integer(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Seen, E> {
        Ok(Seen::Double(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Seen, E> {
        // Rust reads "NaN", "Infinity" and "-Infinity" as protobuf writes them.
        Ok(Seen::Text(value.trim().parse().ok(), value.trim().parse().ok()))
    }
}

impl Seen {
    fn integer(self) -> Option<i128> {
        match self {
            Self::Integer(value) | Self::Text(Some(value), _) => Some(value),
            Self::Double(value) | Self::Text(None, Some(value)) => whole(value).map(i128::from),
            Self::Text(None, None) => None,
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "the sender chose a double's place for it")]
    fn double(self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(value as f64),
            Self::Double(value) => Some(value),
            Self::Text(_, value) => value,
        }
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = from.deserialize_any(Any)?.integer().and_then(|n| n.try_into().ok());
        value.map(Self).ok_or_else(|| D::Error::custom("not an integer of 64 bits"))
    }
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = from.deserialize_any(Any)?.integer().and_then(|n| n.try_into().ok());
        value.map(Self).ok_or_else(|| D::Error::custom("not an unsigned integer of 64 bits"))
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any)?.double().map(Self).ok_or_else(|| D::Error::custom("not a number"))
    }
}
