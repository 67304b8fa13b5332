//! Lines that a patch adds and removes. The patch itself is only counted, never kept.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Files of one patch that are told apart; what goes beyond is not counted.
const MAX_FILES: usize = 500;

/// What a patch does to one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Edit {
    /// Its path, as the patch has it.
    pub file: String,
    pub added: u32,
    pub removed: u32,
}

/// Whether a tool's arguments may hold a patch.
pub(super) fn may_hold(arguments: &str) -> bool {
    arguments.contains("*** Begin Patch")
}

/// What the first patch in `text` does, where `text` is the patch, a shell command with it, or JSON with either in one
/// of its strings.
pub(super) fn edits_in(text: &str) -> Vec<Edit> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => edits_in_value(&value),
        Err(_) => edits(text),
    }
}

fn edits_in_value(value: &serde_json::Value) -> Vec<Edit> {
    match value {
        serde_json::Value::String(text) if may_hold(text) => edits(text),
        serde_json::Value::Array(items) => first(items.iter()),
        serde_json::Value::Object(fields) => first(fields.values()),
        _ => Vec::new(),
    }
}

fn first<'v>(mut values: impl Iterator<Item = &'v serde_json::Value>) -> Vec<Edit> {
    values.find_map(|value| Some(edits_in_value(value)).filter(|edits| !edits.is_empty())).unwrap_or_default()
}

fn edits(text: &str) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    let body = text.lines().skip_while(|line| !line.contains("*** Begin Patch")).skip(1);
    for line in body {
        if line.starts_with("*** End Patch") {
            break;
        }
        let named = ["*** Add File: ", "*** Update File: ", "*** Delete File: "];
        if let Some(file) = named.iter().find_map(|head| line.strip_prefix(head)) {
            if edits.len() == MAX_FILES {
                break;
            }
            edits.push(Edit { file: file.trim().to_owned(), ..Edit::default() });
        } else if let Some(edit) = edits.last_mut() {
            match line.bytes().next() {
                Some(b'+') => edit.added = edit.added.saturating_add(1),
                Some(b'-') => edit.removed = edit.removed.saturating_add(1),
                _ => {}
            }
        }
    }
    edits
}

/// A unified difference that is only counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub added: u32,
    pub removed: u32,
}

impl Difference {
    /// Counts lines with `+` and `-` before them, without the two that name the files.
    pub(super) fn of(text: &str) -> Self {
        let changed = |sign: char, head: &str| {
            let lines = text.lines().filter(|line| line.starts_with(sign) && !line.starts_with(head)).count();
            u32::try_from(lines).unwrap_or(u32::MAX)
        };
        Self { added: changed('+', "+++ "), removed: changed('-', "--- ") }
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

    const PATCH: &str = "*** Begin Patch\n*** Update File: src/a.rs\n@@\n-old\n+new\n+more\n same\n*** Add File: b.txt\n+one\n*** Delete File: c.txt\n*** End Patch\n+not counted";

    #[test]
    fn a_patch_is_found_wherever_it_stands() {
        let want = [
            Edit { file: "src/a.rs".to_owned(), added: 2, removed: 1 },
            Edit { file: "b.txt".to_owned(), added: 1, removed: 0 },
            Edit { file: "c.txt".to_owned(), added: 0, removed: 0 },
        ];
        let shell = format!("apply_patch <<'EOF'\n{PATCH}\nEOF");
        for text in [
            PATCH.to_owned(),
            shell.clone(),
            serde_json::json!({"input": PATCH}).to_string(),
            serde_json::json!({"command": ["apply_patch", PATCH]}).to_string(),
            serde_json::json!({"workdir": "/w", "command": ["bash", "-lc", shell]}).to_string(),
        ] {
            assert_eq!(edits_in(&text), want, "{text}");
        }
        assert_eq!(edits_in("{\"cmd\":\"ls\"}"), []);
    }

    #[test]
    fn heads_of_a_difference_are_no_lines() {
        let text = "--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-old\n+new\n+more\n same\n";
        assert_eq!(Difference::of(text), Difference { added: 2, removed: 1 });
    }
}
