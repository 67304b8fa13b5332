//! Whose a session is: events that know complete those that do not.

use std::time::{Duration, Instant};

use foldhash::HashMap;
use model::event::Envelope;
use model::id::{AgentName, Role, SessionId};

use crate::db::session::{self, Attribution, is_nameless, lacks_rig};
use crate::db::{DbError, Pool, TownKey};

/// Sessions remembered; beyond that the memory is begun anew.
const REMEMBERED: usize = 20_000;
/// What is not known yet is looked up again after this long: another process may have learned it.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// What is known of sessions, so that the database is asked once per session.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    known: HashMap<TownKey, HashMap<SessionId, (Attribution, Instant)>>,
}

impl Sessions {
    /// Completes events in place: first everything is learned, then everything is filled in, so that the order within
    /// a batch does not matter.
    pub(super) async fn complete(
        &mut self,
        pool: &Pool,
        town: TownKey,
        events: &mut [Envelope],
        now: Instant,
    ) -> Result<(), DbError> {
        self.look_up(pool, town, events, now).await?;
        for envelope in events.iter() {
            self.learn(town, envelope, now);
        }
        for envelope in events.iter_mut() {
            self.fill(town, envelope);
        }
        Ok(())
    }

    async fn look_up(&mut self, pool: &Pool, town: TownKey, events: &[Envelope], now: Instant) -> Result<(), DbError> {
        let mut wanted: Vec<(TownKey, SessionId)> = Vec::new();
        let mut last: Option<&SessionId> = None;
        for envelope in events {
            let Some(session) = &envelope.session else { continue };
            // Events of one session come in runs.
            if last == Some(session) {
                continue;
            }
            last = Some(session);
            let settled = self.get(town, session).is_some_and(|(known, asked)| {
                known.agent.is_some() || known.role != Role::Other || now.duration_since(*asked) < ASK_AGAIN
            });
            if !settled {
                wanted.push((town, session.clone()));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        wanted.sort_unstable();
        wanted.dedup();
        if self.known.values().map(HashMap::len).sum::<usize>() + wanted.len() > REMEMBERED {
            self.known.clear();
        }
        let found = session::find(pool, &wanted).await?;
        for (town, session) in wanted {
            self.known.entry(town).or_default().entry(session).or_insert((Attribution::default(), now)).1 = now;
        }
        for (town, session, attribution) in found {
            self.known.entry(town).or_default().insert(session, (attribution, now));
        }
        Ok(())
    }

    fn get(&self, town: TownKey, session: &SessionId) -> Option<&(Attribution, Instant)> {
        self.known.get(&town)?.get(session)
    }

    fn learn(&mut self, town: TownKey, envelope: &Envelope, now: Instant) {
        let Some(session) = &envelope.session else { return };
        let agent = envelope.agent.as_ref().filter(|agent| agent.as_str() != session.as_str());
        if agent.is_none() && envelope.role == Role::Other && envelope.rig.is_none() {
            return;
        }
        let of_town = self.known.entry(town).or_default();
        match of_town.get_mut(session) {
            Some((known, _)) => take_over(known, envelope, agent),
            None => {
                let mut known = Attribution::default();
                take_over(&mut known, envelope, agent);
                of_town.insert(session.clone(), (known, now));
            }
        }
    }

    fn fill(&self, town: TownKey, envelope: &mut Envelope) {
        let Some(session) = &envelope.session else { return };
        if (is_nameless(envelope) || envelope.role == Role::Other || lacks_rig(envelope))
            && let Some((known, _)) = self.get(town, session)
        {
            known.complete(envelope);
        }
        // Without Gas Town, the session stands for the agent.
        if envelope.agent.is_none()
            && let Some(session) = &envelope.session
        {
            envelope.agent = AgentName::new(session.as_str()).ok();
        }
    }
}

/// What an event knows of its session's agent, whom it names as `agent`.
fn take_over(known: &mut Attribution, envelope: &Envelope, agent: Option<&AgentName>) {
    if envelope.role != Role::Other {
        known.role = envelope.role;
    }
    if agent.is_some() && known.agent.as_ref() != agent {
        known.agent = agent.cloned();
    }
    // Whoever names the agent knows its rig; without a name, a rig is better than none.
    if envelope.rig.is_some() && known.rig != envelope.rig && (agent.is_some() || known.rig.is_none()) {
        known.rig.clone_from(&envelope.rig);
    }
}
