//! Requests in flight as a timeseries: exact from when each began and ended, so that no tier keeps them.

use model::in_flight::in_flight;
use model::series::SeriesPage;
use model::time::{TimeRange, Timestamp};

use super::request::{Spans, spans};
use super::series::{Present, fill_zeros};
use super::{DbError, Pool, TownKey, coverage};

/// Fills `page` with the mean and the most of each bucket that was observed, in thousandths. No floor is given: coarser
/// tiers reach back no farther.
pub(super) async fn read(
    pool: &Pool,
    town: TownKey,
    page: &mut SeriesPage,
    present: &Present,
) -> Result<Option<Timestamp>, DbError> {
    let Ok(range) = TimeRange::new(Timestamp::from_seconds(page.from_s), Timestamp::from_seconds(page.to_s)) else {
        return Ok(None);
    };
    fill_zeros(page, &coverage::observed(pool, town, range).await?, present);
    let mut connection = pool.acquire().await?;
    let Spans { spans, since } = spans(&mut connection, town, range, present.now, present.lost_after_s).await?;
    let buckets = in_flight(&spans, range, page.step_s, since, present.now);
    for (place, bucket) in buckets.into_iter().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "requests in flight, of which there are thousands at most")]
        let values = bucket.map(|bucket| [(bucket.mean * 1e3).round() as i64, i64::from(bucket.max) * 1_000]);
        for (series, slot) in page.series.iter_mut().enumerate().filter_map(|(n, s)| Some((n, s.sums.get_mut(place)?)))
        {
            // Whom nobody watched may have had requests in flight; those that are known show all the same.
            *slot = match (*slot, values) {
                (_, None) => None,
                (None, Some([_, 0])) => None,
                (_, Some(values)) => values.get(series).copied(),
            };
        }
    }
    Ok(None)
}
