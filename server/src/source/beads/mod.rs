//! Beads' `issues.jsonl`, both shapes: `bd export` (empty fields left out) and the table dump in `.beads/backup`
//! (every column, `""` and `null`, 0 and 1 for booleans).

mod agent;
mod issue;
mod issues;
mod town;

pub use issue::{Bead, parse, rig_of};
pub use issues::Issues;
pub use town::{files as files_of_town, root as town_root};

/// The name of this source.
pub const SOURCE: &str = model::evidence::BEADS_SOURCE;
