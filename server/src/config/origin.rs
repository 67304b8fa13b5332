//! Where a value comes from, and picking it there: flags before environment before file before default.

use std::fmt;

use anyhow::Context as _;

/// The environment, passed in.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment(&'static str),
    /// The configuration file.
    File,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File => f.write_str("towngauge.toml"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> From<T> {
    pub(super) fn try_map<U>(self, name: &str, map: impl FnOnce(T) -> anyhow::Result<U>) -> anyhow::Result<From<U>> {
        let value = map(self.value).with_context(|| format!("{name} (from {})", self.origin))?;
        Ok(From { value, origin: self.origin })
    }
}

/// Picks values.
pub(super) struct Picker<'a> {
    pub(super) env: Env<'a>,
}

impl Picker<'_> {
    pub(super) fn option(
        &self,
        flag: Option<String>,
        name: &'static str,
        file: Option<String>,
    ) -> From<Option<String>> {
        let env = (self.env)(name).filter(|value| !value.is_empty());
        match (flag, env, file) {
            (Some(value), _, _) => From { value: Some(value), origin: Origin::Flag },
            (None, Some(value), _) => From { value: Some(value), origin: Origin::Environment(name) },
            (None, None, Some(value)) => From { value: Some(value), origin: Origin::File },
            (None, None, None) => From { value: None, origin: Origin::Default },
        }
    }

    pub(super) fn text(
        &self,
        flag: Option<String>,
        name: &'static str,
        file: Option<String>,
        default: impl FnOnce() -> String,
    ) -> From<String> {
        let From { value, origin } = self.option(flag, name, file);
        From { value: value.unwrap_or_else(default), origin }
    }

    pub(super) fn parsed<T>(
        &self,
        flag: Option<T>,
        name: &'static str,
        file: Option<T>,
        default: impl FnOnce() -> T,
        parse: impl FnOnce(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<From<T>> {
        if let Some(value) = flag {
            return Ok(From { value, origin: Origin::Flag });
        }
        if let Some(raw) = (self.env)(name).filter(|value| !value.is_empty()) {
            let value = parse(&raw).with_context(|| format!("{name}=\"{raw}\" cannot be used"))?;
            return Ok(From { value, origin: Origin::Environment(name) });
        }
        Ok(match file {
            Some(value) => From { value, origin: Origin::File },
            None => From { value: default(), origin: Origin::Default },
        })
    }
}
