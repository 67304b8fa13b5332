//! P4: what it costs to send one frame to 10,000 viewers four times a second.
//!
//! Limit: a process that does nothing but `send()` the same number of bytes to as many sockets. Ours: the whole
//! server, with Postgres in other processes. Both run interleaved, each against the same viewers' process, and are
//! charged the CPU time that the kernel counts for them. Peer: Node's `ws` with the same frames, where `node` and the
//! packages of end2end/bench are installed.

mod rig;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use rig::Server;
use rig::comparison::Comparison;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const TICK: Duration = Duration::from_millis(250);
const MEASURE: Duration = Duration::from_secs(10);

fn main() -> anyhow::Result<()> {
    raise_file_limit()?;
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("raw") => raw(arguments.get(2).context("bytes")?.parse()?),
        Some("viewers") => viewers(&arguments[2..]),
        _ => bench(),
    }
}

/// What one run against one sender showed.
struct Run {
    /// CPU seconds of the sender per million deliveries.
    cpu_per_million: f64,
    /// Bytes of the sender's memory per idle viewer.
    bytes_per_viewer: f64,
    /// 99th percentile of the time from encoding to arrival, milliseconds.
    p99_ms: f64,
    /// Mean frame in bytes.
    frame_bytes: f64,
}

fn bench() -> anyhow::Result<()> {
    let count: usize = std::env::var("TOWNGAUGE_BENCH_VIEWERS").ok().map_or(Ok(10_000), |n| n.parse())?;
    let rounds: usize = std::env::var("TOWNGAUGE_BENCH_ROUNDS").ok().map_or(Ok(3), |n| n.parse())?;
    let (mut limit, mut peer) = (Vec::new(), Vec::new());
    let (mut ours, mut memory, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let run = measure_ours(count)?;
        let raw = measure_loop(raw_process(run.frame_bytes)?, count, run.frame_bytes)?;
        if let Some(node) = node_process(run.frame_bytes) {
            let node = measure_loop(node, count, run.frame_bytes)?;
            eprintln!("round {round}: node ws {:.2} CPU s/M, p99 {:.1} ms", node.cpu_per_million, node.p99_ms);
            peer.push(node.cpu_per_million);
        }
        eprintln!(
            "round {round}: ours {:.2} CPU s/M, {:.0} B a viewer, p99 {:.1} ms, frame {:.0} B; raw {:.2} CPU s/M, p99 {:.1} ms",
            run.cpu_per_million, run.bytes_per_viewer, run.p99_ms, run.frame_bytes, raw.cpu_per_million, raw.p99_ms
        );
        limit.push(raw.cpu_per_million);
        ours.push(run.cpu_per_million);
        memory.push(run.bytes_per_viewer);
        p99.push(run.p99_ms);
    }
    let row = |what: &str, unit, limit: &[f64], peer: &[f64], ours: &[f64], wanted| {
        Comparison { target: "P4", what, unit, limit, peer, ours, wanted }.print();
    };
    row(&format!("fan-out to {count} viewers at 4 Hz"), "CPU s/M", &limit, &peer, &ours, "≤ 1.25");
    row("memory per idle viewer", "B", &[4096.0], &[], &memory, "≤ 1");
    row("encoded to received, p99", "ms", &[100.0], &[], &p99, "≤ 1");
    Ok(())
}

fn measure_ours(count: usize) -> anyhow::Result<Run> {
    let server = Server::start(rig::data_folder("fanout")?)?;
    post_event(&server.address, 0)?;
    let before = rss_bytes(server.pid())?;
    let mut viewers = Viewers::start(&server.address, "/live?town=home", count)?;
    let idle = rss_bytes(server.pid())?;
    // Something happens in every tick, so that every tick has a frame.
    let (cpu, stopped) = (cpu_seconds(server.pid())?, Instant::now() + MEASURE);
    viewers.begin()?;
    let mut n = 1;
    while Instant::now() < stopped {
        post_event(&server.address, n)?;
        n += 1;
        std::thread::sleep(TICK);
    }
    let seen = viewers.end()?;
    let cpu = cpu_seconds(server.pid())? - cpu;
    Ok(Run {
        cpu_per_million: cpu / seen.deliveries * 1e6,
        bytes_per_viewer: (idle.saturating_sub(before)) as f64 / count as f64,
        p99_ms: seen.p99_ms,
        frame_bytes: seen.bytes / seen.deliveries,
    })
}

fn raw_process(frame_bytes: f64) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["raw", &format!("{frame_bytes:.0}")]);
    Ok(command)
}

/// None where the packages are not installed.
fn node_process(frame_bytes: f64) -> Option<Command> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end/bench");
    folder.join("node_modules/ws").exists().then(|| {
        let mut command = Command::new("node");
        command.arg(folder.join("ws-peer.mjs")).arg(format!("{frame_bytes:.0}"));
        command
    })
}

