//! Sums of model calls by day, session, model, role or bead.

use model::id::Role;
use model::time::Timestamp;

use super::{DbError, PgTime, Pool, TownKey};

/// What rows are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// Local day.
    Daily,
    /// Conversation.
    Session,
    /// Model.
    Model,
    /// Role.
    Role,
    /// Bead.
    Bead,
}

/// Sums of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportRow {
    /// The group; `(none)` where it is not known.
    pub key: String,
    /// Tokens by kind, in the order of `TokenCounts::KINDS`.
    pub tokens: [i64; 5],
    /// Cost in nanodollars of everything that has a price.
    pub cost_nanodollars: i64,
    /// Tokens without a price.
    pub unpriced_tokens: i64,
    /// Model calls.
    pub calls: i64,
}

/// The key of what belongs to no group.
pub const NONE: &str = "(none)";

/// Sums of the model calls in `[from, to)`, sorted by key; days are those of `zone` (an IANA name). At most 100,000.
///
/// # Errors
/// The database refused, for example because it does not know the zone.
pub async fn report(
    pool: &Pool,
    town: TownKey,
    by: GroupBy,
    (from, to): (Timestamp, Timestamp),
    zone: &str,
) -> Result<Vec<ReportRow>, DbError> {
    let name = match by {
        GroupBy::Daily => "daily",
        GroupBy::Session => "session",
        GroupBy::Model => "model",
        GroupBy::Role => "role",
        GroupBy::Bead => "bead",
    };
    type Row = (Option<String>, i64, i64, i64, i64, i64, i64, i64, i64);
    let rows: Vec<Row> = sqlx::query_as(include_str!("sql/report.sql"))
        .bind(town.0)
        .bind(PgTime(from))
        .bind(PgTime(to))
        .bind(name)
        .bind(zone)
        .fetch_all(pool)
        .await?;
    let mut rows: Vec<ReportRow> = rows
        .into_iter()
        .map(|(key, input, output, read, write_5m, write_1h, cost, unpriced, calls)| ReportRow {
            key: label(by, key),
            tokens: [input, output, read, write_5m, write_1h],
            cost_nanodollars: cost,
            unpriced_tokens: unpriced,
            calls,
        })
        .collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(rows)
}

fn label(by: GroupBy, key: Option<String>) -> String {
    let Some(key) = key else { return NONE.to_owned() };
    match by {
        GroupBy::Role => {
            let role = key.parse().ok().and_then(Role::from_index);
            role.map_or(key, |role| role.name().to_owned())
        }
        GroupBy::Daily | GroupBy::Session | GroupBy::Model | GroupBy::Bead => key,
    }
}
