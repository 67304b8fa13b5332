//! Signals that end a command: the first asks, the second insists.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit status after a second signal, as shells have it for an interrupt.
const INTERRUPTED: i32 = 130;

/// Cancelled by the first SIGTERM or SIGINT; the second ends the process at once.
///
/// # Errors
/// When signals cannot be received.
pub fn shutdown() -> std::io::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let signalled = shutdown.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if signalled.is_cancelled() {
                tracing::warn!("second signal: leaving at once");
                std::process::exit(INTERRUPTED);
            }
            signalled.cancel();
        }
    });
    Ok(shutdown)
}
