//! A `towngauge serve` on a port and a data folder of its own, ended by its process id.

use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// A folder that goes with its owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("towngauge-bench-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        // Started as root, the server runs Postgres as another user, who must get through here.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the server keeps its data.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Serving {
    child: Child,
    /// Such as `127.0.0.1:41234`.
    pub address: String,
}

impl Serving {
    /// Starts it, and returns when `/ready` says so.
    pub fn start(binary: &Path, folder: &Folder) -> Result<Self> {
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--no-watch", "--data-dir"])
            .arg(folder.data())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdout = child.stdout.take();
        let mut serving = Self { child, address: String::new() };
        let lines = BufReader::new(stdout.context("the server has no output")?).lines().map_while(Result::ok);
        for line in lines {
            if let Some((_, address)) = line.split_once("http://") {
                address.trim().trim_end_matches('/').clone_into(&mut serving.address);
                break;
            }
        }
        if serving.address.is_empty() {
            bail!("the server ended before it was ready: run `{} serve` to see why", binary.display());
        }
        while !serving.is_ready() {
            if begun.elapsed() > START {
                bail!("the server at {} is not ready after {} s", serving.address, START.as_secs());
            }
            thread::sleep(POLL);
        }
        Ok(serving)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn is_ready(&self) -> bool {
        self.ask_ready().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    fn ask_ready(&self) -> Result<String> {
        let mut link = TcpStream::connect(&self.address)?;
        write!(link, "GET /ready HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address)?;
        let mut answer = String::new();
        link.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Serving {
    /// As on Ctrl-C, so that Postgres stops too; with force only when that does not help.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let begun = Instant::now();
        while begun.elapsed() < STOP {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
