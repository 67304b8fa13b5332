//! The sources that this version knows, and the rules by which each is read.

use app::sources::SourceKind;

use crate::source::{api, beads, claude_code, codex, gemini, gt_status, tmux};

/// A source and its rules.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its name in the store.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// How its events come.
    pub kind: SourceKind,
    /// Which counts of tokens include which, and what is done about it.
    pub tokens: &'static str,
    /// What a tool's latency includes; none where no tools come from.
    pub latency: Option<&'static str>,
    /// The guide that says how to connect it.
    pub guide: Option<&'static str>,
}

const NO_TOKENS: &str = "Brings no tokens.";
const DISJOINT: &str = "Input is without cache already; nothing is subtracted.";
const WITH_PERMISSION: &str = "From a tool's call to its result: includes waiting for permission.";
const BY_ITS_CLOCK: &str =
    "From start to end as its files say; they do not tell whether waiting for permission is in it.";
const EXECUTION: &str = "The tool's own running time, without waiting for permission.";

/// All of them, in the order of the page.
pub const ALL: [Known; 18] = [
    Known {
        name: claude_code::SOURCE,
        title: "Claude Code",
        kind: SourceKind::FileTail,
        tokens: "Input is without cache already; cache writes of 5 minutes and of 1 hour are kept apart.",
        latency: Some(WITH_PERMISSION),
        guide: Some("claude-code"),
    },
    Known {
        name: "claude_code_otel",
        title: "Claude Code by OpenTelemetry",
        kind: SourceKind::Otlp,
        tokens: "Input is without cache already; cache writes count as 5-minute ones, because their kind is not said.",
        latency: Some(EXECUTION),
        guide: Some("claude-code"),
    },
    Known {
        name: codex::SOURCE,
        title: "Codex",
        kind: SourceKind::FileTail,
        tokens: "Input includes cached tokens; Towngauge subtracts them. Output includes reasoning.",
        latency: Some(WITH_PERMISSION),
        guide: Some("codex"),
    },
    Known {
        name: "codex_otel",
        title: "Codex by OpenTelemetry",
        kind: SourceKind::Otlp,
        tokens: "Input includes cached tokens; Towngauge subtracts them. Output includes reasoning.",
        latency: Some(EXECUTION),
        guide: Some("codex"),
    },
    Known {
        name: gemini::SOURCE,
        title: "Gemini CLI",
        kind: SourceKind::FileTail,
        tokens: "Input includes cached tokens where the total says so; Towngauge subtracts them. Thoughts count as output, \
                 tools' results as input.",
        latency: Some("Its files do not say how long a tool took."),
        guide: Some("gemini"),
    },
    Known {
        name: "gemini_otel",
        title: "Gemini CLI by OpenTelemetry",
        kind: SourceKind::Otlp,
        tokens: "Input includes cached tokens; Towngauge subtracts them. Thoughts count as output, tools' results as input.",
        latency: Some(EXECUTION),
        guide: Some("gemini"),
    },
    Known {
        name: "opencode",
        title: "OpenCode",
        kind: SourceKind::FileTail,
        tokens: "Input is without cache already; reasoning is added to output.",
        latency: Some(BY_ITS_CLOCK),
        guide: Some("opencode"),
    },
    Known {
        name: "kilo",
        title: "Kilo CLI",
        kind: SourceKind::FileTail,
        tokens: "Input is without cache already; reasoning is added to output.",
        latency: Some(BY_ITS_CLOCK),
        guide: Some("kilo"),
    },
    Known {
        name: "gas_town",
        title: "Gas Town",
        kind: SourceKind::FileTail,
        tokens: NO_TOKENS,
        latency: None,
        guide: Some("gas-town"),
    },
    Known {
        name: "gas_town_otel",
        title: "Gas Town by OpenTelemetry",
        kind: SourceKind::Otlp,
        tokens: NO_TOKENS,
        latency: None,
        guide: Some("gas-town"),
    },
    Known {
        name: "gas_town_costs",
        title: "Gas Town's costs.jsonl",
        kind: SourceKind::FileTail,
        tokens: "Brings no tokens. Its costs are running totals: kept for attribution, never summed.",
        latency: None,
        guide: Some("gas-town"),
    },
    Known {
        name: beads::SOURCE,
        title: "Beads",
        kind: SourceKind::FileTail,
        tokens: NO_TOKENS,
        latency: None,
        guide: Some("beads"),
    },
    Known {
        name: gt_status::SOURCE,
        title: "gt status",
        kind: SourceKind::Asked,
        tokens: "Brings no tokens: what gt itself says of a Gas Town\u{2019}s agents.",
        latency: None,
        // Nothing is to be connected: it is asked where a Gas Town is watched.
        guide: None,
    },
    Known {
        name: tmux::SOURCE,
        title: "tmux",
        kind: SourceKind::Asked,
        tokens: "Brings no tokens: when something moved in the terminals of a Gas Town\u{2019}s agents.",
        latency: None,
        // Nothing is to be connected: it is asked where a Gas Town is watched.
        guide: None,
    },
    Known {
        name: "git",
        title: "Git",
        kind: SourceKind::FileTail,
        tokens: "Brings no tokens: lines that landed on the default branch.",
        latency: None,
        guide: Some("git"),
    },
    Known {
        name: "otel",
        title: "OpenTelemetry gen_ai",
        kind: SourceKind::Otlp,
        tokens: "Input includes what was read from and written to the cache; Towngauge subtracts both.",
        latency: Some("As its spans say."),
        guide: Some("otel"),
    },
    Known {
        name: api::SOURCE,
        title: "HTTP",
        kind: SourceKind::Http,
        tokens: DISJOINT,
        latency: Some("As it was sent."),
        guide: Some("http"),
    },
    Known {
        name: "demo",
        title: "Demo",
        kind: SourceKind::Demo,
        tokens: DISJOINT,
        latency: Some("Made up."),
        guide: None,
    },
];

/// The source of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Known> {
    ALL.iter().find(|known| known.name == name)
}

#[cfg(test)]
mod tests {
    use model::SourceName;

    use super::*;
    use crate::source::{otlp, registry};

    #[test]
    fn every_source_of_files_and_of_telemetry_is_known_with_its_kind() {
        for source in registry::ALL {
            let known = by_name(source.name()).map(|known| known.kind);
            assert_eq!(known, Some(SourceKind::FileTail), "{}", source.name());
        }
        for known in ALL {
            let name = SourceName::new(known.name).unwrap();
            assert_eq!(otlp::is_source(&name), known.kind == SourceKind::Otlp, "{name}");
            let is_file = registry::ALL.iter().any(|source| source.name() == known.name);
            assert_eq!(is_file, known.kind == SourceKind::FileTail, "{name}");
        }
    }
}
