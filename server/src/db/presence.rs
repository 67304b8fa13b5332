//! Presence: signs of work per agent and minute, which utilization is made of.

use model::time::Timestamp;
use sqlx::postgres::PgConnection;

use super::fold::Statement;
use super::{DbError, PgTime, TownKey};

/// How many signs of work a batch adds (or takes back) for one agent in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceSum<'a> {
    /// Town.
    pub town: TownKey,
    /// Beginning of the minute.
    pub minute: Timestamp,
    /// Rig; empty for agents of the whole town.
    pub rig: &'a str,
    /// Agent.
    pub agent: &'a str,
    /// Signs of work.
    pub n: i64,
}

/// Binds sums (sorted by key, each once) for [`super::fold`].
pub(super) fn bind<'q>(statement: Statement<'q>, sums: &[PresenceSum<'q>]) -> Statement<'q> {
    statement
        .bind(sums.iter().map(|sum| sum.town.0).collect::<Vec<i32>>())
        .bind(sums.iter().map(|sum| PgTime(sum.minute)).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| sum.rig).collect::<Vec<&str>>())
        .bind(sums.iter().map(|sum| sum.agent).collect::<Vec<&str>>())
        .bind(sums.iter().map(|sum| sum.n).collect::<Vec<i64>>())
}

/// Deletes those rows of `sums` that ended up without a sign.
///
/// # Errors
/// Whatever Postgres reports.
pub(super) async fn drop_empty(connection: &mut PgConnection, sums: &[PresenceSum<'_>]) -> Result<(), DbError> {
    sqlx::query(include_str!("sql/presence_drop_empty.sql"))
        .bind(sums.iter().map(|sum| sum.town.0).collect::<Vec<i32>>())
        .bind(sums.iter().map(|sum| PgTime(sum.minute)).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| sum.rig).collect::<Vec<&str>>())
        .bind(sums.iter().map(|sum| sum.agent).collect::<Vec<&str>>())
        .execute(connection)
        .await?;
    Ok(())
}
