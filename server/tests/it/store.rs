//! The store's invariants, on a real Postgres: acknowledged means committed, sending twice changes nothing, and the
//! tiers always equal a fold of the events.

use crate::support;
use crate::support::{Dice, Expected, Seed, T0, assert_holds, count, intake, total, town};
use proptest::prelude::*;
use server::db::{self, town as towns};
use server::ingest::{IntakeLimits, Outcome, Rejection, SubmitError};
use server::postgres::OpenMode;
use server::postgres::testing::{fresh_database, open_unsafe, temporary_data_dir};
use server::rollup;

fn seeds() -> impl Strategy<Value = Seed> {
    let claim = proptest::option::weighted(0.4, (0_u8..5, 0_u8..3, any::<bool>()));
    (0_u8..2, 0_u16..100, 0_u8..60, 0_u8..6, 0_u8..6, 0_u8..12, claim).prop_map(
        |(town, minute, second, kind, who, size, claim)| Seed { town, minute, second, kind, who, size, claim },
    )
}

/// Batches of seeds; `repeat` says which earlier seed to send again instead.
fn batches() -> impl Strategy<Value = Vec<Vec<(Seed, Option<usize>)>>> {
    let item = (seeds(), proptest::option::weighted(0.25, 0_usize..1_000));
    proptest::collection::vec(proptest::collection::vec(item, 1..40), 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn tiers_equal_the_fold_whatever_arrives_in_whatever_batches(batches in batches(), rolls in any::<u8>()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let pool = fresh_database().await;
            let (intake, writer, mut changes) = intake(&pool, IntakeLimits::default());
            let mut expected = Expected::default();
            let mut sent: Vec<Seed> = Vec::new();
            for (n, batch) in batches.iter().enumerate() {
                for of_town in 0..2 {
                    let events: Vec<_> = batch
                        .iter()
                        .map(|(seed, again)| again.and_then(|i| sent.get(i % sent.len().max(1)).copied()).unwrap_or(*seed))
                        .filter(|seed| seed.town == of_town)
                        .map(Seed::event)
                        .collect();
                    let want = expected.apply(of_town, &events);
                    assert_eq!(intake.submit(&town(of_town), events).await.unwrap(), want);
                }
                sent.extend(batch.iter().map(|(seed, _)| *seed));
                if rolls >> (n % 8) & 1 == 1 {
                    rollup::run_once(&pool).await.unwrap();
                }
            }
            assert_holds(&pool).await;
            let mut published = [model::Aggregate::default(); 2];
            while let Ok(committed) = changes.try_recv() {
                let sum = &mut published[usize::from(committed.town == town(1))];
                committed.changes.added.iter().for_each(|event| sum.add(&model::Aggregate::of(event)));
                committed.changes.removed.iter().for_each(|event| sum.subtract(&model::Aggregate::of(event)));
            }
            for n in 0..2 {
                for tier in ["headline_10s", "headline_1m", "headline_5m", "headline_30m", "headline_6h"] {
                    assert_eq!(total(&pool, tier, &town(n)).await, expected.total(n), "{tier}");
                }
                assert_eq!(published[usize::from(n)], expected.total(n), "what was published");
            }
            let counters = "select coalesce(sum(stored), 0)::bigint, coalesce(sum(received - stored - duplicate - rejected), 0)::bigint from source";
            let (stored, amiss): (i64, i64) = sqlx::query_as(counters).fetch_one(&pool).await.unwrap();
            assert_eq!((stored, amiss), (count(&pool, "event").await, 0), "counters follow the table");
            let costs = "select coalesce(sum(reported), 0)::bigint, coalesce(sum(computed), 0)::bigint from source";
            let costs: (i64, i64) = sqlx::query_as(costs).fetch_one(&pool).await.unwrap();
            assert_eq!(costs, expected.both_costs(), "reported and computed follow the calls that have both");
            intake.close_and_drain(writer).await;
            pool.close().await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_arrival_does_not_matter() {
    let mut dice = Dice(7);
    let events: Vec<Seed> = (0..400).map(|_| Seed { town: 0, ..dice.seed() }).collect();
    let mut totals = Vec::new();
    for round in 0..3_u64 {
        let mut shuffled = events.clone();
        let mut dice = Dice(round);
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, usize::try_from(dice.roll(u64::try_from(i).unwrap() + 1)).unwrap());
        }
        let pool = fresh_database().await;
        let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
        let mut rest = shuffled.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(1 + usize::try_from(dice.roll(90)).unwrap()));
            intake.submit(&town(0), now.iter().copied().map(Seed::event).collect()).await.unwrap();
            rest = later;
        }
        intake.close_and_drain(writer).await;
        assert_holds(&pool).await;
        totals.push((total(&pool, "headline_6h", &town(0)).await, count(&pool, "presence").await));
        pool.close().await;
    }
    assert!(totals.windows(2).all(|pair| pair[0] == pair[1]), "{totals:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_writers_and_workers_on_the_same_data_agree() {
    let pool = fresh_database().await;
    let mut dice = Dice(11);
    let events: Vec<Seed> = (0..1_500).map(|_| dice.seed()).collect();
    let mut tasks = Vec::new();
    for writer in 0..3_u64 {
        let (pool, mut events) = (pool.clone(), events.clone());
        tasks.push(tokio::spawn(async move {
            let (intake, handle, mut changes) =
                intake(&pool, IntakeLimits { batch_events: 200, ..IntakeLimits::default() });
            let drain = tokio::spawn(async move { while changes.recv().await.is_some() {} });
            let mut dice = Dice(writer);
            events.rotate_left(usize::try_from(dice.roll(1_000)).unwrap());
            for chunk in events.chunks(37) {
                for of_town in 0..2 {
                    let own: Vec<_> = chunk.iter().filter(|s| s.town == of_town).map(|s| s.event()).collect();
                    intake.submit_waiting(&town(of_town), own).await.unwrap();
                }
                if dice.roll(4) == 0 {
                    rollup::run_once(&pool).await.unwrap();
                }
            }
            intake.close_and_drain(handle).await;
            drop(intake);
            drain.await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_holds(&pool).await;
    let mut expected = Expected::default();
    for of_town in 0..2 {
        let own: Vec<_> = events.iter().filter(|s| s.town == of_town).map(|s| s.event()).collect();
        expected.apply(of_town, &own);
        assert_eq!(total(&pool, "headline_10s", &town(of_town)).await, expected.total(of_town));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_transaction_leaves_nothing_and_fails_only_its_sender() {
    let pool = fresh_database().await;
    sqlx::raw_sql("alter table source add constraint boom check (source <> 'boom')").execute(&pool).await.unwrap();
    let (intake, writer, mut changes) = intake(&pool, IntakeLimits::default());
    let mut dice = Dice(3);
    let good: Vec<_> = (0..50).map(|_| Seed { claim: None, town: 0, ..dice.seed() }.event()).collect();
    let mut bad = good.clone();
    for event in &mut bad {
        event.key.0 ^= 1;
        event.source = model::SourceName::new("boom").unwrap();
    }
    let here = town(0);
    let (refused, stored) = tokio::join!(intake.submit(&here, bad), intake.submit(&here, good));
    assert_eq!(refused, Err(SubmitError::Unavailable));
    let stored = stored.unwrap().iter().filter(|outcome| **outcome == Outcome::Stored).count();
    intake.close_and_drain(writer).await;
    assert_eq!(count(&pool, "event").await, i64::try_from(stored).unwrap());
    assert_eq!(count(&pool, "event where source = 'boom'").await, 0);
    assert_eq!(changes.recv().await.unwrap().changes.added.len(), stored);
    assert_holds(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so_at_once_and_loses_nothing() {
    let pool = fresh_database().await;
    let limits = IntakeLimits { queue_events: 10, ..IntakeLimits::default() };
    let (intake, writer, _changes) = intake(&pool, limits);
    let mut dice = Dice(5);
    let mut ten = || (0..10).map(|_| Seed { town: 0, claim: None, ..dice.seed() }.event()).collect::<Vec<_>>();
    intake.submit(&town(0), ten()).await.unwrap();
    assert_eq!(intake.depth(), 0);
    // Nobody can write while this holds.
    let mut blocker = pool.begin().await.unwrap();
    sqlx::query("lock table event in access exclusive mode").execute(&mut *blocker).await.unwrap();
    let waiting = tokio::spawn({
        let (intake, events) = (intake.clone(), ten());
        async move { intake.submit(&town(0), events).await }
    });
    while intake.depth() < 10 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(intake.submit(&town(0), ten()).await, Err(SubmitError::Full { retry_after_s: 1 }));
    let patient = tokio::spawn({
        let (intake, events) = (intake.clone(), ten());
        async move { intake.submit_waiting(&town(0), events).await }
    });
    blocker.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
    patient.await.unwrap().unwrap();
    intake.close_and_drain(writer).await;
    assert_eq!(intake.submit(&town(0), ten()).await, Err(SubmitError::Closed));
    assert_holds(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_believed_is_rejected_with_a_reason_and_counted() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let mut early = Dice(1).seed().event();
    early.at = model::Timestamp(0);
    let fine = Seed { town: 0, ..Dice(1).seed() }.event();
    let source = fine.source.clone();
    early.source = source.clone();
    let outcomes = intake.submit(&town(0), vec![early, fine.clone(), fine]).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Rejected(reason) if reason.contains("2000 to 2100")), "{outcomes:?}");
    assert_eq!(outcomes[1..], [Outcome::Stored, Outcome::Duplicate]);
    let items = (0..60).map(|n| Rejection { place: format!("line {n}"), reason: "not JSON".into() }).collect();
    intake.reject(&town(0), &source, items).await.unwrap();
    let counters = "select received, stored, duplicate, rejected from source";
    let row: (i64, i64, i64, i64) = sqlx::query_as(counters).fetch_one(&pool).await.unwrap();
    assert_eq!(row, (63, 1, 1, 61));
    assert_eq!(count(&pool, "rejection").await, 50);
    assert_eq!(count(&pool, "rejection where place = 'line 59'").await, 1);
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_someone_knows_completes_its_events() {
    use model::event::{CostSnapshot, Event};
    use model::{AgentName, Nanodollars, RigName, Role, SessionId};
    let pool = fresh_database().await;
    let (intake, writer, mut changes) = intake(&pool, IntakeLimits::default());
    let session = Some(SessionId::new("s-1").unwrap());
    let call = Seed { town: 0, minute: 1, second: 0, kind: 0, who: 4, size: 1, claim: None };
    let mut before = call.event();
    (before.session, before.role, before.agent) = (session.clone(), Role::Other, None);
    let mut snapshot = call.event();
    snapshot.key.0 += 1;
    snapshot.event = Event::CostSnapshot(CostSnapshot { total: Nanodollars(5) });
    snapshot.session = session.clone();
    (snapshot.role, snapshot.agent, snapshot.rig) =
        (Role::Polecat, Some(AgentName::new("toast").unwrap()), Some(RigName::new("gastown").unwrap()));
    let mut after = before.clone();
    after.key.0 += 2;
    for event in [before, snapshot, after] {
        intake.submit(&town(0), vec![event]).await.unwrap();
    }
    intake.close_and_drain(writer).await;
    drop(intake);
    let mut seen = Vec::new();
    while let Some(committed) = changes.recv().await {
        let envelope = committed.changes.added[0].envelope.clone();
        seen.push((envelope.agent.unwrap().to_string(), envelope.rig.unwrap().to_string(), envelope.role));
    }
    let toast = ("toast".to_owned(), "gastown".to_owned(), Role::Polecat);
    assert_eq!(seen, [("s-1".to_owned(), "rig".to_owned(), Role::Other), toast.clone(), toast]);
    assert_holds(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_postgres_is_killed() {
    use nix::sys::signal::{Signal, kill};
    let data_dir = temporary_data_dir("ingest-kill").unwrap();
    let cluster = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
    let pool = db::connect(cluster.connect_options()).await.unwrap();
    db::migrate(&pool).await.unwrap();
    let (intake, writer, mut changes) = intake(&pool, IntakeLimits::default());
    let drain = tokio::spawn(async move { while changes.recv().await.is_some() {} });
    let mut expected = Expected::default();
    let mut dice = Dice(23);
    for round in 0..60 {
        let events: Vec<_> = (0..200).map(|_| Seed { town: 0, ..dice.seed() }.event()).collect();
        expected.apply(0, &events);
        if round % 20 == 10 {
            let text = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid")).unwrap();
            let pid = text.lines().next().unwrap().parse().unwrap();
            kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        }
        intake.submit_waiting(&town(0), events).await.unwrap();
    }
    intake.close_and_drain(writer).await;
    drop(intake);
    drain.await.unwrap();
    // The writer has connections of its own: those of `pool` may not have noticed yet that Postgres was killed.
    pool.close().await;
    let pool = db::connect(cluster.connect_options()).await.unwrap();
    assert_eq!(total(&pool, "headline_10s", &town(0)).await, expected.total(0));
    assert_holds(&pool).await;
    pool.close().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_what_does_not_add_up() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let mut dice = Dice(2);
    intake.submit(&town(0), (0..300).map(|_| Seed { town: 0, ..dice.seed() }.event()).collect()).await.unwrap();
    intake.close_and_drain(writer).await;
    assert_holds(&pool).await;
    for (damage, table) in [
        ("update headline_5m set output_tokens = output_tokens + 1", "headline_5m"),
        ("delete from by_role_10s", "by_role_10s"),
        ("update working_6h set seconds = seconds + 60", "working_6h"),
        (
            "insert into presence select town_id, minute + interval '1 day', rig, agent, 1 from presence limit 1",
            "presence",
        ),
        ("update source set computed = computed + 1", "source"),
        ("delete from source", "source"),
    ] {
        sqlx::raw_sql(damage).execute(&pool).await.unwrap();
        let report = db::verify::run(&pool).await.unwrap();
        assert!(report.first.iter().any(|difference| difference.table == table), "{damage}: {report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_drops_what_is_old_and_the_rest_still_adds_up() {
    use model::time::Timestamp;
    use server::retention::{RetentionDays, run_once};
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let mut dice = Dice(9);
    let day = |n: i64, dice: &mut Dice| -> Vec<_> {
        let mut events: Vec<_> = (0..50).map(|_| Seed { town: 0, claim: None, ..dice.seed() }.event()).collect();
        events.iter_mut().for_each(|event| event.at = event.at.plus_seconds(n * 86_400));
        events
    };
    for n in 0..12 {
        intake.submit(&town(0), day(n, &mut dice)).await.unwrap();
    }
    let now: Timestamp = T0.plus_seconds(12 * 86_400);
    let days = RetentionDays { events: Some(5), tier_10s: Some(4), ..RetentionDays::default() };
    assert_eq!(run_once(&pool, days, now, 0).await.unwrap(), 0, "first announced");
    assert!(run_once(&pool, days, now, 0).await.unwrap() > 0, "then dropped");
    assert_holds(&pool).await;
    assert!(count(&pool, "event").await < 500);
    let kept = total(&pool, "headline_1m", &town(0)).await;
    assert_eq!(kept.events, 600, "coarser tiers stay");
    // Charts: what the fine tier lost is shown by a coarser one, and what all lost is a gap.
    let lines = async |from: i64, to: i64| {
        let range = model::time::TimeRange::new(T0.plus_seconds(from), T0.plus_seconds(to)).unwrap();
        let present = server::db::series::Present { now, observing_since: now, lost_after_s: 600, edges: Vec::new() };
        let key = towns::ensure(&pool, &TOWN, false).await.unwrap();
        server::db::series::read(&pool, key, &model::series::Metric::Lines.into(), range, &present).await.unwrap()
    };
    assert_eq!(lines(11 * 86_400, 11 * 86_400 + 3_600).await.step_s, 10);
    assert_eq!(lines(86_400, 86_400 + 3_600).await.step_s, 60);
    let known = |page: &model::series::SeriesPage| page.series.iter().flat_map(|s| &s.sums).flatten().count();
    assert!(known(&lines(86_400, 2 * 86_400).await) > 0);
    let all = RetentionDays {
        events: Some(4),
        tier_10s: Some(4),
        tier_1m: Some(4),
        tier_5m: Some(4),
        tier_30m: Some(4),
        tier_6h: Some(4),
    };
    run_once(&pool, all, now, 0).await.unwrap();
    run_once(&pool, all, now, 0).await.unwrap();
    assert_eq!(known(&lines(86_400, 2 * 86_400).await), 0);
    let kept = total(&pool, "headline_1m", &town(0)).await;
    assert!(kept.events > 0);
    // A writer that has just begun knows the floor.
    let (late, late_writer, _late_changes) = support::intake(&pool, IntakeLimits::default());
    let outcomes = late.submit(&town(0), day(1, &mut dice)).await.unwrap();
    assert!(outcomes.iter().all(|o| matches!(o, Outcome::Rejected(_))), "{outcomes:?}");
    assert_eq!(total(&pool, "headline_1m", &town(0)).await, kept);
    intake.close_and_drain(writer).await;
    late.close_and_drain(late_writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tank_is_exact_although_what_it_spent_is_dropped() {
    use server::db::ledger::{self, Added, Entry, EntryKind};
    use server::db::live_seed;
    use server::retention::{RetentionDays, run_once};
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let mut dice = Dice(3);
    let key = towns::ensure(&pool, &TOWN, false).await.unwrap();
    for n in 0..6_i64 {
        let mut calls: Vec<_> =
            (0..80).map(|_| Seed { town: 0, kind: 0, claim: None, ..dice.seed() }.event()).collect();
        calls.iter_mut().for_each(|event| event.at = event.at.plus_seconds(n * 86_400));
        intake.submit(&town(0), calls).await.unwrap();
    }
    // In the middle of a day's calls, of a half hour, and of a bucket.
    for (n, at) in [(0, T0.plus_seconds(86_400 + 1_507)), (1, T0.plus_seconds(3 * 86_400 + 2_003))] {
        let amount = model::Nanodollars(50_000_000_000);
        let request = uuid::Uuid::from_u128(n);
        let entry = Entry { at, kind: EntryKind::Topup, amount, note: String::new(), request };
        assert_eq!(ledger::add(&pool, (key, &TOWN), &entry, "test").await.unwrap(), Added::Stored);
    }
    let tank = async || {
        let mut connection = pool.acquire().await.unwrap();
        let tank = live_seed::tank(&mut connection, key, None).await.unwrap().unwrap();
        (tank.spent, tank.spent_at_topup)
    };
    let before = tank().await;
    assert!(before.0 > before.1 && before.1 > model::Nanodollars(0), "{before:?}");
    for (all, day) in [(2, 5), (1, 6), (1, 9)] {
        let keep = Some(all);
        let days = RetentionDays {
            events: Some(1),
            tier_10s: keep,
            tier_1m: keep,
            tier_5m: keep,
            tier_30m: keep,
            tier_6h: keep,
        };
        for _ in 0..2 {
            run_once(&pool, days, T0.plus_seconds(day * 86_400), 0).await.unwrap();
        }
        assert_eq!(tank().await, before, "day {day}");
    }
    assert_eq!((count(&pool, "event").await, count(&pool, "headline_30m").await), (0, 0));
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_town_is_founded_once() {
    let pool = fresh_database().await;
    let keys = futures::future::join_all((0..8).map(|_| towns::ensure(&pool, &TOWN, false))).await;
    let first = keys[0].as_ref().unwrap();
    assert!(keys.iter().all(|key| key.as_ref().unwrap() == first));
    assert_eq!(towns::list(&pool).await.unwrap().len(), 1);
}

static TOWN: std::sync::LazyLock<model::TownName> = std::sync::LazyLock::new(|| town(0));
