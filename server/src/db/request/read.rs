//! What is in flight now, and what was.

use compact_str::{CompactString, format_compact};
use model::in_flight::Span;
use model::request::{MOST_REQUESTS, RequestRow};
use model::time::{MICROS_PER_SECOND, TimeRange, Timestamp};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use super::{OF, request_of};
use crate::db::{DbError, PgTime, TownKey};

/// Requests in flight are counted up to this.
const COUNTED: i64 = 10_000;
/// Requests that are read for one history at most, the newest first.
const MOST_SPANS: i64 = 100_000;
/// A request counts as in flight for a day at most, so that a history need not look further back than that.
const LONGEST_S: i64 = 86_400;
/// Requests are kept for eight days.
pub(super) const KEPT_S: i64 = 8 * 86_400;

/// What is in flight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flights {
    /// Those that began first, at most [`MOST_REQUESTS`].
    pub rows: Vec<RequestRow>,
    /// How many there are, counted up to ten thousand.
    pub all: usize,
}

/// What is in flight at `now`: what began less than `lost_after_s` ago, whether or not anybody noted that the rest is lost.
///
/// # Errors
/// The database refused.
pub async fn active(
    connection: &mut PgConnection,
    town: TownKey,
    now: Timestamp,
    lost_after_s: i64,
) -> Result<Flights, DbError> {
    let sql = include_str!("../sql/request_active.sql").replace("{of}", OF);
    let found = sqlx::query(AssertSqlSafe(sql))
        .bind(town.0)
        .bind(PgTime(now.plus_seconds(-lost_after_s)))
        .bind(COUNTED)
        .bind(i64::try_from(MOST_REQUESTS).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    let mut flights = Flights::default();
    for row in &found {
        let of = request_of(row)?;
        flights.all = usize::try_from(row.try_get::<i64, _>("all_active")?).unwrap_or(0);
        let what = of.model.as_ref().map(|model| model.as_str()).or(of.tool.as_ref().map(|tool| tool.as_str()));
        flights.rows.push(RequestRow {
            id: format_compact!("{:032x}", row.try_get::<Uuid, _>("id")?.as_u128()),
            started: row.try_get::<PgTime, _>("started_at")?.0,
            what: what.map(CompactString::from),
            channel: of.source,
            role: of.role,
            rig: of.rig,
            agent: of.agent,
            session: of.session,
            bead: of.bead,
        });
    }
    Ok(flights)
}

/// When requests of a range began and were over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    /// Each.
    pub spans: Vec<Span>,
    /// Since when all of them are known.
    pub since: Timestamp,
}

/// The requests that were in flight anywhere in `range`, as far as they are kept.
///
/// # Errors
/// The database refused.
pub async fn spans(
    connection: &mut PgConnection,
    town: TownKey,
    range: TimeRange,
    now: Timestamp,
    lost_after_s: i64,
) -> Result<Spans, DbError> {
    let rows = sqlx::query(include_str!("../sql/request_spans.sql"))
        .bind(town.0)
        .bind(PgTime(range.from().plus_seconds(-LONGEST_S)))
        .bind(PgTime(range.to()))
        .bind(MOST_SPANS)
        .fetch_all(&mut *connection)
        .await?;
    let kept: Option<PgTime> = sqlx::query_scalar("select since from request_kept where town_id = $1")
        .bind(town.0)
        .fetch_optional(connection)
        .await?;
    let mut since = now.plus_seconds(-KEPT_S).max(kept.map_or(Timestamp(i64::MIN), |kept| kept.0));
    let mut spans = Vec::with_capacity(rows.len());
    for row in &rows {
        let started = row.try_get::<PgTime, _>("started_at")?.0;
        let told = row.try_get::<Option<PgTime>, _>("over_at")?.map(|at| at.0);
        // Lost by its age, although nobody has noted it yet.
        let over = told.or_else(|| Some(started.plus_seconds(lost_after_s)).filter(|over| *over <= now));
        let longest = Timestamp(started.0.saturating_add(LONGEST_S * MICROS_PER_SECOND));
        spans.push((started, over.map(|over| over.min(longest))));
    }
    if i64::try_from(rows.len()).is_ok_and(|n| n >= MOST_SPANS)
        && let Some((oldest, _)) = spans.last()
    {
        // What began before may have lasted until here, and was not read.
        since = since.max(oldest.plus_seconds(lost_after_s));
    }
    Ok(Spans { spans, since })
}
