//! Guides for agents and tools that are known by name.

use app::sources::Guide;

use super::{Place, guide, step};

pub(super) fn claude_code(place: &Place) -> Guide {
    let about = place.files("~/.claude/projects");
    let telemetry = format!(
        "export CLAUDE_CODE_ENABLE_TELEMETRY=1 OTEL_LOGS_EXPORTER=otlp OTEL_METRICS_EXPORTER=otlp\n\
         export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT={}{}",
        place.address,
        place.otel_headers().unwrap_or_default(),
    );
    let steps = vec![
        step("Live, and from any machine: OpenTelemetry, in the shell that starts it", telemetry),
        place.past("claude-code"),
    ];
    guide("claude-code", "Claude Code", about, &["claude_code", "claude_code_otel"], steps)
}

pub(super) fn codex(place: &Place) -> Guide {
    let key = if place.keys_required { "\nheaders = { Authorization = \"Bearer tg_…\" }" } else { "" };
    let toml =
        format!("[otel.exporter.otlp-http]\nendpoint = \"{}\"\nprotocol = \"binary\"{key}", place.url("/v1/logs"));
    let steps = vec![step("Live: in ~/.codex/config.toml", toml), place.past("codex")];
    guide("codex", "Codex", place.files("~/.codex"), &["codex", "codex_otel"], steps)
}

pub(super) fn gemini(place: &Place) -> Guide {
    let json = format!(
        "{{ \"telemetry\": {{ \"enabled\": true, \"target\": \"local\", \"otlpProtocol\": \"http\",\n  \"logPrompts\": false, \
         \"otlpEndpoint\": \"{}\" }} }}",
        place.url("/v1/otlp"),
    );
    let mut steps = vec![step("Live: in ~/.gemini/settings.json", json)];
    if place.keys_required {
        // The only way to give its exporter a header.
        let headers = "export OTEL_EXPORTER_OTLP_HEADERS=\"Authorization=Bearer $TOWNGAUGE_KEY\"";
        steps.push(step("And the key, in the shell that starts it", headers));
    }
    steps.push(place.past("gemini"));
    guide("gemini", "Gemini CLI", place.files("~/.gemini/tmp"), &["gemini", "gemini_otel"], steps)
}

pub(super) fn opencode(place: &Place) -> Guide {
    let about = place.files("~/.local/share/opencode");
    guide("opencode", "OpenCode", about, &["opencode"], vec![place.past("opencode")])
}

pub(super) fn kilo(place: &Place) -> Guide {
    guide("kilo", "Kilo CLI", place.files("~/.local/share/kilo"), &["kilo"], vec![place.past("kilo")])
}

pub(super) fn gas_town(place: &Place) -> Guide {
    let about = place.files("the town (GT_ROOT or ~/gt) and ~/.gt/costs.jsonl");
    let key = if place.keys_required { place.otel_headers().unwrap_or_default() } else { String::new() };
    let telemetry = format!(
        "export GT_OTEL_METRICS_URL={}\nexport GT_OTEL_LOGS_URL={}{key}",
        place.url("/opentelemetry/api/v1/push"),
        place.url("/insert/opentelemetry/v1/logs"),
    );
    let hook = format!(
        "tail -n 1 ~/.gt/costs.jsonl | curl -sS '{}/api/ingest?town={}'{} \\\n  \
         -H 'Content-Type: application/x-ndjson' --data-binary @-",
        place.address,
        place.town,
        place.curl_key(),
    );
    let steps = vec![
        step("Live: where gt is started; its agents follow", telemetry),
        step("From a machine that is not watched: a Stop hook after gt costs record", hook),
        step(
            "Read what was there before; again changes nothing",
            format!("towngauge backfill gas-town --town {0}\ntowngauge backfill gas-town-costs --town {0}", place.town),
        ),
    ];
    guide("gas-town", "Gas Town", about, &["gas_town", "gas_town_otel", "gas_town_costs"], steps)
}

pub(super) fn beads(place: &Place) -> Guide {
    let steps = vec![
        step("Read an export", format!("towngauge backfill beads .beads/issues.jsonl --town {}", place.town)),
        step("Follow one that is kept elsewhere", "towngauge serve --beads /path/to/.beads/issues.jsonl"),
    ];
    guide("beads", "Beads", place.files(".beads of the town and its rigs"), &["beads"], steps)
}

pub(super) fn git(place: &Place) -> Guide {
    let about = place.files("the repositories of a Gas Town's rigs");
    let steps = vec![
        step(
            "Read what landed before; again changes nothing",
            format!("towngauge backfill git . --town {}", place.town),
        ),
        step("Follow a repository that is kept elsewhere", "towngauge serve --git /path/to/repository"),
    ];
    guide("git", "Git", about, &["git"], steps)
}
