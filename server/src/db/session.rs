//! Sessions: what is known of conversations, and who holds them.

use model::event::Envelope;
use model::id::{AgentName, BeadId, RigName, Role, SessionId, SourceName};
use model::time::Timestamp;
use sqlx::Row as _;

use super::agent::role_number;
use super::fold::Statement;
use super::{DbError, PgTime, Pool, TownKey};

/// What a batch says about one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Town.
    pub town: TownKey,
    /// The session.
    pub session: SessionId,
    /// Who reported it.
    pub source: SourceName,
    /// Rig, when an event named it.
    pub rig: Option<RigName>,
    /// Role; `Other` says nothing.
    pub role: Role,
    /// Agent, when an event named it.
    pub agent: Option<AgentName>,
    /// The newest bead.
    pub bead: Option<BeadId>,
    /// Running totals added up over resets, and the newest total with its time.
    pub reported: Option<Reported>,
    /// First event.
    pub first_seen: Timestamp,
    /// Last event.
    pub last_seen: Timestamp,
    /// When it ended, if it did.
    pub ended_at: Option<Timestamp>,
    /// How many of the events are without an agent.
    pub lacks_agent: i64,
    /// How many of the events are without a role.
    pub lacks_role: i64,
    /// How many of the events are without a rig.
    pub lacks_rig: i64,
}

/// What a session said it cost; never counted as cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    /// Nanodollars, resets added up.
    pub sum: i64,
    /// The newest running total.
    pub last: i64,
    /// Its time.
    pub at: Timestamp,
}

/// Whose a session is, as far as known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribution {
    /// Rig.
    pub rig: Option<RigName>,
    /// Role.
    pub role: Role,
    /// Agent.
    pub agent: Option<AgentName>,
}

impl Attribution {
    /// Fills in what the envelope lacks, as far as it is known.
    pub fn complete(&self, envelope: &mut Envelope) {
        if envelope.role == Role::Other {
            envelope.role = self.role;
        }
        if is_nameless(envelope) && self.agent.is_some() {
            envelope.agent.clone_from(&self.agent);
            // A name means something within its rig only.
            envelope.rig = self.rig.clone().or(envelope.rig.take());
        }
        if lacks_rig(envelope) {
            envelope.rig.clone_from(&self.rig);
        }
    }
}

/// Whether the envelope's agent is not known: none, or the session that stands for one.
#[must_use]
pub fn is_nameless(envelope: &Envelope) -> bool {
    let session = envelope.session.as_ref().map(SessionId::as_str);
    envelope.agent.as_ref().is_none_or(|agent| Some(agent.as_str()) == session)
}

/// Whether the envelope's rig is not known. Mayor and deacon belong to the whole town: they have none.
#[must_use]
pub fn lacks_rig(envelope: &Envelope) -> bool {
    envelope.rig.is_none() && !matches!(envelope.role, Role::Mayor | Role::Deacon)
}

/// Binds rows (sorted by town and session, each once) for [`super::fold`].
pub(super) fn bind<'q>(statement: Statement<'q>, rows: &'q [SessionRow]) -> Statement<'q> {
    statement
        .bind(rows.iter().map(|row| row.town.0).collect::<Vec<i32>>())
        .bind(rows.iter().map(|row| row.session.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.source.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.rig.as_ref().map(RigName::as_str)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| role_number(row.role)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.agent.as_ref().map(AgentName::as_str)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.bead.as_ref().map(BeadId::as_str)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.reported.map(|r| r.sum)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.reported.map(|r| r.last)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.reported.map(|r| PgTime(r.at))).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| PgTime(row.first_seen)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| PgTime(row.last_seen)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.ended_at.map(PgTime)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.lacks_agent).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.lacks_role).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.lacks_rig).collect::<Vec<_>>())
}

/// Whose these sessions are; sessions that are not stored are left out.
///
/// # Errors
/// The database refused.
pub async fn find(
    pool: &Pool,
    wanted: &[(TownKey, SessionId)],
) -> Result<Vec<(TownKey, SessionId, Attribution)>, DbError> {
    let rows = sqlx::query(include_str!("sql/session_find.sql"))
        .bind(wanted.iter().map(|(town, _)| town.0).collect::<Vec<i32>>())
        .bind(wanted.iter().map(|(_, session)| session.as_str()).collect::<Vec<_>>())
        .fetch_all(pool)
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let session: &str = row.try_get("session")?;
        let Ok(session) = SessionId::new(session) else { continue };
        let role = usize::try_from(row.try_get::<i16, _>("role")?).ok().and_then(Role::from_index);
        let attribution = Attribution {
            rig: row.try_get::<Option<&str>, _>("rig")?.and_then(|rig| RigName::new(rig).ok()),
            role: role.unwrap_or_default(),
            agent: row.try_get::<Option<&str>, _>("agent")?.and_then(|agent| AgentName::new(agent).ok()),
        };
        found.push((TownKey(row.try_get("town_id")?), session, attribution));
    }
    Ok(found)
}
