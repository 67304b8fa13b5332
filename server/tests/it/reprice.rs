//! Stored calls priced again end as if they had been stored with that price book, whatever happens meanwhile.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Dice, Seed, T0, assert_holds, count, town};
use model::dedupe::{Basis, Claim, Rank};
use model::event::{Envelope, Event};
use model::price::{Rates, Tier, TierRule};
use model::time::Timestamp;
use server::db::batch::{self, Progress};
use server::db::price::{self, NewPrice, Prices};
use server::db::reprice::{self, Job, Order};
use server::db::{Pool, TownKey, town as towns, unpriced};
use server::ingest::{Committed, Intake, IntakeLimits, WriterHandle, new_cost_of};
use server::postgres::testing::fresh_database;
use server::rollup;
use tokio::sync::mpsc;

/// A price with a tier that some of the calls reach, and a fast mode.
fn row(model: &str, effective: Timestamp, times: i64) -> NewPrice {
    let rates = |times: i64| Rates {
        input: 3_000_000 * times,
        output: 15_000_000 * times,
        cache_read: 300_001 * times,
        cache_write_5m: 3_750_000 * times,
        cache_write_1h: 6_000_000 * times,
    };
    NewPrice {
        model: model.to_owned(),
        effective,
        rates: rates(times),
        tier: Some(Tier { above_tokens: 110, rule: TierRule::WholeRequest, rates: rates(times * 2) }),
        fast_percent: 250,
        source: "a test".to_owned(),
        noted: "2026-11-27".to_owned(),
    }
}

/// What is known at first, and what besides in the end: one model is new, the other's price changes half way.
fn prices() -> [Vec<NewPrice>; 2] {
    let begin = Timestamp::from_seconds(0);
    let changed = row("claude-sonnet-4", T0.plus_seconds(40 * 60), 7);
    [vec![row("claude-sonnet-4", begin, 1)], vec![row("unheard-of", begin, 3), changed]]
}

async fn append(pool: &Pool, rows: Vec<NewPrice>) {
    price::append(pool, |_| rows).await.unwrap();
}

/// A writer with the book as the database has it now.
async fn intake(pool: &Pool) -> (Intake, WriterHandle, mpsc::Receiver<Committed>, Arc<Prices>) {
    let (sender, receiver) = mpsc::channel(10_000);
    let prices = Prices::new(price::load(pool).await.unwrap());
    let (intake, writer) = Intake::start(pool.clone(), Arc::clone(&prices), sender, IntakeLimits::default());
    (intake, writer, receiver, prices)
}

/// Events of ninety minutes: calls that are reported several times, calls whose agent tells the cost, fast ones, and
/// sums of who knows how many.
fn events(dice: &mut Dice, n: usize) -> Vec<Envelope> {
    let event = |dice: &mut Dice| {
        let mut event = Seed { town: 0, ..dice.seed() }.event();
        let (fast, sum) = (dice.roll(3) == 0, dice.roll(3) == 0);
        if let Event::ModelCall(call) = &mut event.event
            && event.claim.is_none()
        {
            call.fast = fast;
            let rank = Rank { sidechain: false, tokens: 1, has_speed: false, at: event.at.0, origin: 1 };
            let claim = Claim { message: 1 << 100, request: event.key.0, rank, basis: Basis::Metric };
            event.claim = sum.then_some(claim);
        }
        event
    };
    (0..n).map(|_| event(dice)).collect()
}

/// Every table that depends on prices, as text.
async fn everything(pool: &Pool) -> Vec<String> {
    let mut tables: Vec<String> = vec!["event".into(), "claim".into(), "presence".into()];
    for tier in ["10s", "1m", "5m", "30m", "6h"] {
        tables.extend([format!("headline_{tier}"), format!("by_role_{tier}")]);
    }
    // Without the time at which the source was heard, and without those that are not moved back.
    let some = ["town_id, source, received, stored, duplicate, rejected, last_event, reported, computed from source"];
    let counts = "town_id, model, bucket, calls, input_tokens, output_tokens, cache_read_tokens from unpriced";
    // Without the time since when a bead hangs on a hook, which follows the batches in which agents say so.
    let agents = "town_id, rig, name, role, session, bead, said, said_at, worked_at, first_seen, last_seen from agent";
    let whole = tables.iter().map(|table| format!("* from {table}"));
    let mut all = Vec::new();
    for what in whole.chain(some.into_iter().chain([counts, agents]).map(str::to_owned)) {
        let statement = format!("select '{what} ' || t::text from (select {what}) as t order by 1");
        let rows: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_all(pool).await.unwrap();
        all.extend(rows.into_iter().map(|(row,)| row));
    }
    all
}

