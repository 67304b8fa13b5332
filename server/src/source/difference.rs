//! Unified differences, of which only the lines are counted.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A unified difference that is only counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}

impl Difference {
    /// Counts lines with `+` and `-` before them, without the two that name the files before the first `@@` of each.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (mut found, mut in_change) = (Self::default(), false);
        for line in text.lines() {
            match line.as_bytes().first() {
                Some(b'@') => in_change = true,
                Some(b'+') if in_change || !line.starts_with("+++ ") => found.added = found.added.saturating_add(1),
                Some(b'-') if in_change || !line.starts_with("--- ") => found.removed = found.removed.saturating_add(1),
                Some(b'+' | b'-' | b' ' | b'\\') | None => {}
                // `diff`, `Index:`: another file begins.
                Some(_) => in_change = false,
            }
        }
        found
    }
}

impl<'de> Deserialize<'de> for Difference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DifferenceVisitor;
        impl<'de> Visitor<'de> for DifferenceVisitor {
            type Value = Difference;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Difference::of(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Difference::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Difference::default())
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Difference::default())
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Difference::default())
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Difference::default())
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Difference::default())
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Difference::default())
            }
        }
        deserializer.deserialize_any(DifferenceVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_a_difference_are_no_lines() {
        let text = "--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-old\n+new\n+more\n same\n";
        assert_eq!(Difference::of(text), Difference { added: 2, removed: 1 });
    }

    #[test]
    fn lines_that_look_like_heads_count_once_a_change_began() {
        let text = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- comment\n+++ x\n same\ndiff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n+z\n";
        assert_eq!(Difference::of(text), Difference { added: 2, removed: 1 });
    }
}
