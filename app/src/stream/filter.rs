//! Which events the Live page shows, as its address says.

use model::event_line::Level;
use model::wire::EventRow;
use model::{EventKind, Role};
use serde::{Deserialize, Serialize};

/// What is shown: everything, as long as nothing is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFilter {
    /// One kind.
    pub kind: Option<EventKind>,
    /// This level alone.
    pub level: Option<Level>,
    /// One role.
    pub role: Option<Role>,
    /// One rig.
    pub rig: Option<String>,
    /// One agent.
    pub agent: Option<String>,
    /// One source.
    pub source: Option<String>,
    /// Text in the event's words, in any case.
    pub text: Option<String>,
}

impl EventFilter {
    /// Reads the parts of an address. What is not understood is not asked for.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let role = |raw: String| Role::ALL.into_iter().find(|role| role.name() == raw);
        Self {
            kind: text("kind").and_then(|raw| EventKind::parse(&raw)),
            level: text("level").and_then(|raw| Level::parse(&raw)),
            role: text("role").and_then(role),
            rig: text("rig"),
            agent: text("agent"),
            source: text("source"),
            text: text("q"),
        }
    }

    /// The parts of an address that ask for this, in a fixed order: `kind=tool_call&level=error`. Empty for everything.
    pub(crate) fn query(&self, escape: impl Fn(&str) -> String) -> String {
        let parts = [
            ("kind", self.kind.map(EventKind::name)),
            ("level", self.level.map(Level::name)),
            ("role", self.role.map(Role::name)),
            ("rig", self.rig.as_deref()),
            ("agent", self.agent.as_deref()),
            ("source", self.source.as_deref()),
            ("q", self.text.as_deref()),
        ];
        let parts = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", escape(value?))));
        parts.collect::<Vec<_>>().join("&")
    }

    /// Whether an event is shown. The server's list asks the same of the store.
    pub(crate) fn matches(&self, row: &EventRow) -> bool {
        self.kind.is_none_or(|kind| row.kind == kind)
            && self.level.is_none_or(|level| row.level == level)
            && self.role.is_none_or(|role| row.role == role)
            && self.rig.as_deref().is_none_or(|rig| row.rig.as_ref().is_some_and(|name| name.as_str() == rig))
            && self.agent.as_deref().is_none_or(|agent| row.agent.as_ref().is_some_and(|name| name.as_str() == agent))
            && self.source.as_deref().is_none_or(|source| row.source.as_str() == source)
            && self.text.as_deref().is_none_or(|text| says(row, &text.to_lowercase()))
    }
}

/// Whether an event's words hold `text`, which is in lower case.
fn says(row: &EventRow, text: &str) -> bool {
    let words = [
        Some(row.what.as_str()),
        row.text.as_deref(),
        Some(row.source.as_str()),
        row.file.as_deref(),
        row.agent.as_ref().map(|agent| agent.as_str()),
        row.session.as_ref().map(|session| session.as_str()),
        row.bead.as_ref().map(|bead| bead.as_str()),
        row.rig.as_ref().map(|rig| rig.as_str()),
    ];
    words.into_iter().flatten().any(|word| word.to_lowercase().contains(text))
}

#[cfg(test)]
mod tests {
    use model::time::Timestamp;
    use model::{AgentName, SourceName, wire::RowKey};

    use super::*;

    fn parse(query: &str) -> EventFilter {
        EventFilter::parse(|name| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        })
    }

    fn row() -> EventRow {
        EventRow {
            key: RowKey(1),
            at: Timestamp::from_seconds(0),
            kind: EventKind::ToolCall,
            level: Level::Info,
            source: SourceName::new("claude_code").unwrap(),
            ok: true,
            role: Role::Polecat,
            rig: None,
            agent: Some(AgentName::new("Toast").unwrap()),
            session: None,
            bead: None,
            what: "Bash".to_owned(),
            text: None,
            file: None,
            tokens: None,
            cost: None,
            provenance: None,
            duration_us: None,
            lines: None,
        }
    }

    #[test]
    fn an_address_survives_reading_and_writing() {
        for raw in
            ["", "level=error", "kind=tool_call&level=warn&role=polecat&rig=beads&agent=toast&source=api&q=main.rs"]
        {
            assert_eq!(parse(raw).query(str::to_owned), raw);
        }
    }

    #[test]
    fn what_is_not_understood_is_not_asked_for() {
        assert_eq!(
            parse("kind=tools&level=loud&role=king&rig=&q=%20".replace("%20", " ").as_str()),
            EventFilter::default()
        );
    }

    #[test]
    fn every_part_must_hold() {
        for (query, shown) in [
            ("", true),
            ("kind=tool_call", true),
            ("kind=model_call", false),
            ("role=polecat&agent=Toast", true),
            ("role=polecat&agent=butter", false),
            ("rig=beads", false),
            ("source=claude_code", true),
            ("source=api", false),
            ("q=Claude", true),
            ("level=error", false),
            ("level=info&q=BASH", true),
            ("q=toa", true),
            ("q=zsh", false),
        ] {
            assert_eq!(parse(query).matches(&row()), shown, "{query}");
        }
    }
}
