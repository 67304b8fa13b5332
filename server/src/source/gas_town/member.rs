//! Members of a Gas Town: who a tmux session or an address is.

use std::collections::BTreeMap;
use std::path::Path;

use model::dedupe::Claim;
use model::event::{Envelope, Event};
use model::id::{AgentName, BeadId, EventKey, RigName, Role, SessionId, SourceName};
use model::time::Timestamp;
use serde::Deserialize;

use super::{Address, SOURCE};
use crate::source::claude_code::Place;

/// Largest `rigs.json` that is read; a real one has a few hundred bytes per rig.
const MAX_RIGS_BYTES: u64 = 4 << 20;
/// What names of sessions of the whole town begin with.
const TOWN_PREFIX: &str = "hq";

/// Which rig has which prefix of beads and sessions, from `mayor/rigs.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rigs(BTreeMap<String, String>);

#[derive(Deserialize)]
struct RigsFile {
    rigs: BTreeMap<String, RigEntry>,
}
#[derive(Deserialize)]
struct RigEntry {
    beads: Option<BeadsEntry>,
}
#[derive(Deserialize)]
struct BeadsEntry {
    prefix: Option<String>,
}

impl Rigs {
    /// The rigs of the town in `town`; none when its list is missing or malformed.
    #[must_use]
    pub fn of(town: &Path) -> Self {
        let path = town.join("mayor").join("rigs.json");
        let small = path.metadata().is_ok_and(|meta| meta.len() <= MAX_RIGS_BYTES);
        small.then(|| std::fs::read(&path).ok()).flatten().map(|json| Self::parse(&json)).unwrap_or_default()
    }

    /// Reads `rigs.json`. A rig without a prefix goes by its own name.
    #[must_use]
    pub fn parse(json: &[u8]) -> Self {
        let Ok(file) = serde_json::from_slice::<RigsFile>(json) else { return Self::default() };
        let prefix = |name: &str, entry: RigEntry| {
            let given =
                entry.beads.and_then(|beads| beads.prefix).map(|prefix| prefix.trim_end_matches('-').to_owned());
            given.filter(|prefix| !prefix.is_empty()).unwrap_or_else(|| name.to_owned())
        };
        Self(file.rigs.into_iter().map(|(name, entry)| (prefix(&name, entry), name)).collect())
    }

    /// Who the tmux session is, by the longest prefix that is known: a rig's own may contain dashes.
    #[must_use]
    pub fn member(&self, session: &str) -> Option<Member> {
        if let Some(rest) = rest_of(session, TOWN_PREFIX) {
            return match rest.split_once('-') {
                Some(("dog", name)) => Member::new(None, Role::Deacon, name),
                _ => Member::new(None, Role::parse(rest), rest),
            };
        }
        let known = self.0.iter().filter_map(|(prefix, rig)| Some((prefix, rig, rest_of(session, prefix)?)));
        let (_, rig, rest) = known.max_by_key(|(prefix, ..)| prefix.len())?;
        match rest.split_once('-') {
            Some(("crew", name)) => Member::new(Some(rig), Role::Crew, name),
            _ if matches!(rest, "witness" | "refinery") => Member::new(Some(rig), Role::parse(rest), rest),
            _ => Member::new(Some(rig), Role::Polecat, rest),
        }
    }
}

fn rest_of<'a>(session: &'a str, prefix: &str) -> Option<&'a str> {
    session.strip_prefix(prefix)?.strip_prefix('-').filter(|rest| !rest.is_empty())
}

/// An agent of a Gas Town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// None for agents of the whole town.
    pub rig: Option<RigName>,
    /// Its role.
    pub role: Role,
    /// Its name within rig and role.
    pub agent: AgentName,
}

impl Member {
    /// A member; none when a name is none.
    #[must_use]
    pub fn new(rig: Option<&str>, role: Role, agent: &str) -> Option<Self> {
        let rig = match rig {
            Some(rig) => Some(RigName::new(rig).ok()?),
            None => None,
        };
        Some(Self { rig, role, agent: AgentName::new(agent).ok()? })
    }

