//! P3: what it costs to read a chart, and a page, of a town with ten million events in its last week.
//!
//! Limit: `select 1` through the same pool. Ours: `db::series::read`, as the API and the pages call it, past their
//! one-second memory. Peer: the same sums grouped out of the events. All interleaved in each round. Pages are asked of
//! a real server over HTTP, a connection each.
//!
//! `TOWNGAUGE_BENCH_EVENTS` and `TOWNGAUGE_BENCH_ROUNDS` change the size.

#[path = "rig/events.rs"]
mod events;
mod rig;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use model::id::TownName;
use model::series::Metric;
use model::time::{TimeRange, Timestamp, Window};
use rig::Server;
use rig::comparison::{Comparison, median};
use server::db::series::{self, Present};
use server::db::{self, PgTime, Pool, TownKey, price::Prices};
use server::ingest::{Intake, IntakeLimits};
use server::postgres::{Cluster, OpenMode};
use sqlx::postgres::PgPoolOptions;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const WEEK_S: i64 = 7 * 86_400;
/// Minutes of a quieter past before it.
const PAST_MIN: i64 = 30 * 1_440;
const PER_SUBMISSION: usize = 5_000;
/// Charts of which a bucket is one row, or one per role.
const HEADLINE: [Metric; 6] =
    [Metric::Tokens, Metric::Cost, Metric::Agents, Metric::Beads, Metric::Lines, Metric::Errors];
/// Reads per round and chart: enough for a 95th percentile.
const READS: usize = 100;
/// Pages per round.
const PAGES: usize = 40;

fn main() -> Result<()> {
    let number = |name: &str, default| std::env::var(name).ok().map_or(Ok(default), |n| n.parse::<usize>());
    let count = number("TOWNGAUGE_BENCH_EVENTS", 10_000_000)?;
    let rounds = number("TOWNGAUGE_BENCH_ROUNDS", 7)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let data = rig::data_folder("reads")?;
    let cluster = runtime.block_on(Cluster::open(&data, OpenMode::Attach))?;
    let pool = runtime.block_on(db::connect(cluster.connect_options()))?;
    let outcome = measure(&runtime, &cluster, &pool, data, count, rounds);
    runtime.block_on(async {
        pool.close().await;
        cluster.stop().await;
    });
    // The server goes last: it takes the folder with it.
    outcome.map(drop)
}

fn measure(
    runtime: &Runtime,
    cluster: &Cluster,
    pool: &Pool,
    data: PathBuf,
    count: usize,
    rounds: usize,
) -> Result<Server> {
    let (town, end) = runtime.block_on(build(pool, count))?;
    // Before the server is there: it reads too.
    runtime.block_on(rows_per_point(cluster, town, end))?;

    let server = Server::start(data)?;
    // Its first seconds are its own: towns are loaded, caches filled.
    std::thread::sleep(Duration::from_secs(3));
    let mut taken = Taken::default();
    let mut pages: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    // One that is not counted: statements are prepared, pages cached.
    runtime.block_on(round(pool, town, end, &mut Taken::default()))?;
    for _ in 0..rounds {
        runtime.block_on(round(pool, town, end, &mut taken))?;
        for path in ["/", "/t/bench", "/t/bench/observability"] {
            let ms = first_byte_ms(&server.address, path).with_context(|| format!("asking for {path}"))?;
            pages.entry(path).or_default().push(ms);
        }
    }
    taken.report(count);
    for (path, ours) in &pages {
        let what = format!("first byte of {path}, p95");
        Comparison { target: "P3", what: &what, unit: "ms", limit: &[30.0], peer: &[], ours, wanted: "≤ 1" }.print();
    }
    Ok(server)
}

