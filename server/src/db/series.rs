//! Timeseries out of the rollups: the tier that fits the range, one row per point.

use model::id::{Role, ToolName};
use model::roster::ROSTER_HOLD_S;
use model::series::{BeforePage, Metric, SeriesPage};
use model::time::{Resolution, TimeRange, Timestamp};
use model::wire::Edge;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::edges_overlay::overlay;
use super::{DbError, PgTime, Pool, TownKey, live_seed, reprice, series_latency, series_requests};

/// What a page is made of besides the database.
#[derive(Debug, Clone)]
pub struct Present {
    /// The clock: what lies after it is unknown.
    pub now: Timestamp,
    /// Since when this process observes; what happened since is in the database or did not happen.
    pub observing_since: Timestamp,
    /// After how many seconds a request whose end did not come is lost.
    pub lost_after_s: i64,
    /// The newest buckets out of the hub: the coarser tiers follow a second later.
    pub edges: Vec<Edge>,
}

/// What a chart is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The metric.
    pub metric: Metric,
    /// Of [`Metric::Latency`]: whose calls; none: those of all tools together.
    pub tool: Option<ToolName>,
}

impl From<Metric> for Subject {
    fn from(metric: Metric) -> Self {
        Self { metric, tool: None }
    }
}

/// One metric of a town over a range, which is widened to whole buckets.
///
/// # Errors
/// The database refused.
pub async fn read(
    pool: &Pool,
    town: TownKey,
    subject: &Subject,
    range: TimeRange,
    present: &Present,
) -> Result<SeriesPage, DbError> {
    read_from(pool, town, subject, range, subject.metric.tier(range), present).await
}

/// The same of the period before that range, in buckets as long as the range's.
///
/// # Errors
/// The database refused.
pub async fn before(
    pool: &Pool,
    town: TownKey,
    subject: &Subject,
    range: TimeRange,
    present: &Present,
) -> Result<BeforePage, DbError> {
    let tier = subject.metric.tier(range);
    let shift_s = range.before_s(tier);
    let page = read_from(pool, town, subject, range.earlier(shift_s), tier, present).await?;
    Ok(BeforePage { shift_s, page })
}

/// From the tier `finest`, or from a coarser one that reaches back as far.
async fn read_from(
    pool: &Pool,
    town: TownKey,
    subject: &Subject,
    range: TimeRange,
    finest: Resolution,
    present: &Present,
) -> Result<SeriesPage, DbError> {
    let metric = subject.metric;
    let mut tiers = Resolution::ALL.into_iter().filter(|tier| *tier >= finest && metric.is_kept(*tier)).peekable();
    loop {
        let tier = tiers.next().unwrap_or(Resolution::H6);
        let range = range.widened_to(tier);
        let mut page = SeriesPage::empty(metric, range.from().seconds(), range.to().seconds(), tier.step_s());
        let floor = match metric {
            Metric::Tokens => headline(pool, town, &mut page, tier, present, &TOKENS).await?,
            Metric::Beads => headline(pool, town, &mut page, tier, present, &["beads_created", "beads_closed"]).await?,
            Metric::Lines => headline(pool, town, &mut page, tier, present, &LINES).await?,
            Metric::Cost => by_role(pool, town, &mut page, tier, present).await?,
            Metric::Agents => agents(pool, town, &mut page, tier, present).await?,
            Metric::Errors => headline(pool, town, &mut page, tier, present, &["tool_errors", "call_errors"]).await?,
            Metric::Latency => {
                series_latency::read(pool, town, &mut page, tier, present, subject.tool.as_ref()).await?
            }
            Metric::Requests => series_requests::read(pool, town, &mut page, present).await?,
        };
        // Retention dropped the beginning here; a coarser tier is kept for longer.
        if floor.is_some_and(|floor| floor > range.from()) && tiers.peek().is_some() {
            continue;
        }
        overlay(&mut page, &present.edges, present.now);
        forget_below(&mut page, floor);
        if metric == Metric::Cost {
            page.marks = reprice::marks(pool, town, range.from(), range.to()).await?;
        }
        return Ok(page);
    }
}

/// What retention dropped is unknown, not zero.
fn forget_below(page: &mut SeriesPage, floor: Option<Timestamp>) {
    let Some(floor) = floor else { return };
    let dropped = (floor.seconds() - page.from_s).max(0).div_euclid(page.step_s);
    let dropped = usize::try_from(dropped).unwrap_or(usize::MAX);
    for column in page.series.iter_mut().map(|series| &mut series.sums).chain([&mut page.calls]) {
        column.iter_mut().take(dropped).for_each(|slot| *slot = None);
    }
}

