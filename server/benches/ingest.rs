//! P1: durable, idempotent ingest with the finest rollup in the same transaction, against binary COPY of the same rows
//! into a bare heap (the limit) and select-then-upsert per row (the peer), interleaved in one run on one cluster.
//!
//! `BENCH_EVENTS` (per repetition), `BENCH_REPETITIONS` and `BENCH_PER_SECOND` (events per second of event time)
//! change the size.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use model::event::{AgentState, Cost, Envelope, Event, LinesChanged, ModelCall, PricedEvent, Provenance, ToolCall};
use model::id::{AgentName, EventKey, ModelName, RigName, Role, SessionId, SourceName, ToolName, TownName};
use model::price::{Price, PriceBook, Rates};
use model::time::Timestamp;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;
use server::db::{self, PgTime, Pool, TownKey, event, partition, price::Prices};
use server::ingest::{Intake, IntakeLimits, Outcome};
use server::postgres::testing::temporary_data_dir;
use server::postgres::{Cluster, OpenMode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Senders at once, and events per submission: what an OTLP collector or a few shippers do.
const SENDERS: usize = 4;
const PER_SUBMISSION: usize = 2_500;
const PEER_ROWS: usize = 2_000;

fn main() -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> Result<()> {
    let number = |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (events, repetitions) = (number("BENCH_EVENTS", 200_000), number("BENCH_REPETITIONS", 5));
    let per_second = i64::try_from(number("BENCH_PER_SECOND", 1_000))?;

    let cluster = Cluster::open(&temporary_data_dir("bench-ingest")?, OpenMode::Serve).await?;
    let pool = db::connect(cluster.connect_options()).await?;
    db::migrate(&pool).await?;
    let town = TownName::new("bench")?;
    let key = db::town::ensure(&pool, &town, false).await?;
    sqlx::raw_sql("create table bare (like event); create table peer (like event including all)")
        .execute(&pool)
        .await?;
    let stop = CancellationToken::new();
    let rollups = server::rollup::spawn_worker(pool.clone(), stop.clone());

    let mut rates: [(&str, Vec<f64>); 5] = [
        ("limit: binary COPY, bare heap", Vec::new()),
        ("COPY in batches into the keyed, partitioned table", Vec::new()),
        ("ours: Intake::submit with the finest tier", Vec::new()),
        ("ours, everything sent again", Vec::new()),
        ("peer: select, then upsert, per row", Vec::new()),
    ];
    for repetition in 0..=repetitions {
        let rows = make(events, repetition * 3, per_second);
        let others = make(events, repetition * 3 + 1, per_second);
        let results = [
            limit(&pool, key, &rows).await?,
            keyed(&pool, key, &others).await?,
            ours(&pool, &town, &rows, Outcome::Stored).await?,
            ours(&pool, &town, &rows, Outcome::Duplicate).await?,
            peer(&pool, key, &make(PEER_ROWS, repetition * 3 + 2, per_second)).await?,
        ];
        // The first round warms caches and is thrown away.
        if repetition > 0 {
            for ((_, all), rate) in rates.iter_mut().zip(results) {
                all.push(rate);
            }
        }
    }
    stop.cancel();
    rollups.await?;
    let verified = db::verify::run(&pool).await?;
    ensure!(verified.holds(), "the tiers do not add up: {:?}", verified.first);
    report(&mut rates, events, repetitions);
    pool.close().await;
    cluster.stop().await;
    Ok(())
}

fn report(rates: &mut [(&str, Vec<f64>); 5], events: usize, repetitions: usize) {
    let median = |all: &mut Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let limit = median(&mut rates[0].1);
    println!("P1, {events} events x {repetitions} repetitions, medians");
    println!("{:<52} {:>10} {:>9} {:>8}", "way in", "rows/s", "of limit", "spread");
    for (name, all) in rates.iter_mut() {
        let middle = median(all);
        let spread = (all[all.len() - 1] - all[0]) / middle * 100.0;
        println!("{name:<52} {middle:>10.0} {:>9.3} {spread:>7.0}%", middle / limit);
    }
    let spread = (rates[0].1[rates[0].1.len() - 1] - rates[0].1[0]) / limit;
    let (ours, peer) = (median(&mut rates[2].1), median(&mut rates[4].1));
    let verdict = if spread > 0.25 {
        "not judged: the limit itself varied by more than 25 %"
    } else if ours / limit >= 0.5 && ours / peer >= 60.0 {
        "reached"
    } else {
        "missed"
    };
    println!("ours / limit {:.3} (target 0.50), ours / peer {:.0} (target 60): {verdict}", ours / limit, ours / peer);
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

async fn keyed(pool: &Pool, town: TownKey, rows: &[PricedEvent]) -> Result<f64> {
    let days = rows.iter().map(|row| partition::Day::of(row.envelope.at)).collect();
    partition::ensure(pool, &days).await?;
    let other = TownKey(town.0 + 1_000);
    let begun = Instant::now();
    for batch in rows.chunks(5_000) {
        let mut transaction = pool.begin().await?;
        event::copy(&mut transaction, batch.iter().map(|row| (other, row))).await?;
        transaction.commit().await?;
    }
    let rate = per_second(rows.len(), begun);
    sqlx::raw_sql("delete from event where town_id > 1000").execute(pool).await?;
    Ok(rate)
}

async fn ours(pool: &Pool, town: &TownName, rows: &[PricedEvent], want: Outcome) -> Result<f64> {
    let (sender, mut changes) = mpsc::channel(64);
    let hub = tokio::spawn(async move { while changes.recv().await.is_some() {} });
    let (intake, writer) = Intake::start(pool.clone(), Prices::new(book()), sender, limits());
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

fn book() -> PriceBook {
    let rates = Rates {
        input: 3_000_000,
        output: 15_000_000,
        cache_read: 300_000,
        cache_write_5m: 3_750_000,
        cache_write_1h: 6_000_000,
    };
    let model = "claude-sonnet-4".to_owned();
    PriceBook::new([Price { id: 1, model, effective: Timestamp(0), rates, tier: None, fast_percent: 100 }])
}

/// A town of 24 agents at work: four calls in ten, as many tools, some edits, a heartbeat now and then.
fn make(count: usize, run: usize, per_second: i64) -> Vec<PricedEvent> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::try_from(run).unwrap_or(0);
    let mut roll = move |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let name = |text: String| AgentName::new(&text).expect("a name");
    let agents: Vec<(AgentName, SessionId, RigName, Role)> = (0..24_usize)
        .map(|i| {
            let session = SessionId::new(&format!("0197f3a2-{i:04}-7c11-9d3e-5a0b1c2d{i:04}")).expect("a session");
            let rig = RigName::new(["towngauge", "gastown", "beads"][i % 3]).expect("a rig");
            (name(format!("agent-{i}")), session, rig, Role::ALL[i % 7])
        })
        .collect();
    let source = SourceName::new("claude_code").expect("a source");
    let model = ModelName::new("claude-sonnet-4-20250514").expect("a model");
    let tools: Vec<ToolName> =
        ["Bash", "Read", "Edit", "Grep"].iter().map(|t| ToolName::new(t).expect("a tool")).collect();
    // Each run has a day of its own, so that all meet partitions of the same size.
    let begin = 1_700_006_400_000_000 + i64::try_from(run).unwrap_or(0) * 86_400_000_000;
    (0..count)
        .map(|i| {
            let (agent, session, rig, role) = &agents[usize::try_from(roll(24)).unwrap_or(0)];
            let file = || Some(compact_str::format_compact!("server/src/ingest/file_{}.rs", i % 50));
            let event = match roll(20) {
                0..8 => Event::ModelCall(ModelCall {
                    model: model.clone(),
                    tokens: TokenCounts {
                        input: roll(900),
                        output: roll(2_000),
                        cache_read: roll(90_000),
                        cache_write_5m: roll(4_000),
                        cache_write_1h: 0,
                    },
                    reported: None,
                    duration_us: Some(roll(20_000_000)),
                    ok: roll(50) > 0,
                    fast: false,
                }),
                8..16 => Event::ToolCall(ToolCall {
                    tool: tools[i % 4].clone(),
                    duration_us: Some(roll(3_000_000)),
                    ok: roll(20) > 0,
                    file: file(),
                }),
                16..19 => Event::LinesChanged(LinesChanged { added: 12, removed: 3, file: file() }),
                _ => Event::AgentState(AgentState::Working),
            };
            let envelope = Envelope {
                at: Timestamp(begin + i64::try_from(i).unwrap_or(0) * 1_000_000 / per_second),
                key: EventKey(u128::from(roll(u64::MAX)) << 64 | u128::try_from(i).unwrap_or(0)),
                claim: None,
                source: source.clone(),
                rig: Some(rig.clone()),
                role: *role,
                agent: Some(agent.clone()),
                session: Some(session.clone()),
                bead: None,
                event,
            };
            let cost = matches!(envelope.event, Event::ModelCall(_)).then_some(Cost {
                amount: Some(Nanodollars(1_000_000)),
                provenance: Provenance::Computed,
                price_id: Some(1),
            });
            PricedEvent { envelope, cost }
        })
        .collect()
}

/// The defaults; `BENCH_LANES` tries another number of transactions at once.
fn limits() -> IntakeLimits {
    let default = IntakeLimits::default();
    let lanes = std::env::var("BENCH_LANES").ok().and_then(|lanes| lanes.parse().ok()).unwrap_or(default.lanes);
    IntakeLimits { lanes, ..default }
}
