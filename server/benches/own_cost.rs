//! P7: what the monitor itself costs: an idle town, and one at 100 events a second with one tab open and with fifty.
//!
//! Charged with the CPU time that the kernel counts for the server and for its Postgres. Tabs are links as a browser holds
//! them: they say that somebody looks, so that hosts are sampled fast, and read every frame.

mod rig;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use model::Timestamp;
use rig::Server;
use rig::comparison::Comparison;

/// Time until a fresh server has made its schema and its partitions.
const SETTLE: Duration = Duration::from_secs(5);
const MANY_TABS: usize = 50;
/// Events of a post, ten posts a second.
const PER_POST: usize = 10;
const POST_EVERY: Duration = Duration::from_millis(100);
/// `{"type":"look"}` as a client's frame, masked with zeros.
const LOOK: &[u8] = b"\x81\x8f\0\0\0\0{\"type\":\"look\"}";

fn main() -> anyhow::Result<()> {
    let rounds: usize = std::env::var("TOWNGAUGE_BENCH_ROUNDS").ok().map_or(Ok(3), |n| n.parse())?;
    let measure = Duration::from_secs(if rounds < 3 { 5 } else { 15 });
    let server = Server::start(rig::data_folder("own-cost")?)?;
    sleep(SETTLE);
    let (mut idle, mut one, mut many, mut memory) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        idle.push(load_percent(&server, measure)?);
    }
    let ended = Arc::new(AtomicBool::new(false));
    let sender = send(&server.address, &ended);
    for round in 0..rounds {
        for (tabs, figures) in [(1, &mut one), (MANY_TABS, &mut many)] {
            let open = open(&server.address, tabs)?;
            sleep(Duration::from_secs(2));
            figures.push(load_percent(&server, measure)?);
            drop(open);
        }
        memory.push(resident_mib(server.pid())?);
        eprintln!(
            "round {round}: idle {:.2} % of a core, one tab {:.2} %, {MANY_TABS} tabs {:.2} %, {:.1} MiB",
            idle[round], one[round], many[round], memory[round]
        );
    }
    ended.store(true, Ordering::Relaxed);
    let sent = sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
    eprintln!("{sent} events were stored meanwhile");
    let row = |what: &str, unit, limit: &[f64], ours: &[f64], wanted| {
        Comparison { target: "P7", what, unit, limit, peer: &[], ours, wanted }.print();
    };
    row("idle, with Postgres", "% of a core", &[1.0], &idle, "≤ 1");
    row("resident memory without Postgres", "MiB", &[100.0], &memory, "≤ 1");
    row("100 events/s: fifty tabs, of one tab", "% of a core", &one, &many, "≤ 1.5");
    Ok(())
}

/// The share of a core that server and Postgres take for so long, in percent.
fn load_percent(server: &Server, measure: Duration) -> anyhow::Result<f64> {
    let (begun, before) = (Instant::now(), cpu_s(server)?);
    sleep(measure);
    Ok((cpu_s(server)? - before) / begun.elapsed().as_secs_f64() * 100.0)
}

/// CPU seconds of the server and of its Postgres so far, ended backends included.
fn cpu_s(server: &Server) -> anyhow::Result<f64> {
    let postmaster = std::fs::read_to_string(server.data.join("postgres/postmaster.pid"))?;
    let postmaster: u32 = postmaster.lines().next().context("postmaster.pid is empty")?.parse()?;
    let mut ticks = 0;
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(stat) = Stat::read(&path) else { continue };
        if stat.pid == server.pid() || stat.pid == postmaster || stat.parent == postmaster {
            ticks += stat.ticks;
        }
        if stat.pid == postmaster {
            ticks += stat.ended_ticks;
        }
    }
    Ok(f64::from(u32::try_from(ticks)?) / 100.0)
}

/// Of a process: who it is, and its CPU time in hundredths of a second.
struct Stat {
    pid: u32,
    parent: u32,
    ticks: u64,
    ended_ticks: u64,
}

impl Stat {
    fn read(folder: &Path) -> Option<Self> {
        let pid = folder.file_name()?.to_str()?.parse().ok()?;
        let text = std::fs::read_to_string(folder.join("stat")).ok()?;
        // Behind the name, which may contain spaces: state, parent, …; times are fields 14 to 17 of the whole line.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
        Some(Self {
            pid,
            parent: u32::try_from(number(1)?).ok()?,
            ticks: number(11)? + number(12)?,
            ended_ticks: number(13)? + number(14)?,
        })
    }
}

fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// Open tabs; closed when dropped.
struct Tabs {
    sockets: Vec<TcpStream>,
    readers: Vec<JoinHandle<()>>,
}

impl Drop for Tabs {
    fn drop(&mut self) {
        for socket in &self.sockets {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

fn open(address: &str, count: usize) -> anyhow::Result<Tabs> {
    let mut tabs = Tabs { sockets: Vec::new(), readers: Vec::new() };
    for _ in 0..count {
        let mut socket = TcpStream::connect(address)?;
        write!(
            socket,
            "GET /live?town=home HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )?;
        let mut head = [0; 12];
        socket.read_exact(&mut head)?;
        anyhow::ensure!(head.ends_with(b"101"), "the server answered {}", String::from_utf8_lossy(&head));
        socket.write_all(LOOK)?;
        let mut reader = socket.try_clone()?;
        tabs.sockets.push(socket);
        tabs.readers.push(std::thread::Builder::new().stack_size(128 << 10).spawn(move || {
            let mut bytes = vec![0; 64 << 10];
            while reader.read(&mut bytes).is_ok_and(|read| read > 0) {}
        })?);
    }
    Ok(tabs)
}

/// Sends 100 events a second until told to end; says how many.
fn send(address: &str, ended: &Arc<AtomicBool>) -> JoinHandle<anyhow::Result<usize>> {
    let (address, ended) = (address.to_owned(), Arc::clone(ended));
    std::thread::spawn(move || {
        let mut socket = TcpStream::connect(&address)?;
        let (mut sent, mut due) = (0, Instant::now());
        while !ended.load(Ordering::Relaxed) {
            let body = body(sent)?;
            write!(
                socket,
                "POST /api/ingest?town=home HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            )?;
            let mut answer = vec![0; 16 << 10];
            let read = socket.read(&mut answer)?;
            let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
            anyhow::ensure!(answer.starts_with("HTTP/1.1 200"), "ingest answered {answer}");
            sent += PER_POST;
            due += POST_EVERY;
            sleep(due.saturating_duration_since(Instant::now()));
        }
        Ok(sent)
    })
}

fn body(first: usize) -> anyhow::Result<String> {
    let now_us = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let ts = Timestamp(i64::try_from(now_us)?).to_string();
    let events: Vec<serde_json::Value> = (first..first + PER_POST)
        .map(|n| {
            serde_json::json!({
                "type": "model_call", "ts": ts, "id": format!("p7-{n}"), "rig": "gastown", "role": "polecat",
                "agent": format!("agent-{}", n % 12), "model": "claude-sonnet-4-6", "input_tokens": 1_200, "output_tokens": 300,
            })
        })
        .collect();
    Ok(serde_json::Value::Array(events).to_string())
}
