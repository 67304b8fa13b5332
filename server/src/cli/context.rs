//! What every command that works on the store is given.

use model::id::TownName;

use crate::db::Pool;
use crate::ingest::Intake;

/// An open store, and the town that the command is for.
#[derive(Debug, Clone)]
pub struct CommandContext {
    /// Connections.
    pub pool: Pool,
    /// The way in; the caller drains it afterwards.
    pub intake: Intake,
    /// `--town`, or the configured one.
    pub town: TownName,
    /// Keep no file names.
    pub no_paths: bool,
}
