//! Subcommands of `towngauge`.

pub mod backfill;
mod context;
pub mod report;
pub mod watch;

pub use context::CommandContext;
