//! The charts of latency and errors against the stored events, tier by tier, and what they are compared with.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;

use crate::support::{Dice, Expected, Seed, T0, intake, town};
use model::event::{Event, ToolCall};
use model::id::ToolName;
use model::latency::{Percentile, nearest_rank};
use model::series::{Metric, SeriesPage};
use model::time::{Resolution, TimeRange, Timestamp};
use server::db::series::{self, Present, Subject};
use server::db::{Pool, TownKey, series_latency, town as towns};
use server::ingest::IntakeLimits;
use server::postgres::testing::fresh_database;
use server::rollup;

/// A range that is shown in buckets of a tier: all begin at T0.
fn range(tier: Resolution) -> TimeRange {
    let hours = match tier {
        Resolution::S10 => 1,
        Resolution::M1 => 6,
        Resolution::M5 => 24,
        Resolution::M30 => 7 * 24,
        Resolution::H6 => 60 * 24,
    };
    TimeRange::new(T0, T0.plus_seconds(hours * 3_600)).unwrap()
}

/// Long after everything, by a process that saw nothing of it.
fn present() -> Present {
    let now = T0.plus_seconds(100 * 86_400);
    Present { now, observing_since: now, lost_after_s: 600, edges: Vec::new() }
}

async fn key(pool: &Pool) -> TownKey {
    towns::find(pool, &town(0)).await.unwrap().unwrap().key
}

async fn read(pool: &Pool, subject: &Subject, range: TimeRange) -> SeriesPage {
    series::read(pool, key(pool).await, subject, range, &present()).await.unwrap()
}

fn of_tool(tool: Option<&str>) -> Subject {
    Subject { metric: Metric::Latency, tool: tool.map(|tool| ToolName::new(tool).unwrap()) }
}

/// What the stored events say of a bucket.
#[derive(Default)]
struct Exact {
    durations: Vec<u64>,
    tool_errors: i64,
    call_errors: i64,
}

fn exact(expected: &Expected, page: &SeriesPage, tool: Option<&str>) -> BTreeMap<usize, Exact> {
    let mut buckets: BTreeMap<usize, Exact> = BTreeMap::new();
    for event in expected.events(0) {
        let Some(place) = page.bucket_at(event.envelope.at.seconds()) else { continue };
        let bucket = buckets.entry(place).or_default();
        match &event.envelope.event {
            Event::ToolCall(call) => {
                bucket.tool_errors += i64::from(!call.ok);
                if tool.is_none_or(|tool| tool == call.tool.as_str()) {
                    bucket.durations.extend(call.duration_us);
                }
            }
            Event::ModelCall(call) => bucket.call_errors += i64::from(!call.ok),
            _ => {}
        }
    }
    buckets.values_mut().for_each(|bucket| bucket.durations.sort_unstable());
    buckets
}

