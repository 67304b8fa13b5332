//! Runs one command as a visible step: progress while it runs, a log file, and on failure its output and what to do next.

use crate::{context::Context, progress::Task};
use anyhow::{Context as _, Result, bail};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

const TAIL_LINES: usize = 60;
const POLL: Duration = Duration::from_millis(40);
const CANCELLED: &str = "stopped, because another step failed";
/// Lines that wait to be logged; a command that writes faster than that waits.
const LINES_IN_FLIGHT: usize = 1024;

/// A command, how to call it, and what to tell a person when it fails.
pub struct Step {
    name: String,
    command: Command,
    hint: String,
    shown: Shown,
    timeout: Option<Duration>,
}

/// How much of the output a failure prints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Tail,
    Whole,
}

/// A step that succeeded.
pub struct Finished {
    pub output: String,
}

/// A step that did not.
#[derive(Debug)]
pub struct Failed {
    name: String,
    reason: String,
    stopped: bool,
    hint: String,
    log: PathBuf,
    /// What the command printed, for those who count tests in it.
    pub output: String,
}

impl std::error::Error for Failed {}

impl Failed {
    /// Another step's failure ended this one.
    pub fn was_stopped(&self) -> bool {
        self.stopped
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}. {} (full output: {})", self.name, self.reason, self.hint, self.log.display())
    }
}

impl Step {
    pub fn new(name: impl Into<String>, command: Command) -> Self {
        Self { name: name.into(), command, hint: String::new(), shown: Shown::Tail, timeout: None }
    }

    /// What to do when it fails, as a sentence.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// For test runners: a failure in the middle of the output must not be cut off.
    pub fn show_whole_output(mut self) -> Self {
        self.shown = Shown::Whole;
        self
    }

    /// For a step whose failure is expected on some machines and has another way round.
    pub fn quiet_failure(mut self) -> Self {
        self.shown = Shown::Nothing;
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub fn run(self, context: &Context) -> Result<Finished> {
        Ok(self.try_run(context)??)
    }

    /// The outer error: it could not even be started. The inner one: it ran and failed.
    pub fn try_run(mut self, context: &Context) -> Result<Result<Finished, Failed>> {
        let log = context.work().join(format!("{}.log", slug(&self.name)));
        let task = context.progress.start(&self.name);
        let program = self.command.get_program().to_string_lossy().into_owned();
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().with_context(|| {
            format!("{}: cannot start `{program}`. Is it installed and on PATH? {}", self.name, self.hint)
        })?;

        let stop = || context.progress.is_cancelled().then(|| CANCELLED.to_owned());
        let (output, ended) = follow(&mut child, &task, &log, stop, self.timeout)?;
        let reason = match ended {
            Ended::Exit(status) if status.success() => {
                task.done("");
                return Ok(Ok(Finished { output }));
            }
            Ended::Exit(status) => format!("{program} ended with {status}"),
            Ended::Stopped(reason) => reason,
        };

        task.failed();
        let stopped = reason == CANCELLED;
        if self.shown != Shown::Nothing && !stopped {
            let lines: Vec<&str> = output.lines().filter(|line| !is_routine(line)).collect();
            let from = if self.shown == Shown::Tail { lines.len().saturating_sub(TAIL_LINES) } else { 0 };
            context.progress.say(&lines[from..].join("\n"));
        }
        Ok(Err(Failed {
            name: self.name,
            reason,
            stopped,
            hint: self.hint,
            log: relative(&log, &context.root),
            output,
        }))
    }
}

enum Ended {
    Exit(ExitStatus),
    Stopped(String),
}

/// Reads both streams, line by line, into the log and the returned text, until the command ends or is stopped.
fn follow(
    child: &mut Child,
    task: &Task,
    log: &Path,
    stop: impl Fn() -> Option<String>,
    timeout: Option<Duration>,
) -> Result<(String, Ended)> {
    let started = Instant::now();
    let mut file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let (sender, receiver) = mpsc::sync_channel::<String>(LINES_IN_FLIGHT);
    for stream in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
    }
    drop(sender);

    let mut output = String::new();
    let mut take = |line: String| -> Result<()> {
        writeln!(file, "{line}")?;
        task.note(&line);
        output.push_str(&line);
        output.push('\n');
        Ok(())
    };
    // Not until the pipes close: a daemon that a command leaves behind may hold them open for ever.
    let ended = loop {
        match receiver.recv_timeout(POLL) {
            Ok(line) => take(line)?,
            Err(mpsc::RecvTimeoutError::Disconnected) => break Ended::Exit(child.wait()?),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if let Some(status) = child.try_wait()? {
                    break Ended::Exit(status);
                }
            }
        }
        let late = timeout.filter(|limit| started.elapsed() > *limit);
        let reason = late.map(|limit| format!("no result within {} s", limit.as_secs())).or_else(&stop);
        if let Some(reason) = reason {
            child.kill()?;
            child.wait()?;
            break Ended::Stopped(reason);
        }
    };
    while let Ok(line) = receiver.recv_timeout(POLL) {
        take(line)?;
    }
    Ok((output, ended))
}

/// What cargo and nextest say of things that went well; the log has it all.
fn is_routine(line: &str) -> bool {
    let line = line.trim_start();
    ["Compiling ", "Checking ", "Downloaded ", "PASS ["].iter().any(|start| line.starts_with(start))
}

fn boxed(stream: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(stream)
}

/// Runs a quick command without showing it, and gives its stdout.
pub fn capture(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{program}`"))?;
    if !output.status.success() {
        bail!("`{program}` ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn relative(path: &Path, root: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().map(|character| character.to_ascii_lowercase()) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_not_buried_under_what_went_well() {
        assert!(is_routine("   Compiling leptos v0.8.23"));
        assert!(is_routine("        PASS [   0.005s] ( 1/27) xtask cargo::tests::x"));
        assert!(!is_routine("error: could not compile `server`"));
        assert!(!is_routine("        FAIL [   0.005s] ( 1/27) xtask cargo::tests::x"));
    }

    #[test]
    fn a_log_file_is_named_after_its_step() {
        assert_eq!(slug("clippy (wasm)"), "clippy-wasm");
        assert_eq!(slug("Debian packages: lld-22"), "debian-packages-lld-22");
    }
}
