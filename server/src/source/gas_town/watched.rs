//! The Gas Towns among what is watched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::SOURCE;
use crate::source::claude_code::is_town_root;
use crate::source::registry::Roots;

/// Their folders. Looks at the disk.
pub(in crate::source) fn watched(roots: &Roots) -> BTreeSet<PathBuf> {
    let of_town =
        |path: &Path| path.ancestors().find(|folder| is_town_root(&folder.to_string_lossy())).map(Path::to_owned);
    let roots = roots.now().into_iter().filter(|root| root.source.name() == SOURCE);
    roots.filter_map(|root| of_town(&root.path)).collect()
}
