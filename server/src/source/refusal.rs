//! Why a line is not counted: never in the line's own words.

use std::borrow::Cow;

use model::time::TimeError;

/// Why a line is not counted.
pub type Refusal = Cow<'static, str>;

/// The library's words for what is wrong, without the text that is wrong.
#[must_use]
pub fn not_json(error: &serde_json::Error) -> Refusal {
    match error.classify() {
        serde_json::error::Category::Eof => "the line ends too early".into(),
        serde_json::error::Category::Data => format!("a field has the wrong type at column {}", error.column()).into(),
        _ => format!("not valid JSON at column {}", error.column()).into(),
    }
}

/// What is no time could be any text, so it is not repeated.
#[must_use]
pub fn no_time(error: TimeError) -> Refusal {
    match error {
        TimeError::NotRfc3339(_) => "timestamp is not an RFC 3339 time with an offset".into(),
        other => format!("timestamp: {other}").into(),
    }
}

/// Fields that must not be null, each with whether it is.
///
/// # Errors
/// One of them is; the reason names it.
pub fn refuse_nulls(fields: &[(&str, bool)]) -> Result<(), Refusal> {
    match fields.iter().find(|(_, is_null)| *is_null) {
        Some((name, _)) => Err(format!("{name} is null").into()),
        None => Ok(()),
    }
}