const TOKENS: [&str; 5] =
    ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"];

const LINES: [&str; 4] = ["lines_added", "lines_removed", "lines_landed_added", "lines_landed_removed"];

/// Observed buckets without a row are zero; the others, and the future, stay gaps.
pub(super) fn fill_zeros(page: &mut SeriesPage, observed: &[(Timestamp, Timestamp)], present: &Present) {
    let step_s = page.step_s;
    let mut spans = observed.to_vec();
    spans.push((present.observing_since, present.now));
    for (from, to) in spans {
        let first_s = from.floor_to(step_s).seconds().max(page.from_s);
        let last_s = to.floor_to(step_s).seconds().min(page.to_s - step_s);
        let (Some(first), Some(last)) = (page.bucket_at(first_s), page.bucket_at(last_s)) else { continue };
        for series in &mut page.series {
            series.sums.get_mut(first..=last).into_iter().flatten().for_each(|slot| *slot = Some(0));
        }
    }
}

/// The template for a tier. Both replacements are constants of this program.
pub(super) fn for_tier(template: &str, tier: Resolution, columns: &str) -> String {
    template.replace("{tier}", tier.name()).replace("{columns}", columns)
}

/// The rows of `points` (with the columns `bucket` and `columns`) as one row of arrays, in one round trip with the
/// intervals in which the town was observed; these are entered at once.
async fn columns(
    pool: &Pool,
    town: TownKey,
    page: &mut SeriesPage,
    present: &Present,
    tier: Resolution,
    points: &str,
    columns: &[&str],
) -> Result<Columns, DbError> {
    let arrays: String = columns.iter().map(|column| format!(", array_agg({column})")).collect();
    let sql = for_tier(include_str!("sql/series_columns.sql"), tier, "");
    let sql = sql.replace("{points}", points.trim_end()).replace("{arrays}", &arrays);
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(town.0)
        .bind(PgTime(Timestamp::from_seconds(page.from_s)))
        .bind(PgTime(Timestamp::from_seconds(page.to_s)))
        .fetch_one(pool)
        .await?;
    let times = |column: usize| row.try_get::<Option<Vec<PgTime>>, _>(column).map(Option::unwrap_or_default);
    let observed: Vec<_> = times(0)?.into_iter().zip(times(1)?).map(|(from, to)| (from.0, to.0)).collect();
    fill_zeros(page, &observed, present);
    let floor = row.try_get::<Option<PgTime>, _>(2)?.map(|floor| floor.0);
    let places = times(3)?.into_iter().map(|bucket| page.bucket_at(bucket.0.seconds())).collect();
    Ok(Columns { row, places, floor })
}

/// What [`columns`] read.
struct Columns {
    row: PgRow,
    /// Each point's position in the page; none outside of it.
    places: Vec<Option<usize>>,
    /// From when on the tier is complete; none: from the beginning.
    floor: Option<Timestamp>,
}

impl Columns {
    /// The positions in the page with the values of the column `index`.
    fn values<'r, T>(&'r self, index: usize) -> Result<impl Iterator<Item = (usize, T)>, DbError>
    where
        T: 'r,
        Option<Vec<T>>: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let values: Option<Vec<T>> = self.row.try_get(4 + index)?;
        let placed = self.places.iter().zip(values.unwrap_or_default());
        Ok(placed.filter_map(|(place, value)| Some(((*place)?, value))))
    }
}

async fn headline(
    pool: &Pool,
    town: TownKey,
    page: &mut SeriesPage,
    tier: Resolution,
    present: &Present,
    names: &[&str],
) -> Result<Option<Timestamp>, DbError> {
    let points = for_tier(include_str!("sql/series_headline.sql"), tier, &names.join(", "));
    let read = columns(pool, town, page, present, tier, &points, names).await?;
    for (index, series) in page.series.iter_mut().enumerate() {
        for (place, sum) in read.values::<i64>(index)? {
            series.sums[place] = Some(sum);
        }
    }
    Ok(read.floor)
}