fn assert_percentiles(page: &SeriesPage, exact: &BTreeMap<usize, Exact>) {
    for place in 0..page.buckets() {
        let durations = exact.get(&place).map_or(&[][..], |bucket| &bucket.durations);
        let calls = page.calls[place].unwrap_or(0);
        assert_eq!(calls, i64::try_from(durations.len()).unwrap(), "bucket {place} of {} s", page.step_s);
        for (series, percentile) in page.series.iter().zip([Percentile::P50, Percentile::P95]) {
            let (found, exact) = (series.sums[place], nearest_rank(durations, percentile));
            assert_eq!(found.is_some(), exact.is_some(), "null where nothing ran, bucket {place} of {} s", page.step_s);
            if let (Some(found), Some(exact)) = (found, exact) {
                let exact = i64::try_from(exact).unwrap();
                // Half a microsecond is what whole ones lose.
                assert!((found - exact).abs() * 100 <= exact + 100, "{percentile:?}: {found} for {exact}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_tier_a_bucket_has_the_percentiles_and_the_errors_of_its_events() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let (mut dice, mut expected) = (Dice(11), Expected::default());
    for round in 0..8 {
        let mut events: Vec<_> = (0..120).map(|_| Seed { town: 0, ..dice.seed() }.event()).collect();
        // Failures, which the seeds have few of, and of other days.
        for (n, event) in events.iter_mut().enumerate() {
            let day = i64::from(n % 9 == 0) * i64::try_from(n % 30).unwrap() * 86_400;
            event.at = event.at.plus_seconds(day);
            match &mut event.event {
                Event::ToolCall(call) => {
                    call.ok = (n + round) % 3 != 0;
                    call.tool = ToolName::new(["Bash", "Read", "Task", "Bash"][n % 4]).unwrap();
                }
                Event::ModelCall(call) => call.ok = (n + round) % 4 != 0,
                _ => {}
            }
        }
        expected.apply(0, &events);
        intake.submit(&town(0), events).await.unwrap();
        if round == 4 {
            rollup::run_once(&pool).await.unwrap();
        }
    }
    // The finest tier knows it before the worker comes.
    let hour = read(&pool, &of_tool(None), range(Resolution::S10)).await;
    assert_eq!(hour.step_s, 10);
    assert_percentiles(&hour, &exact(&expected, &hour, None));
    while rollup::run_once(&pool).await.unwrap() > 0 {}

    let tools = series_latency::tools(&pool, key(&pool).await, T0).await.unwrap();
    assert!(tools.len() > 1, "{tools:?}");
    for tier in Resolution::ALL {
        for tool in [None, tools.first(), tools.last()] {
            let tool = tool.map(String::as_str);
            let page = read(&pool, &of_tool(tool), range(tier)).await;
            assert_eq!(page.step_s, if tier == Resolution::M1 { 300 } else { tier.step_s() });
            let exact = exact(&expected, &page, tool);
            assert!(exact.values().any(|bucket| !bucket.durations.is_empty()) || tool.is_some());
            assert_percentiles(&page, &exact);
        }
        let page = read(&pool, &Metric::Errors.into(), range(tier)).await;
        assert_eq!(page.step_s, tier.step_s());
        let exact = exact(&expected, &page, None);
        let sums = |series: usize| page.series[series].sums.iter().map(|sum| sum.unwrap_or(0)).collect::<Vec<_>>();
        let want =
            |read: fn(&Exact) -> i64| (0..page.buckets()).map(|n| exact.get(&n).map_or(0, read)).collect::<Vec<_>>();
        assert_eq!(sums(0), want(|bucket| bucket.tool_errors), "tool calls at {}", tier.name());
        assert_eq!(sums(1), want(|bucket| bucket.call_errors), "model calls at {}", tier.name());
        assert!(sums(0).iter().sum::<i64>() > 0 && sums(1).iter().sum::<i64>() > 0);
    }
    intake.close_and_drain(writer).await;
}

/// A use of a tool that took `ms`.
fn tool(after_s: i64, name: &str, ms: u64) -> model::Envelope {
    let seed = Seed { town: 0, minute: 0, second: 0, kind: 1, who: 1, size: 1, claim: None };
    let mut event = seed.event();
    event.at = T0.plus_seconds(after_s);
    event.key = model::EventKey(u128::from(ms) << 64 | u128::from(after_s.unsigned_abs()));
    let tool = ToolName::new(name).unwrap();
    event.event = Event::ToolCall(ToolCall { tool, duration_us: Some(ms * 1_000), ok: true, file: None });
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tools_together_have_the_percentile_of_their_calls_and_not_of_their_percentiles() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    // 95 quick ones and 5 slow ones: the P95 of both is quick, the mean of their P95 would not be.
    let quick = (0..95).map(|n| tool(n, "Read", 10));
    intake.submit(&town(0), quick.chain((0..5).map(|n| tool(n, "Task", 40_000))).collect()).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    let p95 = async |tool: Option<&str>| read(&pool, &of_tool(tool), range(Resolution::M5)).await.series[1].sums[0];
    let near = |found: Option<i64>, want: i64| found.is_some_and(|found| (found - want).abs() * 100 <= want);
    assert!(near(p95(None).await, 10_000));
    assert!(near(p95(Some("Task")).await, 40_000_000));
    assert_eq!(p95(Some("Grep")).await, None);
    let tools = series_latency::tools(&pool, key(&pool).await, T0).await.unwrap();
    assert_eq!(tools, ["Read", "Task"], "the most used first");
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_was_recorded_there_is_no_latency_and_where_nothing_ran_there_are_no_calls() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    intake.submit(&town(0), vec![tool(5, "Read", 10), tool(65, "Read", 30)]).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    sqlx::raw_sql("delete from coverage").execute(&pool).await.unwrap();
    server::db::coverage::add(&pool, key(&pool).await, T0, T0.plus_seconds(75)).await.unwrap();
    let page = read(&pool, &of_tool(None), range(Resolution::S10)).await;
    assert_eq!(page.calls[..9], [Some(1), Some(0), Some(0), Some(0), Some(0), Some(0), Some(1), Some(0), None]);
    assert_eq!(page.series[0].sums.iter().flatten().count(), 2);
    sqlx::raw_sql("insert into latency_rebuild select town_id, bucket from headline_6h").execute(&pool).await.unwrap();
    let page = read(&pool, &of_tool(None), range(Resolution::S10)).await;
    assert_eq!(page.calls[..3], [Some(1), None, None], "history that is still being read is not known to be nothing");
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_period_before_is_what_a_reading_of_that_period_says() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let (mut dice, mut events) = (Dice(5), Vec::new());
    for _ in 0..600 {
        events.push(Seed { town: 0, ..dice.seed() }.event());
    }
    intake.submit(&town(0), events).await.unwrap();
    while rollup::run_once(&pool).await.unwrap() > 0 {}
    let at = |after_s: i64| T0.plus_seconds(after_s);
    for metric in Metric::ALL {
        // Half an hour on no whole bucket, and one on whole ones.
        for (from, to) in [(1_807, 3_611), (1_800, 3_600)] {
            let shown = TimeRange::new(at(from), at(to)).unwrap();
            let key = key(&pool).await;
            let before = series::before(&pool, key, &metric.into(), shown, &present()).await.unwrap();
            let tier = metric.tier(shown);
            let shift_s = shown.before_s(tier);
            assert_eq!((before.page.step_s, before.shift_s), (tier.step_s(), shift_s));
            assert_eq!(before.page, read(&pool, &metric.into(), shown.earlier(shift_s)).await, "{metric:?}");
            let page = read(&pool, &metric.into(), shown).await;
            assert_eq!((before.page.from_s + shift_s, before.page.buckets()), (page.from_s, page.buckets()));
        }
    }
    let long_ago =
        TimeRange::new(Timestamp::from_seconds(1_000_000_000), Timestamp::from_seconds(1_000_003_600)).unwrap();
    let before = series::before(&pool, key(&pool).await, &Metric::Cost.into(), long_ago, &present()).await.unwrap();
    assert!(before.page.series.iter().all(|series| series.sums.iter().all(Option::is_none)), "nothing was recorded");
    intake.close_and_drain(writer).await;
}
