//! Finds the machine's own Postgres.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ClusterError;

/// The oldest major version that is supported.
const OLDEST: u32 = 15;

/// Folders in which packages put Postgres when they do not put it on PATH. `*` stands for a version.
const USUAL: [&str; 8] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/opt/homebrew/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/run/current-system/sw/bin",
];

/// A folder with `initdb` and `postgres` of one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Binaries {
    /// Major version.
    pub major: u32,
    /// The folder.
    pub folder: PathBuf,
}

impl Binaries {
    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }
    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

/// The newest Postgres of the machine, or the one that made the existing cluster.
pub(super) fn find(made_by: Option<u32>, cluster: &Path) -> Result<Binaries, ClusterError> {
    // Through links: an unprivileged account may be kept from the link's folder, and one copy is enough. Several folders
    // of PATH lead to the same one, which is asked once.
    let programs: BTreeSet<PathBuf> =
        candidates().into_iter().filter_map(|folder| folder.join("postgres").canonicalize().ok()).collect();
    let found: BTreeSet<Binaries> =
        programs.iter().filter_map(|postgres| inspect(postgres)).filter(|b| b.major >= OLDEST).collect();
    let wanted = match made_by {
        None => found.last(),
        Some(major) => found.iter().find(|b| b.major == major),
    };
    match (wanted, made_by) {
        (Some(binaries), _) => Ok(binaries.clone()),
        (None, Some(made_by)) if !found.is_empty() => Err(ClusterError::OtherVersion {
            folder: cluster.to_owned(),
            made_by,
            found: found.iter().map(|b| b.major.to_string()).collect::<Vec<_>>().join(", "),
        }),
        (None, _) => Err(ClusterError::NoPostgres),
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path).filter(|folder| folder.is_absolute()));
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    folders.extend(USUAL.iter().flat_map(|pattern| expand(pattern)));
    folders
}

/// Expands the one `*` that a pattern may hold.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(prefix)).map(|name| PathBuf::from(format!("{parent}/{name}{after}"))).collect()
}

fn inspect(postgres: &Path) -> Option<Binaries> {
    let folder = postgres.parent()?.to_owned();
    if !folder.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(postgres).arg("--version").output().ok()?;
    let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { major, folder })
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 17beta2`, `… 18devel`.
fn parse_major(said: &str) -> Option<u32> {
    let (_, version) = said.split_once(") ")?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        for (said, want) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 17beta2", Some(17)),
            ("postgres (PostgreSQL) 9.6.24", Some(9)),
            ("something else", None),
        ] {
            assert_eq!(parse_major(said), want, "{said}");
        }
    }
}
