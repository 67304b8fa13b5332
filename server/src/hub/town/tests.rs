//! The live state of one town, by its rules.

use model::live::{Applied, LiveState};
use model::wire::{EVENTS_PER_TICK, ServerMessage};
use proptest::prelude::*;

use super::*;
use crate::hub::fixture::{T0, call};

fn town() -> Town {
    Town::new(TownName::new("t").unwrap(), Seed::default(), 0, T0)
}

fn added(events: Vec<PricedEvent>) -> Changes {
    Changes { added: events, removed: Vec::new() }
}

#[test]
fn a_town_without_events_has_no_flow_and_no_tank() {
    let gauges = town().gauges(T0);
    assert_eq!((gauges.flow, gauges.tank, gauges.pace), (None, None, Pace::default()));
}

#[test]
fn the_dial_shows_what_was_committed_and_decays_to_zero() {
    let mut town = town();
    town.fold(&added(vec![call(T0, 5_000), call(T0, 7_000)]), T0);
    let delta = town.tick(T0).unwrap();
    assert_eq!((delta.rev, delta.events.len(), delta.roster.len()), (1, 2, 1));
    assert_eq!(delta.gauges.flow.unwrap().tokens, 2_000);
    assert_eq!(delta.gauges.pace.spent, Nanodollars(12_000));
    assert!(town.tick(T0).is_none(), "nothing new within the second");
    let later = T0.plus_seconds(60);
    assert_eq!(town.tick(later).unwrap().gauges.flow, Some(Flow::default()));
    assert_eq!(town.gauges(later).pace, Pace { spent: Nanodollars(12_000), over_s: 60 });
    assert_eq!(town.gauges(T0.plus_seconds(300)).pace.spent, Nanodollars(0));
}

#[test]
fn a_town_that_was_touched_makes_one_frame_in_which_nothing_happened() {
    let mut town = town();
    assert!(town.tick(T0).is_none());
    let before = town.snapshot_now(T0);
    town.touch();
    let delta = town.tick(T0).unwrap();
    assert_eq!((delta.events.len(), delta.roster.len(), delta.edges.len(), delta.skipped), (0, 0, 0, 0));
    assert_eq!(town.snapshot_now(T0), Snapshot { rev: before.rev + 1, ..before });
    assert!(town.tick(T0).is_none());
}

#[test]
fn the_strip_of_alerts_is_said_once_and_is_in_every_snapshot() {
    let mut town = town();
    town.set_alerts("<ul>".to_owned());
    assert_eq!(town.tick(T0).unwrap().alerts.as_deref(), Some("<ul>"));
    town.set_alerts("<ul>".to_owned());
    assert!(town.tick(T0).is_none(), "nothing new");
    assert_eq!(town.snapshot(T0).alerts, "<ul>");
    town.fold(&added(vec![call(T0, 1)]), T0);
    assert_eq!(town.tick(T0).unwrap().alerts, None);
    let mut loaded = Town::new(TownName::new("t").unwrap(), Seed::default(), 1, T0);
    loaded.keep_alerts(town.alerts().to_owned());
    assert_eq!((loaded.snapshot(T0).alerts.as_str(), loaded.tick(T0).is_none()), ("<ul>", true));
}

#[test]
fn a_replaced_event_counts_once() {
    let mut town = town();
    town.fold(&added(vec![call(T0, 5_000)]), T0);
    town.fold(&Changes { added: vec![call(T0, 9_000)], removed: vec![call(T0, 5_000)] }, T0);
    let gauges = town.gauges(T0);
    assert_eq!(gauges.flow.unwrap().cost, Nanodollars(9_000));
    assert_eq!(gauges.flow.unwrap().tokens, 1_000);
}

#[test]
fn more_events_than_fit_a_tick_are_counted() {
    let mut town = town();
    town.fold(&added((0..60).map(|i| call(T0.plus_seconds(-i), 1)).collect()), T0);
    let delta = town.tick(T0).unwrap();
    assert_eq!((delta.events.len(), delta.skipped), (EVENTS_PER_TICK, 60 - 25));
}

