//! Lists as CSV (RFC 4180): a header, then a line per row.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// An answer that browsers save as `name.csv`.
pub(super) fn answer(name: &str, columns: &[&str], rows: &[Value]) -> Response {
    let file = format!("attachment; filename=\"costs-{name}.csv\"");
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, file)];
    (headers, spell(columns, rows)).into_response()
}

fn spell(columns: &[&str], rows: &[Value]) -> String {
    let mut text = columns.join(",");
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<String> = columns.iter().map(|column| cell(row.get(column).unwrap_or(&Value::Null))).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => {
            // What begins like a formula is taken for one by spreadsheets; names come from others.
            let text =
                if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.clone() };
            if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_cannot_break_a_line_or_become_formulas() {
        let rows = [json!({"key": "a,\"b\"", "calls": 2, "ok": true}), json!({"key": "=1+1", "calls": -3})];
        assert_eq!(spell(&["key", "calls", "ok"], &rows), "key,calls,ok\r\n\"a,\"\"b\"\"\",2,true\r\n'=1+1,-3,\r\n");
    }
}