/// A week of events up to now, after a month with one a minute, through the same door as all events; then the coarser
/// tiers.
async fn build(pool: &Pool, count: usize) -> Result<(TownKey, Timestamp)> {
    db::migrate(pool).await?;
    let name = TownName::new("bench")?;
    let town = db::town::ensure(pool, &name, false).await?;
    let end = server::clock::Clock::system().now();
    let begin = end.plus_seconds(-WEEK_S);
    let step_us = WEEK_S * 1_000_000 / i64::try_from(count)?;
    let begun = Instant::now();

    let (sender, mut changes) = mpsc::channel(64);
    let nobody = tokio::spawn(async move { while changes.recv().await.is_some() {} });
    let (intake, writer) = Intake::start(pool.clone(), Prices::new(events::book()), sender, IntakeLimits::default());
    let mut under_way = FuturesOrdered::new();
    let past = (begin.plus_seconds(-PAST_MIN * 60), 60_000_000, usize::try_from(PAST_MIN)?);
    let parts = (0..count.div_ceil(PER_SUBMISSION)).map(|part| {
        let first = part * PER_SUBMISSION;
        let at = begin.0 + i64::try_from(first).unwrap_or_default() * step_us;
        (Timestamp(at), step_us, PER_SUBMISSION.min(count - first))
    });
    for (part, (at, step_us, size)) in std::iter::once(past).chain(parts).enumerate() {
        let made = events::make(u64::try_from(part)?, at, step_us, size);
        let envelopes = made.into_iter().map(|event| event.envelope).collect();
        under_way.push_back(intake.submit_waiting(&name, envelopes));
        if under_way.len() > 3 {
            under_way.next().await.context("nothing under way")??;
        }
        if part % 200 == 199 {
            eprintln!("{} of {count} events after {:.0} s", part * PER_SUBMISSION, begun.elapsed().as_secs_f64());
        }
    }
    while let Some(outcomes) = under_way.next().await {
        outcomes?;
    }
    drop(under_way);
    intake.close_and_drain(writer).await;
    drop(intake);
    nobody.await?;
    db::coverage::add(pool, town, past.0, end).await?;
    while server::rollup::run_once(pool).await? > 0 {}
    let stored: i64 = sqlx::query_scalar("select sum(events)::bigint from headline_6h").fetch_one(pool).await?;
    ensure!(stored == i64::try_from(count)? + PAST_MIN, "{stored} of {count} events are in the coarsest tier");
    // As after a while of running: visibility and statistics are known, and nothing is written back meanwhile.
    sqlx::raw_sql("vacuum analyze").execute(pool).await?;
    sqlx::raw_sql("checkpoint").execute(pool).await?;
    eprintln!("{count} events and their tiers after {:.0} s", begun.elapsed().as_secs_f64());
    Ok((town, end))
}

fn present(now: Timestamp) -> Present {
    Present { now, observing_since: now, lost_after_s: 600, edges: Vec::new() }
}

/// Rows that Postgres fetches for a chart, of the values that the chart draws; the worst chart of each window counts.
async fn rows_per_point(cluster: &Cluster, town: TownKey, end: Timestamp) -> Result<()> {
    // One connection, because each hands in its own figures.
    let pool = PgPoolOptions::new().max_connections(1).connect_with(cluster.connect_options()).await?;
    let mut shares = Vec::new();
    for window in Window::ALL {
        let mut worst = 0.0_f64;
        for metric in HEADLINE {
            let before = fetched(&pool).await?;
            let page =
                series::read(&pool, town, &metric.into(), TimeRange::ending_now(window, end), &present(end)).await?;
            let rows = fetched(&pool).await? - before;
            let points = page.buckets() * page.series.len();
            worst = worst.max(rows as f64 / points as f64);
        }
        eprintln!("{}: {worst:.3} rows per point", window.name());
        shares.push(worst);
    }
    pool.close().await;
    let what = "rows read per point drawn, worst chart";
    let wanted = "≤ 1";
    Comparison { target: "P3", what, unit: "rows", limit: &[1.0], peer: &[], ours: &shares, wanted }.print();
    Ok(())
}

async fn fetched(pool: &Pool) -> Result<i64> {
    sqlx::query("select pg_stat_force_next_flush()").execute(pool).await?;
    // Not the one row that says since when the town is observed: it is no point's.
    let sum = "select coalesce(sum(idx_tup_fetch + seq_tup_read), 0)::bigint from pg_stat_user_tables \
               where relname <> 'coverage'";
    Ok(sqlx::query_scalar(sum).fetch_one(pool).await?)
}

/// Milliseconds, one figure per round.
#[derive(Default)]
struct Taken {
    limit: Vec<f64>,
    windows: BTreeMap<&'static str, Vec<f64>>,
    week_median: Vec<f64>,
    dearest: Vec<f64>,
    latency: BTreeMap<(&'static str, &'static str), Vec<f64>>,
    raw: Vec<f64>,
}

