//! `towngauge watch`: follows local files into the store, without serving pages.

use std::path::PathBuf;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::CommandContext;
use crate::config::{From, Origin};
use crate::source::input::Kind;
use crate::source::watch::{self, Root, discover_roots};

/// Follows transcripts, beads and costs as they grow, from where it stopped before.
#[derive(Debug, Clone, clap::Args)]
pub struct WatchArgs {
    /// Folders of Claude Code transcripts; without any path, those that exist on this machine by convention.
    pub dirs: Vec<PathBuf>,
    /// Gas Town's costs.jsonl; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub gas_town_costs: Vec<PathBuf>,
}

impl WatchArgs {
    /// What is to be followed. Who names anything on the command line means that and nothing else.
    #[must_use]
    pub fn roots(&self, beads: &From<Vec<PathBuf>>) -> Vec<Root> {
        let of = |kind: Kind, paths: &[PathBuf]| -> Vec<Root> {
            paths.iter().cloned().map(|path| Root { kind, path }).collect()
        };
        let named = [of(Kind::ClaudeCode, &self.dirs), of(Kind::GasTownCosts, &self.gas_town_costs)].concat();
        if named.is_empty() && beads.origin != Origin::Flag {
            return discover_roots(&beads.value);
        }
        let beads = if beads.origin == Origin::Flag { of(Kind::Beads, &beads.value) } else { Vec::new() };
        [named, beads].concat()
    }
}

/// Runs until `cancel`.
///
/// # Errors
/// There is nothing to follow.
pub async fn run(
    args: WatchArgs,
    beads: &From<Vec<PathBuf>>,
    context: &CommandContext,
    cancel: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let roots = args.roots(beads);
    if roots.is_empty() {
        anyhow::bail!("no agent's files were found on this machine; name a folder to watch");
    }
    for root in &roots {
        println!("watching {} ({})", root.path.display(), root.kind.source());
    }
    let (town, intake, pool) = (context.town.clone(), context.intake.clone(), context.pool.clone());
    watch::spawn(roots, town, intake, pool, cancel, context.no_paths).await?;
    Ok(ExitCode::SUCCESS)
}
