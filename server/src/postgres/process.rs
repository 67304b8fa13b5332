//! Starting, adopting and stopping the Postgres of one cluster.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::ClusterError;
use super::binaries::Binaries;
use super::place::{Place, io};
use super::settings;
use crate::db::ConnectOptions;
use crate::db::admin::{Answer, probe};

/// Recovery after a crash replays at most a checkpoint's worth of WAL.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// A process that holds the pid file but does not answer may be another program that got an old number.
const ADOPT_PATIENCE: Duration = Duration::from_secs(3);
const STOP_PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(25);
/// A log beyond this is begun anew at a start.
const LOG_BYTES: u64 = 8 << 20;

/// A running Postgres.
#[derive(Debug)]
pub(super) struct Running {
    pid: Pid,
    /// Set when this process started it, and then must reap it.
    child: Option<Child>,
}

/// Makes the cluster. Takes its name only when it is complete, so a crash in between leaves nothing half made.
pub(super) async fn init(place: &Place, binaries: &Binaries, sync: bool) -> Result<(), ClusterError> {
    let unfinished = place.cluster.with_file_name("postgres.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(|error| io(&unfinished, error))?;
    }
    fs::create_dir(&unfinished).map_err(|error| io(&unfinished, error))?;
    place.own(&unfinished)?;
    let mut command = command(place, &binaries.initdb());
    // trust: the socket's folder lets in nobody but the account itself (and root).
    command.args(["--username=towngauge", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
    if !sync {
        command.arg("--no-sync");
    }
    command.arg("-D").arg(&unfinished).stdin(Stdio::null());
    let output = command.output().await.map_err(|error| io(&binaries.initdb(), error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(ClusterError::Program { program: "initdb", output: last_lines(&said) });
    }
    fs::rename(&unfinished, &place.cluster).map_err(|error| io(&place.cluster, error))
}

/// Adopts the Postgres that runs, if one does and answers at once.
pub(super) async fn adopt(place: &Place, options: &ConnectOptions) -> Option<Running> {
    let pid = written_pid(&place.cluster).filter(|pid| is_alive(*pid))?;
    (probe(options).await == Answer::Ready).then_some(Running { pid, child: None })
}

/// Adopts the Postgres that runs, or starts it, and waits until it answers.
pub(super) async fn ensure(
    place: &Place,
    binaries: &Binaries,
    options: &ConnectOptions,
    extra: &str,
) -> Result<Running, ClusterError> {
    let deadline = Instant::now() + START_PATIENCE;
    let mut adopt_until = Instant::now() + ADOPT_PATIENCE;
    let mut backoff = Duration::from_millis(100);
    loop {
        if let Some(pid) = written_pid(&place.cluster).filter(|pid| is_alive(*pid)) {
            match probe(options).await {
                Answer::Ready => return Ok(Running { pid, child: None }),
                // Recovering or stopping: it will be ready or gone.
                Answer::Busy if Instant::now() < deadline => {
                    adopt_until = Instant::now() + ADOPT_PATIENCE;
                    tokio::time::sleep(STEP).await;
                    continue;
                }
                Answer::Absent if Instant::now() < adopt_until => {
                    tokio::time::sleep(STEP).await;
                    continue;
                }
                _ => {}
            }
        }
        match start(place, binaries, options, extra, deadline).await {
            Ok(running) => return Ok(running),
            // The backends of a killed Postgres need a moment to go, and keep its shared memory until then.
            Err(ClusterError::Program { .. }) if Instant::now() + backoff < deadline && crashed_lately(place) => {
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(Duration::from_secs(2));
            }
            Err(error) => return Err(error),
        }
    }
}

async fn start(
    place: &Place,
    binaries: &Binaries,
    options: &ConnectOptions,
    extra: &str,
    deadline: Instant,
) -> Result<Running, ClusterError> {
    let conf = place.cluster.join("postgresql.conf");
    fs::write(&conf, settings::render(place, extra)).map_err(|error| io(&conf, error))?;
    let log_path = place.log();
    let begin_anew = fs::metadata(&log_path).is_ok_and(|meta| meta.len() > LOG_BYTES);
    let mut log_options = OpenOptions::new();
    log_options.create(true);
    if begin_anew {
        log_options.write(true).truncate(true)
    } else {
        log_options.append(true)
    };
    let log = log_options.open(&log_path).map_err(|error| io(&log_path, error))?;
    let log_too = log.try_clone().map_err(|error| io(&log_path, error))?;

    let mut command = command(place, &binaries.postgres());
    command.arg("-D").arg(&place.cluster).stdin(Stdio::null()).stdout(log).stderr(log_too);
    // Its own process group: Ctrl-C in our terminal is ours to handle, and it outlives us when others use it.
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| io(&binaries.postgres(), error))?;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| io(&binaries.postgres(), error))? {
            tracing::debug!(%status, "postgres ended while starting");
            return Err(ClusterError::Program { program: "postgres", output: log_end(&log_path) });
        }
        if probe(options).await == Answer::Ready {
            let pid = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
            if let Some(pid) = pid {
                return Ok(Running { pid, child: Some(child) });
            }
        }
        if Instant::now() > deadline {
            let seconds = START_PATIENCE.as_secs();
            return Err(ClusterError::Silent { seconds, last: log_end(&log_path), log: log_path });
        }
        tokio::time::sleep(STEP).await;
    }
}

impl Running {
    /// Returns when it is gone.
    pub(super) async fn ended(&mut self) {
        match &mut self.child {
            Some(child) => {
                let _status_is_in_its_log = child.wait().await;
            }
            None => {
                while is_alive(self.pid) {
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }

    /// Fast shutdown: sessions are ended, what is committed is written, and nothing has to be recovered.
    pub(super) async fn stop(mut self) {
        for signal in [Signal::SIGINT, Signal::SIGQUIT] {
            if kill(self.pid, signal).is_err() {
                return;
            }
            if tokio::time::timeout(STOP_PATIENCE, self.ended()).await.is_ok() {
                return;
            }
            tracing::warn!(pid = self.pid.as_raw(), "postgres takes long to stop");
        }
    }
}

/// What glibc's allocator is told in the cluster's processes: to keep what they gave back. Each transaction of the writer would
/// otherwise ask the kernel for the same megabytes anew, a twentieth of what it costs (P1).
const KEEP_MEMORY: [(&str, &str); 2] = [("MALLOC_TRIM_THRESHOLD_", "67108864"), ("MALLOC_MMAP_THRESHOLD_", "33554432")];

/// A command that runs as the cluster's account, in a folder it can enter, without our environment.
fn command(place: &Place, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(KEEP_MEMORY);
    command.current_dir("/").kill_on_drop(false);
    if let Some(account) = place.account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

fn written_pid(cluster: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok().map(Pid::from_raw)
}

fn is_alive(pid: Pid) -> bool {
    !matches!(kill(pid, None), Err(Errno::ESRCH))
}

fn crashed_lately(place: &Place) -> bool {
    let end = log_end(&place.log());
    end.contains("pre-existing shared memory block")
        || end.contains("is another postmaster")
        || end.contains("lock file")
}

fn log_end(log: &Path) -> String {
    last_lines(&String::from_utf8_lossy(&fs::read(log).unwrap_or_default()))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" | ")
}
