//! Which processes use a data folder. Three files, locked with flock, which the system releases however a process ends:
//!
//! - `serve.lock`: the server, alone.
//! - `use.lock`: shared by every process that uses the cluster; who is alone with it at the end stops Postgres.
//! - `start.lock`: held while Postgres is started or stopped, so that nobody does it twice.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::ClusterError;

/// A lock that is held until dropped.
pub(super) type Lock = Flock<File>;

/// How long a start or stop of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long somebody who only asks for a lock may have it.
const ASKING: Duration = Duration::from_millis(20);

/// Takes `serve.lock` for this process.
pub(super) fn serve(folder: &Path) -> Result<Lock, ClusterError> {
    let path = folder.join("serve.lock");
    let mut attempted = attempt(open(&path)?, FlockArg::LockExclusiveNonblock, &path)?;
    if let Err(file) = attempted {
        // A command may be asking just now whether there is a server (`is_served`), which takes no time.
        std::thread::sleep(ASKING);
        attempted = attempt(file, FlockArg::LockExclusiveNonblock, &path)?;
    }
    match attempted {
        Ok(mut lock) => {
            let io = |error| ClusterError::Io { path: path.clone(), error };
            lock.set_len(0).map_err(io)?;
            lock.rewind().map_err(io)?;
            writeln!(&*lock, "{} towngauge serve", std::process::id()).map_err(io)?;
            Ok(lock)
        }
        Err(mut file) => {
            let mut said = String::new();
            let _unreadable_is_empty = file.read_to_string(&mut said);
            let (pid, what) = said.trim().split_once(' ').unwrap_or(("0", "another process"));
            Err(ClusterError::Held { pid: pid.parse().unwrap_or(0), what: what.to_owned() })
        }
    }
}

/// Whether a server holds `serve.lock` now.
pub(super) fn is_served(folder: &Path) -> bool {
    let path = folder.join("serve.lock");
    // Shared, and let go of at once: two commands that ask are not each other's server.
    open(&path).and_then(|file| attempt(file, FlockArg::LockSharedNonblock, &path)).is_ok_and(|lock| lock.is_err())
}

/// Joins those who use the cluster.
pub(super) fn join(folder: &Path) -> Result<Lock, ClusterError> {
    let path = folder.join("use.lock");
    // Held exclusively only by who stops Postgres, under `start.lock`, which the caller holds.
    match attempt(open(&path)?, FlockArg::LockSharedNonblock, &path)? {
        Ok(lock) => Ok(lock),
        Err(_) => Err(ClusterError::Io { path, error: std::io::ErrorKind::WouldBlock.into() }),
    }
}

/// Leaves those who use the cluster. True when nobody is left; then `start.lock` must be held until Postgres stopped.
pub(super) fn leave(folder: &Path, lock: Lock) -> Result<bool, ClusterError> {
    drop(lock);
    let path = folder.join("use.lock");
    Ok(attempt(open(&path)?, FlockArg::LockExclusiveNonblock, &path)?.is_ok())
}

/// Waits for `start.lock`.
pub(super) async fn start(folder: &Path) -> Result<Lock, ClusterError> {
    let path = folder.join("start.lock");
    let mut file = open(&path)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        file = match attempt(file, FlockArg::LockExclusiveNonblock, &path)? {
            Ok(lock) => return Ok(lock),
            Err(_) if Instant::now() > deadline => {
                return Err(ClusterError::Io { path, error: std::io::ErrorKind::TimedOut.into() });
            }
            Err(file) => file,
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn attempt(file: File, how: FlockArg, path: &Path) -> Result<Result<Lock, File>, ClusterError> {
    match Flock::lock(file, how) {
        Ok(lock) => Ok(Ok(lock)),
        Err((file, Errno::EWOULDBLOCK)) => Ok(Err(file)),
        Err((_, error)) => Err(ClusterError::Io { path: path.to_owned(), error: error.into() }),
    }
}

fn open(path: &Path) -> Result<File, ClusterError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|error| ClusterError::Io { path: path.to_owned(), error })
}
