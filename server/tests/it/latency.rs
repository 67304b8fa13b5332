//! How long calls took, against a real Postgres: percentiles are those of the stored events, whatever arrives in whatever
//! order, and history from before there were sketches gets its own.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;

use crate::support::{Dice, Expected, Seed, T0, assert_holds, count, intake, town};
use model::event::{Event, ToolCall};
use model::id::ToolName;
use model::latency::{LatencySum, Percentile, nearest_rank};
use model::time::{TimeRange, Timestamp};
use proptest::prelude::*;
use server::db::latency::{self, Who};
use server::db::{Pool, town as towns};
use server::ingest::{IntakeLimits, Outcome};
use server::postgres::testing::fresh_database;
use server::rollup;

/// Everything of a town from `from_s` seconds after T0 on, over `length_s` seconds.
async fn window(pool: &Pool, n: u8, from_s: i64, length_s: i64) -> BTreeMap<Who, LatencySum> {
    let key = towns::find(pool, &town(n)).await.unwrap().unwrap().key;
    let range = TimeRange::new(T0.plus_seconds(from_s), T0.plus_seconds(from_s + length_s)).unwrap();
    let mut sums: BTreeMap<Who, LatencySum> = BTreeMap::new();
    for (_, who, sum) in latency::window(&mut pool.acquire().await.unwrap(), key, range).await.unwrap() {
        sums.entry(who).or_default().merge(&sum);
    }
    sums.retain(|_, sum| !sum.is_empty());
    sums
}

/// Calls, errors and sorted durations of the stored events of a window.
type Exact = BTreeMap<Who, (i64, i64, Vec<u64>)>;

fn exact(expected: &Expected, n: u8, from_s: i64, length_s: i64) -> Exact {
    let mut all = Exact::new();
    for event in expected.events(n) {
        let after_s = event.envelope.at.seconds() - T0.seconds();
        let (who, duration_us, ok) = match &event.envelope.event {
            Event::ModelCall(call) => (Who::Model(call.model.to_string()), call.duration_us, call.ok),
            Event::ToolCall(call) => (Who::Tool(call.tool.to_string()), call.duration_us, call.ok),
            _ => continue,
        };
        if (from_s..from_s + length_s).contains(&after_s) {
            let (calls, errors, durations) = all.entry(who).or_default();
            *calls += 1;
            *errors += i64::from(!ok);
            durations.extend(duration_us);
        }
    }
    all.values_mut().for_each(|(.., durations)| durations.sort_unstable());
    all
}

