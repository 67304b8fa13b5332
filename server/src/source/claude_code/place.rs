//! Where a transcript belongs: its project, or its place in a Gas Town, from the working directory and the path.

use std::path::Path;

use compact_str::CompactString;
use model::id::Role;
use serde::{Deserialize, Serialize};

/// Longest path that is kept.
const MAX_PATH_BYTES: usize = 400;
/// Longest working directory that is believed: it is part of an index, whose rows Postgres limits to 2.7 kB.
const MAX_FOLDER_BYTES: usize = 1_024;

/// What the working directory says about a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The project's (or worktree's) folder: what paths are shown relative to, and what the rig is named after.
    pub root: String,
    /// The agent's place in a Gas Town, when the folder lies in one.
    pub gas_town: Option<GasTownPlace>,
}

/// An agent of a Gas Town, by its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GasTownPlace {
    /// None for agents of the whole town.
    pub rig: Option<String>,
    /// Its role.
    pub role: Role,
    /// Its name.
    pub agent: String,
}

impl Place {
    /// The place of a conversation whose transcript lies in the folder `slug` and whose first line names `cwd`.
    ///
    /// Claude Code makes the slug from the folder it was started in; agents change the directory later. So the root
    /// is the ancestor of `cwd` that the slug was made from, or else `cwd` itself. `is_town_root` tells whether a
    /// folder is known to be a Gas Town's.
    #[must_use]
    pub fn of(cwd: &str, slug: Option<&str>, is_town_root: &dyn Fn(&str) -> bool) -> Self {
        let cwd = trimmed(cwd);
        if let Some((root, place)) = gas_town(cwd, is_town_root) {
            return Self { root, gas_town: Some(place) };
        }
        let root = slug.and_then(|slug| ancestors(cwd).find(|folder| is_slug_of(slug, folder))).unwrap_or(cwd);
        Self { root: root.to_owned(), gas_town: None }
    }

    /// `path` relative to the project; of a path outside the project only the file's name.
    #[must_use]
    pub fn relative(&self, path: &str) -> String {
        let inside = path.strip_prefix(self.root.as_str()).and_then(|rest| rest.strip_prefix(['/', '\\']));
        match inside {
            Some(rest) if !self.root.is_empty() && !has_parent_steps(rest) => rest.to_owned(),
            _ if !is_absolute(path) && !has_parent_steps(path) => path.trim_start_matches("./").to_owned(),
            _ => path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
        }
    }
}

/// The working directory `cwd` where it can be kept; none when it is empty, too long, or has characters that no folder's
/// name needs and the store may refuse.
#[must_use]
pub fn believed_folder(cwd: &str) -> Option<&str> {
    let believed = !cwd.trim().is_empty() && cwd.len() <= MAX_FOLDER_BYTES && !cwd.chars().any(char::is_control);
    believed.then_some(cwd)
}

/// How a file is called in the store: relative to the project, or by its name where that is not known. `None` when
/// nothing is left that can be shown.
#[must_use]
pub fn kept_path(place: Option<&Place>, path: &str) -> Option<CompactString> {
    let relative = match place {
        Some(place) => place.relative(path),
        None => path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
    };
    let clean = !relative.is_empty() && relative.len() <= MAX_PATH_BYTES && !relative.chars().any(char::is_control);
    clean.then(|| CompactString::from(relative))
}

fn has_parent_steps(path: &str) -> bool {
    path.split(['/', '\\']).any(|step| step == "..")
}

fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\', '~']) || path.as_bytes().get(1) == Some(&b':')
}

fn trimmed(folder: &str) -> &str {
    let trimmed = folder.trim_end_matches(['/', '\\']);
    if trimmed.is_empty() { folder } else { trimmed }
}

/// `cwd` and the folders above it, nearest first.
fn ancestors(cwd: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(cwd), |folder| folder.rfind(['/', '\\']).map(|cut| &folder[..cut]))
        .filter(|folder| !folder.is_empty())
}

/// Claude Code replaces everything but letters and digits by `-`; older versions only `/`, Gas Town `/` and `_`.
fn is_slug_of(slug: &str, folder: &str) -> bool {
    slug.len() == folder.len()
        && slug.bytes().zip(folder.bytes()).all(|(s, f)| s == f || (s == b'-' && !f.is_ascii_alphanumeric()))
}

