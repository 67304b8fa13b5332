//! P1: durable, idempotent ingest over HTTP, with the finest rollup in the same transaction.
//!
//! Limit: binary COPY of the very same rows into a table without index or key, in the same Postgres. Peer: what
//! comparable tools do, select then upsert, a row at a time. All three interleaved in each round.

mod rig;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use anyhow::Context as _;
use futures::TryStreamExt as _;
use rig::Server;
use rig::comparison::Comparison;
use server::db::Pool;
use server::postgres::{Cluster, OpenMode};

const PER_REQUEST: usize = 2_500;
const CONNECTIONS: usize = 16;
const PEER_ROWS: i64 = 1_500;

fn main() -> anyhow::Result<()> {
    let rows: usize = std::env::var("TOWNGAUGE_BENCH_ROWS").ok().map_or(Ok(400_000), |n| n.parse())?;
    let rounds: usize = std::env::var("TOWNGAUGE_BENCH_ROUNDS").ok().map_or(Ok(5), |n| n.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = Server::start(rig::data_folder("ingest")?)?;
    let cluster = runtime.block_on(Cluster::open(&server.data, OpenMode::Attach))?;
    let pool = runtime.block_on(server::db::connect(cluster.connect_options()))?;
    runtime.block_on(prepare(&pool))?;

    let (mut limit, mut peer, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms caches and partitions, and is not counted.
    for round in 0..=rounds {
        let bodies: Vec<Vec<u8>> = (0..rows / PER_REQUEST).map(|n| body(round, n)).collect();
        let taken = ingest(&server.address, &bodies)?;
        let (copied, copy_taken) = runtime.block_on(copy(&pool, round))?;
        let peer_taken = runtime.block_on(upserts(&pool, round))?;
        anyhow::ensure!(copied == rows as u64, "the store holds {copied} of {rows} rows");
        if round > 0 {
            ours.push(rows as f64 / taken);
            limit.push(rows as f64 / copy_taken);
            peer.push(PEER_ROWS as f64 / peer_taken);
        }
    }
    let row = |what, limit: &[f64], wanted| {
        Comparison { target: "P1", what, unit: "rows/s", limit, peer: &peer, ours: &ours, wanted }.print();
    };
    row("ingest over HTTP, of binary COPY", &limit, "≥ 0.5");
    row("ingest over HTTP, of select-then-upsert", &peer, "≥ 60");
    runtime.block_on(async {
        pool.close().await;
        cluster.stop().await;
    });
    Ok(())
}

/// Each round has a day of its own: dense, in order, as live traffic is.
fn day(round: usize) -> model::Timestamp {
    model::Timestamp::from_seconds(1_767_225_600 + i64::try_from(round).unwrap_or(0) * 86_400)
}

fn body(round: usize, request: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(PER_REQUEST * 300);
    for n in 0..PER_REQUEST {
        let number = request * PER_REQUEST + n;
        let at = model::Timestamp(day(round).0 + i64::try_from(number).unwrap_or(0) * 1_000);
        let _ = writeln!(
            body,
            r#"{{"type":"model_call","ts":"{at}","id":"r{round}-{number}","rig":"gastown","role":"polecat","agent":"polecat-{}","session":"session-{:08}","bead":"gt-{:05}","model":"claude-sonnet-4-6","input_tokens":{},"output_tokens":{},"cache_read_tokens":{},"duration_ms":{}}}"#,
            number % 40,
            number % 40,
            number % 200,
            number % 900,
            number % 700,
            number % 90_000,
            number % 9_000,
        );
    }
    body
}

/// Posts all bodies over a few connections; returns seconds until the last answer.
fn ingest(address: &str, bodies: &[Vec<u8>]) -> anyhow::Result<f64> {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..CONNECTIONS)
            .map(|lane| scope.spawn(move || send(address, bodies.iter().skip(lane).step_by(CONNECTIONS))))
            .collect();
        senders.into_iter().try_for_each(|sender| sender.join().unwrap_or_else(|_| anyhow::bail!("a sender panicked")))
    })?;
    Ok(begun.elapsed().as_secs_f64())
}

fn send<'a>(address: &str, bodies: impl Iterator<Item = &'a Vec<u8>>) -> anyhow::Result<()> {
    let mut link = TcpStream::connect(address)?;
    link.set_nodelay(true)?;
    for body in bodies {
        write!(
            link,
            "POST /api/ingest?town=bench HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )?;
        link.write_all(body)?;
        let answer = answer(&mut link)?;
        anyhow::ensure!(answer.contains(&format!("\"stored\":{PER_REQUEST}")), "ingest answered {answer}");
    }
    Ok(())
}

/// One HTTP answer with a content length.
fn answer(link: &mut TcpStream) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let n = link.read(&mut chunk)?;
        anyhow::ensure!(n > 0, "the server closed the link");
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "ingest answered {text}");
        let length =
            head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        if rest.len() >= length.context("no content-length")?.trim().parse()? {
            return Ok(rest.to_owned());
        }
    }
}

async fn prepare(pool: &Pool) -> anyhow::Result<()> {
    sqlx::query("create table bare as select * from event limit 0").execute(pool).await?;
    sqlx::query(
        "create table peer (id text primary key, ts timestamptz, agent text, model text, input bigint, output bigint, cost bigint)",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The limit: the round's own rows, out as binary COPY (not timed), then in again.
async fn copy(pool: &Pool, round: usize) -> anyhow::Result<(u64, f64)> {
    let (from, to) = (day(round), day(round + 1));
    let mut link = pool.acquire().await?;
    sqlx::query("truncate bare").execute(&mut *link).await?;
    let out = format!("copy (select * from event where ts >= '{from}' and ts < '{to}') to stdout (format binary)");
    let rows: Vec<u8> = {
        let mut stream = link.copy_out_raw(out.as_str()).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.try_next().await? {
            bytes.extend_from_slice(&piece);
        }
        bytes
    };
    let begun = Instant::now();
    let mut sink = link.copy_in_raw("copy bare from stdin (format binary)").await?;
    for piece in rows.chunks(64 * 1024) {
        sink.send(piece).await?;
    }
    let copied = sink.finish().await?;
    Ok((copied, begun.elapsed().as_secs_f64()))
}

/// The peer: for each event a look, then an insert or update, each in a transaction of its own.
async fn upserts(pool: &Pool, round: usize) -> anyhow::Result<f64> {
    let mut link = pool.acquire().await?;
    let begun = Instant::now();
    for n in 0..PEER_ROWS {
        let id = format!("r{round}-{n}");
        let found: Option<String> =
            sqlx::query_scalar("select id from peer where id = $1").bind(&id).fetch_optional(&mut *link).await?;
        anyhow::ensure!(found.is_none(), "the peer met its own row");
        sqlx::query("insert into peer values ($1, now(), $2, $3, $4, $5, $6) on conflict (id) do update set input = excluded.input")
            .bind(&id)
            .bind("polecat")
            .bind("claude-sonnet-4-6")
            .bind(n)
            .bind(n)
            .bind(n)
            .execute(&mut *link)
            .await?;
    }
    Ok(begun.elapsed().as_secs_f64())
}
