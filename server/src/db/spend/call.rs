//! The calls themselves, newest first, a page at a time.

use model::cost::CostFilter;
use model::event::PricedEvent;
use model::id::EventKey;
use model::time::TimeRange;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::read;
use crate::db::line::Before;
use crate::db::{DbError, PgTime, TownKey, event};

/// Events that are looked at for one page.
const LOOKED_AT: i64 = 50_000;

/// A page of calls.
#[derive(Debug, Default)]
pub struct Calls {
    /// The calls, newest first.
    pub calls: Vec<PricedEvent>,
    /// Where the next page goes on; none: there are no more.
    pub next: Option<Before>,
}

/// At most `limit` calls of a range before a place. There may be fewer although more are to come: of those that were looked
/// at no more pass the filter.
///
/// # Errors
/// The database refused.
pub async fn calls(
    connection: &mut PgConnection,
    town: TownKey,
    range: TimeRange,
    before: Before,
    filter: &CostFilter,
    limit: i64,
) -> Result<Calls, DbError> {
    let sql = include_str!("../sql/spend_calls.sql").replace("{columns}", event::COLUMNS);
    let models = read::models(connection, town, filter).await?;
    // What lies at or behind the range's end is behind every place in it.
    let end = Before { at: range.to(), key: EventKey(0) };
    let from = if (before.at, before.key) > (end.at, end.key) { end } else { before };
    let statement = read::bind_filter(sqlx::query(AssertSqlSafe(sql)), town, filter, models)
        .bind(PgTime(from.at))
        .bind(Uuid::from_u128(from.key.0))
        .bind(LOOKED_AT)
        .bind(limit)
        .bind(PgTime(range.from()));
    let rows = statement.fetch_all(connection).await?;
    let Some(first) = rows.first() else { return Ok(Calls::default()) };
    let is_end = first.try_get::<i64, _>("looked_at")? < LOOKED_AT;
    let mut calls = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.try_get::<Option<PgTime>, _>("ts")?.is_some() {
            calls.push(event::decode(row)?);
        }
    }
    let is_full = i64::try_from(calls.len()).unwrap_or(i64::MAX) >= limit;
    let next = match (is_full, calls.last()) {
        (true, Some(last)) => Some(Before { at: last.envelope.at, key: last.envelope.key }),
        _ if is_end => None,
        _ => match first.try_get::<Option<PgTime>, _>("last_ts")? {
            Some(at) => Some(Before { at: at.0, key: EventKey(first.try_get::<Uuid, _>("last_key")?.as_u128()) }),
            None => None,
        },
    };
    Ok(Calls { calls, next })
}
