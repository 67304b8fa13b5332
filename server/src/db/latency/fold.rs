//! What a batch adds to the finest tier, in the transaction that stores the events.

use foldhash::{HashMap, HashMapExt as _};
use model::event::PricedEvent;
use model::latency::{LatencySum, Sketch, Subject};
use model::time::{Resolution, Timestamp};

use super::SPAN;
use crate::db::fold::Statement;
use crate::db::{PgTime, TownKey};

/// What a batch adds of one tool or model in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::db) struct LatencyPart<'a> {
    pub town: TownKey,
    pub bucket: Timestamp,
    pub subject: Subject<'a>,
    pub sum: LatencySum,
}

#[derive(Default)]
struct Making {
    sum: LatencySum,
    durations: Vec<(u64, i64)>,
}

/// The parts of inserted and taken-back events, sorted by town, bucket and subject. What is taken back and stored again as
/// it was cancels out.
pub(in crate::db) fn parts<'a>(
    inserted: impl Iterator<Item = (TownKey, &'a PricedEvent)>,
    taken: impl Iterator<Item = (TownKey, &'a PricedEvent)>,
) -> Vec<LatencyPart<'a>> {
    let mut makings: HashMap<(TownKey, Timestamp, Subject<'a>), Making> = HashMap::new();
    let signed = inserted.map(|located| (located, 1)).chain(taken.map(|located| (located, -1)));
    for ((town, event), sign) in signed {
        let Some((subject, duration_us, ok)) = Subject::of(event) else { continue };
        let bucket = event.envelope.at.floor_to(Resolution::S10.step_s());
        let Making { sum, durations } = makings.entry((town, bucket, subject)).or_default();
        sum.calls += sign;
        sum.errors += if ok { 0 } else { sign };
        if let Some(us) = duration_us {
            let signed_us = i64::try_from(us).unwrap_or(i64::MAX).saturating_mul(sign);
            sum.total_us = sum.total_us.saturating_add(signed_us);
            durations.push((us, sign));
        }
    }
    let mut parts: Vec<LatencyPart<'a>> = makings
        .into_iter()
        .map(|((town, bucket, subject), Making { sum, durations })| LatencyPart {
            town,
            bucket,
            subject,
            sum: LatencySum { sketch: Sketch::of(durations), ..sum },
        })
        .filter(|part| !part.sum.is_empty())
        .collect();
    parts.sort_unstable_by_key(|part| (part.town, part.bucket, part.subject));
    parts
}

/// Binds parts and the spans they lie in, at the end of [`crate::db::fold`]'s list.
pub(in crate::db) fn bind<'q>(statement: Statement<'q>, parts: &[LatencyPart<'_>]) -> Statement<'q> {
    let mut spans: Vec<(TownKey, Timestamp)> =
        parts.iter().map(|part| (part.town, part.bucket.floor_to(SPAN.step_s()))).collect();
    spans.dedup();
    let number = |of: fn(&LatencySum) -> i64| parts.iter().map(|part| of(&part.sum)).collect::<Vec<i64>>();
    statement
        .bind(parts.iter().map(|part| part.town.0).collect::<Vec<i32>>())
        .bind(parts.iter().map(|part| PgTime(part.bucket)).collect::<Vec<_>>())
        .bind(parts.iter().map(|part| super::row::kind(part.subject).0).collect::<Vec<i16>>())
        .bind(parts.iter().map(|part| super::row::kind(part.subject).1.to_owned()).collect::<Vec<String>>())
        .bind(number(|sum| sum.calls))
        .bind(number(|sum| sum.errors))
        .bind(number(|sum| sum.total_us))
        .bind(parts.iter().map(|part| part.sum.sketch.to_bytes()).collect::<Vec<Vec<u8>>>())
        .bind(spans.iter().map(|(town, _)| town.0).collect::<Vec<i32>>())
        .bind(spans.iter().map(|(_, span)| PgTime(*span)).collect::<Vec<_>>())
}
