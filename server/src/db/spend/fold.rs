//! What a batch adds, in the transaction that stores the events.

use foldhash::{HashMap, HashMapExt as _};
use model::cost::SpendSum;
use model::event::PricedEvent;
use model::time::Timestamp;

use super::row::{self, Whose};
use crate::db::TownKey;
use crate::db::fold::Statement;

/// What a batch adds of one spender in one quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::db) struct SpendPart<'a> {
    town: TownKey,
    bucket: Timestamp,
    whose: Whose<&'a str>,
    sum: SpendSum,
}

/// The parts of inserted and taken-back events, sorted by town, bucket and whose they are. What is taken back and stored
/// again as it was cancels out.
pub(in crate::db) fn parts<'a>(
    inserted: impl Iterator<Item = (TownKey, &'a PricedEvent)>,
    taken: impl Iterator<Item = (TownKey, &'a PricedEvent)>,
) -> Vec<SpendPart<'a>> {
    let mut sums: HashMap<(TownKey, Timestamp, Whose<&'a str>), SpendSum> = HashMap::new();
    for (town, event) in inserted {
        let Some((bucket, whose)) = Whose::of(event) else { continue };
        sums.entry((town, bucket, whose)).or_default().add(&SpendSum::of(event));
    }
    for (town, event) in taken {
        let Some((bucket, whose)) = Whose::of(event) else { continue };
        sums.entry((town, bucket, whose)).or_default().subtract(&SpendSum::of(event));
    }
    let changed = sums.into_iter().filter(|(_, sum)| !sum.is_zero());
    let mut parts: Vec<SpendPart<'a>> =
        changed.map(|((town, bucket, whose), sum)| SpendPart { town, bucket, whose, sum }).collect();
    parts.sort_unstable_by(|a, b| (a.town, a.bucket, &a.whose).cmp(&(b.town, b.bucket, &b.whose)));
    parts
}

/// Binds town, then as [`row::bind`], at the end of [`crate::db::fold`]'s list.
pub(in crate::db) fn bind<'q>(statement: Statement<'q>, parts: &[SpendPart<'_>]) -> Statement<'q> {
    let rows: Vec<_> = parts.iter().map(|part| (part.bucket, &part.whose, &part.sum)).collect();
    row::bind(statement.bind(parts.iter().map(|part| part.town.0).collect::<Vec<i32>>()), &rows)
}
