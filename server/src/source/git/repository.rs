//! Where a repository's own folder is, how it looks from outside, and which branch is its default.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::command::{Git, GitError};
use crate::source::file_source::Look;

/// Largest small file of a repository that is read.
const MAX_SMALL_BYTES: u64 = 1 << 20;
/// Branches that may be the default one, the surest first.
const CANDIDATES: [&str; 5] = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];

/// The `HEAD` of the repository that `path` is: a working copy, a worktree, a bare repository, or its `HEAD` itself. All
/// worktrees of a repository have the same one. None when it is no repository.
#[must_use]
pub fn head_of(path: &Path) -> Option<PathBuf> {
    if path.file_name().is_some_and(|name| name == "HEAD") && path.is_file() {
        return own_folder(path.parent()?).map(|folder| folder.join("HEAD"));
    }
    let inside = path.join(".git");
    let folder = if inside.is_file() {
        // A worktree, or a submodule: the file says where its folder is.
        path.join(small(&inside)?.trim().strip_prefix("gitdir:")?.trim())
    } else if inside.is_dir() {
        inside
    } else {
        path.to_owned()
    };
    own_folder(&folder).map(|folder| folder.join("HEAD"))
}

/// The folder with the objects: of a worktree its repository's.
fn own_folder(folder: &Path) -> Option<PathBuf> {
    let common = small(&folder.join("commondir")).map(|common| folder.join(common.trim()));
    let folder = common.as_deref().unwrap_or(folder);
    let is_one = folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir();
    is_one.then(|| std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()))
}

/// The folder that people know: of `app/.git` it is `app`, of the bare `app.git` too.
pub(super) fn known_folder(folder: &Path) -> PathBuf {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if matches!(name, ".git" | ".repo.git") {
        return folder.parent().unwrap_or(folder).to_owned();
    }
    name.strip_suffix(".git").map_or_else(|| folder.to_owned(), |name| folder.with_file_name(name))
}

/// How the repository looks: different whenever a branch that may be the default one moved.
pub(super) fn look(folder: &Path) -> Option<Look> {
    let mut look = Look::at(&folder.join("HEAD"))?;
    let named = [folder.join("HEAD"), folder.join(CANDIDATES[0])];
    let pointed = named.iter().filter_map(|file| Some(small(file)?.strip_prefix("ref:")?.trim().to_owned()));
    let refs: HashSet<String> = CANDIDATES
        .into_iter()
        .map(str::to_owned)
        .chain(pointed)
        .chain(["packed-refs".to_owned(), "shallow".to_owned(), "reftable/tables.list".to_owned()])
        .filter(|name| !name.split('/').any(|part| part == ".."))
        .collect();
    for file in refs {
        if let Some(other) = Look::at(&folder.join(file)) {
            look = look.and(other);
        }
    }
    Some(look)
}

/// The newest commit of the default branch; none when there is no such branch, or no commit yet.
pub(super) fn tip(git: &Git<'_>) -> Result<Option<String>, GitError> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut arguments = vec!["for-each-ref", "--format=%(objectname) %(refname)"];
    arguments.extend(CANDIDATES);
    git.lines(&arguments, &mut |line| {
        found.extend(line.split_once(' ').map(|(hash, name)| (name.to_owned(), hash.to_owned())));
        true
    })?;
    let named = CANDIDATES.iter().find_map(|wanted| found.iter().find(|(name, _)| name == wanted));
    if let Some((_, hash)) = named {
        return Ok(Some(hash.clone()));
    }
    // A bare repository says which one it is; elsewhere HEAD is whatever is checked out, unless there is but one branch.
    let is_bare = git.first(&["rev-parse", "--is-bare-repository"])?.as_deref() == Some("true");
    if is_bare && !git.folder.ends_with(".git") {
        return git.first(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
    }
    let mut branches = Vec::new();
    git.lines(&["for-each-ref", "--count=2", "--format=%(objectname)", "refs/heads"], &mut |line| {
        branches.push(line.to_owned());
        true
    })?;
    Ok(branches.pop().filter(|_| branches.is_empty()))
}

/// The commits at which a shallow clone ends: seen from them, everything is new, which it is not.
pub(super) fn ends(folder: &Path) -> HashSet<String> {
    small(&folder.join("shallow")).map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
}

fn small(path: &Path) -> Option<String> {
    let meta = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    (meta.len() <= MAX_SMALL_BYTES).then(|| std::fs::read_to_string(path).ok()).flatten()
}
