//! Where a Gas Town keeps its beads: `.beads` of the town and of each of its rigs.

use std::path::{Path, PathBuf};

use crate::source::claude_code::is_town_root;
use crate::source::environment;

/// Rigs that are looked at; a town has a handful.
const MAX_RIGS: usize = 1_000;

/// The town of this machine: `$GT_ROOT`, or else `~/gt` when it is one.
#[must_use]
pub fn root() -> Option<PathBuf> {
    let root = environment::path("GT_ROOT").or_else(|| Some(environment::home()?.join("gt")))?;
    (root.is_dir() && is_town_root(&root.to_string_lossy())).then_some(root)
}

/// The files of beads in a town, the town's own first. Only those that exist: where Dolt holds the truth, the export
/// `issues.jsonl` may be missing or old. So both are read, and of each bead the newer state counts.
#[must_use]
pub fn files(town: &Path) -> Vec<PathBuf> {
    let mut rigs: Vec<PathBuf> = std::fs::read_dir(town)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join(".beads").is_dir())
        .take(MAX_RIGS)
        .collect();
    rigs.sort();
    std::iter::once(town.to_owned()).chain(rigs).flat_map(|owner| files_of(&owner)).collect()
}

fn files_of(owner: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let beads = owner.join(".beads");
    [beads.join("issues.jsonl"), beads.join("backup").join("issues.jsonl")].into_iter().filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::beads::rig_of;

    #[test]
    fn the_town_s_own_beads_come_first_and_belong_to_no_rig() {
        let folder = tempfile::tempdir().unwrap();
        let town = folder.path();
        for path in [
            "mayor/town.json",
            ".beads/issues.jsonl",
            "gastown/.beads/issues.jsonl",
            "gastown/.beads/backup/issues.jsonl",
            "beads/.beads/backup/issues.jsonl",
            "empty/.beads/metadata.json",
            "deep/er/.beads/issues.jsonl",
        ] {
            let path = town.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = files(town);
        let shown: Vec<String> =
            found.iter().map(|path| path.strip_prefix(town).unwrap().display().to_string()).collect();
        let want = [
            ".beads/issues.jsonl",
            "beads/.beads/backup/issues.jsonl",
            "gastown/.beads/issues.jsonl",
            "gastown/.beads/backup/issues.jsonl",
        ];
        assert_eq!(shown, want);
        let rigs: Vec<Option<String>> = found.iter().map(|path| rig_of(path).map(|rig| rig.to_string())).collect();
        let rig = |name: &str| Some(name.to_owned());
        assert_eq!(rigs, [None, rig("beads"), rig("gastown"), rig("gastown")]);
        assert_eq!(files(&town.join("nowhere")), Vec::<PathBuf>::new());
    }
}
