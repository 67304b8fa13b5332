//! The empty tank that stops agents: the rule in force, and who asked whether to go on.
//!
//! Counted in memory only: what a hook asked yesterday says nothing about who obeys now.

mod card;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::id::{SessionId, TownName};
use model::roster::AgentRow;
use model::stop::{Asker, Balance, Decision, Fuel, StopPolicy, StopView, decide};
use model::time::{MICROS_PER_SECOND, Timestamp};

pub use card::card;

use crate::guide::Place;

/// Whoever asked in this time obeys; whoever worked in it and did not ask does not.
const LATELY_S: i64 = 600;
/// Conversations that are remembered per town; beyond it the one that asked longest ago is forgotten.
const MAX_ASKERS: usize = 1_000;
/// Towns that are counted.
const MAX_TOWNS: usize = 1_000;
/// Notes that are remembered so that they are logged once; further ones are not logged at all.
const MAX_NOTES: usize = 100;

/// Questions of hooks, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Questions.
    pub asked: u64,
    /// Of these: answered with a stop.
    pub denied: u64,
    /// Of these: asked while the balance was not known.
    pub failed: u64,
}

#[derive(Debug, Clone, Copy)]
struct Note {
    at: Timestamp,
    asked: u64,
    denied: u64,
}

#[derive(Debug, Default)]
struct OfTown {
    sum: Asked,
    askers: HashMap<Option<SessionId>, Note>,
}

/// The rule, and what hooks asked since the start.
#[derive(Debug)]
pub struct StopDesk {
    policy: StopPolicy,
    towns: Mutex<BTreeMap<TownName, OfTown>>,
    noted: Mutex<BTreeSet<String>>,
}

impl StopDesk {
    /// A desk with this rule.
    #[must_use]
    pub fn new(policy: StopPolicy) -> Self {
        Self { policy, towns: Mutex::default(), noted: Mutex::default() }
    }

    /// Decides.
    #[must_use]
    pub fn decide(&self, fuel: &Fuel, now: Timestamp) -> Decision {
        decide(self.policy, fuel, now)
    }

    /// Decides, and notes who asked.
    pub fn answer(&self, town: &TownName, session: Option<SessionId>, fuel: &Fuel, now: Timestamp) -> Decision {
        let decision = self.decide(fuel, now);
        // A town that is none is not remembered: its name is whatever somebody typed.
        if fuel.balance == Balance::NoTown {
            return decision;
        }
        let mut towns = self.lock();
        if towns.len() >= MAX_TOWNS && !towns.contains_key(town) {
            return decision;
        }
        let of_town = towns.entry(town.clone()).or_default();
        let denied = u64::from(decision != Decision::Go);
        of_town.sum.asked += 1;
        of_town.sum.denied += denied;
        of_town.sum.failed += u64::from(fuel.is_unknown(self.policy));
        if of_town.askers.len() >= MAX_ASKERS && !of_town.askers.contains_key(&session) {
            let oldest = of_town.askers.iter().min_by_key(|(_, note)| note.at).map(|(session, _)| session.clone());
            oldest.map(|oldest| of_town.askers.remove(&oldest));
        }
        let note = of_town.askers.entry(session).or_insert(Note { at: now, asked: 0, denied: 0 });
        *note = Note { at: now.max(note.at), asked: note.asked + 1, denied: note.denied + denied };
        decision
    }

