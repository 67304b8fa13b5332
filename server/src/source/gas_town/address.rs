//! Agents' addresses in a Gas Town. People's names and e-mail addresses are none, and are not kept.

use model::id::Role;

/// An agent by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// None for agents of the whole town.
    pub rig: Option<&'a str>,
    /// Its role.
    pub role: Role,
    /// Its name within rig and role.
    pub name: &'a str,
}

impl<'a> Address<'a> {
    /// Reads `mayor`, `<rig>/witness`, `<rig>/crew/<name>`, `<rig>/polecats/<name>`, `<rig>/<name>` …, each with or without a
    /// slash at its end. `None` for everything else.
    #[must_use]
    pub fn parse(raw: &'a str) -> Option<Self> {
        let parts: Vec<&str> = raw.trim().trim_end_matches('/').split('/').collect();
        let of = |rig, role, name| Some(Self { rig, role, name });
        match parts.as_slice() {
            [name @ ("mayor" | "deacon")] => of(None, Role::parse(name), name),
            ["deacon", name @ "boot"] | ["deacon", "dogs", name] => of(None, Role::Deacon, name),
            [rig, name @ ("witness" | "refinery")] => of(Some(rig), Role::parse(name), name),
            [rig, "crew", name] => of(Some(rig), Role::Crew, name),
            [rig, "polecats", name] | [rig, name] => of(Some(rig), Role::Polecat, name),
            _ => None,
        }
    }
}