/// Measures a process that prints its address and sends frames to whoever connects.
fn measure_loop(mut command: Command, count: usize, frame_bytes: f64) -> anyhow::Result<Run> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    let mut byte = [0];
    let mut stdout = child.stdout.take().context("no output")?;
    while stdout.read(&mut byte)? == 1 && byte[0] != b'\n' {
        address.push(char::from(byte[0]));
    }
    let mut viewers = Viewers::start(&address, "/", count)?;
    let cpu = cpu_seconds(child.id())?;
    viewers.begin()?;
    std::thread::sleep(MEASURE);
    let seen = viewers.end()?;
    let cpu = cpu_seconds(child.id())? - cpu;
    child.kill()?;
    child.wait()?;
    Ok(Run { cpu_per_million: cpu / seen.deliveries * 1e6, bytes_per_viewer: 0.0, p99_ms: seen.p99_ms, frame_bytes })
}

fn post_event(address: &str, n: u32) -> anyhow::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let at = model::Timestamp(i64::try_from(now.as_micros())?);
    let body = format!(
        r#"{{"type":"model_call","ts":"{at}","id":"bench-{n}","agent":"bench","model":"claude-haiku-4-5","input_tokens":100,"output_tokens":50}}"#
    );
    let mut link = TcpStream::connect(address)?;
    write!(
        link,
        "POST /api/ingest HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    link.read_to_string(&mut answer)?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 200"), "ingest answered {answer}");
    Ok(())
}

/// The limit: accepts, upgrades, and sends the same bytes to every socket four times a second.
fn raw(bytes: usize) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    // Accepting has a thread of its own: between the ticks of the loop each viewer would wait for the next tick.
    let (hand_over, accepted) = std::sync::mpsc::sync_channel(1_024);
    std::thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            if upgrade(socket).is_ok_and(|socket| hand_over.send(socket).is_err()) {
                return;
            }
        }
    });
    let mut sockets: Vec<TcpStream> = Vec::new();
    let mut frame = vec![b' '; bytes];
    frame[0] = 0x81;
    let header = if bytes < 126 + 2 { 2 } else { 4 };
    let length = bytes - header;
    if header == 2 {
        frame[1] = u8::try_from(length)?;
    } else {
        frame[1] = 126;
        frame[2..4].copy_from_slice(&u16::try_from(length)?.to_be_bytes());
    }
    loop {
        let tick = Instant::now();
        sockets.extend(accepted.try_iter());
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
        let stamp = format!("{{\"at\":{now},");
        frame[header..header + stamp.len()].copy_from_slice(stamp.as_bytes());
        sockets.retain_mut(|socket| match socket.write(&frame) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        });
        std::thread::sleep(TICK.saturating_sub(tick.elapsed()));
    }
}

fn upgrade(mut socket: TcpStream) -> std::io::Result<TcpStream> {
    let mut request = [0; 1024];
    let _ = socket.read(&mut request)?;
    socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")?;
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// The viewers' process, told over its input when to count.
struct Viewers {
    child: Child,
    output: std::io::BufReader<std::process::ChildStdout>,
}

/// What the viewers saw between [`Viewers::begin`] and [`Viewers::end`].
struct Seen {
    deliveries: f64,
    bytes: f64,
    p99_ms: f64,
}

impl Viewers {
    fn start(address: &str, path: &str, count: usize) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["viewers", address, path, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = std::io::BufReader::new(child.stdout.take().context("no output")?);
        let mut viewers = Self { child, output };
        viewers.line()?;
        std::thread::sleep(Duration::from_secs(3));
        Ok(viewers)
    }
    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut self.output, &mut line)?;
        anyhow::ensure!(!line.is_empty(), "the viewers' process ended");
        Ok(line)
    }
    fn begin(&mut self) -> anyhow::Result<()> {
        self.child.stdin.as_mut().context("no input")?.write_all(b"b")?;
        Ok(())
    }
    fn end(&mut self) -> anyhow::Result<Seen> {
        self.child.stdin.as_mut().context("no input")?.write_all(b"e")?;
        let line = self.line()?;
        let mut figures = line.split_whitespace().map(str::parse::<f64>);
        let mut next = || figures.next().context("short line")?.context("not a figure");
        Ok(Seen { deliveries: next()?, bytes: next()?, p99_ms: next()? })
    }
}

impl Drop for Viewers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Tally {
    counting: std::sync::atomic::AtomicBool,
    deliveries: std::sync::atomic::AtomicU64,
    bytes: std::sync::atomic::AtomicU64,
    delays_us: std::sync::Mutex<Vec<u32>>,
}

