//! What calls cost whom, against a real Postgres: whatever is repeated, replaced, late or reattributed, sums of any range
//! with any filter are those of the stored events, and history from before there were sums gets its own.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;

use crate::support::{Dice, Expected, Seed, T0, assert_holds, count, intake, town};
use model::cost::{CostFilter, Dimension, SpendSum, Spender};
use model::event::{Event, PricedEvent, Provenance};
use model::id::{BeadId, SessionId};
use model::time::{TimeRange, Timestamp};
use model::{Envelope, ModelName};
use proptest::prelude::*;
use server::db::spend::{self, Columns};
use server::db::{Pool, town as towns};
use server::ingest::{IntakeLimits, Outcome};
use server::postgres::testing::fresh_database;
use server::rollup;

type Groups = Vec<Option<String>>;

/// An event of the seed with a conversation and a bead, which the seed itself decides. A conversation is one agent's, and
/// events without an agent have none, so that nothing is learned later and no conversation stands in for an agent.
pub fn event(seed: Seed) -> Envelope {
    let mut event = seed.event();
    let number = event.key.0 % 5;
    event.session = (number > 0 && event.agent.is_some())
        .then(|| SessionId::new(&format!("session-{}-{}", seed.who, number % 2)).unwrap());
    event.bead = (!event.key.0.is_multiple_of(3)).then(|| BeadId::new(&format!("gt-{}", event.key.0 % 3)).unwrap());
    event
}

/// Whose a stored call is, as the server prices it.
fn spender(event: &PricedEvent) -> Option<Spender> {
    let Event::ModelCall(call) = &event.envelope.event else { return None };
    let provenance = match (call.reported, event.cost?.amount) {
        (Some(_), _) => Provenance::Reported,
        (None, Some(_)) => Provenance::Computed,
        (None, None) => Provenance::Unpriced,
    };
    Some(Spender::of(&event.envelope, Some(call.model.clone()), provenance))
}

fn expected_sums<'a>(
    events: impl Iterator<Item = &'a PricedEvent>,
    ranges: &[TimeRange],
    by: &[Dimension],
    filter: &CostFilter,
) -> BTreeMap<(usize, Groups), SpendSum> {
    let mut sums: BTreeMap<(usize, Groups), SpendSum> = BTreeMap::new();
    for event in events {
        let Some(spender) = spender(event).filter(|spender| filter.admits(spender)) else { continue };
        let groups: Groups = by.iter().map(|d| spender.group(*d).map(Into::into)).collect();
        for (at, _) in ranges.iter().enumerate().filter(|(_, range)| range.contains(event.envelope.at)) {
            sums.entry((at, groups.clone())).or_default().add(&SpendSum::of(event));
        }
    }
    sums
}

async fn found(
    pool: &Pool,
    n: u8,
    ranges: &[TimeRange],
    by: &[Dimension],
    filter: &CostFilter,
) -> BTreeMap<(usize, Groups), SpendSum> {
    let key = towns::find(pool, &town(n)).await.unwrap().unwrap().key;
    let mut connection = pool.acquire().await.unwrap();
    let rows = spend::sums(&mut connection, key, ranges, Columns(by), filter).await.unwrap();
    let count = rows.len();
    let sums: BTreeMap<_, _> = rows.into_iter().map(|(range, groups, sum)| ((range, groups), sum)).collect();
    assert_eq!(sums.len(), count, "each group once");
    sums
}

/// Some of the groups that occur, and one that does not.
fn some_filter(dice: &mut Dice) -> CostFilter {
    let mut filter = CostFilter::default();
    for _ in 0..dice.roll(4) {
        let (dimension, group) = match dice.roll(9) {
            0 => (Dimension::Rig, Some("rig")),
            1 => (Dimension::Rig, None),
            2 => (Dimension::Role, Some("polecat")),
            3 => (Dimension::Agent, Some("agent-2")),
            4 => (Dimension::Model, Some("unheard-of")),
            5 => (Dimension::Provider, Some("Anthropic")),
            6 => (Dimension::Bead, None),
            7 => (Dimension::Session, Some("session-3-1")),
            _ => (Dimension::Provenance, Some("reported")),
        };
        filter.choose(dimension, group.map(Into::into)).unwrap();
    }
    filter
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_those_of_what_is_stored_whatever_is_repeated_replaced_or_late(seed in any::<u64>()) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let pool = fresh_database().await;
            let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
            let (mut dice, mut expected, mut sent) = (Dice(seed), Expected::default(), Vec::<Seed>::new());
            for _ in 0..6 {
                for of_town in 0..2 {
                    let events: Vec<Envelope> = (0..dice.roll(60)).map(|_| {
                        let again = dice.roll(4) == 0;
                        let earlier = usize::try_from(dice.roll(1_000)).unwrap();
                        let new = dice.seed();
                        let seed = if again { sent.get(earlier).copied().unwrap_or(new) } else { new };
                        sent.push(seed);
                        event(Seed { town: of_town, ..seed })
                    }).collect();
                    let want = expected.apply(of_town, &events);
                    assert_eq!(intake.submit(&town(of_town), events).await.unwrap(), want);
                }
                if dice.roll(2) == 0 {
                    rollup::run_once(&pool).await.unwrap();
                }
            }
            // Before the worker comes, what waits is counted too; afterwards nothing waits.
            for worked in [false, true] {
                if worked {
                    rollup::run_once(&pool).await.unwrap();
                    assert_eq!(count(&pool, "spend_part").await, 0);
                }
                for n in 0..2 {
                    // A quarter, what lies around a day's end in UTC, a day of a zone, and all.
                    let range = |from: i64, to: i64| {
                        TimeRange::new(T0.plus_seconds(from * 900 - 1_200), T0.plus_seconds(to * 900 - 1_200)).unwrap()
                    };
                    let from = i64::try_from(dice.roll(6)).unwrap();
                    let ranges = [range(from, from + 1), range(from, from + 5), range(-83, 13), range(-400, 400)];
                    for by in [
                        &[][..], &[Dimension::Role], &[Dimension::Provider], &[Dimension::Session, Dimension::Model],
                        &[Dimension::Role, Dimension::Rig, Dimension::Agent], &[Dimension::Bead], &[Dimension::Provenance],
                    ] {
                        let filter = some_filter(&mut dice);
                        let want = expected_sums(expected.events(n), &ranges, by, &filter);
                        assert_eq!(found(&pool, n, &ranges, by, &filter).await, want, "{by:?} {}", filter.to_query());
                    }
                }
            }
            assert_holds(&pool).await;
            intake.close_and_drain(writer).await;
            pool.close().await;
        });
    }
}

