//! Schemas out of examples, and whether an answer is as its example.

use serde_json::{Map, Value, json};

/// The schema of what looks like `example`: its fields are there, and of its types.
#[must_use]
pub(super) fn of(example: &Value) -> Value {
    match example {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => match items.first() {
            Some(first) => json!({"type": "array", "items": of(first)}),
            None => json!({"type": "array"}),
        },
        Value::Object(fields) => {
            let properties: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), of(value))).collect();
            json!({"type": "object", "properties": properties})
        }
    }
}

/// Why `answer` is not as `example`: the place of the first difference. What is null in one of them may be anything, and
/// what is empty has no shape; fields that are left out when they are not known may be missing, but at the top.
///
/// # Errors
/// The place, and what is there.
pub fn fits(answer: &Value, example: &Value, place: &str) -> Result<(), String> {
    match (answer, example) {
        (Value::Null, _) | (_, Value::Null) => Ok(()),
        (Value::Object(answer), Value::Object(example)) => {
            for (name, example) in example {
                match answer.get(name) {
                    Some(answer) => fits(answer, example, &format!("{place}.{name}"))?,
                    None if place.is_empty() => return Err(format!("{name} is missing")),
                    None => {}
                }
            }
            match answer.keys().find(|name| !example.contains_key(*name)) {
                Some(name) if place.is_empty() => Err(format!("{name} is not described")),
                _ => Ok(()),
            }
        }
        (Value::Array(answer), Value::Array(example)) => match (answer.first(), example.first()) {
            (Some(answer), Some(example)) => fits(answer, example, &format!("{place}[]")),
            _ => Ok(()),
        },
        (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        _ => Err(format!("{place} is {answer}, and {example} in the example")),
    }
}
