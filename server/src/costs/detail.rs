//! Beads and conversations with what was spent on them.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use model::cost::{
    BeadCost, BeadCosts, BeadState, Dimension, GroupSum, MAX_BEAD_AGENTS, SessionCost, SessionCosts, SpendSum,
};
use model::id::{AgentName, BeadId, Role, SessionId};
use sqlx::postgres::PgConnection;

use super::{Question, dearest_first, groups};
use crate::db::DbError;
use crate::db::spend::{self, BeadPart, KnownBead};

/// A bead on which nothing was spent for so long, and that is not closed, is given up.
const ABANDONED_S: i64 = 7 * 86_400;

/// The beads of the period: `most` of them with a row each.
///
/// # Errors
/// The database refused.
pub async fn beads(connection: &mut PgConnection, question: Question<'_>, most: usize) -> Result<BeadCosts, DbError> {
    let spent = groups(connection, question, Dimension::Bead).await?;
    let (landed, landed_sum) = spend::landed(connection, question.town, question.period.range, question.filter).await?;
    let mut costs = BeadCosts { landed, landed_sum, ..BeadCosts::default() };
    // What was spent on no bead is a row of its own in any case.
    let (kept, rest) = split(spent, most);
    costs.rest_beads = i64::try_from(rest.len()).unwrap_or(i64::MAX);
    costs.rest = rest.iter().map(|bead| bead.sum).sum();
    let ids: Vec<String> = kept.iter().map(|bead| bead.group.as_deref().unwrap_or("").to_owned()).collect();
    let known = spend::beads(connection, question.town, &ids).await?;
    let mut parts: BTreeMap<String, Vec<BeadPart>> = BTreeMap::new();
    for part in spend::bead_parts(connection, question.town, question.period.range, question.filter, &ids).await? {
        parts.entry(part.bead.clone()).or_default().push(part);
    }
    costs.rows = kept
        .into_iter()
        .map(|bead| {
            let parts = parts.remove(bead.group.as_deref().unwrap_or("")).unwrap_or_default();
            let known = bead.group.as_deref().and_then(|id| known.get(id));
            row(bead, known, &parts, question.now)
        })
        .collect();
    Ok(costs)
}

/// The `most` dearest groups and the others; what belongs to no group is among the former.
fn split(spent: Vec<GroupSum>, most: usize) -> (Vec<GroupSum>, Vec<GroupSum>) {
    let mut named = 0;
    spent.into_iter().partition(|group| {
        named += usize::from(group.group.is_some());
        group.group.is_none() || named <= most
    })
}

fn row(bead: GroupSum, known: Option<&KnownBead>, parts: &[BeadPart], now: Timestamp) -> BeadCost {
    let last_at = parts.iter().map(|part| part.last).max();
    let by = |of: fn(&BeadPart) -> &str| {
        let mut sums: BTreeMap<&str, SpendSum> = BTreeMap::new();
        parts.iter().for_each(|part| sums.entry(of(part)).or_default().add(&part.sum));
        let named = |(name, sum): (&str, SpendSum)| GroupSum { group: (!name.is_empty()).then(|| name.into()), sum };
        let mut groups: Vec<GroupSum> = sums.into_iter().map(named).collect();
        dearest_first(&mut groups);
        groups
    };
    let agents = by(|part| &part.agent).into_iter().filter_map(|agent| AgentName::new(&agent.group?).ok());
    let sessions: BTreeSet<&str> =
        parts.iter().map(|part| part.session.as_str()).filter(|session| !session.is_empty()).collect();
    BeadCost {
        bead: bead.group.as_deref().and_then(|id| BeadId::new(id).ok()),
        title: known.map(|bead| bead.title.clone()).unwrap_or_default(),
        status: known.map(|bead| bead.status.clone()).unwrap_or_default(),
        state: known.map_or(BeadState::Unknown, |bead| state(bead, last_at, now)),
        created_at: known.map(|bead| bead.created_at),
        closed_at: known.and_then(|bead| bead.closed_at),
        first_at: parts.iter().map(|part| part.first).min(),
        last_at,
        sum: bead.sum,
        models: by(|part| &part.model),
        agents: agents.take(MAX_BEAD_AGENTS).collect(),
        sessions: i64::try_from(sessions.len()).unwrap_or(i64::MAX),
    }
}

fn state(bead: &KnownBead, last_at: Option<Timestamp>, now: Timestamp) -> BeadState {
    let is_quiet = last_at.is_none_or(|last| last.plus_seconds(ABANDONED_S) < now);
    match bead.closed_at {
        Some(_) if bead.counted => BeadState::Landed,
        Some(_) => BeadState::Closed,
        None if is_quiet || matches!(bead.status.as_str(), "deferred" | "tombstone") => BeadState::Abandoned,
        None => BeadState::Open,
    }
}

/// The conversations of the period: the `most` dearest with a row each.
///
/// # Errors
/// The database refused.
pub async fn sessions(
    connection: &mut PgConnection,
    question: Question<'_>,
    most: usize,
) -> Result<SessionCosts, DbError> {
    let (kept, rest) = split(groups(connection, question, Dimension::Session).await?, most);
    let ids: Vec<String> = kept.iter().filter_map(|session| Some(session.group.as_ref()?.to_string())).collect();
    let known = spend::sessions(connection, question.town, &ids).await?;
    let rows = kept.into_iter().map(|session| {
        let known = session.group.as_deref().and_then(|id| known.get(id));
        SessionCost {
            session: session.group.as_deref().and_then(|id| SessionId::new(id).ok()),
            role: known.map_or(Role::Other, |known| known.role),
            rig: known.and_then(|known| known.rig.clone()),
            agent: known.and_then(|known| known.agent.clone()),
            bead: known.and_then(|known| known.bead.clone()),
            start: known.map(|known| known.start),
            end: known.map(|known| known.end),
            sum: session.sum,
        }
    });
    Ok(SessionCosts {
        rows: rows.collect(),
        rest_sessions: i64::try_from(rest.len()).unwrap_or(i64::MAX),
        rest: rest.iter().map(|session| session.sum).sum(),
    })
}
