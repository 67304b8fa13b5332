//! `towngauge serve`

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::signals;
use crate::config::Config;
use crate::serve;

/// Serves until a signal.
///
/// # Errors
/// It cannot start; the message says what to do.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let wanted = config.listen.value;
    let listener = TcpListener::bind(wanted).await.with_context(|| {
        format!("cannot listen on {wanted}; is another server running? --listen 127.0.0.1:0 takes any free port")
    })?;
    let shutdown = signals::shutdown()?;
    serve::run(config, listener, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}
