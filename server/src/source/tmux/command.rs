//! Running `tmux`, bounded in time and size. It never starts a server of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

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
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let answer = async {
        let mut child = command.spawn().ok()?;
        let mut text = Vec::new();
        // What is more is not waited for: the child ends when nobody reads.
        child.stdout.take()?.take(MAX_BYTES).read_to_end(&mut text).await.ok()?;
        let done = u64::try_from(text.len()).is_ok_and(|bytes| bytes < MAX_BYTES);
        let status = if done { child.wait().await.ok()? } else { return None };
        status.success().then(|| String::from_utf8_lossy(&text).into_owned())
    };
    tokio::time::timeout(patience, answer).await.ok().flatten()
}
