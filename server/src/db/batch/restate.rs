//! Attribution that comes late: stored events of a session are told again as they would be told now.
//!
//! An event that lacks agent, role or rig is completed by what is known of its session (`Attribution::complete`). What
//! becomes known only later holds for the earlier ones too: they are taken back and stored anew under their keys, in
//! one transaction with everything that follows, exactly as when a better report replaces another.

use model::event::PricedEvent;
use model::id::{AgentName, EventKey, RigName, Role, SessionId};
use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::Changed;
use crate::db::copy_rows::CopyRows;
use crate::db::event::{self, Place};
use crate::db::fold::Fold;
use crate::db::session::Attribution;
use crate::db::{DbError, PgTime, Pool, TownKey, agent, claim};

/// What notifications begin with here: no process's own mark, so that this process's viewers are told too.
const FROM: &str = "restate";

/// Sessions that know what some of their events lack.
///
/// # Errors
/// The database refused.
pub async fn pending(pool: &Pool) -> Result<Vec<(TownKey, SessionId)>, DbError> {
    let rows: Vec<(i32, String)> = sqlx::query_as(include_str!("../sql/restate_pending.sql")).fetch_all(pool).await?;
    Ok(rows.into_iter().filter_map(|(town, session)| Some((TownKey(town), SessionId::new(&session).ok()?))).collect())
}

/// Tells at most `limit` events of a session again, in one transaction, and returns how many. Fewer than `limit`: it is
/// done. Safe to repeat, and with several workers at once.
///
/// # Errors
/// The database refused; nothing was changed.
pub async fn restate(pool: &Pool, town: TownKey, session: &SessionId, limit: i64) -> Result<u64, DbError> {
    let mut transaction = pool.begin().await?;
    let connection = &mut *transaction;
    // Nobody else takes back events of this town, or tells this session again, until the transaction ends.
    claim::lock(&mut *connection, &[town.0]).await?;
    let row = sqlx::query(include_str!("../sql/restate_session.sql"))
        .bind(town.0)
        .bind(session.as_str())
        .fetch_one(&mut *connection)
        .await?;
    let known = Attribution {
        rig: row.try_get::<Option<&str>, _>("rig")?.and_then(|rig| RigName::new(rig).ok()),
        role: usize::try_from(row.try_get::<i16, _>("role")?).ok().and_then(Role::from_index).unwrap_or_default(),
        agent: row.try_get::<Option<&str>, _>("agent")?.and_then(|agent| AgentName::new(agent).ok()),
    };
    let places: Vec<(PgTime, Uuid)> = sqlx::query_as(include_str!("../sql/restate_find.sql"))
        .bind(town.0)
        .bind(row.try_get::<PgTime, _>("since")?)
        .bind(row.try_get::<PgTime, _>("last_seen")?)
        .bind(session.as_str())
        .bind(known.agent.is_some())
        .bind(known.role != Role::Other)
        .bind(known.rig.is_some())
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
    let places: Vec<Place> =
        places.into_iter().map(|(at, key)| Place { town, at: at.0, key: EventKey(key.as_u128()) }).collect();
    if !places.is_empty() {
        let notice = format!("{FROM}:{}", row.try_get::<&str, _>("town")?);
        tell_again(&mut *connection, town, session, &places, &known, notice).await?;
    }
    let told = i64::try_from(places.len()).unwrap_or(i64::MAX);
    if told < limit {
        // What the session does not know yet stays to be told once it does.
        let looked_for = |is_known: bool, column| if is_known { row.try_get::<i64, _>(column) } else { Ok(0) };
        sqlx::query(include_str!("../sql/restate_done.sql"))
            .bind(town.0)
            .bind(session.as_str())
            .bind(looked_for(known.agent.is_some(), "lacks_agent")?)
            .bind(looked_for(known.role != Role::Other, "lacks_role")?)
            .bind(looked_for(known.rig.is_some(), "lacks_rig")?)
            .execute(&mut *connection)
            .await?;
    }
    transaction.commit().await?;
    Ok(told.unsigned_abs())
}

async fn tell_again(
    connection: &mut PgConnection,
    town: TownKey,
    session: &SessionId,
    places: &[Place],
    known: &Attribution,
    notice: String,
) -> Result<(), DbError> {
    let taken = event::take_back(&mut *connection, places).await?;
    let mut told: Vec<(TownKey, PricedEvent)> = taken.clone();
    told.iter_mut().for_each(|(_, event)| known.complete(&mut event.envelope));
    told.sort_unstable_by_key(|(town, event)| (*town, event.envelope.at, event.envelope.key));
    let inserted = || told.iter().map(|(town, event)| (*town, event));
    let rows = CopyRows::of(inserted());
    rows.copy(&mut *connection, 0..rows.len()).await?;
    // Who had no rig and has one now is no longer without: known only through this session, as far as the roster says.
    let moved: Vec<&str> = taken
        .iter()
        .filter(|(_, event)| event.envelope.rig.is_none() && known.rig.is_some())
        .filter_map(|(_, event)| event.envelope.agent.as_ref().map(AgentName::as_str))
        .collect();
    agent::forget_rigless(&mut *connection, town, session.as_str(), &moved).await?;
    let changed = Changed::of(inserted, || taken.iter().map(|(town, event)| (*town, event)));
    Fold { notices: &[notice], may_empty: true, ..changed.fold() }.write(&mut *connection).await?;
    if known.agent.is_some() {
        // Nobody is called by the session any more.
        agent::forget(connection, town, session.as_str()).await?;
    }
    Ok(())
}
