//! Running `git`, for reading only: bounded in time and size, and without running anything that a repository's
//! configuration names.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest line that is looked at; what is longer is cut, which no number or hash is.
const MAX_LINE_BYTES: u64 = 4 << 10;
/// What is looked at of what git complains.
const MAX_COMPLAINT_BYTES: u64 = 4 << 10;

/// Why git could not read a repository. None of it names a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// No such program.
    #[error("git is not installed, or not on the PATH of this process: commits are not counted")]
    Missing,
    /// The folder is another user's.
    #[error(
        "git refuses a repository that belongs to another user; if you trust it: git config --global --add \
         safe.directory FOLDER"
    )]
    Refused,
    /// Not there any more, or damaged.
    #[error("git finds no repository there")]
    NoRepository,
    /// It took too long.
    #[error("git took longer than it may: the new commits are read in ten minutes, or by \"towngauge backfill git\"")]
    Late,
    /// Something else; the log says what.
    #[error("git cannot read the repository")]
    Failed,
}

/// Settings that hold whatever the repository's own say: they could name programs to be run, or change what is counted.
const SETTINGS: [&str; 8] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "log.showSignature=false",
    "log.showRoot=true",
    "diff.renames=true",
    "diff.renameLimit=1000",
    "protocol.allow=never",
];

/// The git of one repository.
#[derive(Debug, Clone, Copy)]
pub(super) struct Git<'a> {
    /// The repository's own folder (`.git`, or a bare repository).
    pub folder: &'a Path,
    /// How long one command may take.
    pub patience: Duration,
}

impl Git<'_> {
    /// Runs a command and hands out its lines, until `take` says `false`.
    pub(super) fn lines(&self, arguments: &[&str], take: &mut dyn FnMut(&str) -> bool) -> Result<(), GitError> {
        let mut child = match self.command(arguments).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(GitError::Missing),
            Err(error) => {
                tracing::warn!(%error, "git cannot be started");
                return Err(GitError::Failed);
            }
        };
        let (Some(output), Some(complaints)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(GitError::Failed);
        };
        let complaining = std::thread::spawn(move || {
            let mut said = Vec::new();
            let mut complaints = complaints;
            let _ = complaints.by_ref().take(MAX_COMPLAINT_BYTES).read_to_end(&mut said);
            // What is more is read all the same, so that git does not wait for a reader.
            let _ = std::io::copy(&mut complaints, &mut std::io::sink());
            String::from_utf8_lossy(&said).into_owned()
        });
        let child = Arc::new(Mutex::new(child));
        let (done, finished) = sync_channel::<()>(0);
        let (watched, patience) = (Arc::clone(&child), self.patience);
        let watching = std::thread::spawn(move || {
            let is_late = finished.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
            if is_late {
                kill(&watched);
            }
            is_late
        });
        let wanted = hand_out(BufReader::new(output), take);
        if !wanted {
            kill(&child);
        }
        drop(done);
        let is_late = watching.join().unwrap_or(false);
        let status = child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        let said = complaining.join().unwrap_or_default();
        match status {
            _ if is_late => Err(GitError::Late),
            _ if !wanted => Ok(()),
            Ok(status) if status.success() => Ok(()),
            _ => Err(complaint(&said)),
        }
    }

    /// The first line of a command's output; none when there is none, or git says no.
    pub(super) fn first(&self, arguments: &[&str]) -> Result<Option<String>, GitError> {
        let mut first = None;
        let ran = self.lines(arguments, &mut |line| {
            first = Some(line.to_owned());
            false
        });
        match ran {
            Ok(()) => Ok(first),
            Err(GitError::Failed) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        // Nothing of this process's environment but what git needs to find itself and its owner's settings, among which
        // are the repositories that the owner trusts.
        command.env_clear();
        for name in ["PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"]
        {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            // A partial clone must not fetch what is missing.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "none");
        // The repository is this folder, not one that is above it. It is found and not named, because git then looks
        // whether it is its owner's.
        if let Some(above) = self.folder.parent() {
            command.env("GIT_CEILING_DIRECTORIES", above);
        }
        command.arg("--no-pager").arg("-C").arg(self.folder);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn kill(child: &Arc<Mutex<Child>>) {
    // It may have ended by itself.
    let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
}

/// Whether all lines were wanted.
fn hand_out(mut output: impl std::io::BufRead, take: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut line = Vec::new();
    loop {
        line.clear();
        match output.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return true,
            Ok(_) => {}
        }
        if line.last() != Some(&b'\n') {
            // Cut: the rest of it says nothing.
            let _ = output.skip_until(b'\n');
        }
        if !take(String::from_utf8_lossy(&line).trim_end_matches('\n')) {
            return false;
        }
    }
}

fn complaint(said: &str) -> GitError {
    if said.contains("dubious ownership") || said.contains("safe.bareRepository") {
        GitError::Refused
    } else if said.contains("not a git repository") {
        GitError::NoRepository
    } else {
        tracing::debug!(said, "git failed");
        GitError::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_and_the_next_one_is_whole() {
        let text = format!("{}\nnext\nlast", "x".repeat(10_000));
        let mut lines = Vec::new();
        assert!(hand_out(text.as_bytes(), &mut |line| {
            lines.push(line.to_owned());
            true
        }));
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [4_096, 4, 4]);
        assert!(!hand_out(text.as_bytes(), &mut |_| false));
    }

    #[test]
    fn what_git_says_is_told_in_words_without_paths() {
        let refused = "fatal: detected dubious ownership in repository at '/home/secret/app'";
        assert_eq!(complaint(refused), GitError::Refused);
        assert!(!complaint(refused).to_string().contains("secret"));
        assert_eq!(complaint("fatal: not a git repository: x"), GitError::NoRepository);
        assert_eq!(complaint("fatal: bad object"), GitError::Failed);
    }
}
