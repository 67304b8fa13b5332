//! `towngauge watch`: follows local files into the store, without serving pages.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::CommandContext;
use super::ship::ShipArgs;
use crate::clock::Clock;
use crate::config::{Config, Origin};
use crate::db::town;
use crate::host::{self, MachineProbe, Recorder, StoredSink, Who};
use crate::source::beads::Issues;
use crate::source::claude_code::Transcripts;
use crate::source::destination::StoreDestination;
use crate::source::gas_town::Costs;
use crate::source::git::Commits;
use crate::source::registry::{self, Root, Roots};
use crate::source::{FileSource, watch};

/// Follows what agents and tools write as it grows, from where it stopped before.
#[derive(Debug, Clone, clap::Args)]
pub struct WatchArgs {
    /// Folders of Claude Code transcripts; without any path, whatever exists on this machine by convention.
    pub dirs: Vec<PathBuf>,
    /// Another agent's or tool's folder or file, such as `--from codex ~/.codex`; may be repeated.
    #[arg(long, num_args = 2, value_names = ["SOURCE", "PATH"], action = clap::ArgAction::Append)]
    pub from: Vec<String>,
    /// Gas Town's costs.jsonl; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub gas_town_costs: Vec<PathBuf>,
    /// Where to, if not into the store.
    #[command(flatten)]
    pub ship: ShipArgs,
}

impl WatchArgs {
    /// What is to be followed. Who names anything on the command line means that and nothing else.
    ///
    /// # Errors
    /// There is no source of that name.
    pub fn roots(&self, config: &Config) -> anyhow::Result<Roots> {
        let (beads, git) = (&config.beads, &config.git);
        let of = |source: &'static dyn FileSource, paths: &[PathBuf]| -> Vec<Root> {
            paths.iter().map(|path| Root::named(source, path)).collect()
        };
        let mut named = [of(&Transcripts, &self.dirs), of(&Costs, &self.gas_town_costs)].concat();
        for pair in self.from.chunks_exact(2) {
            let source = registry::by_word(&pair[0]).with_context(|| {
                let words = registry::ALL.map(FileSource::word).join(", ");
                format!("there is no source \"{}\"; there are {words}", pair[0])
            })?;
            named.push(Root::named(source, Path::new(&pair[1])));
        }
        if beads.origin == Origin::Flag {
            named.extend(of(&Issues, &beads.value));
        }
        if git.origin == Origin::Flag {
            named.extend(of(&Commits, &git.value));
        }
        Ok(if named.is_empty() { Roots::found(beads.value.clone(), git.value.clone()) } else { Roots::named(named) })
    }
}

/// [`WatchArgs::roots`], told to whoever started it.
///
/// # Errors
/// As there.
pub fn told_roots(args: &WatchArgs, config: &Config) -> anyhow::Result<Roots> {
    let roots = args.roots(config)?;
    let now = roots.now();
    for root in &now {
        println!("watching {} ({})", root.path.display(), root.source.name());
    }
    if now.is_empty() {
        println!("no agent's files were found on this machine yet; they are watched once there are any");
    }
    Ok(roots)
}

/// Runs until `cancel`.
///
/// # Errors
/// The command line names a source that there is not.
pub async fn run(
    args: WatchArgs,
    config: &Config,
    context: &CommandContext,
    cancel: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let roots = told_roots(&args, config)?;
    let (town, intake, pool) = (context.town.clone(), context.intake.clone(), context.pool.clone());
    let reading = read_host(config, context, &cancel).await?;
    let store = StoreDestination::new(town, pool, intake).losing_after(config.request_lost_after_s.value);
    watch::spawn_into(Arc::new(store), roots, cancel, context.no_paths).await?;
    if let Some(reading) = reading {
        reading.await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads what this machine uses, unless told not to: into the store, where servers find it.
async fn read_host(
    config: &Config,
    context: &CommandContext,
    stop: &CancellationToken,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let Some(name) = config.host.value.clone() else { return Ok(None) };
    let town = town::ensure(&context.pool, &context.town, false).await?;
    let who = Who::this_process("watch", name);
    let recorder = Recorder::new(context.pool.clone(), town, who);
    let sink = StoredSink { recorder, clock: Clock::system() };
    let data_dir = config.data_dir.value.clone();
    Ok(Some(tokio::spawn(host::run(move || Box::new(MachineProbe::new(data_dir)), sink, stop.clone()))))
}