fn viewers(arguments: &[String]) -> anyhow::Result<()> {
    let address: SocketAddr = arguments.first().context("address")?.parse()?;
    let path = arguments.get(1).context("path")?.clone();
    let count: usize = arguments.get(2).context("count")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tally = std::sync::Arc::new(Tally::default());
    let counted = tally.clone();
    std::thread::spawn(move || control(&counted));
    let clocks = clock_thread(tally.clone());
    runtime.block_on(async move {
        for n in 0..count {
            let socket = connect(address, &path).await.with_context(|| format!("viewer {n}"))?;
            if n % 64 == 0 {
                clocks.send(socket.into_std()?).await?;
            } else {
                tokio::spawn(watch(socket, tally.clone(), false));
            }
        }
        println!("connected");
        std::future::pending::<()>().await;
        Ok(())
    })
}

/// The viewers whose delays are measured have a thread of their own: a real viewer does not wait until ten thousand
/// others of the same process have read.
fn clock_thread(tally: std::sync::Arc<Tally>) -> tokio::sync::mpsc::Sender<std::net::TcpStream> {
    let (sender, mut sockets) = tokio::sync::mpsc::channel::<std::net::TcpStream>(64);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async move {
            while let Some(socket) = sockets.recv().await {
                if let Ok(socket) = tokio::net::TcpStream::from_std(socket) {
                    tokio::spawn(watch(socket, tally.clone(), true));
                }
            }
            std::future::pending::<()>().await;
        });
    });
    sender
}

/// Reads begin and end from the input, and prints the tally at the end.
fn control(tally: &Tally) {
    use std::sync::atomic::Ordering::Relaxed;
    let mut byte = [0];
    while std::io::stdin().read(&mut byte).is_ok_and(|n| n == 1) {
        if byte[0] == b'b' {
            tally.counting.store(true, Relaxed);
            continue;
        }
        tally.counting.store(false, Relaxed);
        let mut delays = tally.delays_us.lock().map(|d| d.clone()).unwrap_or_default();
        delays.sort_unstable();
        let p99 = delays.get(delays.len() * 99 / 100).copied().unwrap_or(u32::MAX);
        println!("{} {} {}", tally.deliveries.load(Relaxed), tally.bytes.load(Relaxed), f64::from(p99) / 1e3);
    }
}

async fn connect(address: SocketAddr, path: &str) -> anyhow::Result<tokio::net::TcpStream> {
    let mut socket = tokio::net::TcpStream::connect(address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\norigin: http://{address}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await?;
    anyhow::ensure!(&answer == b"HTTP/1.1 101", "upgrade answered {}", String::from_utf8_lossy(&answer));
    Ok(socket)
}

/// Counts frames by their headers, without keeping them; a sample of the viewers measures the delay as well.
async fn watch(mut socket: tokio::net::TcpStream, tally: std::sync::Arc<Tally>, timed: bool) {
    use std::sync::atomic::Ordering::Relaxed;
    let mut buffer = vec![0_u8; 16 * 1024];
    loop {
        let Ok(n) = socket.read(&mut buffer).await else { return };
        if n == 0 {
            return;
        }
        if !tally.counting.load(Relaxed) {
            continue;
        }
        tally.bytes.fetch_add(n as u64, Relaxed);
        // Frames are far smaller than a segment and come a quarter of a second apart: one read, one frame.
        tally.deliveries.fetch_add(1, Relaxed);
        if timed
            && let Some(at) = stamp(&buffer[..n])
            && let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH)
            && let Ok(mut delays) = tally.delays_us.lock()
        {
            delays.push(u32::try_from(now.as_micros().saturating_sub(at)).unwrap_or(u32::MAX));
        }
    }
}

/// The first `"at":` in a frame: the clock of the sender when it encoded it, in microseconds.
fn stamp(frame: &[u8]) -> Option<u128> {
    let text = std::str::from_utf8(frame.get(frame.iter().position(|b| *b == b'{')?..)?).ok()?;
    let digits = text.split_once("\"at\":")?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    digits[..end].parse().ok()
}

/// Every viewer needs a file descriptor on both sides.
fn raise_file_limit() -> anyhow::Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = hard.max(65_536);
    setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted).or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, hard, hard))?;
    Ok(())
}

/// CPU seconds (user and system) that a process has used.
fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').context("no name in /proc/…/stat")?.1;
    let field = |n: usize| -> anyhow::Result<f64> {
        Ok(after_name.split_whitespace().nth(n).context("short /proc/…/stat")?.parse()?)
    };
    // Fields 14 and 15 of proc(5), in ticks of 10 ms.
    Ok((field(11)? + field(12)?) / 100.0)
}

/// Resident memory of a process in bytes.
fn rss_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no figure in VmRSS")?.parse()?;
    Ok(kib * 1024)
}