    /// Whether this was not noted before, so that the log says it once and not with every tool of every agent.
    pub fn is_news(&self, note: &str) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.len() < MAX_NOTES && noted.insert(note.to_owned())
    }

    /// Counts per town, by name.
    #[must_use]
    pub fn counts(&self) -> Vec<(TownName, Asked)> {
        self.lock().iter().map(|(town, of_town)| (town.clone(), of_town.sum)).collect()
    }

    /// What the page says of the town of `place` with this roster.
    #[must_use]
    pub fn view(&self, place: Place, fuel: Fuel, roster: &[AgentRow], now: Timestamp) -> StopView {
        let lately = |at: Timestamp| now.micros_since(at) < LATELY_S * MICROS_PER_SECOND;
        let (sum, mut notes) = {
            let towns = self.lock();
            let of_town = towns.get(&place.town);
            let notes: Vec<(Option<SessionId>, Note)> = of_town
                .map(|of_town| of_town.askers.iter().map(|(session, note)| (session.clone(), *note)).collect())
                .unwrap_or_default();
            (of_town.map(|of_town| of_town.sum).unwrap_or_default(), notes)
        };
        notes.retain(|(_, note)| lately(note.at));
        notes.sort_by(|(a_session, a), (b_session, b)| (b.at, a_session).cmp(&(a.at, b_session)));
        // Without a Gas Town, the session stands for the agent, also by its name.
        let is_of = |agent: &AgentRow, session: &SessionId| {
            agent.session.as_ref() == Some(session) || agent.name.as_str() == session.as_str()
        };
        let asks =
            |agent: &AgentRow| notes.iter().any(|(session, _)| session.as_ref().is_some_and(|s| is_of(agent, s)));
        let worked = |agent: &AgentRow| agent.worked.is_some_and(lately);
        let deaf = roster.iter().filter(|agent| worked(agent) && !asks(agent));
        let deaf = deaf.map(|agent| (agent.rig.clone(), agent.name.clone())).collect();
        let asker = |(session, note): &(Option<SessionId>, Note)| {
            let agent = session.as_ref().and_then(|session| roster.iter().find(|agent| is_of(agent, session)));
            Asker {
                session: session.clone(),
                agent: agent.map(|agent| agent.name.clone()),
                rig: agent.and_then(|agent| agent.rig.clone()),
                at: note.at,
                asked: note.asked,
                denied: note.denied,
            }
        };
        StopView {
            town: place.town,
            at: now,
            policy: self.policy,
            stopping: match self.decide(&fuel, now) {
                Decision::Go => None,
                Decision::Stop(reason) => Some(reason),
            },
            balance: fuel.balance,
            windows: fuel.windows,
            asked: sum.asked,
            denied: sum.denied,
            failed: sum.failed,
            obeying: notes.iter().map(asker).collect(),
            deaf,
            lately_s: LATELY_S,
            address: place.address,
            keys_required: place.keys_required,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TownName, OfTown>> {
        self.towns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use model::Nanodollars;
    use model::id::{AgentName, Role};
    use model::stop::{StopFail, StopMode, StopWindows, WindowLevel};

    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn desk() -> StopDesk {
        let (fail, windows) = (StopFail::Open, StopWindows::Own);
        StopDesk::new(StopPolicy { mode: StopMode::Empty, reserve: Nanodollars(0), fail, windows })
    }

    fn fuel(balance: Balance) -> Fuel {
        Fuel { balance, windows: WindowLevel::Untold }
    }

    fn place(town: &TownName) -> Place {
        let address = "http://127.0.0.1:1".to_owned();
        Place { address, town: town.clone(), home: town.clone(), watching: false, keys_required: false }
    }

    fn agent(name: &str, session: Option<&str>, worked: Timestamp) -> AgentRow {
        AgentRow {
            session: session.map(|s| SessionId::new(s).unwrap()),
            worked: Some(worked),
            progressed: Some(worked),
            last_seen: worked,
            ..AgentRow::new(None, AgentName::new(name).unwrap(), Role::Polecat, T0)
        }
    }

    #[test]
    fn those_whose_hooks_asked_lately_obey_and_others_at_work_do_not() {
        let (desk, town) = (desk(), TownName::new("home").unwrap());
        let session = |name: &str| SessionId::new(name).ok();
        let empty = fuel(Balance::Known(Nanodollars(0)));
        assert_eq!(desk.answer(&town, session("s1"), &fuel(Balance::Known(Nanodollars(5))), T0), Decision::Go);
        assert_ne!(desk.answer(&town, session("s2"), &empty, T0.plus_seconds(590)), Decision::Go);
        desk.answer(&town, session("s3"), &fuel(Balance::NoAnswer), T0.plus_seconds(600));
        let now = T0.plus_seconds(601);
        let roster = [
            agent("toast", Some("s2"), now),
            agent("s3", None, now),
            agent("codex", Some("s9"), now),
            agent("resting", Some("s8"), T0),
        ];
        let view = desk.view(place(&town), empty, &roster, now);
        assert_eq!((view.asked, view.denied, view.failed), (3, 1, 1));
        let names: Vec<_> = view.obeying.iter().map(|a| a.agent.as_ref().unwrap().as_str()).collect();
        assert_eq!(names, ["s3", "toast"], "s1 asked too long ago");
        let deaf: Vec<_> = view.deaf.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(deaf, ["codex"], "who rests is not asked after");
        assert_eq!(view.stopping.as_deref(), Some("Gas tank empty: $0.00 left"));
    }

    #[test]
    fn who_is_remembered_is_bounded() {
        let (desk, town) = (desk(), TownName::new("home").unwrap());
        for i in 0..MAX_ASKERS + 5 {
            let at = T0.plus_seconds(i64::try_from(i).unwrap() / 10);
            desk.answer(&town, SessionId::new(&format!("s{i}")).ok(), &fuel(Balance::NoTank), at);
            desk.answer(&TownName::new(&format!("t{i}")).unwrap(), None, &fuel(Balance::NoTown), at);
        }
        assert_eq!(desk.view(place(&town), fuel(Balance::NoTank), &[], T0).obeying.len(), MAX_ASKERS);
        assert_eq!(desk.counts().len(), 1);
    }

    #[test]
    fn a_note_is_news_once_and_notes_are_bounded() {
        let desk = desk();
        assert!(desk.is_news("n0") && !desk.is_news("n0"));
        let news = (0..2 * MAX_NOTES).filter(|n| desk.is_news(&format!("n{n}"))).count();
        assert_eq!(news, MAX_NOTES - 1);
    }
}
