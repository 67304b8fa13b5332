//! Who works in the made-up town.

use super::SHIFT_MIN;
use crate::id::{AgentName, RigName, Role};

/// One agent of the made-up town.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Distinguishes actors in the generator.
    pub number: u64,
    /// Its rig; none for the mayor and the deacon.
    pub rig: Option<RigName>,
    /// Its name.
    pub name: AgentName,
    /// Its role.
    pub role: Role,
    /// Share of slots in which it works when the town is at its busiest, 0 to 1.
    pub diligence: f64,
    /// The rig's prefix of beads.
    pub prefix: &'static str,
}

impl Actor {
    /// Whether it works on beads of its own.
    #[must_use]
    pub const fn takes_beads(&self) -> bool {
        matches!(self.role, Role::Polecat | Role::Crew)
    }
    /// The slot of shifts that holds a minute; each actor's slots are offset, so that shifts do not begin together.
    pub(super) fn slot(&self, minute: i64) -> i64 {
        (minute - self.offset()).div_euclid(SHIFT_MIN)
    }
    /// First minute of a slot.
    pub(super) fn slot_start(&self, slot: i64) -> i64 {
        slot * SHIFT_MIN + self.offset()
    }
    fn offset(&self) -> i64 {
        i64::try_from(self.number * 37).unwrap_or_default() % SHIFT_MIN
    }
}

/// Rigs with the prefix of their beads and the names of their polecats and crew.
const RIGS: [(&str, &str, &[&str], &[&str]); 3] = [
    ("gastown", "gt", &["furiosa", "nux", "slit", "rictus", "toast", "capable"], &["max"]),
    ("beads", "bd", &["dag", "dementus", "organic", "cheedo"], &["joe"]),
    ("wasteland", "wl", &["rust", "chrome", "nitro"], &["valkyrie"]),
];

/// Everyone in the made-up town.
#[must_use]
pub fn cast() -> Vec<Actor> {
    let mut cast = Vec::new();
    let mut add = |rig: Option<&str>, name: &str, role, diligence, prefix| {
        let number = u64::try_from(cast.len()).unwrap_or_default() + 1;
        let rig = rig.and_then(|rig| RigName::new(rig).ok());
        if let Ok(name) = AgentName::new(name) {
            cast.push(Actor { number, rig, name, role, diligence, prefix });
        }
    };
    add(None, "mayor", Role::Mayor, 1.0, "hq");
    add(None, "deacon", Role::Deacon, 0.9, "hq");
    for (rig, prefix, polecats, crew) in RIGS {
        add(Some(rig), "witness", Role::Witness, 0.85, prefix);
        add(Some(rig), "refinery", Role::Refinery, 0.7, prefix);
        for name in polecats {
            add(Some(rig), name, Role::Polecat, 0.75, prefix);
        }
        for name in crew {
            add(Some(rig), name, Role::Crew, 0.6, prefix);
        }
    }
    cast
}
