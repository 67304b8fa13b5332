//! What the address asks for: the range, whose latency, and whether the period before is shown too.

use model::id::ToolName;

use super::range;
use crate::reader::ChartsAsked;

/// Reads the parts of an address; what cannot be understood is left out.
pub fn parse(get: impl Fn(&str) -> Option<String>) -> ChartsAsked {
    let range = range::parse(get("window").as_deref(), get("from").as_deref(), get("to").as_deref());
    let tool = get("tool").and_then(|raw| ToolName::new(&raw).ok());
    ChartsAsked { range, tool, before: get("compare").as_deref() == Some("before") }
}

/// The query of an address, with its question mark. Without the browser's help: the server writes addresses too.
pub(crate) fn query(asked: &ChartsAsked) -> String {
    let mut query = range::query(asked.range);
    if let Some(tool) = &asked.tool {
        query.push_str("&tool=");
        for byte in tool.as_str().bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                query.push(char::from(byte));
            } else {
                query.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    if asked.before {
        query.push_str("&compare=before");
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> ChartsAsked {
        let parts: Vec<(&str, &str)> = raw[1..].split('&').filter_map(|part| part.split_once('=')).collect();
        parse(|name| parts.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_address_survives_reading_and_writing() {
        for raw in [
            "?window=1h",
            "?window=7d&tool=Bash&compare=before",
            "?from=2026-02-26T18:00:00Z&to=2026-02-26T18:20:30Z&compare=before",
        ] {
            assert_eq!(query(&read(raw)), raw);
        }
        assert_eq!(query(&read("?window=1h&tool=mcp x/é")), "?window=1h&tool=mcp%20x%2F%C3%A9");
    }

    #[test]
    fn nonsense_is_left_out() {
        assert_eq!(read("?tool=&compare=yes&window=2h"), ChartsAsked::default());
    }
}
