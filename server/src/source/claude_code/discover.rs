//! Where transcripts lie on this machine.

use std::path::{Path, PathBuf};

/// Deepest folder below a root that is looked into.
const MAX_DEPTH: usize = 12;

/// What was found under a root.
#[derive(Debug, Default)]
pub struct Found {
    /// Transcripts, in the order in which `ccusage` reads them: by path.
    pub files: Vec<PathBuf>,
    /// What could not be looked into, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// The folders `projects` that Claude Code uses by its environment: `$CLAUDE_CONFIG_DIR` (several, by comma), or else
/// `$XDG_CONFIG_HOME/claude` (`~/.config/claude`) and `~/.claude`. Only those that exist.
#[must_use]
pub fn default_roots() -> Vec<PathBuf> {
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = var("HOME").or_else(|| directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()));
    let configured = std::env::var("CLAUDE_CONFIG_DIR").unwrap_or_default();
    let mut configs: Vec<PathBuf> = configured
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| match (entry.strip_prefix("~/"), &home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(entry),
        })
        .collect();
    if configs.is_empty() {
        let xdg = var("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        configs.extend(xdg.map(|xdg| xdg.join("claude")));
        configs.extend(home.map(|home| home.join(".claude")));
    }
    let mut roots: Vec<PathBuf> = configs.iter().map(|config| projects_of(config)).filter(|p| p.is_dir()).collect();
    roots.sort();
    roots.dedup();
    roots
}

/// `dir/projects` when it exists: `dir` is then a configuration folder.
fn projects_of(dir: &Path) -> PathBuf {
    let inside = dir.join("projects");
    if dir.file_name().is_some_and(|name| name == "projects") && !inside.is_dir() { dir.to_owned() } else { inside }
}

/// Every transcript under `path`: a configuration folder, its `projects`, a project's folder, or a single file.
///
/// # Errors
/// `path` itself does not exist or cannot be read. What cannot be read below it is in [`Found::unreadable`].
pub fn files_under(path: &Path) -> std::io::Result<Found> {
    let mut found = Found::default();
    if std::fs::metadata(path)?.is_file() {
        found.files.push(path.to_owned());
        return Ok(found);
    }
    let projects = path.join("projects");
    let root = if projects.is_dir() { projects } else { path.to_owned() };
    std::fs::read_dir(&root)?;
    walk(&root, 0, &mut found);
    found.files.sort_by_cached_key(|file| file.to_string_lossy().into_owned());
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Found) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return found.unreadable.push((folder.to_owned(), error.to_string())),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.unreadable.push((folder.to_owned(), error.to_string()));
                continue;
            }
        };
        let path = entry.path();
        // Links to folders are not followed: they could lead in circles.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth < MAX_DEPTH {
            walk(&path, depth + 1, found);
        } else if !kind.is_dir() && path.extension().is_some_and(|e| e == "jsonl") && path.is_file() {
            found.files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shapes_of_roots_give_the_same_files() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("projects/-w-app");
        std::fs::create_dir_all(project.join("s1/subagents")).unwrap();
        for name in ["s1.jsonl", "s1/subagents/agent-a.jsonl", "notes.txt"] {
            std::fs::write(project.join(name), "").unwrap();
        }
        let all = files_under(dir.path()).unwrap().files;
        assert_eq!(all.len(), 2);
        assert_eq!(files_under(&dir.path().join("projects")).unwrap().files, all);
        assert_eq!(files_under(&project).unwrap().files, all);
        assert_eq!(files_under(&project.join("s1.jsonl")).unwrap().files, vec![project.join("s1.jsonl")]);
        assert!(files_under(&dir.path().join("missing")).is_err());
    }
}
