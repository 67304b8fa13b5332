//! What the benchmarks share: a real server in its own process, and the report line.

pub mod comparison;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// An empty data folder for a server.
pub fn data_folder(name: &str) -> anyhow::Result<PathBuf> {
    let data = std::env::temp_dir().join(format!("towngauge-bench-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&data)?;
    Ok(data)
}

/// A `towngauge serve` of its own, on a port of its own. Stopped when dropped.
pub struct Server {
    child: Child,
    /// Such as `127.0.0.1:41234`.
    pub address: String,
    /// Its data folder.
    pub data: PathBuf,
}

impl Server {
    /// Starts the server on a data folder, which goes with it, and waits for its address.
    pub fn start(data: PathBuf) -> anyhow::Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_towngauge"))
            .args(["serve", "--listen", "127.0.0.1:0", "--no-watch", "--data-dir"])
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().context("the server has no output")?;
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            if let Some((_, address)) = line.split_once("http://") {
                return Ok(Self { child, address: address.trim_end_matches('/').trim().to_owned(), data });
            }
        }
        let _ = child.kill();
        bail!("the server ended before it named its address")
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        let patience = Instant::now();
        while patience.elapsed() < Duration::from_secs(20) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
