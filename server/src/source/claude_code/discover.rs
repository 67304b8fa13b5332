//! Where transcripts lie on this machine.

use std::io;
use std::path::{Path, PathBuf};

use crate::source::environment;
use crate::source::found::{self, Found};

/// The folders `projects` that Claude Code uses by its environment: `$CLAUDE_CONFIG_DIR` (several, by comma), or else
/// `$XDG_CONFIG_HOME/claude` (`~/.config/claude`) and `~/.claude`. Only those that exist.
pub(super) fn default_roots() -> Vec<PathBuf> {
    let mut configs = environment::folders("CLAUDE_CONFIG_DIR", ".claude");
    if environment::path("CLAUDE_CONFIG_DIR").is_none() {
        let xdg = environment::path("XDG_CONFIG_HOME").or_else(|| Some(environment::home()?.join(".config")));
        configs.extend(xdg.map(|xdg| xdg.join("claude")));
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

/// Whether it is a transcript by its name.
pub(super) fn is_transcript(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl")
}

/// Every transcript under `path`, in the order in which `ccusage` reads them: by path. `path` is a configuration
/// folder, its `projects`, a project's folder, or a single file.
pub(super) fn files_under(path: &Path) -> io::Result<Found> {
    let projects = path.join("projects");
    found::under(if projects.is_dir() { &projects } else { path }, &is_transcript)
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
