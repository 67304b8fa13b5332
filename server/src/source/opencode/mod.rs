//! OpenCode's and Kilo CLI's sessions: in SQLite, and in older versions a JSON file per message and part.
//!
//! Who includes what: `input` **excludes** the cached tokens, `output` excludes reasoning (unless the total says that it
//! is in there). Here output is with reasoning. A `cost` of 0 says nothing: it is computed then.
//!
//! A message is told again until it is complete, and may be both in the database and in a file: it counts once, with
//! the larger count. Only answers and tools are read; texts are not.

mod database;
mod message;
mod part;
mod sessions;
#[cfg(test)]
mod tests;

pub use sessions::{KILO, OPENCODE, Sessions};
