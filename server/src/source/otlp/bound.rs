//! How much a body may hold, counted before it is read: two bytes on the wire become a record of 200 in memory, so a
//! body's length, small and packed as it may be, says nothing about what reading it takes.

use std::fmt;

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::shape::{Shape, Weight};
use super::{DecodeError, Encoding, Signal};

/// Records, points and spans of one request; and as many resources, scopes, metrics, exemplars, events of spans.
pub(super) const MAX_ITEMS: usize = 200_000;
/// Attributes of one request, of whatever it is: ten of each item.
const MAX_ATTRIBUTES: usize = 10 * MAX_ITEMS;
/// Prost gives up on what is nested deeper.
const DEPTH: u32 = 100;

/// Refuses a body that holds more than the bounds; whether it can be read turns out when it is.
///
/// # Errors
/// It holds too much, or it is broken.
pub(super) fn check(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<(), DecodeError> {
    // `12 00`, `{},`
    let shortest = match encoding {
        Encoding::Protobuf => 2,
        Encoding::Json => 3,
    };
    if body.len() <= MAX_ITEMS * shortest {
        return Ok(());
    }
    let mut counted = Counted::default();
    match encoding {
        Encoding::Protobuf => protobuf(Shape::of(signal), body, DEPTH, &mut counted),
        Encoding::Json => {
            let walk = Walk { shape: Shape::of(signal), listed: false, counted: &mut counted };
            let walked = walk.deserialize(&mut serde_json::Deserializer::from_slice(body));
            match counted.beyond {
                Some(beyond) => Err(beyond.into()),
                None => walked.map_err(DecodeError::from),
            }
        }
    }
}

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are more than {most} {what} in one request")]
pub struct TooMany {
    what: &'static str,
    most: usize,
}

#[derive(Debug, Default)]
struct Counted {
    items: usize,
    frames: usize,
    attributes: usize,
    beyond: Option<TooMany>,
}

impl Counted {
    fn add(&mut self, shape: Shape, bytes: usize) -> Result<(), TooMany> {
        let (count, more, what, most) = match shape.weight() {
            Weight::Nothing => return Ok(()),
            Weight::Item => (&mut self.items, 1, "records, points or spans", MAX_ITEMS),
            Weight::Frame => (&mut self.frames, 1, "resources, scopes, metrics and exemplars", MAX_ITEMS),
            Weight::Attribute => (&mut self.attributes, 1, "attributes", MAX_ATTRIBUTES),
            Weight::Bytes => (&mut self.attributes, bytes / 8, "attributes", MAX_ATTRIBUTES),
        };
        *count += more;
        if *count <= most {
            return Ok(());
        }
        let beyond = TooMany { what, most };
        self.beyond = Some(beyond);
        Err(beyond)
    }
}

/// Walks the tags, with prost's own reader of them: what it skips is skipped here, and nothing else is.
fn protobuf(shape: Shape, mut body: &[u8], depth: u32, counted: &mut Counted) -> Result<(), DecodeError> {
    while !body.is_empty() {
        let (number, wire) = decode_key(&mut body)?;
        let inner = shape.fields().iter().find(|(field, ..)| *field == number);
        let Some((.., inner)) = inner.filter(|_| wire == WireType::LengthDelimited) else {
            skip_field(wire, number, &mut body, DecodeContext::default())?;
            continue;
        };
        let length = usize::try_from(decode_varint(&mut body)?).unwrap_or(usize::MAX);
        // Cut short: prost says so in its own words.
        let Some((content, rest)) = body.split_at_checked(length) else { return Ok(()) };
        counted.add(*inner, length)?;
        if depth > 0 {
            protobuf(*inner, content, depth - 1, counted)?;
        }
        body = rest;
    }
    Ok(())
}

/// Walks JSON without keeping any of it.
struct Walk<'a> {
    shape: Shape,
    /// Whether it is a member of a list already.
    listed: bool,
    counted: &'a mut Counted,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OTLP")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.counted.add(self.shape, 0).map_err(A::Error::custom)?;
        while let Some(inner) = map.next_key_seed(Key(self.shape))? {
            match inner {
                Some(shape) => map.next_value_seed(Walk { shape, listed: false, counted: &mut *self.counted })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        // Serde would read a list of fields as a message, too; nobody writes that, and it is not counted.
        if self.listed {
            return Err(A::Error::custom("a list in a list"));
        }
        let Walk { shape, counted, .. } = self;
        while list.next_element_seed(Walk { shape, listed: true, counted: &mut *counted })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A field's name, as what it holds.
struct Key(Shape);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<Shape>;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<Shape>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.fields().iter().find(|(_, field, _)| *field == name).map(|(.., shape)| *shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One field of a message, with what is in it.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        prost::encode_length_delimiter(content.len(), &mut bytes).unwrap();
        bytes.extend_from_slice(content);
        bytes
    }

    fn beyond(encoding: Encoding, body: &[u8]) -> Option<&'static str> {
        match check(Signal::Logs, encoding, body) {
            Ok(()) => None,
            Err(DecodeError::TooMany(beyond)) => Some(beyond.what),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn empty_records_resources_and_attributes_are_counted_before_they_are_made() {
        let items = "records, points or spans";
        let check = |path: &[u8], json: [&str; 2], n: usize, want: Option<&str>| {
            let innermost = [path[path.len() - 1] << 3 | 2, 0].repeat(n);
            let body = path[..path.len() - 1].iter().rev().fold(innermost, |inner, number| field(*number, &inner));
            assert_eq!(beyond(Encoding::Protobuf, &body), want, "{path:?} {n}");
            let body = format!("{}{}{}", json[0], vec!["{  }"; n].join(","), json[1]);
            assert_eq!(beyond(Encoding::Json, body.as_bytes()), want, "{} {n}", json[0]);
        };
        let records = [r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":["#, "]}]}]}"];
        check(&[1, 2, 2], records, MAX_ITEMS, None);
        check(&[1, 2, 2], records, MAX_ITEMS + 1, Some(items));
        let frames = Some("resources, scopes, metrics and exemplars");
        check(&[1], [r#"{"resourceLogs":["#, "]}"], MAX_ITEMS + 1, frames);
        let resource = [r#"{"resourceLogs":[{"resource":{"attributes":["#, "]}}]}"];
        check(&[1, 1, 1], resource, MAX_ATTRIBUTES, None);
        check(&[1, 1, 1], resource, MAX_ATTRIBUTES + 1, Some("attributes"));
        let value = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"arrayValue":{"values":["#;
        check(&[1, 2, 2, 5, 5, 1], [value, "]}}}]}]}]}"], MAX_ATTRIBUTES + 1, Some("attributes"));
    }

    #[test]
    fn a_list_in_the_place_of_a_message_does_not_pass_by_uncounted() {
        let many = vec!["[]"; MAX_ITEMS + 1].join(",");
        let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{many}]}}]}}]}}"#);
        assert!(check(Signal::Logs, Encoding::Json, body.as_bytes()).is_err());
        let body = format!(r#"[[{many}]]"#);
        assert!(check(Signal::Logs, Encoding::Json, body.as_bytes()).is_err());
    }

    #[test]
    fn unknown_groups_do_not_hide_what_follows() {
        // Field 15 as a group, which prost skips.
        let inner = [vec![15 << 3 | 3, 15 << 3 | 4], [2 << 3 | 2, 0].repeat(MAX_ITEMS + 1)].concat();
        assert!(beyond(Encoding::Protobuf, &field(1, &field(2, &inner))).is_some());
    }
}
