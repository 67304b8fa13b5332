//! What a program of this machine answers: bounded in time and size, and nothing is left running.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// What `command` prints; none when there is no such program, when it fails, prints `max_bytes` or more, or takes longer
/// than `patience`.
pub(super) async fn ask(mut command: Command, patience: Duration, max_bytes: u64) -> Option<Vec<u8>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let answer = async {
        let mut child = command.spawn().ok()?;
        let mut text = Vec::new();
        // What is more is not waited for: the child ends when nobody reads.
        child.stdout.take()?.take(max_bytes).read_to_end(&mut text).await.ok()?;
        let is_whole = u64::try_from(text.len()).is_ok_and(|bytes| bytes < max_bytes);
        let status = if is_whole { child.wait().await.ok()? } else { return None };
        status.success().then_some(text)
    };
    tokio::time::timeout(patience, answer).await.ok().flatten()
}
