//! P1, without HTTP: durable, idempotent ingest with the finest rollup in the same transaction, against binary COPY of
//! the same rows into a bare heap (the limit) and select-then-upsert per row (the peer), interleaved on one cluster.
//!
//! `TOWNGAUGE_BENCH_ROWS` (per round) and `TOWNGAUGE_BENCH_ROUNDS` change the size, `TOWNGAUGE_BENCH_PER_SECOND` the
//! events per second of event time, `TOWNGAUGE_BENCH_LANES` the transactions at once.

#[path = "rig/comparison.rs"]
mod comparison;
#[path = "rig/events.rs"]
mod events;

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use comparison::Comparison;
use model::event::{Envelope, PricedEvent};
use model::id::TownName;
use model::time::Timestamp;
use server::db::{self, PgTime, Pool, TownKey, event, price::Prices};
use server::ingest::{Intake, IntakeLimits, Outcome};
use server::postgres::testing::temporary_data_dir;
use server::postgres::{Cluster, OpenMode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Senders at once, and events per submission: what OTLP collectors and shippers do.
const SENDERS: usize = 16;
const PER_SUBMISSION: usize = 2_500;
const PEER_ROWS: usize = 2_000;
/// What is made of the events besides the roster, the sessions and the counters.
const ROLLUPS: [&str; 6] = ["headline_10s", "by_role_10s", "presence", "rollup_dirty", "latency_10s", "latency_dirty"];

fn main() -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> Result<()> {
    let (rows, rounds) = (number("ROWS", 200_000), number("ROUNDS", 5));
    let step_us = 1_000_000 / i64::try_from(number("PER_SECOND", 1_000))?;

    let cluster = Cluster::open(&temporary_data_dir("bench-ingest")?, OpenMode::Serve).await?;
    let pool = db::connect(cluster.connect_options()).await?;
    db::migrate(&pool).await?;
    let town = TownName::new("bench")?;
    let key = db::town::ensure(&pool, &town, false).await?;
    sqlx::raw_sql("create table bare (like event); create table peer (like event including all)")
        .execute(&pool)
        .await?;
    let other = TownName::new("other")?;
    let other_key = db::town::ensure(&pool, &other, false).await?;
    prepare_switch(&pool).await?;
    let stop = CancellationToken::new();
    let rollups = server::rollup::spawn_worker(pool.clone(), stop.clone());

    let mut rates: [Vec<f64>; 5] = Default::default();
    for round in 0..=rounds {
        // Each has a day of its own, so that all meet partitions of the same size.
        let day = |n| Timestamp::from_seconds(1_700_006_400 + i64::try_from(round * 3 + n).unwrap_or(0) * 86_400);
        let seed = u64::try_from(round)?;
        let made = events::make(seed, day(0), step_us, rows);
        let others = events::make(seed, day(1), step_us, rows);
        let few = events::make(seed, day(2), step_us, PEER_ROWS);
        let results = [
            limit(&pool, key, &made).await?,
            without_rollups(&pool, other_key, &other, &others).await?,
            ours(&pool, &town, &made, Outcome::Stored).await?,
            ours(&pool, &town, &made, Outcome::Duplicate).await?,
            peer(&pool, key, &few).await?,
        ];
        // The first round warms caches and is thrown away.
        if round > 0 {
            rates.iter_mut().zip(results).for_each(|(all, rate)| all.push(rate));
        }
    }
    stop.cancel();
    rollups.await?;
    let verified = db::verify::run(&pool).await?;
    ensure!(verified.holds(), "the tiers do not add up: {:?}", verified.first);
    report(&rates);
    pool.close().await;
    cluster.stop().await;
    Ok(())
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(format!("TOWNGAUGE_BENCH_{name}")).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn report([limit, without, ours, again, peer]: &[Vec<f64>; 5]) {
    let row = |what, limit: &[f64], ours: &[f64], wanted| {
        Comparison { target: "P1", what, unit: "rows/s", limit, peer, ours, wanted }.print();
    };
    row("ingest in process, of binary COPY", limit, ours, "≥ 0.5");
    row("ingest in process, of select-then-upsert", peer, ours, "≥ 60");
    row("ingest in process, of the same without rollups", without, ours, "≥ 0.85");
    row("everything sent again, of binary COPY", limit, again, "≥ 0.25");
}

async fn limit(pool: &Pool, town: TownKey, rows: &[PricedEvent]) -> Result<f64> {
    sqlx::raw_sql("truncate bare").execute(pool).await?;
    let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    rows.iter().for_each(|row| event::encode(&mut bytes, town, row));
    bytes.extend_from_slice(&(-1_i16).to_be_bytes());
    let begun = Instant::now();
    let mut connection = pool.acquire().await?;
    let mut sink = connection.copy_in_raw("copy bare from stdin (format binary)").await?;
    for piece in bytes.chunks(64 << 10) {
        sink.send(piece).await?;
    }
    sink.finish().await?;
    Ok(per_second(rows.len(), begun))
}

/// The same ingest with the rollups' rows thrown away by triggers: what is left is events, roster, sessions, counters.
async fn without_rollups(pool: &Pool, key: TownKey, town: &TownName, rows: &[PricedEvent]) -> Result<f64> {
    switch(pool, "enable").await?;
    let rate = ours(pool, town, rows, Outcome::Stored).await?;
    switch(pool, "disable").await?;
    // They have no rollups, which the check at the end would notice.
    sqlx::query("delete from event where town_id = $1").bind(key.0).execute(pool).await?;
    Ok(rate)
}

async fn switch(pool: &Pool, how: &str) -> Result<()> {
    for table in ROLLUPS {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("alter table {table} {how} trigger throw_away")))
            .execute(pool)
            .await?;
    }
    Ok(())
}

