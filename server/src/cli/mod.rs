//! Subcommands of `towngauge`.

pub mod backfill;
mod config;
mod context;
mod demo;
mod hook;
mod key;
mod prices;
pub mod report;
mod reprice;
mod rollup;
mod serve;
mod session;
mod ship;
mod signals;
mod source_word;
mod statusline;
mod topup;
pub mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use context::CommandContext;

use self::session::{Rollups, Session};
use crate::config::{Config, Settings};
use crate::telemetry;

const EXAMPLES: &str = "\
Examples:
  towngauge serve                                 open http://127.0.0.1:4680 and watch your agents
  towngauge backfill claude-code                  read the past once, from Claude Code's own folders
  towngauge topup --usd 50                        fill the tank of town \"home\"
  towngauge report daily --json                   what was used and spent, by day
  towngauge prices import litellm.json            new models' prices, from LiteLLM's list
  towngauge demo                                  make a town up, to look at
  towngauge key create --scope ingest laptop      a key for a sender on another machine
  towngauge watch --to URL --key-file FILE        and there: ship to this server

Every flag can also be set in the environment (TOWNGAUGE_LISTEN, TOWNGAUGE_DATA_DIR, …) or in towngauge.toml;
`towngauge config` prints what is in force and where it comes from.";

/// A live instrument panel for coding agents.
#[derive(Debug, Parser)]
#[command(name = "towngauge", version, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server: pages, API, live frames, and the local agents' files.
    Serve,
    /// Read what agents and tools have written already; running it again changes nothing.
    Backfill(backfill::BackfillArgs),
    /// Follow local files into the store, without serving pages; with --to, into the store of another machine.
    Watch(watch::WatchArgs),
    /// Sum tokens and cost by day, session, model, role or bead.
    Report(report::ReportArgs),
    /// Fill a town's tank.
    Topup(topup::Topup),
    /// Claude Code's status line: says how much of the subscription is used, and tells the server.
    Statusline(statusline::Statusline),
    /// Make a town up: years of plausible history, to look at and to measure with.
    Demo(demo::DemoArgs),
    /// List prices, add one, or import LiteLLM's list.
    #[command(subcommand)]
    Prices(prices::PricesCommand),
    /// Give stored calls the cost that the price book says now.
    Reprice(reprice::RepriceArgs),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Key(key::Key),
    /// Look after the rollups.
    #[command(subcommand)]
    Rollup(rollup::Rollup),
    /// Ask a server whether the tank allows an agent to go on: for Claude Code's command hooks.
    Hook(hook::HookArgs),
    /// Print the configuration in force, and where each value comes from.
    Config,
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    crate::memory::keep();
    let Cli { settings, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        // To a hook, clap's usual 2 would mean that the agent is to be blocked.
        Err(error) if error.use_stderr() && asks_for_hook(std::env::args_os().skip(1)) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
        Err(error) => error.exit(),
    };
    let env = |name: &str| std::env::var(name).ok();
    let config = Config::resolve(&settings, &env);
    if let Command::Statusline(args) = &command {
        return statusline::run(args, config.as_ref().ok());
    }
    if let Command::Hook(args) = &command {
        // Neither logs nor several threads: an agent waits. An error here must not look like a block.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        return runtime.map_or(ExitCode::FAILURE, |runtime| {
            let code = runtime.block_on(hook::run(args, config, &env));
            runtime.shutdown_background();
            code
        });
    }
    let result = config.and_then(|config| {
        let level = if matches!(command, Command::Serve | Command::Watch(_)) { "info,sqlx=warn" } else { "warn" };
        telemetry::start(config.log_format.value, level);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(dispatch(config, command))
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            // The one place where an error of a command is told.
            eprintln!("towngauge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether a command line that cannot be parsed may have been a hook's. Options may stand before the command, and which
/// of them take a value is what could not be parsed: so any such word counts.
fn asks_for_hook(arguments: impl Iterator<Item = OsString>) -> bool {
    arguments.take_while(|argument| argument != "--").any(|argument| argument == "hook")
}

async fn dispatch(config: Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve::run(config).await,
        Command::Config => Ok(config::run(&config)),
        // Done before there is a runtime.
        Command::Statusline(args) => Ok(statusline::run(&args, Some(&config))),
        Command::Hook(args) => Ok(hook::run(&args, Ok(config), &|name| std::env::var(name).ok()).await),
        Command::Backfill(args) => {
            // The past is long, and a server has its tiers made before somebody looks.
            with_store_and(&config, Rollups::Server, async |context| backfill::run(args, context).await).await
        }
        Command::Watch(args) => {
            let stop = signals::shutdown()?;
            // Nothing of the store is needed here: it is elsewhere.
            if let Some(url) = args.ship.to.clone() {
                let roots = watch::told_roots(&args, &config)?;
                return ship::run(&args.ship, &url, roots, &config, stop).await;
            }
            with_store(&config, async |context| watch::run(args, &config, context, stop).await).await
        }
        Command::Report(args) => with_store(&config, async |context| report::run(args, context).await).await,
        Command::Topup(args) => with_store(&config, async |context| topup::run(args, context).await).await,
        Command::Demo(args) => with_store(&config, async |context| demo::run(args, context).await).await,
        Command::Prices(args) => with_store(&config, async |context| prices::run(args, context).await).await,
        Command::Reprice(args) => with_store(&config, async |context| reprice::run(args, context).await).await,
        Command::Key(args) => with_store(&config, async |context| key::run(args, context).await).await,
        Command::Rollup(args) => with_store(&config, async |context| rollup::run(args, context).await).await,
    }
}

/// Opens the store, works, and lets go of it whatever came of it.
async fn with_store(
    config: &Config,
    work: impl AsyncFnOnce(&CommandContext) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    with_store_and(config, Rollups::Own, work).await
}

async fn with_store_and(
    config: &Config,
    rollups: Rollups,
    work: impl AsyncFnOnce(&CommandContext) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let session = Session::open(config).await?;
    let result = work(session.context()).await;
    session.close(rollups).await;
    result
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_server_takes_what_the_watcher_takes() {
        for command in ["serve", "watch"] {
            let line = ["towngauge", command, "--no-paths", "--beads", "a.jsonl", "--beads", "b.jsonl", "--git", "."];
            let settings = Cli::try_parse_from(line).unwrap().settings;
            assert!(settings.no_paths, "{command}");
            assert_eq!(settings.beads, [std::path::PathBuf::from("a.jsonl"), "b.jsonl".into()], "{command}");
        }
        let key_alone = ["towngauge", "watch", "--key", "tg_x"];
        assert!(Cli::try_parse_from(key_alone).is_err(), "a key is for shipping");
        assert!(Cli::try_parse_from(["towngauge", "watch", "--to", "gauge"]).is_err(), "no address");
        assert!(Cli::try_parse_from(["towngauge", "backfill", "claude-code", "--no-paths"]).unwrap().settings.no_paths);
    }

    #[test]
    fn a_mistyped_hook_is_known_wherever_its_word_stands() {
        let asks = |line: &str| asks_for_hook(line.split(' ').map(OsString::from));
        assert!(asks("hook --bad") && asks("--town x hook --bad") && asks("--bad hook") && asks("hook -- x"));
        assert!(!asks("serve --bad") && !asks("--town=hook serve") && !asks("serve -- hook"));
    }

    #[test]
    fn the_command_line_takes_what_the_guides_say() {
        let town = |name| model::TownName::new(name).unwrap();
        let address = "http://127.0.0.1:4680".to_owned();
        let place = crate::guide::Place {
            address,
            town: town("other"),
            home: town("home"),
            watching: true,
            keys_required: true,
        };
        let steps =
            crate::guide::all(&place).into_iter().flat_map(|guide| guide.steps).chain(crate::guide::key(&place));
        let texts: Vec<String> = steps.map(|step| step.text).collect();
        let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("towngauge "));
        let mut parsed = 0;
        for line in lines {
            let taken = Cli::try_parse_from(line.split(' '));
            assert!(taken.is_ok(), "{line}: {}", taken.unwrap_err());
            parsed += 1;
        }
        assert!(parsed >= 10, "{parsed}");
    }
}
