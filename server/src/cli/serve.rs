//! `towngauge serve`

use std::process::ExitCode;

use anyhow::Context as _;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;

use super::signals;
use crate::config::Config;
use crate::serve;

/// Every viewer is an open file: takes as many as the system grants without asking.
fn raise_file_limit() {
    let raised =
        getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// Serves until a signal.
///
/// # Errors
/// It cannot start; the message says what to do.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    raise_file_limit();
    let wanted = config.listen.value;
    let listener = TcpListener::bind(wanted).await.with_context(|| {
        format!("cannot listen on {wanted}; is another server running? --listen 127.0.0.1:0 takes any free port")
    })?;
    let shutdown = signals::shutdown()?;
    serve::run(config, listener, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}