/// Triggers that make inserts into the rollups' tables do nothing; off until [`switch`] turns them on.
async fn prepare_switch(pool: &Pool) -> Result<()> {
    let nothing = "create function throw_away() returns trigger language plpgsql as 'begin return null; end'";
    sqlx::raw_sql(nothing).execute(pool).await?;
    for table in ROLLUPS {
        let trigger = format!(
            "create trigger throw_away before insert on {table} for each row execute function throw_away(); \
             alter table {table} disable trigger throw_away"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(trigger)).execute(pool).await?;
    }
    Ok(())
}

async fn ours(pool: &Pool, town: &TownName, rows: &[PricedEvent], want: Outcome) -> Result<f64> {
    let (sender, mut changes) = mpsc::channel(64);
    let hub = tokio::spawn(async move { while changes.recv().await.is_some() {} });
    let (intake, writer) = Intake::start(pool.clone(), Prices::new(events::book()), sender, limits());
    let submissions: Vec<Vec<Envelope>> =
        rows.chunks(PER_SUBMISSION).map(|chunk| chunk.iter().map(|row| row.envelope.clone()).collect()).collect();
    let mut lanes: Vec<Vec<Vec<Envelope>>> = (0..SENDERS).map(|_| Vec::new()).collect();
    for (i, submission) in submissions.into_iter().enumerate() {
        lanes[i % SENDERS].push(submission);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = lanes
        .into_iter()
        .map(|lane| {
            let (intake, town, want) = (intake.clone(), town.clone(), want.clone());
            tokio::spawn(async move {
                for submission in lane {
                    let outcomes = intake.submit_waiting(&town, submission).await?;
                    ensure!(outcomes.iter().all(|outcome| *outcome == want), "an outcome is not {want:?}");
                }
                Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await.context("a sender ended badly")??;
    }
    let rate = per_second(rows.len(), begun);
    intake.close_and_drain(writer).await;
    drop(intake);
    hub.await?;
    Ok(rate)
}

async fn peer(pool: &Pool, town: TownKey, rows: &[PricedEvent]) -> Result<f64> {
    let begun = Instant::now();
    for row in rows {
        let Envelope { at, key, source, .. } = &row.envelope;
        let key = uuid::Uuid::from_u128(key.0);
        let known = sqlx::query("select 1 from peer where town_id = $1 and ts = $2 and key = $3")
            .bind(town.0)
            .bind(PgTime(*at))
            .bind(key)
            .fetch_optional(pool)
            .await?;
        if known.is_none() {
            sqlx::query(
                "insert into peer (town_id, ts, key, kind, role, source) values ($1, $2, $3, 0, 0, $4) \
                 on conflict (town_id, ts, key) do update set source = excluded.source",
            )
            .bind(town.0)
            .bind(PgTime(*at))
            .bind(key)
            .bind(source.as_str())
            .execute(pool)
            .await?;
        }
    }
    Ok(per_second(rows.len(), begun))
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_second(rows: usize, begun: Instant) -> f64 {
    rows as f64 / begun.elapsed().as_secs_f64()
}

/// The defaults; `TOWNGAUGE_BENCH_LANES` tries another number of transactions at once.
fn limits() -> IntakeLimits {
    let default = IntakeLimits::default();
    let lanes = number("LANES", default.lanes);
    IntakeLimits { lanes, ..default }
}