fn always() -> [TimeRange; 1] {
    [TimeRange::new(Timestamp::from_seconds(T0.seconds() - 86_400), T0.plus_seconds(2 * 86_400)).unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn history_from_before_there_were_sums_gets_its_own_while_events_come_in() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let mut dice = Dice(3);
    let seeds: Vec<Seed> = (0..600).map(|_| Seed { town: 0, ..dice.seed() }).collect();
    let (before, after) = seeds.split_at(400);
    intake.submit(&town(0), before.iter().copied().map(event).collect()).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    // As it was before migration 0024, and as that leaves it.
    let undo = "truncate spend_part, spend_15m, spend_day, account_1h, account_6h, account_day, spend_model;
                insert into spend_rebuild select town_id, bucket from headline_6h";
    sqlx::raw_sql(undo).execute(&pool).await.unwrap();
    assert!(count(&pool, "spend_rebuild").await > 1);
    let mut turns = Vec::new();
    for _ in 0..2 {
        let pool = pool.clone();
        turns.push(tokio::spawn(async move {
            for _ in 0..20 {
                spend::rebuild(&pool, 1).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }));
    }
    // Replacements of old events among them.
    for chunk in after.chunks(10) {
        intake.submit(&town(0), chunk.iter().copied().map(event).collect()).await.unwrap();
    }
    for turn in turns {
        turn.await.unwrap();
    }
    rollup::run_once(&pool).await.unwrap();
    assert_eq!(count(&pool, "spend_rebuild").await, 0);
    assert_holds(&pool).await;
    let mut expected = Expected::default();
    expected.apply(0, &before.iter().copied().map(event).collect::<Vec<_>>());
    for chunk in after.chunks(10) {
        expected.apply(0, &chunk.iter().copied().map(event).collect::<Vec<_>>());
    }
    let by = [Dimension::Session, Dimension::Bead, Dimension::Model];
    let filter = CostFilter::default();
    assert_eq!(
        found(&pool, 0, &always(), &by, &filter).await,
        expected_sums(expected.events(0), &always(), &by, &filter)
    );
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_attributed_late_moves_its_spending_and_leaves_nothing_behind() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let seed = Seed { town: 0, minute: 5, second: 1, kind: 0, who: 4, size: 1, claim: None };
    let mut first = event(seed);
    (first.agent, first.rig, first.session) = (None, None, Some(SessionId::new("s").unwrap()));
    first.role = model::Role::Other;
    assert_eq!(intake.submit(&town(0), vec![first.clone()]).await.unwrap(), [Outcome::Stored]);
    rollup::run_once(&pool).await.unwrap();
    let mut named = event(Seed { minute: 6, who: 1, ..seed });
    named.session = first.session.clone();
    intake.submit(&town(0), vec![named.clone()]).await.unwrap();
    rollup::run_once(&pool).await.unwrap();
    let sums = found(&pool, 0, &always(), &[Dimension::Agent], &CostFilter::default()).await;
    assert_eq!(sums.len(), 1, "{sums:?}");
    assert_eq!(sums[&(0, vec![named.agent.map(|agent| agent.to_string())])].calls, 2);
    for table in ["spend_15m", "spend_day", "account_1h", "account_6h", "account_day"] {
        let empty = format!("(select from {table} where calls = 0) as t");
        assert_eq!(count(&pool, &empty).await, 0, "{table}");
    }
    assert_holds(&pool).await;
    intake.close_and_drain(writer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_sums_that_are_not_what_the_events_say() {
    let pool = fresh_database().await;
    let (intake, writer, _changes) = intake(&pool, IntakeLimits::default());
    let seed = Seed { town: 0, minute: 5, second: 1, kind: 0, who: 1, size: 1, claim: None };
    let mut other = event(Seed { minute: 50, ..seed });
    if let Event::ModelCall(call) = &mut other.event {
        call.model = ModelName::new("another").unwrap();
    }
    intake.submit(&town(0), vec![event(seed), other]).await.unwrap();
    assert_holds(&pool).await;
    for (spoil, table) in [
        ("update spend_15m set cost = cost + 1", "spend_15m"),
        ("delete from spend_day", "spend_day"),
        ("update account_1h set calls = 7", "account_1h"),
        ("update account_6h set input_tokens = 0", "account_6h"),
        ("delete from account_day", "account_day"),
    ] {
        sqlx::raw_sql(spoil).execute(&pool).await.unwrap();
        let report = server::db::verify::run(&pool).await.unwrap();
        assert!(report.first.iter().any(|difference| difference.table == table), "{spoil}: {report:#?}");
    }
    intake.close_and_drain(writer).await;
}