#[test]
fn history_is_not_news() {
    let mut town = town();
    town.fold(&added(vec![call(T0, 1)]), T0);
    town.fold(&added(vec![call(T0.plus_seconds(-9_000), 1)]), T0);
    let delta = town.tick(T0).unwrap();
    assert_eq!((delta.events.len(), delta.skipped), (1, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A client that follows the deltas holds the same as one that has just joined.
    #[test]
    fn deltas_add_up_to_the_snapshot(steps in proptest::collection::vec((0_i64..4_000, 0_usize..40), 1..60)) {
        let mut town = town();
        let mut client = LiveState::default();
        client.apply(ServerMessage::Snapshot(Box::new(town.snapshot(T0))));
        let mut now = T0;
        let mut before = Vec::new();
        for (i, (millis, events)) in steps.into_iter().enumerate() {
            now = Timestamp(now.0 + millis * 1_000);
            let of = |n: usize| {
                let mut event = call(Timestamp(now.0 - 1_000 * i64::try_from(n).unwrap()), 1_000);
                event.envelope.agent = Some(model::AgentName::new(&format!("a{}", (i + n) % 7)).unwrap());
                event
            };
            let mut changes = added((0..events).map(of).collect());
            // Now and then a report is replaced by the next one, and one is told again.
            if let Some(lesser) = before.pop() {
                changes.removed.push(lesser);
            }
            if let Some(same) = before.pop() {
                let mut again = same.clone();
                again.envelope.role = model::Role::Crew;
                changes.removed.push(same);
                changes.added.push(again);
            }
            before = changes.added.clone();
            town.fold(&changes, now);
            if i % 3 != 0 && let Some(delta) = town.tick(now) {
                prop_assert_ne!(client.apply(ServerMessage::Delta(Box::new(delta))), Applied::Gap);
            }
        }
        now = now.plus_seconds(1);
        if let Some(delta) = town.tick(now) {
            client.apply(ServerMessage::Delta(Box::new(delta)));
        }
        let fresh = town.snapshot(now);
        let mut followed = *client.town.unwrap();
        followed.roster.sort_by(|a, b| (a.role, &a.rig, &a.name).cmp(&(b.role, &b.rig, &b.name)));
        prop_assert_eq!(followed.gauges.flow, fresh.gauges.flow);
        prop_assert_eq!(followed.roster, fresh.roster);
        prop_assert_eq!(followed.events, fresh.events);
        prop_assert_eq!(followed.trend, fresh.trend);
        prop_assert_eq!(followed.edges, fresh.edges);
        prop_assert_eq!(followed.rev, fresh.rev);
    }
}

#[test]
fn the_dials_hold_while_the_store_is_lost_and_go_on_after() {
    let mut town = town();
    let sums = |town: &mut Town, s| town.gauges(T0.plus_seconds(s)).flow.map(|flow| flow.tokens);
    town.fold(&added(vec![call(T0, 100)]), T0);
    let before = sums(&mut town, 1);
    let since = T0.plus_seconds(2);
    town.set_store_down(Some(since), T0.plus_seconds(5));
    let told = town.tick(T0.plus_seconds(5)).unwrap();
    assert_eq!((told.gauges.store_down_since, told.gauges.flow.map(|f| f.tokens)), (Some(since), before));
    // Viewers are told once; beats do the rest. Who comes later is told as well.
    assert_eq!(town.tick(T0.plus_seconds(200)), None);
    let snapshot = town.snapshot(T0.plus_seconds(200));
    assert_eq!((snapshot.gauges.store_down_since, sums(&mut town, 200)), (Some(since), before));
    town.set_store_down(None, T0.plus_seconds(300));
    let told = town.tick(T0.plus_seconds(300)).unwrap();
    assert_eq!((told.gauges.store_down_since, told.gauges.flow.map(|f| f.tokens)), (None, Some(0)));
}
