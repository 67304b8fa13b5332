//! Asking `gt status` again and again while a Gas Town is watched.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::time::Timestamp;
use tokio::process::Command;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::agents::Agents;
use super::answer;
use crate::clock::Clock;
use crate::source::asked::ask;
use crate::source::destination::{Batch, Destination};
use crate::source::gas_town;
use crate::source::registry::Roots;

/// How often it is asked.
const PERIOD: Duration = Duration::from_secs(120);
/// How long one answer may take; of a large town it takes seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is looked at of the answer; an agent is a few hundred bytes.
const MAX_BYTES: u64 = 8 << 20;

/// Asks until `cancel`. Nothing of it is worth an error: a machine without `gt`, or without a town, tells nothing.
pub(in crate::source) async fn poll(roots: Roots, destination: Arc<dyn Destination>, cancel: CancellationToken) {
    let (clock, mut towns) = (Clock::system(), Towns { program: PathBuf::from("gt"), agents: HashMap::new() });
    let mut due = Instant::now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = sleep_until(due) => {}
        }
        due = Instant::now() + PERIOD;
        let roots = roots.clone();
        let watched = tokio::task::spawn_blocking(move || gas_town::watched(&roots)).await.unwrap_or_default();
        for town in watched {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = towns.ask(&town, destination.as_ref(), clock.now()) => {}
            }
        }
    }
}

struct Towns {
    program: PathBuf,
    agents: HashMap<PathBuf, Agents>,
}

impl Towns {
    /// Tells `destination` what changed in `town`.
    async fn ask(&mut self, town: &Path, destination: &dyn Destination, now: Timestamp) {
        let mut command = Command::new(&self.program);
        command.args(["status", "--json"]).current_dir(town);
        let Some(said) = ask(command, PATIENCE, MAX_BYTES).await.and_then(|json| answer::read(&json)) else { return };
        let agents = self.agents.entry(town.to_owned()).or_default();
        let events = agents.news(said, now);
        if events.is_empty() {
            return;
        }
        if let Err(error) = destination.take(Batch { events, ..Batch::default() }).await {
            tracing::debug!(%error, "what gt status says was not taken");
            agents.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::source::kept::Kept;

    /// How many events come of asking a program twice that stands in for `gt`.
    async fn told(script: &str) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("gt");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (kept, mut towns) = (Kept::default(), Towns { program, agents: HashMap::new() });
        for second in [0, 120] {
            towns.ask(folder.path(), &kept, Timestamp::from_seconds(1_772_000_000 + second)).await;
        }
        kept.events().len()
    }

    #[tokio::test]
    async fn it_is_asked_in_the_towns_folder_and_each_change_is_told_once() {
        let answer = r#"{"agents":[{"address":"mayor","running":true}]}"#;
        assert_eq!(told(&format!(r#"[ "$*" = "status --json" ] && [ -e gt ] && echo '{answer}'"#)).await, 1);
        assert_eq!(told(&format!("echo '{answer}'; exit 1")).await, 0);
        assert_eq!(told("echo 'no town here'").await, 0);
    }
}
