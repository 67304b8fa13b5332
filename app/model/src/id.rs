//! Names of things: each a bounded, printable string of its own type.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Longest name in bytes that any id may have; longer input is rejected, never cut.
pub const MAX_NAME_BYTES: usize = 200;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but white space.
    #[error("{what} is empty")]
    Empty {
        /// Which kind of name.
        what: &'static str,
    },
    /// Over [`MAX_NAME_BYTES`].
    #[error("{what} has {bytes} bytes, at most {MAX_NAME_BYTES} are allowed")]
    TooLong {
        /// Which kind of name.
        what: &'static str,
        /// How long it was.
        bytes: usize,
    },
    /// Control characters would corrupt logs and pages.
    #[error("{what} contains a control character")]
    Control {
        /// Which kind of name.
        what: &'static str,
    },
    /// Town names are part of addresses.
    #[error("town \"{name}\" must consist of letters, digits, '-', '_' and '.', and begin with a letter or digit")]
    TownCharacters {
        /// What was given.
        name: String,
    },
}

fn checked(what: &'static str, raw: &str) -> Result<CompactString, NameError> {
    let name = raw.trim();
    if name.is_empty() {
        return Err(NameError::Empty { what });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { what, bytes: name.len() });
    }
    // Nearly all names are printable ASCII, which is seen without looking at one character after another.
    let is_plain = name.bytes().fold(true, |is_plain, byte| is_plain & (b' '..=b'~').contains(&byte));
    if !is_plain && name.chars().any(char::is_control) {
        return Err(NameError::Control { what });
    }
    Ok(CompactString::new(name))
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "CompactString", into = "CompactString")]
        pub struct $name(CompactString);

        impl $name {
            /// Checks and wraps a name; surrounding white space is dropped.
            ///
            /// # Errors
            /// Empty, over [`MAX_NAME_BYTES`], or with control characters.
            pub fn new(raw: &str) -> Result<Self, NameError> {
                checked($what, raw).map(Self)
            }
            /// The name itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<CompactString> for $name {
            type Error = NameError;
            fn try_from(raw: CompactString) -> Result<Self, NameError> {
                Self::new(&raw)
            }
        }
        impl From<$name> for CompactString {
            fn from(name: $name) -> Self {
                name.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// A repository that agents work in; without Gas Town, a project folder.
    RigName = "rig";
    /// An agent (Gas Town calls it `worker`); without Gas Town, a session.
    AgentName = "agent";
    /// One conversation of an agent.
    SessionId = "session";
    /// An issue.
    BeadId = "bead";
    /// A language model, as the source names it.
    ModelName = "model";
    /// A tool that an agent called.
    ToolName = "tool";
    /// Where events come from, such as `claude_code` or `api`.
    SourceName = "source";
    /// What part of which program writes a log, such as `gateway`.
    LoggerName = "source";
    /// A machine that a town runs on, by the name that its owner gave it.
    HostName = "host";
}

/// A town: the unit that has pages, a tank and a roster. Safe in an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "CompactString", into = "CompactString")]
pub struct TownName(CompactString);

impl TownName {
    /// Checks and wraps a town's name.
    ///
    /// # Errors
    /// As every name, and any character outside `[A-Za-z0-9._-]`.
    pub fn new(raw: &str) -> Result<Self, NameError> {
        let name = checked("town", raw)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.chars().all(legal) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(NameError::TownCharacters { name: name.into() });
        }
        Ok(Self(name))
    }
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl TryFrom<CompactString> for TownName {
    type Error = NameError;
    fn try_from(raw: CompactString) -> Result<Self, NameError> {
        Self::new(&raw)
    }
}
impl From<TownName> for CompactString {
    fn from(name: TownName) -> Self {
        name.0
    }
}
impl fmt::Display for TownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event's idempotency key: 128 bits that depend on nothing but the event's identity at its source.
/// Together with town and timestamp it is the primary key of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventKey(pub u128);

/// What an agent is in a Gas Town.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Coordinates the town.
    Mayor,
    /// Works on one bead, then goes.
    Polecat,
    /// Watches the polecats of a rig.
    Witness,
    /// Merges what polecats made.
    Refinery,
    /// Keeps the town's daemons going (its dogs and boot included).
    Deacon,
    /// A person's long-lived helper.
    Crew,
    /// Everything else, and whoever is not known.
    #[default]
    Other,
}

impl Role {
    /// Every role, in the order in which charts stack them.
    pub const ALL: [Self; 7] =
        [Self::Mayor, Self::Polecat, Self::Witness, Self::Refinery, Self::Deacon, Self::Crew, Self::Other];

    /// Parses what sources write; `boot`, `dog` and `dogs` are the deacon's, anything unknown is [`Role::Other`].
    #[must_use]
    pub fn parse(raw: &str) -> Self {
        match raw.trim().to_ascii_lowercase().as_str() {
            "mayor" => Self::Mayor,
            "polecat" | "polecats" => Self::Polecat,
            "witness" => Self::Witness,
            "refinery" => Self::Refinery,
            "deacon" | "boot" | "dog" | "dogs" => Self::Deacon,
            "crew" => Self::Crew,
            _ => Self::Other,
        }
    }
    /// The lower-case name, as in addresses, legends and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mayor => "mayor",
            Self::Polecat => "polecat",
            Self::Witness => "witness",
            Self::Refinery => "refinery",
            Self::Deacon => "deacon",
            Self::Crew => "crew",
            Self::Other => "other",
        }
    }
    /// Position in [`Role::ALL`]: also the number stored in the database, so it never changes.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Mayor => 0,
            Self::Polecat => 1,
            Self::Witness => 2,
            Self::Refinery => 3,
            Self::Deacon => 4,
            Self::Crew => 5,
            Self::Other => 6,
        }
    }
    /// The inverse of [`Role::index`].
    #[must_use]
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_index_is_its_place_in_all() {
        for (i, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role.index(), i);
            assert_eq!(Role::from_index(i), Some(role));
            assert_eq!(Role::parse(role.name()), role);
        }
    }

    #[test]
    fn names_say_why_they_are_refused() {
        assert_eq!(RigName::new("  ").unwrap_err().to_string(), "rig is empty");
        assert!(AgentName::new(&"x".repeat(201)).unwrap_err().to_string().contains("201 bytes"));
        assert!(ToolName::new("a\nb").is_err());
        assert!(TownName::new("gas town").is_err());
        assert!(TownName::new("../etc").is_err());
        assert_eq!(TownName::new(" gas-town_1.0 ").unwrap().as_str(), "gas-town_1.0");
    }
}
