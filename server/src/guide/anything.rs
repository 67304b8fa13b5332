//! Guides for whatever has no guide of its own, and for other machines.

use app::sources::{Guide, Step};

use super::{Place, guide, step};

pub(super) fn otel(place: &Place) -> Guide {
    let about = "Whatever speaks the gen_ai conventions over HTTP: spans, events and gen_ai.client.token.usage. What nobody \
                 understands is counted by name above.";
    let exports = format!(
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT={}\n\
         export OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental{}",
        place.address,
        place.otel_headers().unwrap_or_default(),
    );
    guide("otel", "OpenTelemetry gen_ai", about, &["otel"], vec![step("In the shell that starts it", exports)])
}

pub(super) fn http(place: &Place) -> Guide {
    let about = "Anything that can send JSON: one event, an array, or one per line. Sent twice with the same id, it counts \
                 once.";
    // The shell fills in the present, so that the gauges move.
    let event = r#"{\"type\":\"model_call\",\"ts\":\"$(date -u +%FT%TZ)\",\"agent\":\"me\",\"model\":\"claude-sonnet-4-5\",\"input_tokens\":1200,\"output_tokens\":340}"#;
    let curl = format!(
        "curl '{}/api/ingest?town={}'{} \\\n  -H 'Content-Type: application/json' \\\n  -d \"{event}\"",
        place.address,
        place.town,
        place.curl_key(),
    );
    guide("http", "Plain HTTP", about, &["api"], vec![step("Send one event", curl)])
}

/// The command that ships from another machine.
pub(super) fn watch_elsewhere(place: &Place) -> Step {
    let watch = format!("towngauge watch --to {} --key-env TOWNGAUGE_KEY --town {}", place.address, place.town);
    step("There, where the agents run, with the key in TOWNGAUGE_KEY", watch)
}

pub(super) fn machine(place: &Place) -> Guide {
    let about = "Follows the agents' files there and ships what they say, with a spool and retries: nothing is lost while \
                 this server is away, and nothing counts twice.";
    let reach = if place.keys_required {
        ""
    } else {
        " This server listens on its own machine only: start it with --listen 0.0.0.0:4680 once there is a key."
    };
    let steps = vec![
        step("Here, once for each machine; it prints the key", "towngauge key create --scope ingest laptop"),
        watch_elsewhere(place),
    ];
    guide("machine", "Another machine", format!("{about}{reach}"), &[], steps)
}
