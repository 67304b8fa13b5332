//! Asking tmux again and again while a Gas Town is watched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::command;
use super::sessions::Sessions;
use crate::source::destination::{Batch, Destination};
use crate::source::gas_town::{self, Rigs};
use crate::source::registry::Roots;

/// How often tmux is asked: what it shows is believed for minutes.
const PERIOD: Duration = Duration::from_secs(60);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The socket that Gas Town names for its own; older versions use the usual one, others one with the town's name.
const GAS_TOWN_SOCKET: &str = "gt";

/// Asks until `cancel`. Nothing of it is worth an error: a machine without tmux, or without a town, tells nothing.
pub(in crate::source) async fn poll(roots: Roots, destination: Arc<dyn Destination>, cancel: CancellationToken) {
    let mut terminals = Terminals { program: PathBuf::from("tmux"), sessions: Sessions::default() };
    let mut due = Instant::now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = sleep_until(due) => {}
        }
        due = Instant::now() + PERIOD;
        let roots = roots.clone();
        let towns = tokio::task::spawn_blocking(move || gas_town::watched(&roots)).await.unwrap_or_default();
        for town in towns {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = terminals.ask(&town, destination.as_ref()) => {}
            }
        }
    }
}

struct Terminals {
    program: PathBuf,
    sessions: Sessions,
}

impl Terminals {
    /// Tells `destination` what moved in the terminals of `town`.
    async fn ask(&mut self, town: &Path, destination: &dyn Destination) {
        let name = socket_name(town);
        let sockets = BTreeSet::from([None, Some(GAS_TOWN_SOCKET), name.as_deref()]);
        let mut events = Vec::new();
        let rigs = Rigs::of(town);
        for socket in sockets {
            let answer = command::sessions(&self.program, socket, PATIENCE).await.unwrap_or_default();
            events.extend(self.sessions.news(&answer, &rigs));
        }
        if events.is_empty() {
            return;
        }
        if let Err(error) = destination.take(Batch { events, ..Batch::default() }).await {
            tracing::debug!(%error, "what moves in terminals was not taken");
            self.sessions.forget();
        }
    }
}

/// A town's name as a socket's: small letters, digits and dashes.
fn socket_name(town: &Path) -> Option<String> {
    let name = town.file_name()?.to_string_lossy().to_lowercase();
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    (!plain.is_empty()).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::source::beads::Issues;
    use crate::source::gas_town::Town;
    use crate::source::kept::Kept;
    use crate::source::registry::Root;

    /// A town, and a program that stands in for tmux.
    fn town(script: &str) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let town = folder.path().join("My_Town");
        std::fs::create_dir_all(town.join("mayor")).unwrap();
        std::fs::write(town.join("mayor/town.json"), "{}").unwrap();
        std::fs::write(town.join(".events.jsonl"), "").unwrap();
        std::fs::write(town.join("mayor/rigs.json"), r#"{"rigs":{"gastown":{"beads":{"prefix":"gt"}}}}"#).unwrap();
        let program = folder.path().join("tmux");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, town, program)
    }

    async fn asked(program: PathBuf, town: &Path) -> Vec<String> {
        let kept = Kept::default();
        let mut terminals = Terminals { program, sessions: Sessions::default() };
        terminals.ask(town, &kept).await;
        terminals.ask(town, &kept).await;
        let mut agents: Vec<String> =
            kept.events().iter().map(|event| event.agent.as_ref().unwrap().to_string()).collect();
        agents.sort();
        agents
    }

    #[tokio::test]
    async fn every_socket_of_a_town_is_asked_and_each_sign_is_told_once() {
        let script = r#"case "$*" in
            "list-sessions -F #{session_name}|#{window_activity}") echo "gt-usual|1772000000";;
            "-L gt list-sessions -F #{session_name}|#{window_activity}") echo "gt-own|1772000000"; echo "notes|1772000000";;
            "-L my-town list-sessions -F #{session_name}|#{window_activity}") echo "gt-named|1772000000";;
            *) exit 1;;
        esac"#;
        let (_folder, town, program) = town(script);
        assert_eq!(asked(program, &town).await, ["named", "own", "usual"]);
    }

    #[tokio::test]
    async fn without_tmux_or_with_one_that_fails_nothing_is_told() {
        let (folder, town, program) = town("echo 'gt-toast|1772000000'; exit 1");
        assert!(asked(program, &town).await.is_empty());
        assert!(asked(folder.path().join("none"), &town).await.is_empty());
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_not_waited_for() {
        let (_folder, _town, program) = town("exec sleep 60");
        let begun = std::time::Instant::now();
        assert_eq!(command::sessions(&program, None, Duration::from_millis(200)).await, None);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let (_folder, _town, endless) = town("exec yes 'gt-toast|1772000000'");
        assert_eq!(command::sessions(&endless, None, Duration::from_secs(20)).await, None);
    }

    #[test]
    fn only_gas_towns_that_are_watched_have_terminals() {
        let (_folder, town, _program) = town("exit 1");
        let root = |source, path: PathBuf| Root { source, path };
        let watched =
            Roots::named(vec![root(&Town, town.join(".events.jsonl")), root(&Issues, town.join(".beads/x.jsonl"))]);
        assert_eq!(gas_town::watched(&watched), BTreeSet::from([town.clone()]));
        assert!(gas_town::watched(&Roots::named(vec![root(&Issues, town.join(".beads/x.jsonl"))])).is_empty());
        assert_eq!(socket_name(&town).as_deref(), Some("my-town"));
    }
}