fn assert_same(found: &BTreeMap<Who, LatencySum>, exact: &Exact) {
    assert_eq!(found.keys().collect::<Vec<_>>(), exact.keys().collect::<Vec<_>>());
    for (who, (calls, errors, durations)) in exact {
        let sum = &found[who];
        assert_eq!((sum.calls, sum.errors), (*calls, *errors), "{who:?}");
        assert_eq!(sum.sketch.count(), i64::try_from(durations.len()).unwrap(), "{who:?}");
        assert_eq!(sum.total_us, i64::try_from(durations.iter().sum::<u64>()).unwrap(), "{who:?}");
        for percentile in Percentile::ALL {
            let (found, exact) = (sum.sketch.percentile_us(percentile), nearest_rank(durations, percentile));
            assert_eq!(found.is_some(), exact.is_some());
            if let (Some(found), Some(exact)) = (found, exact) {
                #[expect(clippy::cast_precision_loss, reason = "a comparison to 1 %")]
                let exact = exact as f64;
                assert!((found - exact).abs() <= 0.01 * exact, "{who:?} {percentile:?}: {found} for {exact}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn percentiles_are_those_of_what_is_stored_whatever_is_repeated_replaced_or_late(
        seed in any::<u64>(),
        from in 0_i64..400,
        length in 1_i64..500,
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let pool = fresh_database().await;
            let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
            let (mut dice, mut expected, mut sent) = (Dice(seed), Expected::default(), Vec::<Seed>::new());
            for _ in 0..6 {
                for of_town in 0..2 {
                    let events = (0..dice.roll(60)).map(|_| {
                        let again = usize::try_from(dice.roll(4)).unwrap() == 0;
                        let earlier = usize::try_from(dice.roll(1_000)).unwrap();
                        let new = dice.seed();
                        let seed = if again { sent.get(earlier).copied().unwrap_or(new) } else { new };
                        sent.push(seed);
                        Seed { town: of_town, ..seed }.event()
                    });
                    let events: Vec<_> = events.collect();
                    let want = expected.apply(of_town, &events);
                    assert_eq!(intake.submit(&town(of_town), events).await.unwrap(), want);
                }
                if dice.roll(2) == 0 {
                    rollup::run_once(&pool).await.unwrap();
                }
            }
            // Before the worker comes, the finest tier says it; afterwards all tiers do.
            let (from_s, length_s) = (from * 10, length * 10);
            for n in 0..2 {
                assert_same(&window(&pool, n, from_s, length_s).await, &exact(&expected, n, from_s, length_s));
            }
            rollup::run_once(&pool).await.unwrap();
            for n in 0..2 {
                assert_same(&window(&pool, n, from_s, length_s).await, &exact(&expected, n, from_s, length_s));
                assert_same(&window(&pool, n, 0, 24 * 3_600).await, &exact(&expected, n, 0, 24 * 3_600));
            }
            let parts = "select count(*) from (select from latency_10s group by town_id, bucket, kind, name having count(*) > 1) t";
            let (parts,): (i64,) = sqlx::query_as(parts).fetch_one(&pool).await.unwrap();
            assert_eq!(parts, 0, "the worker joins what are parts of one sum");
            assert_holds(&pool).await;
            intake.close_and_drain(writer).await;
            pool.close().await;
        });
    }
}

/// A use of a tool `after_s` seconds after T0 that took `ms`.
fn tool(after_s: i64, ms: u64) -> model::Envelope {
    let seed = Seed { town: 0, minute: 0, second: 0, kind: 1, who: 1, size: 1, claim: None };
    let mut event = seed.event();
    event.at = T0.plus_seconds(after_s);
    event.key = model::EventKey(u128::from(ms) << 64 | u128::from(after_s.unsigned_abs()));
    event.event = Event::ToolCall(ToolCall {
        tool: ToolName::new("Bash").unwrap(),
        duration_us: Some(ms * 1_000),
        ok: true,
        file: None,
    });
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_in_the_last_five_minutes_before_the_worker_comes() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    for ms in 1..=100 {
        let outcome = intake.submit(&town(0), vec![tool(i64::try_from(ms).unwrap() * 2, ms)]).await.unwrap();
        assert_eq!(outcome, [Outcome::Stored]);
    }
    let sums = window(&pool, 0, 0, 300).await;
    let sketch = &sums[&Who::Tool("Bash".to_owned())].sketch;
    let near = |percentile, ms: f64| (sketch.percentile_us(percentile).unwrap() / 1_000.0 / ms - 1.0).abs() < 0.01;
    assert!(near(Percentile::P50, 50.0) && near(Percentile::P95, 95.0) && near(Percentile::P99, 99.0));
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_from_before_there_were_sketches_gets_its_own_while_events_come_in() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let mut dice = Dice(3);
    let seeds: Vec<Seed> = (0..600).map(|_| Seed { town: 0, ..dice.seed() }).collect();
    let (before, after) = seeds.split_at(400);
    intake.submit(&town(0), before.iter().copied().map(Seed::event).collect()).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    // As it was before migration 0018, and as that leaves it.
    let undo = "truncate latency_10s, latency_5m, latency_30m, latency_6h, latency_dirty;
                insert into latency_rebuild select town_id, bucket from headline_6h";
    sqlx::raw_sql(undo).execute(&pool).await.unwrap();
    assert!(count(&pool, "latency_rebuild").await > 1);
    let waiting = server::db::verify::run(&pool).await.unwrap();
    assert!(waiting.holds(), "what is being made is no difference: {waiting:#?}");
    sqlx::raw_sql(undo).execute(&pool).await.unwrap();

    // Replacements of old events among them.
    let (mut rest, workers) = (after.chunks(10), 2);
    let mut turns = Vec::new();
    for _ in 0..workers {
        let pool = pool.clone();
        turns.push(tokio::spawn(async move {
            for _ in 0..20 {
                latency::rebuild(&pool, 1).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }));
    }
    for chunk in rest.by_ref() {
        intake.submit(&town(0), chunk.iter().copied().map(Seed::event).collect()).await.unwrap();
    }
    for turn in turns {
        turn.await.unwrap();
    }
    rollup::run_once(&pool).await.unwrap();
    assert_eq!(count(&pool, "latency_rebuild").await, 0);
    assert_holds(&pool).await;
    let mut expected = Expected::default();
    expected.apply(0, &before.iter().copied().map(Seed::event).collect::<Vec<_>>());
    for chunk in after.chunks(10) {
        expected.apply(0, &chunk.iter().copied().map(Seed::event).collect::<Vec<_>>());
    }
    assert_same(&window(&pool, 0, 0, 24 * 3_600).await, &exact(&expected, 0, 0, 24 * 3_600));
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_sketches_that_do_not_add_up() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    intake.submit(&town(0), vec![tool(1, 5), tool(2, 6)]).await.unwrap();
    assert_holds(&pool).await;
    for (spoil, table) in [
        ("update latency_30m set sketch = '\\x0102'", "latency_30m"),
        ("delete from latency_6h", "latency_6h"),
        ("update latency_10s set errors = 1", "latency_10s"),
    ] {
        sqlx::raw_sql(spoil).execute(&pool).await.unwrap();
        let report = server::db::verify::run(&pool).await.unwrap();
        assert!(report.first.iter().any(|difference| difference.table == table), "{spoil}: {report:#?}");
    }
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_reads_about_as_many_buckets_whatever_its_length() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let day: Vec<_> = (0..8_640).map(|n| tool(n * 10, 7)).collect();
    intake.submit(&town(0), day).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    let key = towns::find(&pool, &town(0)).await.unwrap().unwrap().key;
    let end = Timestamp(T0.0 + 86_390 * 1_000_000);
    for (length_s, most) in [(300, 30), (3_600, 70), (86_400, 110)] {
        let range = TimeRange::new(end.plus_seconds(-length_s), end).unwrap();
        let sums = latency::window(&mut pool.acquire().await.unwrap(), key, range).await.unwrap();
        assert!(sums.len() <= most, "{length_s} s: {} buckets", sums.len());
        let calls: i64 = sums.iter().map(|(.., sum)| sum.calls).sum();
        assert_eq!(calls, (length_s / 10).min(8_639), "{length_s} s");
    }
    intake.close_and_drain(writer).await;
}
