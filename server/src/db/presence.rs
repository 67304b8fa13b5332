//! Presence: signs of work per agent and minute, which utilization is made of.

use model::time::Timestamp;
use sqlx::postgres::PgConnection;

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

/// Adds sums (sorted by key, each once). With `may_empty`, rows that end up without a sign go.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn add(connection: &mut PgConnection, sums: &[PresenceSum<'_>], may_empty: bool) -> Result<(), DbError> {
    let towns: Vec<i32> = sums.iter().map(|sum| sum.town.0).collect();
    let minutes: Vec<PgTime> = sums.iter().map(|sum| PgTime(sum.minute)).collect();
    let rigs: Vec<&str> = sums.iter().map(|sum| sum.rig).collect();
    let agents: Vec<&str> = sums.iter().map(|sum| sum.agent).collect();
    let counts: Vec<i64> = sums.iter().map(|sum| sum.n).collect();
    sqlx::query(include_str!("sql/presence_add.sql"))
        .bind(&towns)
        .bind(&minutes)
        .bind(&rigs)
        .bind(&agents)
        .bind(counts)
        .execute(&mut *connection)
        .await?;
    if may_empty {
        sqlx::query(include_str!("sql/presence_drop_empty.sql"))
            .bind(towns)
            .bind(minutes)
            .bind(rigs)
            .bind(agents)
            .execute(connection)
            .await?;
    }
    Ok(())
}
