//! What the calls of a window are summed to.

use model::cover::cover;
use model::latency::LatencySum;
use model::time::{Resolution, TimeRange, Timestamp};
use sqlx::postgres::PgConnection;

use super::{SPAN, TIERS, row};
use crate::db::{DbError, PgTime, TownKey};

/// Whose calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A model's, as its source names it.
    Model(String),
    /// A tool's.
    Tool(String),
}

/// Sums with the bucket that they are of and whose they are. Of the same bucket there may be several, and buckets are
/// those of any tier: at the ends of the window of finer ones.
pub type Sums = Vec<(Timestamp, Who, LatencySum)>;

/// Spans that the worker has not redone yet are read from the finest tier, as long as they are not more than this: a live
/// town has one or two of them. Beyond it are those of a backfill, whose past is complete some seconds later.
const MOST_DIRTY: i64 = 24;

/// The sums that together are `range`, widened to whole buckets of 10 s. Exact within the connection's snapshot.
///
/// # Errors
/// The database refused.
pub async fn window(connection: &mut PgConnection, town: TownKey, range: TimeRange) -> Result<Sums, DbError> {
    let range = range.widened_to(Resolution::S10);
    let dirty: Vec<(PgTime,)> = sqlx::query_as(include_str!("../sql/latency_dirty.sql"))
        .bind(town.0)
        .bind(PgTime(range.from().floor_to(SPAN.step_s())))
        .bind(PgTime(range.to()))
        .bind(MOST_DIRTY)
        .fetch_all(&mut *connection)
        .await?;
    let dirty: Vec<Timestamp> = dirty.into_iter().rev().map(|(span,)| span.0).collect();
    let pieces = pieces(range, &dirty);
    let mut statement = sqlx::query(include_str!("../sql/latency_window.sql")).bind(town.0);
    for tier in TIERS {
        let of_tier = || pieces.iter().filter(|(of, _)| *of == tier).map(|(_, piece)| *piece);
        statement = statement
            .bind(of_tier().map(|piece| PgTime(piece.from())).collect::<Vec<_>>())
            .bind(of_tier().map(|piece| PgTime(piece.to())).collect::<Vec<_>>());
    }
    let rows = statement.fetch_all(connection).await?;
    let mut sums = Sums::with_capacity(rows.len());
    for row in &rows {
        let ((bucket, kind, name), sum) = row::decode(row)?;
        sums.push((bucket, if kind == 0 { Who::Model(name) } else { Who::Tool(name) }, sum));
    }
    Ok(sums)
}

/// As few buckets as make up the range without a coarse one over any of the spans `dirty`, which are sorted.
fn pieces(range: TimeRange, dirty: &[Timestamp]) -> Vec<(Resolution, TimeRange)> {
    let mut pieces = Vec::new();
    let mut from = range.from();
    for span in dirty {
        let (begin, end) = (range.from().max(*span), range.to().min(span.plus_seconds(SPAN.step_s())));
        if let Ok(clean) = TimeRange::new(from, begin) {
            pieces.extend(cover(clean, &TIERS));
        }
        pieces.extend(TimeRange::new(begin, end).map(|piece| (Resolution::S10, piece)));
        from = from.max(end);
    }
    if let Ok(rest) = TimeRange::new(from, range.to()) {
        pieces.extend(cover(rest, &TIERS));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_worker_has_not_redone_is_read_from_the_finest_tier() {
        let range = |from, to| TimeRange::new(Timestamp::from_seconds(from), Timestamp::from_seconds(to)).unwrap();
        let found = pieces(range(0, 3_610), &[Timestamp::from_seconds(1_800), Timestamp::from_seconds(3_600)]);
        let want = [
            (Resolution::M30, range(0, 1_800)),
            (Resolution::S10, range(1_800, 2_100)),
            (Resolution::M5, range(2_100, 3_600)),
            (Resolution::S10, range(3_600, 3_610)),
        ];
        assert_eq!(found, want);
        assert_eq!(pieces(range(310, 320), &[Timestamp::from_seconds(300)]), [(Resolution::S10, range(310, 320))]);
    }
}
