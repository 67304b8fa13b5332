//! How long tool calls took, as a chart: the percentiles of a bucket are those of its sketches merged, never of percentiles.

use model::id::ToolName;
use model::latency::{Percentile, Tally};
use model::series::SeriesPage;
use model::time::{Resolution, Timestamp};
use sqlx::{AssertSqlSafe, Row as _};

use super::series::{Present, fill_zeros};
use super::{DbError, PgTime, Pool, TownKey};

/// Sketches read for a chart, at most: a hundred tools in each bucket of a full chart.
const MOST: usize = 40_000;
/// Tools that one can choose from.
const TOOLS: i64 = 24;

/// Fills in a page of [`Metric::Latency`](model::series::Metric::Latency), of one tool or of all together. Returns from
/// when on the tier is complete.
pub(super) async fn read(
    pool: &Pool,
    town: TownKey,
    page: &mut SeriesPage,
    tier: Resolution,
    present: &Present,
    tool: Option<&ToolName>,
) -> Result<Option<Timestamp>, DbError> {
    let sql = include_str!("sql/series_latency.sql")
        .replace("{tier}", tier.name())
        .replace("{most}", &MOST.to_string())
        .replace("{whose}", if tool.is_some() { " and name = $4" } else { "" });
    let statement = sqlx::query(AssertSqlSafe(sql))
        .bind(town.0)
        .bind(PgTime(Timestamp::from_seconds(page.from_s)))
        .bind(PgTime(Timestamp::from_seconds(page.to_s)));
    let statement = match tool {
        Some(tool) => statement.bind(tool.as_str().to_owned()),
        None => statement,
    };
    let row = statement.fetch_one(pool).await?;
    let times = |column: usize| row.try_get::<Option<Vec<PgTime>>, _>(column).map(Option::unwrap_or_default);
    let observed: Vec<_> = times(0)?.into_iter().zip(times(1)?).map(|(from, to)| (from.0, to.0)).collect();
    observe(page, &observed, present);
    for span in times(3)? {
        let (from_s, to_s) = (span.0.seconds(), span.0.seconds() + Resolution::H6.step_s());
        forget(page, from_s, to_s);
    }
    let buckets: Vec<Timestamp> = times(4)?.into_iter().map(|bucket| bucket.0).collect();
    let sketches: Vec<Vec<u8>> = row.try_get::<Option<_>, _>(5)?.unwrap_or_default();
    let read_to_end = buckets.len() < MOST;
    // Of the oldest bucket a part may be left out.
    let cut = buckets.iter().min().filter(|_| !read_to_end).map(|bucket| bucket.plus_seconds(tier.step_s()));
    let mut parts: Vec<(usize, Vec<u8>)> = buckets
        .iter()
        .zip(sketches)
        .filter_map(|(bucket, sketch)| Some((page.bucket_at(bucket.seconds())?, sketch)))
        .collect();
    parts.sort_by_key(|(place, _)| *place);
    let mut tally = Tally::default();
    for bucket in parts.chunk_by(|a, b| a.0 == b.0) {
        tally.clear();
        for (_, sketch) in bucket {
            tally.add(sketch).map_err(|error| DbError::Unknown { what: error.to_string() })?;
        }
        if let Some((place, _)) = bucket.first() {
            put(page, *place, &tally);
        }
    }
    let floor = row.try_get::<Option<PgTime>, _>(2)?.map(|floor| floor.0);
    Ok(floor.max(cut))
}

/// Where the town was observed and nobody called a tool, that is what is known: no calls, and no percentile of them.
fn observe(page: &mut SeriesPage, observed: &[(Timestamp, Timestamp)], present: &Present) {
    fill_zeros(page, observed, present);
    for series in &mut page.series {
        let known = std::mem::replace(&mut series.sums, vec![None; page.calls.len()]);
        page.calls = known;
    }
}

/// What lies in a span is not known.
fn forget(page: &mut SeriesPage, from_s: i64, to_s: i64) {
    let times: Vec<i64> = page.times().collect();
    for (calls, at) in page.calls.iter_mut().zip(times) {
        if at + page.step_s > from_s && at < to_s {
            *calls = None;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "microseconds, at most nine years of them")]
fn put(page: &mut SeriesPage, place: usize, tally: &Tally) {
    if let Some(calls) = page.calls.get_mut(place) {
        *calls = Some(tally.count());
    }
    for (series, percentile) in page.series.iter_mut().zip([Percentile::P50, Percentile::P95]) {
        if let Some(slot) = series.sums.get_mut(place) {
            *slot = tally.percentile_us(percentile).map(|us| us.round() as i64);
        }
    }
}

/// The tools that a town used most since `since`, the most used first.
///
/// # Errors
/// The database refused.
pub async fn tools(pool: &Pool, town: TownKey, since: Timestamp) -> Result<Vec<String>, DbError> {
    let names: Vec<(String,)> = sqlx::query_as(include_str!("sql/latency_tools.sql"))
        .bind(town.0)
        .bind(PgTime(since.floor_to(Resolution::H6.step_s())))
        .bind(TOOLS)
        .fetch_all(pool)
        .await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

#[cfg(test)]
mod tests {
    use model::series::Metric;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn where_nobody_called_a_tool_there_are_no_calls_and_no_percentile() {
        let mut page = SeriesPage::empty(Metric::Latency, 0, 50, 10);
        let present = Present { now: at(45), observing_since: at(40), lost_after_s: 600, edges: Vec::new() };
        observe(&mut page, &[(at(0), at(25))], &present);
        assert_eq!(page.calls, [Some(0), Some(0), Some(0), None, Some(0)]);
        assert!(page.series.iter().all(|series| series.sums == [None; 5]));
        forget(&mut page, 10, 30);
        assert_eq!(page.calls, [Some(0), None, None, None, Some(0)], "what is still being made is not known");
    }
}
