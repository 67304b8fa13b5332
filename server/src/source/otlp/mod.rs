//! OpenTelemetry over HTTP: what agents export becomes events, and what nobody understands is counted by name.
//!
//! Bytes are counted (`bound`), then ([`decode`]) become the messages of `opentelemetry-proto`, whichever encoding they have; these become events
//! ([`Parsed`]) by one mapping per tool; running sums become increments (`point`); [`store`] hands them to the intake.
//! Texts of prompts, of tools' inputs and outputs, addresses and account ids are read by none of this: they end with
//! the request. What counts when several sources report the same call is decided in `db::batch::claims`.

mod attributes;
mod belonging;
mod bound;
mod claude_code;
mod codex;
mod decode;
mod gas_town;
mod gemini;
mod gen_ai;
mod json;
mod logs;
mod measure;
mod metrics;
mod number;
mod parse;
mod plain;
mod point;
mod record;
mod shape;
mod store;
#[cfg(test)]
mod tests;
mod traces;
mod underway;

pub use belonging::is_source;
pub use bound::TooMany;
pub use decode::{DecodeError, Encoding, Signal, decode};
pub use parse::{Parsed, Share};
pub use point::{Point, Series};
pub use store::{Heads, Tally, When, store};