async fn by_role(
    pool: &Pool,
    town: TownKey,
    page: &mut SeriesPage,
    tier: Resolution,
    present: &Present,
) -> Result<Option<Timestamp>, DbError> {
    let points = for_tier(include_str!("sql/series_cost.sql"), tier, "");
    let read = columns(pool, town, page, present, tier, &points, &["role", "cost"]).await?;
    for ((place, role), (_, cost)) in read.values::<i16>(0)?.zip(read.values::<i64>(1)?) {
        // One role's row says that the bucket is known: the other roles spent nothing.
        for series in &mut page.series {
            series.sums[place].get_or_insert(0);
        }
        if let Some(series) = page.series.get_mut(crate::hub::role_slot(role)) {
            series.sums[place] = Some(cost);
        }
    }
    debug_assert_eq!(page.series.len(), Role::ALL.len());
    Ok(read.floor)
}

async fn agents(
    pool: &Pool,
    town: TownKey,
    page: &mut SeriesPage,
    tier: Resolution,
    present: &Present,
) -> Result<Option<Timestamp>, DbError> {
    let points = for_tier(include_str!("sql/series_working.sql"), tier, "");
    let read = columns(pool, town, page, present, tier, &points, &["seconds"]).await?;
    for (place, seconds) in read.values::<i64>(0)? {
        page.series[0].sums[place] = Some(seconds);
    }
    let from = Timestamp::from_seconds(page.from_s);
    let known: Vec<(PgTime, PgTime)> = sqlx::query_as(include_str!("sql/series_known.sql"))
        .bind(town.0)
        .bind(PgTime(from.plus_seconds(-ROSTER_HOLD_S)))
        .bind(PgTime(Timestamp::from_seconds(page.to_s)))
        .fetch_all(pool)
        .await?;
    let counts = known_per_bucket(page, &known, present.now);
    for (slot, count) in page.series[1].sums.iter_mut().zip(counts) {
        if count > 0 || slot.is_some() {
            *slot = Some(count * page.step_s);
        }
    }
    // Who is known does not work outside of what was observed either.
    let (working, known) = page.series.split_at_mut(1);
    for (slot, known) in working[0].sums.iter_mut().zip(&mut known[0].sums) {
        match (slot.is_some(), known.is_some()) {
            (false, true) => *slot = Some(0),
            (true, false) => *known = Some(0),
            _ => {}
        }
    }
    Ok(read.floor)
}

/// Agents per bucket that had been seen by its beginning, and not longer than [`ROSTER_HOLD_S`] before it.
fn known_per_bucket(page: &SeriesPage, agents: &[(PgTime, PgTime)], now: Timestamp) -> Vec<i64> {
    let mut change = vec![0_i64; page.buckets() + 1];
    let end_s = page.to_s.min(now.seconds() + 1);
    for (first, last) in agents {
        let from_s = first.0.floor_to(page.step_s).seconds().max(page.from_s);
        let until_s = last.0.plus_seconds(ROSTER_HOLD_S).ceil_to(page.step_s).seconds().min(end_s);
        if from_s < until_s
            && let (Some(begin), Some(end)) = (page.bucket_at(from_s), page.bucket_at(until_s - 1))
        {
            change[begin] += 1;
            change[end + 1] -= 1;
        }
    }
    let mut count = 0;
    let running = |delta: &i64| {
        count += delta;
        count
    };
    change.iter().map(running).take(page.buckets()).collect()
}

/// Newest events of a town.
///
/// # Errors
/// The database refused.
pub async fn newest_events(
    pool: &Pool,
    town: TownKey,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<model::wire::EventRow>, DbError> {
    let mut connection = pool.acquire().await?;
    live_seed::newest_events(&mut connection, town, limit, now).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn observed_buckets_are_zero_and_the_rest_are_gaps() {
        let mut page = SeriesPage::empty(Metric::Lines, 0, 100, 10);
        let present = Present { now: at(75), observing_since: at(60), lost_after_s: 600, edges: Vec::new() };
        fill_zeros(&mut page, &[(at(15), at(31))], &present);
        let known: Vec<_> = page.series[0].sums.iter().map(Option::is_some).collect();
        assert_eq!(known, [false, true, true, true, false, false, true, true, false, false]);
    }

    #[test]
    fn an_agent_is_known_from_its_first_sign_until_a_day_after_its_last() {
        let page = SeriesPage::empty(Metric::Agents, 0, 180_000, 60);
        let counts = known_per_bucket(&page, &[(PgTime(at(90)), PgTime(at(3_600)))], at(1_000_000));
        let known = |second: usize| counts[second / 60];
        assert_eq!((known(0), known(60), known(3_600), known(89_999), known(90_060)), (0, 1, 1, 1, 0));
    }
}
