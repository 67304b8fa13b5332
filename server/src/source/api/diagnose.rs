//! Says what is wrong with an event that the fast reader refused: slow, and only for what is refused.

use serde_json::{Map, Value};

use super::raw::{Kind, Raw};

/// The reason, naming the field. Values are quoted only where they are no texts of people: times and numbers.
pub fn reason(content: &[u8], error: &serde_json::Error) -> String {
    let map = match serde_json::from_slice::<Value>(content) {
        Ok(Value::Object(map)) => map,
        Ok(_) => return "an event is a JSON object".to_owned(),
        Err(error) if error.is_eof() => return "the event ends too early: not complete JSON".to_owned(),
        Err(error) => return format!("not valid JSON at column {}", error.column()),
    };
    wrong_field(&map).unwrap_or_else(|| repeated_field(error))
}

fn wrong_field(map: &Map<String, Value>) -> Option<String> {
    map.iter().find_map(|(name, value)| {
        let Some((_, kind)) = Raw::FIELDS.iter().find(|(known, _)| known == name) else {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
            return Some(match nearest(name) {
                Some(known) => format!("field \"{shown}\" is unknown; did you mean \"{known}\"?"),
                None => format!("field \"{shown}\" is unknown"),
            });
        };
        let (fits, wanted) = match kind {
            Kind::Text => (value.is_string(), "a string"),
            Kind::Count => (value.is_u64(), "a whole number of 0 or more"),
            Kind::SmallCount => {
                (value.as_u64().is_some_and(|n| u32::try_from(n).is_ok()), "a whole number from 0 to 4294967295")
            }
            Kind::Number => (value.is_number(), "a number"),
            Kind::Flag => (value.is_boolean(), "true or false"),
        };
        (!fits && !value.is_null()).then(|| format!("field \"{name}\": {} is not {wanted}", shown(value)))
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null => "null".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// All fields are right one by one, so one of them stands there twice.
fn repeated_field(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split('`').nth(1).filter(|name| Raw::FIELDS.iter().any(|(known, _)| known == name)) {
        Some(name) => format!("field \"{name}\" stands there twice"),
        None => format!("not an event, at column {}", error.column()),
    }
}

/// The known field that differs from `name` only in case, separators, or one letter.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let wanted = plain(name);
    let known = || Raw::FIELDS.iter().map(|(known, _)| *known);
    known().find(|known| plain(known) == wanted).or_else(|| known().find(|known| one_off(&plain(known), &wanted)))
}

/// One letter inserted, left out or changed.
fn one_off(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > 1 || short.len() < 3 {
        return false;
    }
    let same = long.iter().zip(short).take_while(|(x, y)| x == y).count();
    let skip = usize::from(long.len() == short.len());
    long.get(same + 1..) == short.get(same + skip..)
}
