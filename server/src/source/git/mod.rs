//! Git: commits on a repository's default branch give lines landed, apart from lines edited.
//!
//! Landed is what can be reached from the default branch: `origin/HEAD`, or else `origin/main`, `origin/master`, `main`,
//! `master`. Merges themselves are not counted, but every commit that they bring, at its committer's time, once, whichever
//! clone or worktree it is met in. Renamed files count by what changed in them, binary files not at all. Of a commit its
//! hash, its time and two numbers are read: no message, no path, no person; only an author that is an agent of the
//! repository's own rig (`gastown/polecats/toast`) is kept.

mod command;
mod commits;
mod log;
mod repository;
#[cfg(test)]
mod tests;

pub use commits::Commits;
pub use repository::head_of;
