//! Every source of files, and what of them is on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::beads::Issues;
use super::claude_code::Transcripts;
use super::codex::Rollouts;
use super::file_source::FileSource;
use super::gas_town::{Costs, Town};
use super::gemini::Chats;
use super::git::Commits;
use super::opencode::{KILO, OPENCODE};

/// All sources of files.
pub static ALL: [&dyn FileSource; 9] =
    [&Transcripts, &Rollouts, &Chats, &OPENCODE, &KILO, &Issues, &Town, &Costs, &Commits];

/// The source that is called `word` on the command line.
#[must_use]
pub fn by_word(word: &str) -> Option<&'static dyn FileSource> {
    ALL.into_iter().find(|source| source.word() == word)
}

/// Something to be followed.
#[derive(Debug, Clone)]
pub struct Root {
    /// Whose files it holds.
    pub source: &'static dyn FileSource,
    /// A folder or a file; it need not exist yet.
    pub path: PathBuf,
}

impl Root {
    /// What is followed when somebody names `path` as one of the source's.
    #[must_use]
    pub fn named(source: &'static dyn FileSource, path: &Path) -> Self {
        Self { source, path: source.root(path.to_owned()) }
    }
}

impl PartialEq for Root {
    fn eq(&self, other: &Self) -> bool {
        self.source.name() == other.source.name() && self.path == other.path
    }
}

/// What a watcher follows: asked again and again, so that a new rig, or an agent that is installed later, is found
/// while watching.
#[derive(Clone)]
pub struct Roots(Arc<dyn Fn() -> Vec<Root> + Send + Sync>);

impl Roots {
    /// These and no others.
    #[must_use]
    pub fn named(roots: Vec<Root>) -> Self {
        Self::from_fn(move || roots.clone())
    }

    /// Whatever lies where agents keep their files by convention, and files of `beads` and repositories of `git` besides.
    #[must_use]
    pub fn found(beads: Vec<PathBuf>, git: Vec<PathBuf>) -> Self {
        Self::from_fn(move || {
            let named = beads.iter().map(|path| Root::named(&Issues, path));
            let named = named.chain(git.iter().map(|path| Root::named(&Commits, path)));
            let found =
                ALL.into_iter().flat_map(|source| source.roots().into_iter().map(move |path| Root { source, path }));
            let mut roots: Vec<Root> = Vec::new();
            for root in named.chain(found) {
                if !roots.contains(&root) {
                    roots.push(root);
                }
            }
            roots
        })
    }

    /// Whatever `look` finds.
    #[must_use]
    pub fn from_fn(look: impl Fn() -> Vec<Root> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// What there is to follow now.
    #[must_use]
    pub fn now(&self) -> Vec<Root> {
        (self.0)()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_source_has_names_of_its_own() {
        let names: HashSet<&str> = ALL.iter().map(|source| source.name()).collect();
        let words: HashSet<&str> = ALL.iter().map(|source| source.word()).collect();
        assert_eq!((names.len(), words.len()), (ALL.len(), ALL.len()));
        for source in ALL {
            assert!(model::id::SourceName::new(source.name()).is_ok());
            assert_eq!(by_word(source.word()).map(FileSource::name), Some(source.name()));
        }
    }
}
