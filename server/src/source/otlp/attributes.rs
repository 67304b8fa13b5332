//! Attributes of a record, a point or a span, over those of its resource; numbers in whatever clothes they come.

use std::collections::HashMap;

use model::id::NameError;
use model::unit::Nanodollars;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use xxhash_rust::xxh3::Xxh3;

use super::number;

/// Why an item is refused: names a field, never its content.
pub(super) type Reason = String;

/// What is said of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a> {
    /// Its own.
    pub own: &'a [KeyValue],
    /// Its resource's.
    pub resource: Option<&'a Indexed<'a>>,
}

/// A resource's attributes by name: every item of the resource asks for a dozen, and most are not there.
pub(super) type Indexed<'a> = HashMap<&'a str, Option<&'a Value>>;

/// Of several of the same name, the first counts.
pub(super) fn index(attributes: &[KeyValue]) -> Indexed<'_> {
    let mut index = HashMap::with_capacity(attributes.len());
    for pair in attributes {
        index.entry(pair.key.as_str()).or_insert_with(|| pair.value.as_ref()?.value.as_ref());
    }
    index
}

impl<'a> Attributes<'a> {
    /// The item's own value, else the resource's.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        let own = || self.own.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref();
        own().or_else(|| self.resource?.get(key).copied().flatten())
    }

    /// A text that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        match self.get(key)? {
            Value::StringValue(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// A count; 0 when it is not there.
    pub(super) fn count(&self, key: &str) -> Result<u64, Reason> {
        Ok(self.number(key)?.unwrap_or(0))
    }

    /// A count, if it is there.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, Reason> {
        let read = match self.get(key) {
            None => return Ok(None),
            Some(Value::IntValue(value)) => u64::try_from(*value).ok(),
            Some(Value::DoubleValue(value)) => number::rounded(*value),
            Some(Value::StringValue(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::StringValue(text)) => {
                text.trim().parse().ok().or_else(|| number::rounded(text.trim().parse().ok()?))
            }
            Some(_) => None,
        };
        read.map(Some).ok_or_else(|| format!("attribute \"{key}\" is not a count"))
    }

    /// Milliseconds, with fractions, as microseconds.
    pub(super) fn duration_us(&self, key: &str) -> Result<Option<u64>, Reason> {
        let Some(value) = self.double(key)? else { return Ok(None) };
        let micros = number::rounded(value * 1_000.0);
        micros.map(Some).ok_or_else(|| format!("attribute \"{key}\" is not a duration"))
    }

    /// Dollars.
    pub(super) fn dollars(&self, key: &str) -> Result<Option<Nanodollars>, Reason> {
        let Some(value) = self.double(key)? else { return Ok(None) };
        dollars(value).map(Some).ok_or_else(|| format!("attribute \"{key}\" is not an amount of dollars"))
    }

    fn double(&self, key: &str) -> Result<Option<f64>, Reason> {
        #[expect(clippy::cast_precision_loss, reason = "durations and dollars are small")]
        let read = match self.get(key) {
            None => return Ok(None),
            Some(Value::IntValue(value)) => Some(*value as f64),
            Some(Value::DoubleValue(value)) => Some(*value),
            Some(Value::StringValue(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::StringValue(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        read.map(Some).ok_or_else(|| format!("attribute \"{key}\" is not a number"))
    }

    /// `true`, `"true"`, and nothing else.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::BoolValue(flag) => Some(*flag),
            Value::StringValue(text) => Some(text.trim().eq_ignore_ascii_case("true")),
            _ => None,
        }
    }

    /// A name that a call cannot do without.
    pub(super) fn name<T>(&self, key: &str, new: fn(&str) -> Result<T, NameError>) -> Result<T, Reason> {
        let raw = self.text(key).ok_or_else(|| format!("attribute \"{key}\" is missing"))?;
        new(raw).map_err(|error| format!("attribute \"{key}\": {error}"))
    }
}

/// Dollars that a sender keeps as a double, exact to the nanodollar.
pub(super) fn dollars(value: f64) -> Option<Nanodollars> {
    let nanos = number::rounded(value * 1e9)?;
    i64::try_from(nanos).ok().map(Nanodollars)
}

/// Hash of attributes, whatever their order: part of a series' identity.
pub(super) fn fingerprint(attributes: &[KeyValue]) -> u128 {
    let mut sorted: Vec<&KeyValue> = attributes.iter().collect();
    sorted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let mut hasher = Xxh3::new();
    for pair in sorted {
        part(&mut hasher, pair.key.as_bytes());
        value(&mut hasher, pair.value.as_ref());
    }
    hasher.digest128()
}

fn part(hasher: &mut Xxh3, bytes: &[u8]) {
    hasher.update(&bytes.len().to_le_bytes());
    hasher.update(bytes);
}

/// A whole double is the same as the integer: the two encodings of a sender may differ in that.
fn value(hasher: &mut Xxh3, any: Option<&AnyValue>) {
    match any.and_then(|any| any.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => part(hasher, b"-"),
        Some(Value::StringValue(text)) => part(hasher, text.as_bytes()),
        Some(Value::BoolValue(flag)) => part(hasher, &[u8::from(*flag)]),
        Some(Value::IntValue(number)) => part(hasher, &number.to_le_bytes()),
        Some(Value::DoubleValue(double)) => match number::whole(*double) {
            Some(number) => part(hasher, &number.to_le_bytes()),
            None => part(hasher, &double.to_bits().to_le_bytes()),
        },
        Some(Value::ArrayValue(array)) => {
            part(hasher, b"[");
            array.values.iter().for_each(|each| value(hasher, Some(each)));
        }
        Some(Value::KvlistValue(map)) => part(hasher, &fingerprint(&map.values).to_le_bytes()),
        Some(Value::BytesValue(bytes)) => part(hasher, bytes),
    }
}
