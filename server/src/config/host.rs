//! What this machine is called.

use anyhow::Context as _;
use model::id::HostName;

use crate::host::machine_name;

/// Reads the setting: a name, `off`, or by default what the machine calls itself.
pub(super) fn host_name(raw: Option<String>) -> anyhow::Result<Option<HostName>> {
    match raw.as_deref() {
        Some("off") => Ok(None),
        Some(raw) => HostName::new(raw).map(Some).context("use a name, or \"off\""),
        None => machine_name().map_or_else(|| Ok(HostName::new("this machine").ok()), |name| Ok(Some(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_name_unless_it_is_not_to_be_read() {
        let check = |raw: &str| host_name(Some(raw.to_owned())).map(|name| name.map(|name| name.to_string()));
        assert_eq!(check("forge").unwrap().as_deref(), Some("forge"));
        assert_eq!(check("off").unwrap(), None);
        assert!(check(" ").is_err());
        assert!(host_name(None).unwrap().is_some());
    }
}