/// What the store holds when everything is known from the start.
async fn ingested_anew(events: &[Envelope]) -> Vec<String> {
    let pool = fresh_database().await;
    for rows in prices() {
        append(&pool, rows).await;
    }
    let (intake, writer, _changes, _) = intake(&pool).await;
    intake.submit(&town(0), events.to_vec()).await.unwrap();
    intake.close_and_drain(writer).await;
    assert_holds(&pool).await;
    let all = everything(&pool).await;
    pool.close().await;
    all
}

fn assert_same(have: &[String], want: &[String]) {
    let differ: Vec<_> = have.iter().zip(want).filter(|(a, b)| a != b).take(5).collect();
    assert!(differ.is_empty() && have.len() == want.len(), "{} {} {differ:#?}", have.len(), want.len());
}

async fn key(pool: &Pool) -> TownKey {
    towns::find(pool, &town(0)).await.unwrap().unwrap().key
}

async fn order(pool: &Pool, from: Timestamp, to: Timestamp, model: Option<&str>) -> (TownKey, i32) {
    let town = key(pool).await;
    let order = Order { from, to, model: model.map(str::to_owned) };
    (town, reprice::order(pool, town, &order).await.unwrap().unwrap())
}

const EVER: (Timestamp, Timestamp) = (Timestamp::MIN_BELIEVED, Timestamp::MAX_BELIEVED);

