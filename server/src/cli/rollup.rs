//! `towngauge rollup verify`: proves invariant 3 on any database.

use std::process::ExitCode;

use clap::Subcommand;

use super::CommandContext;
use crate::db::verify;

/// Look after the rollups.
#[derive(Debug, Subcommand)]
pub enum Rollup {
    /// Compare every tier with a fold of the events from scratch; exits with 1 on any difference.
    Verify,
}

/// Does it.
///
/// # Errors
/// The database refused.
pub async fn run(args: Rollup, context: &CommandContext) -> anyhow::Result<ExitCode> {
    let Rollup::Verify = args;
    let report = verify::run(&context.pool).await?;
    for difference in &report.first {
        let shown = |side: &Option<String>| side.clone().unwrap_or_else(|| "no row".to_owned());
        println!(
            "{} town {} {} {}: stored {}, expected {}",
            difference.table,
            difference.town,
            difference.bucket,
            difference.part,
            shown(&difference.stored),
            shown(&difference.expected)
        );
    }
    println!(
        "{} rows compared, {} differ, {} spans were still changing",
        report.compared, report.different, report.pending
    );
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
