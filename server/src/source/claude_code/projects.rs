//! Names of projects: the last component of their folder, and more of it where two projects share that.

use std::collections::HashMap;

use super::place::base_name;

/// Longest name that is made from a folder.
const MAX_NAME_BYTES: usize = 200;

/// Which folder has which name. Names once given stay (they are kept in the database), so that a project is the same
/// rig for ever, and two projects are never one.
#[derive(Debug, Clone, Default)]
pub struct Projects {
    names: HashMap<String, String>,
    owners: HashMap<String, String>,
    fresh: Vec<(String, String)>,
    /// No folder's name beyond the last component may be shown.
    no_paths: bool,
}

impl Projects {
    /// From what was given before: (folder, name).
    #[must_use]
    pub fn new(given: impl IntoIterator<Item = (String, String)>, no_paths: bool) -> Self {
        let mut projects = Self { no_paths, ..Self::default() };
        for (root, name) in given {
            projects.owners.insert(name.clone(), root.clone());
            projects.names.insert(root, name);
        }
        projects
    }

    /// The name of the project in `root`.
    pub fn name(&mut self, root: &str) -> String {
        if let Some(name) = self.names.get(root) {
            return name.clone();
        }
        let name = self.free_name(root);
        self.names.insert(root.to_owned(), name.clone());
        self.owners.insert(name.clone(), root.to_owned());
        self.fresh.push((root.to_owned(), name.clone()));
        name
    }

    /// Names given since the last call, to be kept.
    pub fn take_fresh(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.fresh)
    }

    /// `app`, else `team/app`, else `home/team/app` …, else `app-2`, `app-3` …
    fn free_name(&self, root: &str) -> String {
        let fits = |name: &str| name.len() <= MAX_NAME_BYTES && !self.owners.contains_key(name);
        let base = base_name(root);
        let base = if base.trim_matches(['/', '\\', ' ']).is_empty() || base.len() > MAX_NAME_BYTES - 8 {
            "project"
        } else {
            base
        };
        let parts: Vec<&str> = root.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
        let most = if self.no_paths { 1 } else { parts.len().min(4) };
        let longer = (2..=most).map(|n| parts[parts.len() - n..].join("/"));
        let numbered = (2..).map(|n: u64| format!("{base}-{n}"));
        std::iter::once(base.to_owned()).chain(longer).chain(numbered).find(|name| fits(name)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_projects_of_one_name_stay_two() {
        let mut projects = Projects::default();
        assert_eq!(projects.name("/home/u/a/app"), "app");
        assert_eq!(projects.name("/home/u/b/app"), "b/app");
        assert_eq!(projects.name("/home/v/b/app"), "v/b/app");
        assert_eq!(projects.name("/home/u/a/app"), "app");
        assert_eq!(projects.take_fresh().len(), 3);
        assert_eq!(projects.take_fresh(), vec![]);
    }

    #[test]
    fn names_given_before_stay() {
        let mut projects = Projects::new([("/z/app".to_owned(), "app".to_owned())], false);
        assert_eq!(projects.name("/a/app"), "a/app");
        assert_eq!(projects.name("/z/app"), "app");
    }

    #[test]
    fn without_paths_a_number_tells_them_apart() {
        let mut projects = Projects::new([], true);
        assert_eq!(projects.name("/home/secret/app"), "app");
        assert_eq!(projects.name("/home/other/app"), "app-2");
        assert_eq!(projects.name("/"), "project");
    }
}
