//! Structured logs on stderr; stdout belongs to the command's result.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging. `TOWNGAUGE_LOG` filters, such as `debug` or `server::hub=trace`.
pub fn start(format: LogFormat, default_level: &str) {
    let filter = EnvFilter::try_from_env("TOWNGAUGE_LOG").unwrap_or_else(|_| EnvFilter::new(default_level));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start, as in tests, keeps the first.
    let _already = match format {
        LogFormat::Text => logs.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
}
