//! The coarser tiers, made from the next finer one by replacing, never by adding: safe to repeat.

use std::sync::LazyLock;

use model::time::{Resolution, Timestamp};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::{DbError, PgTime, Pool, TownKey};

/// Workers take turns per town ("roll" in ASCII keeps the number space apart).
const LOCK: i32 = 0x72_6f_6c_6c;

/// Statements of one tier, in the order in which they run.
struct Statements {
    /// For spans of 30 minutes, finest first.
    half_hours: Vec<String>,
    /// For spans of 6 hours.
    six_hours: Vec<String>,
}

static STATEMENTS: LazyLock<Statements> = LazyLock::new(|| {
    let templates = [
        include_str!("sql/rollup_headline.sql"),
        include_str!("sql/rollup_by_role.sql"),
        include_str!("sql/rollup_working.sql"),
    ];
    let fill = |template: &str, to: Resolution, span: Resolution| {
        let seconds = |tier: Resolution| format!("interval '{} seconds'", tier.step_s());
        let from = to.finer().unwrap_or(to);
        template
            .replace("{to}", to.name())
            .replace("{from}", from.name())
            .replace("{step}", &seconds(to))
            .replace("{span}", &seconds(span))
    };
    let mut half_hours = vec![include_str!("sql/rollup_working_1m.sql").to_owned()];
    for to in [Resolution::M1, Resolution::M5, Resolution::M30] {
        // working_1m has no finer tier: presence made it above.
        let made = if to == Resolution::M1 { 2 } else { 3 };
        half_hours.extend(templates[..made].iter().map(|template| fill(template, to, Resolution::M30)));
    }
    let six_hours = templates.iter().map(|template| fill(template, Resolution::H6, Resolution::H6)).collect();
    Statements { half_hours, six_hours }
});

/// Towns with work to do.
///
/// # Errors
/// The database refused.
pub async fn dirty_towns(pool: &Pool) -> Result<Vec<TownKey>, DbError> {
    let towns: Vec<(i32,)> = sqlx::query_as(include_str!("sql/rollup_towns.sql")).fetch_all(pool).await?;
    Ok(towns.into_iter().map(|(town,)| TownKey(town)).collect())
}

/// Redoes at most `limit` half hours of a town, in one transaction, and returns how many; none when another worker
/// has the town in hand.
///
/// The lock comes before the markers are read, and the markers before the tiers: so whatever a marker stands for is
/// seen, and no older sum overwrites a newer one.
///
/// # Errors
/// The database refused.
pub async fn redo(pool: &Pool, town: TownKey, limit: i64) -> Result<Option<u64>, DbError> {
    let mut transaction = pool.begin().await?;
    let (ours,): (bool,) = sqlx::query_as("select pg_try_advisory_xact_lock($1, $2)")
        .bind(LOCK)
        .bind(town.0)
        .fetch_one(&mut *transaction)
        .await?;
    if !ours {
        return Ok(None);
    }
    let marked: Vec<(PgTime,)> = sqlx::query_as(include_str!("sql/rollup_claim.sql"))
        .bind(town.0)
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
    let mut spans: Vec<Timestamp> = marked.into_iter().map(|(bucket,)| bucket.0).collect();
    spans.sort_unstable();
    spans.dedup();
    if !spans.is_empty() {
        replace(&mut transaction, town, &spans).await?;
    }
    transaction.commit().await?;
    Ok(Some(u64::try_from(spans.len()).unwrap_or(u64::MAX)))
}

async fn replace(connection: &mut PgConnection, town: TownKey, spans: &[Timestamp]) -> Result<(), DbError> {
    let mut long: Vec<Timestamp> = spans.iter().map(|span| span.floor_to(Resolution::H6.step_s())).collect();
    long.dedup();
    for (statements, spans) in [(&STATEMENTS.half_hours, spans), (&STATEMENTS.six_hours, long.as_slice())] {
        let spans: Vec<PgTime> = spans.iter().copied().map(PgTime).collect();
        for statement in statements {
            sqlx::query(AssertSqlSafe(statement.as_str())).bind(town.0).bind(&spans).execute(&mut *connection).await?;
        }
    }
    Ok(())
}
