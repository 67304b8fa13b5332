//! Where this machine's agents keep their files, by the environment.

use std::path::PathBuf;

/// A variable that names a path; an empty one counts as not set.
#[must_use]
pub fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The user's home folder.
#[must_use]
pub fn home() -> Option<PathBuf> {
    path("HOME").or_else(|| directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()))
}

/// The folders named by a variable (several, by comma, `~/` understood), or else `default` below the home folder.
/// They need not exist.
#[must_use]
pub fn folders(variable: &str, default: &str) -> Vec<PathBuf> {
    let home = home();
    let named: Vec<PathBuf> = std::env::var(variable)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| match (entry.strip_prefix("~/"), &home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(entry),
        })
        .collect();
    if named.is_empty() { home.map(|home| home.join(default)).into_iter().collect() } else { named }
}