async fn round(pool: &Pool, town: TownKey, end: Timestamp, taken: &mut Taken) -> Result<()> {
    let mut limit = Vec::new();
    let mut reads: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for _ in 0..READS {
        // As often as the charts, so that a disturbance meets both.
        for window in Window::ALL {
            let begun = Instant::now();
            sqlx::query("select 1").execute(pool).await?;
            limit.push(ms(begun));
            read(pool, town, Metric::Tokens, window, end, &mut reads).await?;
        }
        for metric in HEADLINE.into_iter().filter(|metric| *metric != Metric::Tokens) {
            read(pool, town, metric, Window::Week, end, &mut reads).await?;
        }
        // Apart from the others: a sketch per tool and bucket, whatever the window.
        for window in Window::ALL {
            read(pool, town, Metric::Latency, window, end, &mut taken.latency).await?;
        }
    }
    let begun = Instant::now();
    let rows = sqlx::query(
        "select date_bin('30 minutes', ts, 'epoch') as bucket, sum(input_tokens), sum(output_tokens), \
                sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens) \
         from event where town_id = $1 and ts >= $2 and ts < $3 group by 1 order by 1",
    )
    .bind(town.0)
    .bind(PgTime(end.plus_seconds(-WEEK_S)))
    .bind(PgTime(end))
    .fetch_all(pool)
    .await?;
    ensure!(rows.len() > 300, "the raw chart has only {} points", rows.len());
    taken.raw.push(ms(begun));

    let week = (Metric::Tokens.name(), Window::Week.name());
    taken.limit.push(median(&limit));
    taken.week_median.push(median(&reads[&week]));
    taken.dearest.push(reads.values().map(|all| p95(all)).fold(0.0, f64::max));
    for window in Window::ALL {
        let figures = &reads[&(Metric::Tokens.name(), window.name())];
        taken.windows.entry(window.name()).or_default().push(p95(figures));
    }
    Ok(())
}

async fn read(
    pool: &Pool,
    town: TownKey,
    metric: Metric,
    window: Window,
    end: Timestamp,
    reads: &mut BTreeMap<(&'static str, &'static str), Vec<f64>>,
) -> Result<()> {
    let begun = Instant::now();
    let page = series::read(pool, town, &metric.into(), TimeRange::ending_now(window, end), &present(end)).await?;
    reads.entry((metric.name(), window.name())).or_default().push(ms(begun));
    let filled = page.series.iter().any(|series| series.sums.iter().flatten().any(|sum| *sum > 0));
    ensure!(filled || metric == Metric::Beads, "the chart of {} is empty", metric.name());
    Ok(())
}

impl Taken {
    fn report(&self, count: usize) {
        let row = |what: &str, limit: &[f64], ours: &[f64], wanted| {
            Comparison { target: "P3", what, unit: "ms", limit, peer: &self.raw, ours, wanted }.print();
        };
        for window in Window::ALL {
            let what = format!("tokens over {}, {count} events, p95, of select 1", window.name());
            row(&what, &self.limit, &self.windows[window.name()], "≤ 25");
        }
        for window in Window::ALL {
            let what = format!("tool latency over {}, {count} events, p95, of select 1", window.name());
            let ours = [p95(&self.latency[&(Metric::Latency.name(), window.name())])];
            row(&what, &self.limit, &ours, "7d ≤ 1.5 × 1h");
        }
        row("the dearest of all headline charts, p95, of select 1", &self.limit, &self.dearest, "≤ 25");
        let rate = |all: &[f64]| all.iter().map(|ms| 1e3 / ms).collect::<Vec<_>>();
        let (limit, ours) = (rate(&self.raw), rate(&self.week_median));
        let (what, wanted) = ("tokens over 7d, of GROUP BY over the events", "≥ 500");
        Comparison { target: "P3", what, unit: "reads/s", limit: &limit, peer: &limit, ours: &ours, wanted }.print();
    }
}

/// 95th percentile of the time from asking for a page to its first byte.
fn first_byte_ms(address: &str, path: &str) -> Result<f64> {
    let mut taken = Vec::new();
    for n in 0..PAGES {
        let mut link = TcpStream::connect(address)?;
        link.set_nodelay(true)?;
        let begun = Instant::now();
        write!(link, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut first = [0; 1];
        link.read_exact(&mut first)?;
        taken.push(ms(begun));
        let mut page = Vec::new();
        link.read_to_end(&mut page)?;
        if n == 0 {
            let page = String::from_utf8_lossy(&page);
            ensure!(page.starts_with("TTP/1.1 200"), "{path} answered {}", page.lines().next().unwrap_or_default());
            let figures = if path == "/t/bench" { "agent-23" } else { "bench" };
            ensure!(page.contains(figures), "{path} does not show the town");
        }
    }
    Ok(p95(&taken))
}

fn p95(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * 95 / 100).copied().unwrap_or(f64::NAN)
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}