    /// The member at an address.
    #[must_use]
    pub fn at(address: &str) -> Option<Self> {
        let Address { rig, role, name } = Address::parse(address)?;
        Self::new(rig, role, name)
    }

    /// The member that works in a folder.
    #[must_use]
    pub fn in_folder(place: Place) -> Option<Self> {
        let place = place.gas_town?;
        Self::new(place.rig.as_deref(), place.role, &place.agent)
    }

    /// Whom `target` means in `rig`: an address, a role, or a polecat's name.
    #[must_use]
    pub fn in_rig(rig: Option<&str>, target: &str) -> Option<Self> {
        match (target, rig) {
            ("mayor" | "deacon", _) => Self::new(None, Role::parse(target), target),
            (target, _) if target.contains('/') => Self::at(target),
            ("witness" | "refinery", Some(rig)) => Self::new(Some(rig), Role::parse(target), target),
            (target, Some(rig)) => Self::new(Some(rig), Role::Polecat, target),
            (_, None) => None,
        }
    }

    /// What it did, as an event.
    #[must_use]
    pub fn did(
        self,
        at: Timestamp,
        key: u128,
        claim: Option<Claim>,
        session: Option<SessionId>,
        bead: Option<BeadId>,
        event: Event,
    ) -> Option<Envelope> {
        Some(Envelope {
            at,
            key: EventKey(key),
            claim,
            source: SourceName::new(SOURCE).ok()?,
            rig: self.rig,
            role: self.role,
            agent: Some(self.agent),
            session,
            bead,
            event,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGS: &[u8] = br#"{"version":1,"rigs":{
        "gastown":{"git_url":"x","added_at":"2026-01-01T00:00:00Z","beads":{"repo":"local","prefix":"gt"}},
        "beads":{"git_url":"x","beads":{"repo":"local","prefix":"bd"}},
        "deep":{"git_url":"x","beads":{"repo":"local","prefix":"gt-deep"}},
        "plain":{"git_url":"x"}}}"#;

    #[test]
    fn names_of_sessions_are_read_by_the_longest_prefix() {
        let rigs = Rigs::parse(RIGS);
        let check = |session: &str, rig: Option<&str>, role: Role, agent: &str| {
            assert_eq!(rigs.member(session), Member::new(rig, role, agent), "{session}");
            assert!(rigs.member(session).is_some(), "{session}");
        };
        check("hq-mayor", None, Role::Mayor, "mayor");
        check("hq-deacon", None, Role::Deacon, "deacon");
        check("hq-boot", None, Role::Deacon, "boot");
        check("hq-overseer", None, Role::Other, "overseer");
        check("hq-dog-alpha", None, Role::Deacon, "alpha");
        check("gt-witness", Some("gastown"), Role::Witness, "witness");
        check("gt-refinery", Some("gastown"), Role::Refinery, "refinery");
        check("gt-crew-max", Some("gastown"), Role::Crew, "max");
        check("gt-toast", Some("gastown"), Role::Polecat, "toast");
        check("bd-nux-two", Some("beads"), Role::Polecat, "nux-two");
        check("gt-deep-furiosa", Some("deep"), Role::Polecat, "furiosa");
        check("plain-slit", Some("plain"), Role::Polecat, "slit");
        for unknown in ["xx-toast", "gt", "gt-", "", "toast"] {
            assert_eq!(rigs.member(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_list_of_rigs_that_is_none_names_nobody() {
        for json in [&b"{"[..], b"[]", b"{}", b"{\"rigs\":7}"] {
            assert_eq!(Rigs::parse(json), Rigs::default());
        }
    }

    #[test]
    fn targets_are_addresses_roles_or_polecats() {
        let check = |rig, target: &str, want| assert_eq!(Member::in_rig(rig, target), want, "{target}");
        check(Some("gastown"), "nux", Member::new(Some("gastown"), Role::Polecat, "nux"));
        check(Some("gastown"), "witness", Member::new(Some("gastown"), Role::Witness, "witness"));
        check(Some("x"), "gastown/crew/max", Member::new(Some("gastown"), Role::Crew, "max"));
        check(None, "mayor", Member::new(None, Role::Mayor, "mayor"));
        check(None, "nux", None);
    }
}
