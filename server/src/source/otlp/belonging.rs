//! Where an item belongs: Gas Town's attributes (FORMATS 1.5), the conversation, the tool that sent it.

use model::dedupe::{Basis, Claim};
use model::event::{Envelope, Event};
use model::id::{AgentName, BeadId, EventKey, RigName, Role, SessionId, SourceName, TownName};
use model::time::Timestamp;

use super::attributes::Attributes;
use crate::source::identity;

/// The agents' tools whose telemetry is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    ClaudeCode,
    Codex,
    Gemini,
    GasTown,
    /// Whatever speaks the conventions for generative AI.
    Generic,
}

/// Whether telemetry is stored under that name.
pub fn is_source(source: &SourceName) -> bool {
    Tool::ALL.iter().any(|tool| tool.source() == source.as_str())
}

impl Tool {
    const ALL: [Self; 5] = [Self::ClaudeCode, Self::Codex, Self::Gemini, Self::GasTown, Self::Generic];

    /// By the resource's `service.name`, else by what the instrumentation calls itself.
    pub(super) fn of(attributes: &Attributes<'_>, scope: &str) -> Self {
        let service = attributes.text("service.name").unwrap_or_default();
        let begins = |prefix: &str| service.starts_with(prefix);
        if begins("claude-code") || scope.starts_with("com.anthropic.claude_code") {
            Self::ClaudeCode
        } else if begins("codex") {
            Self::Codex
        } else if begins("gemini-cli") || scope == "gemini-cli" {
            Self::Gemini
        } else if begins("gastown") || scope == "gastown" || scope.ends_with("steveyegge/gastown") {
            Self::GasTown
        } else {
            Self::Generic
        }
    }

    /// The source's name in the store.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude_code_otel",
            Self::Codex => "codex_otel",
            Self::Gemini => "gemini_otel",
            Self::GasTown => "gas_town_otel",
            Self::Generic => "otel",
        }
    }
}

/// Whose an item is.
#[derive(Debug, Clone)]
pub(super) struct Belonging {
    pub source: SourceName,
    pub rig: Option<RigName>,
    pub role: Role,
    pub agent: Option<AgentName>,
    pub session: Option<SessionId>,
    pub bead: Option<BeadId>,
}

impl Belonging {
    /// Reads the attributes; a name that cannot be one is as good as none.
    pub(super) fn of(attributes: &Attributes<'_>, source: SourceName) -> Self {
        let text = |key: &str| attributes.text(key);
        let address = [text("gt.actor"), text("gt.role")].into_iter().flatten().find_map(Address::parse);
        let role = match &address {
            Some(address) => address.role,
            None => text("gt.role").map_or(Role::Other, Role::parse),
        };
        let session = ["session.id", "conversation.id", "gen_ai.conversation.id", "gt.session"];
        Self {
            source,
            rig: text("gt.rig").or(address.as_ref().and_then(|a| a.rig)).and_then(|rig| RigName::new(rig).ok()),
            role,
            agent: address.as_ref().map(|a| a.name).or(text("gt.agent")).and_then(|name| AgentName::new(name).ok()),
            session: session.into_iter().find_map(text).and_then(|session| SessionId::new(session).ok()),
            bead: text("gt.issue").and_then(|bead| BeadId::new(bead).ok()),
        }
    }

    /// The event with everything that is known of its place.
    pub(super) fn envelope(&self, at: Timestamp, key: u128, claim: Option<Claim>, event: Event) -> Envelope {
        Envelope {
            at,
            key: EventKey(key),
            claim,
            source: self.source.clone(),
            rig: self.rig.clone(),
            role: self.role,
            agent: self.agent.clone(),
            session: self.session.clone(),
            bead: self.bead.clone(),
            event,
        }
    }
}

/// An address in a Gas Town (FORMATS 1.1): `mayor`, `<rig>/witness`, `<rig>/polecats/<name>`, `deacon/dogs/<name>`, …
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    rig: Option<&'a str>,
    role: Role,
    name: &'a str,
}

impl<'a> Address<'a> {
    /// A role's bare name other than the town's own agents is no address.
    fn parse(raw: &'a str) -> Option<Self> {
        let parts: Vec<&str> = raw.trim_end_matches('/').split('/').collect();
        let (rig, role, name) = match parts.as_slice() {
            [name @ ("mayor" | "deacon" | "boot")] => (None, Role::parse(name), *name),
            ["deacon", "dogs", name] => (None, Role::Deacon, *name),
            [rig, name @ ("witness" | "refinery")] => (Some(*rig), Role::parse(name), *name),
            [rig, role @ ("crew" | "polecats" | "polecat"), name] => (Some(*rig), Role::parse(role), *name),
            [rig, name] => (Some(*rig), Role::Polecat, *name),
            _ => return None,
        };
        (!name.is_empty() && rig != Some("")).then_some(Self { rig, role, name })
    }
}

/// The town that Gas Town says it is.
pub(super) fn town(attributes: &Attributes<'_>) -> Option<TownName> {
    attributes.text("gt.town").and_then(|town| TownName::new(town).ok())
}

/// The claim of an event that names no call: told apart by `id` within `group` (`identity::group`).
pub(super) const fn event_claim(group: u128, id: u128, rank: model::dedupe::Rank) -> Claim {
    Claim { message: group, request: id, rank, basis: Basis::Event }
}

/// The claim's group of an event of that kind.
pub(super) fn group(event: &Event, session: &str) -> u128 {
    identity::group(event.kind().name(), session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_rig_role_and_agent() {
        let check = |raw: &str, want: Option<(Option<&str>, Role, &str)>| {
            assert_eq!(Address::parse(raw).map(|a| (a.rig, a.role, a.name)), want, "{raw}");
        };
        check("gastown/polecats/furiosa", Some((Some("gastown"), Role::Polecat, "furiosa")));
        check("gastown/furiosa", Some((Some("gastown"), Role::Polecat, "furiosa")));
        check("gastown/crew/max", Some((Some("gastown"), Role::Crew, "max")));
        check("gastown/witness", Some((Some("gastown"), Role::Witness, "witness")));
        check("deacon/dogs/alpha", Some((None, Role::Deacon, "alpha")));
        check("mayor/", Some((None, Role::Mayor, "mayor")));
        check("polecat", None);
        check("", None);
        check("a/b/c/d", None);
    }
}
