//! The project that an agent works in, from its working directory: rig, role and agent, and how files are called.

use std::sync::{Arc, Mutex, PoisonError};

use compact_str::CompactString;
use model::dedupe::Claim;
use model::event::{Envelope, Event};
use model::id::{AgentName, EventKey, NameError, RigName, Role, SessionId, SourceName};
use model::time::Timestamp;

use super::claude_code::{Place, Projects, believed_folder, is_town_root, kept_path};
use super::file_source::Shared;

/// Characters of a session that stand for its agent. The last, because ids that begin with a time share their first.
const AGENT_CHARS: usize = 8;

/// Where an agent works.
#[derive(Debug, Clone, Default)]
pub struct Project {
    place: Option<Place>,
    rig: Option<RigName>,
    no_paths: bool,
}

impl Project {
    /// The project of the working directory `cwd`; of none, when that is empty or no folder's name.
    #[must_use]
    pub fn of(cwd: &str, shared: &Shared) -> Self {
        let place = believed_folder(cwd).map(|cwd| Place::of(cwd, None, &is_town_root));
        let rig = place.as_ref().and_then(|place| rig_of(place, &shared.projects));
        Self { place, rig, no_paths: shared.no_paths }
    }

    /// A project of which nothing but a name is known.
    #[must_use]
    pub fn named(rig: &str, shared: &Shared) -> Self {
        Self { place: None, rig: RigName::new(rig).ok(), no_paths: shared.no_paths }
    }

    /// Its rig.
    #[must_use]
    pub const fn rig(&self) -> Option<&RigName> {
        self.rig.as_ref()
    }

    /// Whether its folder is an agent's in a Gas Town.
    #[must_use]
    pub fn is_in_gas_town(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.gas_town.is_some())
    }

    /// How a file is called: relative to the project, never a path outside it; `None` without paths.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<CompactString> {
        if self.no_paths { None } else { kept_path(self.place.as_ref(), path) }
    }

    /// Whoever speaks in `session`. In a Gas Town's folder that agent, elsewhere the end of the session's name; a
    /// sub-agent's name follows its parent's.
    ///
    /// # Errors
    /// The session's name is refused.
    pub fn speaker(&self, source: &str, session: &str, parent: Option<&str>) -> Result<Speaker, NameError> {
        let place = self.place.as_ref().and_then(|place| place.gas_town.as_ref());
        let main = match place {
            Some(place) => place.agent.clone(),
            None => end_of(parent.unwrap_or(session)),
        };
        let name = if parent.is_some() { format!("{main}/{}", end_of(session)) } else { main };
        Ok(Speaker {
            source: SourceName::new(source)?,
            rig: self.rig.clone(),
            role: place.map_or(Role::Other, |place| place.role),
            agent: AgentName::new(&name).ok(),
            session: SessionId::new(session)?,
        })
    }
}

fn rig_of(place: &Place, projects: &Arc<Mutex<Projects>>) -> Option<RigName> {
    let name = match &place.gas_town {
        Some(town) => town.rig.clone()?,
        None => projects.lock().unwrap_or_else(PoisonError::into_inner).name(&place.root),
    };
    RigName::new(&name).ok()
}

fn end_of(session: &str) -> String {
    let from = session.char_indices().rev().nth(AGENT_CHARS - 1).map_or(0, |(at, _)| at);
    session[from..].to_owned()
}

/// Who does what is reported.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// Which source says so.
    pub source: SourceName,
    /// Rig or project.
    pub rig: Option<RigName>,
    /// Role.
    pub role: Role,
    /// Agent.
    pub agent: Option<AgentName>,
    /// Conversation.
    pub session: SessionId,
}

impl Speaker {
    /// What it did, as an event.
    #[must_use]
    pub fn did(&self, at: Timestamp, key: u128, claim: Option<Claim>, event: Event) -> Envelope {
        Envelope {
            at,
            key: EventKey(key),
            claim,
            source: self.source.clone(),
            rig: self.rig.clone(),
            role: self.role,
            agent: self.agent.clone(),
            session: Some(self.session.clone()),
            bead: None,
            event,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        Shared { projects: Arc::default(), no_paths: false }
    }

    #[test]
    fn a_folder_is_a_rig_and_the_end_of_a_session_is_an_agent() {
        let project = Project::of("/w/app", &shared());
        let speaker = project.speaker("codex", "0199aaaa-0000-7000-8000-0123456789ab", None).unwrap();
        assert_eq!(speaker.rig.as_ref().map(RigName::as_str), Some("app"));
        assert_eq!(speaker.agent.as_ref().map(AgentName::as_str), Some("456789ab"));
        assert_eq!(project.file("/w/app/src/a.rs").as_deref(), Some("src/a.rs"));
        assert_eq!(project.file("/etc/passwd").as_deref(), Some("passwd"));
    }

    #[test]
    fn a_folder_that_the_store_would_refuse_is_none() {
        let shared = shared();
        for cwd in ["/w/a\u{0}b".to_owned(), "/w/a\nb".to_owned(), format!("/w/{}", "x".repeat(3_000))] {
            let speaker = Project::of(&cwd, &shared).speaker("codex", "s", None).unwrap();
            assert_eq!(speaker.rig, None);
        }
        assert_eq!(shared.projects.lock().unwrap().take_fresh(), []);
    }

    #[test]
    fn a_polecat_keeps_its_name_and_a_sub_agent_follows_it() {
        let project = Project::of("/t/gastown/polecats/toast", &shared());
        let speaker = project.speaker("codex", "ses-child", Some("ses-parent")).unwrap();
        assert_eq!((speaker.role, speaker.agent.unwrap().as_str()), (Role::Polecat, "toast/es-child"));
        assert_eq!(speaker.rig.unwrap().as_str(), "gastown");
    }

    #[test]
    fn without_paths_nothing_is_kept_of_them() {
        let project = Project::of("/w/app", &Shared { no_paths: true, ..shared() });
        assert_eq!(project.file("/w/app/src/a.rs"), None);
    }
}
