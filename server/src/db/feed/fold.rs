//! What a transaction notes of the events it brings and takes back.

use std::collections::{BTreeMap, HashSet};

use model::event::PricedEvent;
use model::time::Timestamp;

use super::packed::{self, Spot};
use crate::db::TownKey;
use crate::db::event::Place;
use crate::db::fold::Statement;
use crate::hub::row_key;

/// What becomes of one town.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::db) struct FeedChange {
    entries: i32,
    gone: Vec<u8>,
    added: Vec<u8>,
    last: Timestamp,
}

/// The changes by town. `inserted` comes sorted by place. What is taken back and stored again at its place is no change.
pub(in crate::db) fn changes<'a>(
    inserted: impl Iterator<Item = (TownKey, &'a PricedEvent)>,
    taken: impl Iterator<Item = (TownKey, &'a PricedEvent)>,
) -> BTreeMap<TownKey, FeedChange> {
    let mut taken: Vec<(Place, &PricedEvent)> = taken.map(|(town, event)| (place(town, event), event)).collect();
    let before: HashSet<Place> = taken.iter().map(|(place, _)| *place).collect();
    let mut again: HashSet<Place> = HashSet::new();
    let mut changes: BTreeMap<TownKey, FeedChange> = BTreeMap::new();
    for (town, event) in inserted {
        let place = place(town, event);
        if !before.is_empty() && before.contains(&place) {
            again.insert(place);
            continue;
        }
        let change = changes.entry(town).or_default();
        packed::push(&mut change.added, change.last, Spot::of(place.at, place.key));
        change.last = place.at;
        change.entries += 1;
    }
    taken.retain(|(place, _)| !again.contains(place));
    taken.sort_unstable_by_key(|(place, _)| *place);
    for (place, event) in taken {
        let change = changes.entry(place.town).or_default();
        change.gone.extend_from_slice(&row_key(event).0.to_be_bytes());
        change.entries += 1;
    }
    changes
}

const fn place(town: TownKey, event: &PricedEvent) -> Place {
    Place { town, at: event.envelope.at, key: event.envelope.key }
}

/// Binds changes at the end of [`crate::db::fold`]'s list.
pub(in crate::db) fn bind<'q>(statement: Statement<'q>, changes: &BTreeMap<TownKey, FeedChange>) -> Statement<'q> {
    statement
        .bind(changes.keys().map(|town| town.0).collect::<Vec<i32>>())
        .bind(changes.values().map(|change| change.entries).collect::<Vec<i32>>())
        .bind(changes.values().map(|change| change.gone.clone()).collect::<Vec<Vec<u8>>>())
        .bind(changes.values().map(|change| change.added.clone()).collect::<Vec<Vec<u8>>>())
}
