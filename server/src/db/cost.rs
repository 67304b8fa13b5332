//! What a town spent between two instants, exactly.

use model::{Nanodollars, Resolution, Timestamp};
use sqlx::PgConnection;

use super::{DbError, PgTime, TownKey};

/// Cost of the calls from `from` to before `to`. Exact within the connection's snapshot.
///
/// # Errors
/// The database refused.
pub async fn between(
    connection: &mut PgConnection,
    town: TownKey,
    from: Timestamp,
    to: Timestamp,
) -> Result<Nanodollars, DbError> {
    if to <= from {
        return Ok(Nanodollars::ZERO);
    }
    let Split { whole, coarse } = Split::of(from, to);
    let (cost,): (i64,) = sqlx::query_as(include_str!("sql/cost_between.sql"))
        .bind(town.0)
        .bind(PgTime(from))
        .bind(PgTime(to))
        .bind(PgTime(whole.0))
        .bind(PgTime(whole.1))
        .bind(PgTime(coarse.0))
        .bind(PgTime(coarse.1))
        .fetch_one(connection)
        .await?;
    Ok(Nanodollars(cost))
}

/// A range cut where the tiers allow it: `from ≤ whole.0 ≤ coarse.0 ≤ coarse.1 ≤ whole.1 ≤ to`, where the inner
/// ranges are not empty. An inner range that would be empty ends where it begins.
#[derive(Debug, PartialEq, Eq)]
struct Split {
    whole: (Timestamp, Timestamp),
    coarse: (Timestamp, Timestamp),
}

impl Split {
    fn of(from: Timestamp, to: Timestamp) -> Self {
        let inner = |(from, to): (Timestamp, Timestamp), step_s: i64| {
            let first = from.ceil_to(step_s);
            if first < to.floor_to(step_s) { (first, to.floor_to(step_s)) } else { (to, to) }
        };
        let whole = inner((from, to), Resolution::S10.step_s());
        let coarse = if whole.0 < whole.1 { inner(whole, Resolution::M30.step_s()) } else { (whole.1, whole.1) };
        Self { whole, coarse }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_whole_buckets() {
        let at = Timestamp::from_seconds;
        let cut = |from, to| Split::of(at(from), at(to));
        assert_eq!(cut(5, 7_203), Split { whole: (at(10), at(7_200)), coarse: (at(1_800), at(7_200)) });
        assert_eq!(cut(5, 1_900), Split { whole: (at(10), at(1_900)), coarse: (at(1_900), at(1_900)) });
        assert_eq!(cut(5, 9), Split { whole: (at(9), at(9)), coarse: (at(9), at(9)) });
    }
}
