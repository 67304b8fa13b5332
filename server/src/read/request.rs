//! How many requests were in flight, as pages and the API read it.

use app::reader::ReadError;
use model::id::TownName;
use model::in_flight::{InFlightPage, in_flight};
use model::time::TimeRange;

use super::{FRESH_US, Reader, place, unavailable};
use crate::db::request::{Spans, spans};
use crate::db::{DbError, Pool, TownKey};

impl Reader {
    /// The requests in flight over a range of whole steps.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn in_flight(&self, town: &TownName, range: TimeRange, step_s: i64) -> Result<InFlightPage, ReadError> {
        let key = self.town_key(town).await?;
        // As with charts: many tabs cost one reading a second.
        let kept = place(&self.in_flight, (town.clone(), range, step_s)).await;
        let mut kept = kept.lock().await;
        let now = self.clock.now();
        if let Some((read_at, page)) = kept.as_ref()
            && now.micros_since(*read_at) < FRESH_US
        {
            return Ok(page.clone());
        }
        let Spans { spans, since } = read(&self.pool, key, range, self.lost_after_s, now).await.map_err(unavailable)?;
        let buckets = in_flight(&spans, range, step_s, since, now);
        let page = InFlightPage { from_s: range.from().seconds(), step_s, since, buckets };
        *kept = Some((now, page.clone()));
        Ok(page)
    }
}

async fn read(
    pool: &Pool,
    town: TownKey,
    range: TimeRange,
    lost_after_s: i64,
    now: model::Timestamp,
) -> Result<Spans, DbError> {
    let mut connection = pool.acquire().await?;
    spans(&mut connection, town, range, now, lost_after_s).await
}
