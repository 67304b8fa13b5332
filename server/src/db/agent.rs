//! The roster in the database.

use model::event::AgentState;
use model::hook::Hook;
use model::id::{AgentName, BeadId, RigName, Role, SessionId};
use model::roster::AgentRow;
use sqlx::postgres::PgConnection;

use super::fold::Statement;
use super::{DbError, PgTime, TownKey};

/// Binds rows (sorted by town, rig and name, each once) for [`super::fold`], which merges them into the roster as
/// [`AgentRow::merge`] does.
pub(super) fn bind<'q>(statement: Statement<'q>, rows: &'q [(TownKey, AgentRow)]) -> Statement<'q> {
    statement
        .bind(rows.iter().map(|(town, _)| town.0).collect::<Vec<i32>>())
        .bind(rows.iter().map(|(_, row)| row.rig.as_ref().map_or("", RigName::as_str)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| AgentName::as_str(&row.name)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| role_number(row.role)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.session.as_ref().map(SessionId::as_str)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.bead.as_ref().map(BeadId::as_str)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.said.and_then(|(state, _)| number(state))).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.said.map(|(_, at)| PgTime(at))).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.worked.map(PgTime)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| PgTime(row.first_seen)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| PgTime(row.last_seen)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.progressed.map(PgTime)).collect::<Vec<_>>())
        .bind(hooks(rows, |hook| hook.bead.as_ref().map(BeadId::as_str)))
        .bind(hooks(rows, |hook| number(hook.state)))
        .bind(hooks(rows, |hook| Some(PgTime(hook.since))))
        .bind(hooks(rows, |hook| Some(PgTime(hook.at))))
        .bind(rows.iter().map(|(_, row)| row.hook.as_ref().is_some_and(|hook| hook.closed)).collect::<Vec<_>>())
}

/// Binds what was added to the roster later: values of [`super::fold`] that stand behind those of the sources.
pub(super) fn bind_rest<'q>(statement: Statement<'q>, rows: &'q [(TownKey, AgentRow)]) -> Statement<'q> {
    statement
        .bind(rows.iter().map(|(_, row)| row.recorded.and_then(|(state, _)| number(state))).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.recorded.map(|(_, at)| PgTime(at))).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.seen.map(PgTime)).collect::<Vec<_>>())
}

/// Binds what was added to the roster after that: the last values of [`super::fold`].
pub(super) fn bind_last<'q>(statement: Statement<'q>, rows: &'q [(TownKey, AgentRow)]) -> Statement<'q> {
    statement
        .bind(rows.iter().map(|(_, row)| row.gt_status.and_then(|(state, _)| number(state))).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.gt_status.map(|(_, at)| PgTime(at))).collect::<Vec<_>>())
}

/// A state as stored.
fn number(state: AgentState) -> Option<i16> {
    AgentState::ALL.iter().position(|known| *known == state).and_then(|i| i16::try_from(i).ok())
}

/// A column of what is known of the hooks.
fn hooks<'q, T>(rows: &'q [(TownKey, AgentRow)], column: impl Fn(&'q Hook) -> Option<T>) -> Vec<Option<T>> {
    rows.iter().map(|(_, row)| row.hook.as_ref().and_then(&column)).collect()
}

/// Notes that these beads were closed: they are no hooked work any more. Never waits for another writer, so that writers
/// do not wait in a circle (fold.sql); whose row is taken at this moment is put right when its town is loaded, if its
/// bead's tracker is read.
///
/// # Errors
/// Whatever Postgres reports.
pub(super) async fn close_hooks(connection: &mut PgConnection, closed: &[(TownKey, &str)]) -> Result<(), DbError> {
    if closed.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/agent_close_hooks.sql"))
        .bind(closed.iter().map(|(town, _)| town.0).collect::<Vec<_>>())
        .bind(closed.iter().map(|(_, bead)| *bead).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes everyone called `name` off the roster.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn forget(connection: &mut PgConnection, town: TownKey, name: &str) -> Result<(), DbError> {
    sqlx::query("delete from agent where town_id = $1 and name = $2")
        .bind(town.0)
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes those of `names` off the roster that are on it without a rig, and were last seen in `session`.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn forget_rigless(
    connection: &mut PgConnection,
    town: TownKey,
    session: &str,
    names: &[&str],
) -> Result<(), DbError> {
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query("delete from agent where town_id = $1 and rig = '' and session = $2 and name = any($3)")
        .bind(town.0)
        .bind(session)
        .bind(names)
        .execute(connection)
        .await?;
    Ok(())
}

/// A role as stored.
pub(super) fn role_number(role: Role) -> i16 {
    i16::try_from(role.index()).unwrap_or(6)
}

/// Reads [`role_number`].
pub(super) fn role_of(number: i16) -> Role {
    usize::try_from(number).ok().and_then(|number| Role::ALL.get(number)).copied().unwrap_or_default()
}