/// `<root>/<rig>/polecats/<name>`, `<root>/<rig>/crew/<name>`, `<root>/<rig>/witness|refinery`, `<root>/mayor`,
/// `<root>/deacon`, `<root>/deacon/dogs/<name>`; each may be followed by more.
///
/// `polecats` is a word nobody else uses. The others are also names of ordinary folders, so they count only under a
/// folder that is known to be a town's; `crew/<name>` also elsewhere, but not right under a home folder.
fn gas_town(cwd: &str, is_town_root: &dyn Fn(&str) -> bool) -> Option<(String, GasTownPlace)> {
    // Positions of the components, so that prefixes of `cwd` can be cut.
    let mut parts: Vec<(usize, &str)> = Vec::new();
    let mut start = 0;
    for part in cwd.split(['/', '\\']) {
        if !part.is_empty() {
            parts.push((start, part));
        }
        start += part.len() + 1;
    }
    let name = |i: usize| parts.get(i).map(|(_, part)| *part);
    let up_to = |i: usize| parts.get(i).map_or(cwd, |(at, part)| &cwd[..at + part.len()]);
    let town_above = |i: usize| i > 0 && is_town_root(up_to(i - 1));
    let place = |rig: Option<&str>, role, agent: &str| GasTownPlace {
        rig: rig.map(str::to_owned),
        role,
        agent: agent.to_owned(),
    };
    for (i, (_, part)) in parts.iter().enumerate() {
        let above = i.checked_sub(1).and_then(name);
        let below = name(i + 1);
        let found = match (*part, above, below) {
            ("polecats", Some(rig), Some(agent)) => Some((i + 1, place(Some(rig), Role::Polecat, agent))),
            ("crew", Some(rig), Some(agent)) if town_above(i - 1) || (i >= 3 && !is_home(&parts, i - 1)) => {
                Some((i + 1, place(Some(rig), Role::Crew, agent)))
            }
            ("witness" | "refinery", Some(rig), _) if town_above(i - 1) => {
                Some((i, place(Some(rig), Role::parse(part), part)))
            }
            ("deacon", _, Some("dogs")) if town_above(i) => {
                name(i + 2).map(|dog| (i + 2, place(None, Role::Deacon, dog)))
            }
            ("mayor" | "deacon", _, _) if town_above(i) => Some((i, place(None, Role::parse(part), part))),
            _ => None,
        };
        if let Some((last, place)) = found {
            return Some((up_to(last).to_owned(), place));
        }
    }
    None
}

/// Whether component `i` is a person's home folder.
fn is_home(parts: &[(usize, &str)], i: usize) -> bool {
    i == 1 && matches!(parts.first(), Some((_, "home" | "Users")))
}

/// Whether a folder is a Gas Town's: it is called `gt` as by default, is `$GT_ROOT`, or has the town's file.
#[must_use]
pub fn is_town_root(folder: &str) -> bool {
    folder.ends_with("/gt")
        || std::env::var("GT_ROOT").is_ok_and(|root| trimmed(&root) == folder)
        || Path::new(folder).join("mayor").join("town.json").is_file()
}

/// The last component of a project's folder.
#[must_use]
pub fn base_name(root: &str) -> &str {
    root.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(cwd: &str, slug: Option<&str>) -> Place {
        Place::of(cwd, slug, &|folder| folder.ends_with("/gt"))
    }

    #[test]
    fn the_root_is_the_folder_that_the_slug_was_made_from() {
        let check = |cwd: &str, slug: Option<&str>, root: &str| assert_eq!(at(cwd, slug).root, root, "{cwd}");
        check("/home/u/my_app.v2", Some("-home-u-my-app-v2"), "/home/u/my_app.v2");
        check("/home/u/app/src/deep", Some("-home-u-app"), "/home/u/app");
        check("/home/u/app/", None, "/home/u/app");
        check("/elsewhere/x", Some("-home-u-app"), "/elsewhere/x");
        check("C:\\code\\app\\src", Some("C--code-app"), "C:\\code\\app");
    }

    #[test]
    fn folders_of_a_gas_town_name_rig_role_and_agent() {
        let check = |cwd: &str, rig: Option<&str>, role: Role, agent: &str| {
            let want = GasTownPlace { rig: rig.map(str::to_owned), role, agent: agent.to_owned() };
            assert_eq!(at(cwd, None).gas_town, Some(want), "{cwd}");
        };
        check("/home/u/gt/gastown/polecats/toast", Some("gastown"), Role::Polecat, "toast");
        check("/srv/town/beads/polecats/nux/beads/src", Some("beads"), Role::Polecat, "nux");
        check("/home/u/gt/gastown/crew/max", Some("gastown"), Role::Crew, "max");
        check("/home/u/town/gastown/crew/max", Some("gastown"), Role::Crew, "max");
        check("/home/u/gt/gastown/witness", Some("gastown"), Role::Witness, "witness");
        check("/home/u/gt/gastown/refinery/rig", Some("gastown"), Role::Refinery, "refinery");
        check("/home/u/gt/mayor", None, Role::Mayor, "mayor");
        check("/home/u/gt/deacon", None, Role::Deacon, "deacon");
        check("/home/u/gt/deacon/dogs/alpha", None, Role::Deacon, "alpha");
    }

    #[test]
    fn ordinary_folders_of_those_names_are_projects() {
        for cwd in ["/home/u/code/refinery", "/home/u/code/mayor", "/home/u/crew/app", "/home/u/polecats", "/crew/x"] {
            assert_eq!(at(cwd, None).gas_town, None, "{cwd}");
        }
    }

    #[test]
    fn paths_outside_the_project_keep_only_their_name() {
        let place = at("/home/u/app", None);
        let check = |path: &str, want: &str| assert_eq!(place.relative(path), want, "{path}");
        check("/home/u/app/src/main.rs", "src/main.rs");
        check("/home/u/application/x.rs", "x.rs");
        check("/etc/passwd", "passwd");
        check("src/lib.rs", "src/lib.rs");
        check("./src/lib.rs", "src/lib.rs");
        check("../../secret/x.txt", "x.txt");
        check("/home/u/app/../other/y.txt", "y.txt");
        check("C:\\Users\\u\\z.txt", "z.txt");
        check("~/notes/n.md", "n.md");
    }
}
