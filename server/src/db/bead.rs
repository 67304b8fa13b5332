//! Beads as last read.

use std::collections::HashMap;

use model::time::Timestamp;

use super::{DbError, PgTime, Pool, TownKey, notify};

/// A bead as its tracker describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeadRow {
    /// Its id.
    pub bead: String,
    /// One line.
    pub title: String,
    /// `open`, `in_progress`, `closed`, …
    pub status: String,
    /// `task`, `bug`, …
    pub issue_type: String,
    /// 0 (highest) to 4.
    pub priority: Option<i16>,
    /// Who has it.
    pub assignee: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was closed; set exactly when it is closed.
    pub closed_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Counted in velocity and on the cards.
    pub counted: bool,
    /// Somebody asks for help.
    pub escalation: bool,
}

/// Each bead once, for a statement may touch a row only once: of several readings the newest counts, of equals the last.
#[must_use]
pub fn newest(rows: Vec<BeadRow>) -> Vec<BeadRow> {
    let mut by_id: HashMap<String, BeadRow> = HashMap::new();
    for row in rows {
        if by_id.get(&row.bead).is_none_or(|known| known.updated_at <= row.updated_at) {
            by_id.insert(row.bead.clone(), row);
        }
    }
    by_id.into_values().collect()
}

/// Writes beads as they are now; an older reading does not replace a newer one. Ids must be distinct. Every process
/// hears of it when something is different from before, this one too ([`Heard::Beads`](super::notify::Heard::Beads)):
/// most changes of a bead are no event, and would reach no page otherwise.
///
/// # Errors
/// The database refused.
pub async fn upsert(pool: &Pool, town: TownKey, rows: &[BeadRow]) -> Result<(), DbError> {
    for rows in rows.chunks(5_000) {
        let mut transaction = pool.begin().await?;
        let written = sqlx::query(include_str!("sql/bead_upsert.sql"))
            .bind(town.0)
            .bind(rows.iter().map(|r| r.bead.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.title.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.status.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.issue_type.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.priority).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.assignee.as_deref()).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| PgTime(r.created_at)).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.closed_at.map(PgTime)).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.updated_at.map(PgTime)).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.counted).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.escalation).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        if written.rows_affected() > 0 {
            notify::send_beads(&mut transaction, town).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}
