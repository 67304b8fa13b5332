//! `cargo xtask …`: what a developer runs. Nothing of the product is in here.

mod apt;
mod bench;
mod build;
mod cargo;
mod check;
mod client;
mod context;
mod end2end;
mod npm;
mod postgres;
mod progress;
mod report;
mod run;
mod rust_tests;
mod screenshots;
mod server;
mod site;
mod step;
mod suite;
mod tally;
mod tools;
mod wasm_opt;
mod wasm_std;
mod wasm_target;

use clap::{Parser, Subcommand};
use context::Context;
use std::process::ExitCode;

/// Builds, runs and tests Towngauge. Everything it makes is under target/; logs are in target/xtask/*.log.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is missing or changed, then start the server
    Run {
        /// Flags for `towngauge serve`
        #[arg(last = true)]
        flags: Vec<String>,
    },
    /// Build the client and the server
    Build {
        /// Unoptimised, with names and debug information
        #[arg(long)]
        debug: bool,
    },
    /// The fast loop: format, clippy (native and WASM, warnings are errors), tests of model and chart
    Check,
    /// Everything: check, all tests, both builds, end2end in Chromium
    Test,
    /// The performance targets: limit, peer and ours side by side; all of them, or those named
    Bench {
        /// Such as P1 P4
        #[arg(ignore_case = true)]
        targets: Vec<bench::Target>,
        /// Little data and few rounds
        #[arg(long)]
        quick: bool,
    },
    /// Only the browser tests, on a fresh build
    End2end {
        /// Arguments for `playwright test`
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Pictures of every page in every state, for a person to look at
    Screenshots,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Context::new().and_then(|context| match arguments.command {
        Command::Run { flags } => run::run(&context, &flags),
        Command::Build { debug } => {
            build::command(&context, if debug { build::Mode::Debug } else { build::Mode::Release })
        }
        Command::Check => check::command(&context),
        Command::Test => suite::command(&context),
        Command::Bench { targets, quick } => bench::command(&context, &targets, quick),
        Command::End2end { arguments } => end2end::command(&context, &arguments),
        Command::Screenshots => screenshots::command(&context),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ncargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
