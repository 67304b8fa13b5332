//! Lines that a patch adds and removes. The patch itself is only counted, never kept.

use serde::{Deserialize, Serialize};

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
}
