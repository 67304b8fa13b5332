//! What the benchmarks share: a real server in its own process, its CPU and memory, medians, and the report line.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// A `towngauge serve` of its own, on a port of its own, with an empty data folder. Stopped when dropped.
pub struct Server {
    child: Child,
    /// Such as `127.0.0.1:41234`.
    pub address: String,
    /// Its data folder.
    pub data: PathBuf,
}

impl Server {
    /// Starts the server and waits for its address.
    pub fn start(name: &str) -> anyhow::Result<Self> {
        let data = std::env::temp_dir().join(format!("towngauge-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&data)?;
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

/// The middle of the figures.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// How far the figures lie apart: (largest − smallest) / median.
pub fn spread(figures: &[f64]) -> f64 {
    let (low, high) = figures.iter().fold((f64::MAX, f64::MIN), |(low, high), f| (low.min(*f), high.max(*f)));
    (high - low) / median(figures)
}

/// One measured quantity of limit, peer and ours. Figures are of one unit; `lower_is_better` tells how to read them.
pub struct Comparison<'a> {
    /// Target's number in the performance notes, such as `P4`.
    pub target: &'a str,
    /// What was measured.
    pub what: &'a str,
    /// Unit of the figures.
    pub unit: &'a str,
    /// The limit's figures, one per repetition.
    pub limit: &'a [f64],
    /// A comparable tool's figures; empty when it could not be run.
    pub peer: &'a [f64],
    /// Ours.
    pub ours: &'a [f64],
    /// What the ratio ours / limit must satisfy, in words.
    pub wanted: &'a str,
}

impl Comparison<'_> {
    /// Prints a table row for people on stderr and a line of JSON for `cargo xtask bench` on stdout. Does not judge
    /// when the limit itself varied by more than a quarter.
    pub fn print(&self) {
        let (limit, ours) = (median(self.limit), median(self.ours));
        let ratio = ours / limit;
        let steady = self.limit.len() < 2 || spread(self.limit) <= 0.25;
        let peer = if self.peer.is_empty() { "–".to_owned() } else { format!("{:.3}", median(self.peer)) };
        eprintln!(
            "{:4} {:44} limit {limit:>12.3}  peer {peer:>12}  ours {ours:>12.3} {:12} ratio {ratio:.3} (wanted {}){}",
            self.target,
            self.what,
            self.unit,
            self.wanted,
            if steady { "" } else { "  NOT JUDGED: the limit varied by more than 25 %" }
        );
        let json = serde_json::json!({
            "target": self.target, "what": self.what, "unit": self.unit, "limit": self.limit, "peer": self.peer,
            "ours": self.ours, "ratio": ratio, "wanted": self.wanted, "limit_spread": spread(self.limit), "judged": steady,
        });
        println!("{json}");
    }
}
