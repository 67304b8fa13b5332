//! Running `tmux`. It never starts a server of its own.

use std::path::Path;
use std::time::Duration;

use tokio::process::Command;

use crate::source::asked::ask;

/// What is asked: the session's name, and the second in which something moved in its window.
const FORMAT: &str = "#{session_name}|#{window_activity}";
/// What is looked at of the answer; a session is a few dozen bytes.
const MAX_BYTES: u64 = 256 << 10;

/// The sessions of the server at `socket` (none: the usual one), a line each; none when there is no such server, no tmux,
/// or no answer within `patience`.
pub(super) async fn sessions(program: &Path, socket: Option<&str>, patience: Duration) -> Option<String> {
    let mut command = Command::new(program);
    if let Some(socket) = socket {
        command.args(["-L", socket]);
    }
    command.args(["list-sessions", "-F", FORMAT]);
    ask(command, patience, MAX_BYTES).await.map(|text| String::from_utf8_lossy(&text).into_owned())
}