async fn work_off(pool: &Pool, (town, id): (TownKey, i32), limit: usize) -> Job {
    while batch::reprice(pool, town, id, limit, new_cost_of).await.unwrap() == Progress::More {}
    reprice::find(pool, town, id).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn repricing_to_a_book_is_ingesting_anew_with_that_book() {
    for (dice, limit) in [(3, 1_000), (4, 17)] {
        let events = events(&mut Dice(dice), 400);
        let pool = fresh_database().await;
        let [first, then] = prices();
        append(&pool, first).await;
        let (intake, writer, _changes, _) = intake(&pool).await;
        intake.submit(&town(0), events.clone()).await.unwrap();
        intake.close_and_drain(writer).await;
        assert_holds(&pool).await;
        append(&pool, then).await;
        let job = order(&pool, EVER.0, EVER.1, None).await;
        let mut pieces = 0;
        while batch::reprice(&pool, job.0, job.1, limit, new_cost_of).await.unwrap() == Progress::More {
            pieces += 1;
            if pieces % 5 == 0 {
                // Brings the tiers up to date as well, which must not take the job out of our hands.
                let report = server::db::verify::run(&pool).await.unwrap();
                assert!(report.holds(), "after {pieces} pieces: {report:#?}");
            }
        }
        assert_holds(&pool).await;
        assert_same(&everything(&pool).await, &ingested_anew(&events).await);
        pool.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_is_cut_off_happens_as_a_whole_or_not_at_all() {
    let events = events(&mut Dice(5), 400);
    let pool = fresh_database().await;
    let [first, then] = prices();
    append(&pool, first).await;
    let (intake, writer, _changes, _) = intake(&pool).await;
    intake.submit(&town(0), events.clone()).await.unwrap();
    intake.close_and_drain(writer).await;
    rollup::run_once(&pool).await.unwrap();
    append(&pool, then).await;
    let (town, id) = order(&pool, EVER.0, EVER.1, None).await;
    let mut cut = 0;
    for micros in (0..60).map(|n| n * 400) {
        let piece = batch::reprice(&pool, town, id, 4, new_cost_of);
        match tokio::time::timeout(Duration::from_micros(micros), piece).await {
            Ok(progress) => assert_ne!(progress.unwrap(), Progress::Done, "there is more than that"),
            Err(_) => cut += 1,
        }
        let (cost, total): (i64, i64) = sqlx::query_as(
            "select (select coalesce(sum(cost), 0)::bigint from event), \
                    (select coalesce(sum(cost_nanodollars), 0)::bigint from headline_10s)",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(cost, total);
    }
    assert!(cut > 2, "{cut}");
    let job = loop {
        let job = work_off(&pool, (town, id), 50).await;
        if job.finished.is_some() {
            break job;
        }
    };
    assert_holds(&pool).await;
    assert_same(&everything(&pool).await, &ingested_anew(&events).await);
    // Counted once, however often it was tried.
    assert_eq!(job.looked, count(&pool, "event where kind = 0").await);
    let (cost,): (i64,) = sqlx::query_as("select sum(cost)::bigint from event").fetch_one(&pool).await.unwrap();
    assert_eq!(job.after.0, cost);
    assert!(job.changed > 20 && job.after > job.before && job.unpriced == 0, "{job:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_and_a_writer_at_the_same_span_leave_what_the_book_says() {
    let all = events(&mut Dice(6), 600);
    let pool = fresh_database().await;
    let [first, then] = prices();
    append(&pool, first).await;
    let (intake, writer, _changes, prices) = intake(&pool).await;
    let (before, after) = all.split_at(300);
    intake.submit(&town(0), before.to_vec()).await.unwrap();
    append(&pool, then).await;
    prices.reload(&pool).await.unwrap();
    let job = order(&pool, EVER.0, EVER.1, None).await;
    // The same again, as somebody impatient asks for it.
    order(&pool, EVER.0, EVER.1, None).await;
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                loop {
                    for (town, id) in reprice::pending(&pool).await.unwrap() {
                        batch::reprice(&pool, town, id, 13, new_cost_of).await.unwrap();
                    }
                    if reprice::pending(&pool).await.unwrap().is_empty() {
                        break;
                    }
                    rollup::run_once(&pool).await.unwrap();
                }
            })
        })
        .collect();
    for chunk in after.chunks(20) {
        intake.submit(&town(0), chunk.to_vec()).await.unwrap();
    }
    for worker in workers {
        worker.await.unwrap();
    }
    intake.close_and_drain(writer).await;
    assert_holds(&pool).await;
    assert_same(&everything(&pool).await, &ingested_anew(&all).await);
    assert!(reprice::find(&pool, job.0, job.1).await.unwrap().unwrap().finished.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_agents_reported_stays_and_the_book_stands_beside_it() {
    let pool = fresh_database().await;
    let [first, then] = prices();
    append(&pool, first).await;
    let (intake, writer, _changes, _) = intake(&pool).await;
    intake.submit(&town(0), events(&mut Dice(7), 300)).await.unwrap();
    intake.close_and_drain(writer).await;
    let reported = "event where kind = 0 and reported is not null and provenance = 1 and cost = reported";
    let unheard = "event where model = 'unheard-of' and reported is not null and computed is null";
    let (all, unknown) = (count(&pool, reported).await, count(&pool, unheard).await);
    assert!(all > unknown && unknown > 0, "{all} {unknown}");
    // Both figures of the calls that have both, and how far the sums per source are from them.
    let both = "select (sum(reported) filter (where kind = 0 and computed is not null))::bigint,
            (sum(computed) filter (where kind = 0 and reported is not null))::bigint from event";
    let sums = "select sum(reported)::bigint, sum(computed)::bigint from source";
    let read = async |statement: &'static str| {
        let row: (i64, i64) = sqlx::query_as(statement).fetch_one(&pool).await.unwrap();
        row
    };
    let (both_before, sums_before) = (read(both).await, read(sums).await);
    append(&pool, then).await;
    let job = work_off(&pool, order(&pool, EVER.0, EVER.1, None).await, 100).await;
    let (both_now, sums_now) = (read(both).await, read(sums).await);
    assert!(both_now.0 > both_before.0 && both_now.1 > both_before.1, "{both_before:?} {both_now:?}");
    assert_eq!(sums_now.0 - sums_before.0, both_now.0 - both_before.0);
    assert_eq!(sums_now.1 - sums_before.1, both_now.1 - both_before.1);
    assert_eq!((count(&pool, reported).await, count(&pool, unheard).await), (all, 0));
    // Once more changes nothing.
    let again = work_off(&pool, order(&pool, EVER.0, EVER.1, None).await, 100).await;
    assert_eq!((again.changed, again.before, again.after, again.span), (0, job.after, job.after, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_span_and_the_model_that_were_asked_for_change_and_are_marked() {
    let pool = fresh_database().await;
    let [first, then] = prices();
    append(&pool, first).await;
    let (intake, writer, _changes, _) = intake(&pool).await;
    intake.submit(&town(0), events(&mut Dice(8), 400)).await.unwrap();
    intake.close_and_drain(writer).await;
    append(&pool, then).await;
    let listed = unpriced::list(&pool, key(&pool).await).await.unwrap();
    let unheard = "event where model = 'unheard-of' and cost is null";
    assert_eq!(
        (listed.len(), listed[0].model.as_str(), listed[0].calls),
        (1, "unheard-of", count(&pool, unheard).await)
    );
    let (from, to) = (T0.plus_seconds(10 * 60), T0.plus_seconds(60 * 60));
    let job = work_off(&pool, order(&pool, from, to, Some("vendor/Unheard-Of")).await, 100).await;
    assert_holds(&pool).await;
    assert_eq!(count(&pool, &format!("{unheard} and ts >= '{from}' and ts < '{to}'")).await, 0);
    let left = count(&pool, unheard).await;
    assert!(left > 0);
    assert_eq!(unpriced::list(&pool, key(&pool).await).await.unwrap()[0].calls, left);
    // The other model's price changed too, and nobody asked for it.
    assert_eq!(count(&pool, "event where model like 'claude%' and price_id <> 1").await, 0);
    let (first, last) = job.span.unwrap();
    assert!(from <= first && first <= last && last < to);
    let marks = reprice::marks(&pool, key(&pool).await, T0, to).await.unwrap();
    assert_eq!((marks.len(), marks[0].from_s, marks[0].to_s), (1, first.seconds(), last.seconds() + 1));
    assert!(marks[0].note.contains("calls of vendor/Unheard-Of repriced: $"), "{}", marks[0].note);
    assert_eq!(reprice::marks(&pool, key(&pool).await, to, to.plus_seconds(60)).await.unwrap(), []);
    // The rest, and no model is without a price.
    work_off(&pool, order(&pool, EVER.0, EVER.1, None).await, 100).await;
    assert_holds(&pool).await;
    assert_eq!(unpriced::list(&pool, key(&pool).await).await.unwrap(), []);
    assert_eq!(count(&pool, "unpriced").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_retention_floor_nothing_is_repriced_and_the_job_says_so() {
    let pool = fresh_database().await;
    let [first, then] = prices();
    append(&pool, first).await;
    let (intake, writer, _changes, _) = intake(&pool).await;
    intake.submit(&town(0), events(&mut Dice(9), 300)).await.unwrap();
    intake.close_and_drain(writer).await;
    rollup::run_once(&pool).await.unwrap();
    let floor = T0.plus_seconds(45 * 60);
    let announce = format!("insert into retention (store, floor) values ('10s', '{floor}')");
    sqlx::raw_sql(sqlx::AssertSqlSafe(announce)).execute(&pool).await.unwrap();
    append(&pool, then).await;
    let below = format!("event where ts < '{floor}' and cost is null and kind = 0");
    let unpriced_below = count(&pool, &below).await;
    let job = work_off(&pool, order(&pool, EVER.0, EVER.1, None).await, 50).await;
    assert_eq!(
        (job.floor, job.looked),
        (Some(floor), count(&pool, &format!("event where kind = 0 and ts >= '{floor}'")).await)
    );
    assert!(unpriced_below > 0);
    assert_eq!(count(&pool, &below).await, unpriced_below);
    assert_eq!(count(&pool, &format!("event where ts >= '{floor}' and cost is null and kind = 0")).await, 0);
    // Wholly below it, it is over at once.
    let job = work_off(&pool, order(&pool, T0, T0.plus_seconds(60), None).await, 50).await;
    assert_eq!((job.floor, job.looked, job.finished.is_some()), (Some(T0.plus_seconds(60)), 0, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_works_jobs_off_and_gives_up_what_cannot_be() {
    let pool = fresh_database().await;
    let [first, then] = prices();
    append(&pool, first).await;
    let (intake, writer, _changes, _) = intake(&pool).await;
    intake.submit(&town(0), events(&mut Dice(10), 200)).await.unwrap();
    intake.close_and_drain(writer).await;
    append(&pool, then).await;
    let (town, id) = order(&pool, EVER.0, EVER.1, None).await;
    // Of a kind that this version does not know.
    sqlx::raw_sql("update event set provenance = 77 where kind = 0 and provenance = 2").execute(&pool).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    let job = reprice::find(&pool, town, id).await.unwrap().unwrap();
    assert!(job.failed.as_ref().is_some_and(|why| why.contains("provenance 77")), "{job:?}");
    sqlx::raw_sql("update event set provenance = 2 where provenance = 77").execute(&pool).await.unwrap();
    let (town, id) = order(&pool, EVER.0, EVER.1, None).await;
    rollup::run_once(&pool).await.unwrap();
    assert!(reprice::find(&pool, town, id).await.unwrap().unwrap().finished.is_some());
    assert_holds(&pool).await;
    // A bounded number may wait.
    let asked = Order { from: EVER.0, to: EVER.1, model: None };
    for _ in 0..reprice::MAX_WAITING {
        assert!(reprice::order(&pool, town, &asked).await.unwrap().is_some());
    }
    assert_eq!(reprice::order(&pool, town, &asked).await.unwrap(), None);
}
